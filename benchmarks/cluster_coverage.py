"""How often do intervals of clustered samples contain the truth? `python -m benchmarks.cluster_coverage`.

Clusters draw their own rate from a beta distribution with a known intra-cluster correlation; two
groups share their clusters (one design in two tones) or have clusters of their own. Reports, over
the cells of each kind: mean and smallest coverage, largest one-sided error, and the same for
intervals that take the samples as independent.
"""

import argparse
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates, Kind
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

if TYPE_CHECKING:
    from numpy.typing import NDArray

LEVEL = 0.95
KINDS = ("rate", "difference", "ratio")
RATES = ((0.5, 0.5), (0.8, 0.7), (0.95, 0.95), (0.95, 0.8), (0.98, 0.9))


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting of the simulation."""

    clusters: int
    size: int
    correlation: float
    shared: bool
    rates: tuple[float, float]


@dataclass(frozen=True, slots=True)
class Result:
    """Share of runs whose interval contains the truth, lies above it, lies below it."""

    covered: float
    above: float
    below: float


def cells(sizes: tuple[int, ...] = (1, 2, 5, 20)) -> Iterator[Cell]:
    """All settings."""
    for clusters, size, correlation, shared, rates in itertools.product(
        (15, 30, 76), sizes, (0.0, 0.5, 0.9), (True, False), RATES
    ):
        if correlation or not shared:
            yield Cell(clusters, size, correlation, shared, rates)


def draw(cell: Cell, runs: int, rng: np.random.Generator) -> ClusterCounts:
    """Draw `runs` first groups, then `runs` second ones, with the cell's intra-cluster correlation."""
    place = rng.random((2, runs, cell.clusters))
    if cell.shared:
        place[1] = place[0]
    mean = np.array(cell.rates)[:, None, None]
    rate: NDArray[np.float64] = np.broadcast_to(mean, place.shape)
    if cell.correlation:
        spread = (1 - cell.correlation) / cell.correlation
        rate = np.asarray(stats.beta.ppf(place, mean * spread, (1 - mean) * spread))
    n = np.full(place.shape, cell.size)
    flat = 2 * runs, cell.clusters
    return ClusterCounts(rng.binomial(n, rate).reshape(flat), n.reshape(flat))


def simulate(
    cell: Cell, kind: str, *, runs: int, rng: np.random.Generator, clustered: bool = True
) -> Result:
    """Simulate one cell for `rate`, `difference` or `ratio`."""
    first, second = cell.rates
    truth = {"rate": first, "difference": first - second, "ratio": first / second}[kind]
    counts = draw(cell, runs, rng)
    whole = RateCounts(counts.successes.sum(axis=1), counts.n.sum(axis=1))
    rates = GroupRates(whole, counts if clustered else None)
    ones = np.arange(runs)
    if kind == "rate":
        low, high = (bound[:runs] for bound in rates.alone(LEVEL))
    else:
        pair: Kind = "difference" if kind == "difference" else "ratio"
        low, high = rates.pairs(ones, ones + runs, kind=pair, confidence=LEVEL)
    above, below = float((low > truth + 1e-9).mean()), float((high < truth - 1e-9).mean())
    return Result(1 - above - below, above, below)


def _summary(results: list[Result]) -> str:
    table = np.array([[r.covered, r.above, r.below] for r in results])
    covered, errors = table[:, 0], table[:, 1:]
    return f"{covered.mean():.3f} | {covered.min():.3f} | {errors.max():.3f}"


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument(
        "--kinds", nargs="*", default=KINDS, choices=KINDS, help="pairs take exact intervals: slow"
    )
    parser.add_argument(
        "--every", type=int, default=1, help="only every so many-th cell; 7 mixes all settings"
    )
    options = parser.parse_args()
    print(
        "| kind | cells | samples as | mean coverage | smallest coverage | largest one-sided error |"
    )
    print("|---|---|---|---|---|---|")
    for kind in options.kinds:
        for clustered in (True, False):
            rng = np.random.default_rng(options.seed)
            results = [
                simulate(cell, kind, runs=options.runs, rng=rng, clustered=clustered)
                for cell in itertools.islice(cells(), 0, None, options.every)
            ]
            how = "clustered" if clustered else "independent"
            print(f"| {kind} | {len(results)} | {how} | {_summary(results)} |", flush=True)


if __name__ == "__main__":
    main()
