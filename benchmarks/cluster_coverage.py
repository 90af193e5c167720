"""How often do intervals of clustered samples err? `python -m benchmarks.cluster_coverage`.

A design says how many samples each cluster has: equal sizes, sizes with a heavy tail, one person who
has most of the images, sizes that go with the rate. Each cluster has a rate of its own: drawn from a
beta distribution with a known intra-cluster correlation, or 0 for the few people who are always misread.
Two groups share their clusters (one design in two tones) or have clusters of their own.

Reports, over the cells of each design: mean and smallest coverage, the largest error of each side, and,
where asked, the same for intervals that take the samples as independent.
"""

import argparse
import itertools
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates, Kind
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

KINDS = ("rate", "difference", "ratio")
RATES = ((0.5, 0.5), (0.8, 0.7), (0.95, 0.95), (0.95, 0.8), (0.98, 0.9))
CORRELATIONS = (0.0, 0.3, 0.9)
# What Holm's first step asks of 34 questions at 95 %.
HOLM = 1 - 0.05 / 34


def _pareto(number: int) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    """Sizes with a heavy tail, drawn anew for each run."""
    return lambda rng, runs: np.minimum(
        (rng.pareto(1.2, (runs, number)) + 1).astype(np.int64), 5000
    )


def _fixed(*sizes: int) -> Callable[[np.random.Generator, int], NDArray[np.int64]]:
    """The same sizes in each run."""
    return lambda _, runs: np.broadcast_to(np.array(sizes), (runs, len(sizes)))


DESIGNS: Final[Mapping[str, Callable[[np.random.Generator, int], NDArray[np.int64]]]] = {
    "15 x 4": _fixed(*[4] * 15),
    "30 x 20": _fixed(*[20] * 30),
    "76 x 4": _fixed(*[4] * 76),
    "300 x 2": _fixed(*[2] * 300),
    "1 to 20, mixed": _fixed(*[1, 2, 4, 7, 20] * 12),
    "40 Pareto": _pareto(40),
    "100 Pareto": _pareto(100),
    "300 and 50 x 1": _fixed(300, *[1] * 50),
    "1000 and 50 x 1": _fixed(1000, *[1] * 50),
    "5 x 100 and 50 x 2": _fixed(*[100] * 5, *[2] * 50),
}
"""Name -> sizes (runs, clusters)."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation.

    Args:
        design: Name of the sizes.
        correlation: Intra-cluster correlation of the beta distribution, 0 to 1.
        rates: Rates of the first and of the second group.
        shared: Whether both groups have the same clusters, with the same place in each distribution;
            else each has clusters of its own.
        unequal: Whether the second group has other numbers of samples in the shared clusters, and
            none in every fifth, where the first has none in every seventh.
        misread: Share of clusters all of whose samples fail, whatever the distribution says.
        informative: How much lower the rate of the largest cluster is than that of the smallest.
    """

    design: str
    correlation: float
    rates: tuple[float, float]
    shared: bool = False
    misread: float = 0.0
    informative: float = 0.0
    unequal: bool = False


@dataclass(frozen=True, slots=True)
class Result:
    """Share of runs whose interval contains the truth, lies above it, lies below it."""

    covered: float
    above: float
    below: float


def cells(kind: str, designs: tuple[str, ...] = tuple(DESIGNS)) -> Iterator[Cell]:
    """All settings of a kind."""
    sharing = (False,) if kind == "rate" else (True, False)
    for design, correlation, rates, shared in itertools.product(
        designs, CORRELATIONS, RATES, sharing
    ):
        yield Cell(design, correlation, rates, shared)
        if shared:
            yield Cell(design, correlation, rates, shared, unequal=True)
        if kind == "rate" and correlation == 0.3:
            yield Cell(design, correlation, rates, informative=0.2)
    for design, misread, shared in itertools.product(designs, (0.02, 0.1), sharing):
        yield Cell(design, 0.0, (0.98, 0.98), shared, misread=misread)


def people_of(settings: Iterable[Cell]) -> dict[str, list[Cell]]:
    """What the people of a cell are like -> the cells."""
    people: dict[str, list[Cell]] = {}
    for cell in settings:
        alike = (
            "a few always misread"
            if cell.misread
            else "rates go with sizes"
            if cell.informative
            else "rates from a beta"
        )
        people.setdefault(alike, []).append(cell)
    return people


@dataclass(frozen=True, slots=True)
class Drawn:
    """Counts of `runs` first groups, then of `runs` second ones; the true rates of each, (2, runs)."""

    counts: ClusterCounts
    truth: NDArray[np.float64]


def draw(cell: Cell, runs: int, rng: np.random.Generator) -> Drawn:
    """Draw the runs of a cell."""
    sizes = DESIGNS[cell.design](rng, runs)
    n = np.stack([sizes, sizes])
    if cell.unequal:
        n[1] = sizes[:, ::-1]
        n[0, :, ::7] = n[1, :, 2::5] = 0
    place, misread = rng.random((2, *n.shape))
    if cell.shared:
        place[1], misread[1] = place[0], misread[0]
    mean = np.broadcast_to(np.array(cell.rates)[:, None, None], n.shape)
    if cell.informative:
        order = sizes.argsort(axis=1).argsort(axis=1) / (sizes.shape[1] - 1)
        mean = np.clip(mean + cell.informative * (0.5 - order), 0.02, 0.98)
    rate = mean
    if cell.correlation:
        spread = (1 - cell.correlation) / cell.correlation
        rate = np.asarray(stats.beta.ppf(place, mean * spread, (1 - mean) * spread))
    rate = np.where(misread < cell.misread, 0.0, rate)
    truth = (n * mean).sum(axis=2) / n.sum(axis=2) * (1 - cell.misread)
    x = rng.binomial(n, rate)
    if not cell.shared:
        x, n = _side_by_side(x), _side_by_side(n)
    return Drawn(ClusterCounts(x.reshape(2 * runs, -1), n.reshape(2 * runs, -1)), truth)


def _side_by_side(count: NDArray[np.int64]) -> NDArray[np.int64]:
    """Each group's counts in clusters of its own."""
    none = np.zeros_like(count[0])
    return np.stack([np.hstack([count[0], none]), np.hstack([none, count[1]])])


def simulate(
    cell: Cell,
    kind: str,
    *,
    runs: int,
    rng: np.random.Generator,
    clustered: bool = True,
    confidence: float = 0.95,
) -> Result:
    """Simulate one cell for `rate`, `difference` or `ratio`."""
    drawn = draw(cell, runs, rng)
    counts, (first, second) = drawn.counts, drawn.truth
    truth = {"rate": first, "difference": first - second, "ratio": first / second}[kind]
    whole = RateCounts(counts.successes.sum(axis=1), counts.n.sum(axis=1))
    rates = GroupRates(whole, counts if clustered else None)
    ones = np.arange(runs)
    if kind == "rate":
        low, high = rates.alone(confidence, groups=ones)
    else:
        pair: Kind = "difference" if kind == "difference" else "ratio"
        low, high = rates.pairs(ones, ones + runs, kind=pair, confidence=confidence)
    above, below = float((low > truth + 1e-9).mean()), float((high < truth - 1e-9).mean())
    return Result(1 - above - below, above, below)


def _summary(results: list[Result]) -> str:
    table = np.array([[r.covered, r.above, r.below] for r in results])
    return (
        f"{table[:, 0].mean():.4f} | {table[:, 0].min():.4f} | {table[:, 1].max():.4f} | "
        f"{table[:, 2].max():.4f}"
    )


def main() -> None:
    """Print the tables of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--designs", nargs="*", default=tuple(DESIGNS), choices=tuple(DESIGNS))
    parser.add_argument("--levels", nargs="*", type=float, default=(0.95, HOLM))
    parser.add_argument("--independent", action="store_true", help="as if without clusters, too")
    parser.add_argument(
        "--every", type=int, default=1, help="only every so many-th cell; 7 mixes all settings"
    )
    options = parser.parse_args()
    print(
        "| kind | design | people | level | samples as | cells | mean coverage | smallest | "
        "low errs | high errs |"
    )
    print("|" + "---|" * 10)
    how = (True, False) if options.independent else (True,)
    for kind, level, design, clustered in itertools.product(
        options.kinds, options.levels, options.designs, how
    ):
        for people, of_them in people_of(cells(kind, (design,))).items():
            rng = np.random.default_rng(options.seed)
            results = [
                simulate(
                    cell, kind, runs=options.runs, rng=rng, clustered=clustered, confidence=level
                )
                for cell in of_them[:: options.every]
            ]
            samples = "clustered" if clustered else "independent"
            print(
                f"| {kind} | {design} | {people} | {level:.4f} | {samples} | {len(results)} | "
                f"{_summary(results)} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
