"""How often do verdicts err when a growing set is looked at again? `python -m benchmarks.looks`.

A model lies exactly at its limit. Its set grows, and its interval is computed at each look: at the
level of one look, and at the level of `looks = "any"`. Counted are the runs in which the interval
ever lies wholly above the truth, and ever wholly below: the chance of a wrong pass and of a wrong
block, or the other way round. Each is promised to be at most half of 1 - level.

Reports a line for each kind of interval. `--runs` draws so many runs of each, `--only NAME` one kind.
"""

import argparse
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from benchmarks.advice import LEVEL, follow_advice
from pytest_fairness.statistics.arrays import Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.comparisons.movement import Movement, PairTables
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.estimators.sample_means import sample_means
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Looks, look_level
from pytest_fairness.statistics.metrics.names import metric_named

Kind = Literal["none", "difference"]
# (runs, ...) at each look: the intervals of every run, given how often they may be looked at.
Look = Callable[[Looks], Interval]
Series = Callable[[np.random.Generator, int], Iterator[tuple[Look, float]]]


@dataclass(frozen=True, slots=True)
class Errors:
    """Shares of the runs whose interval was ever wholly above the truth, and ever below."""

    above: float
    below: float


def grown(least: int, most: int, factor: float) -> list[int]:
    """Sizes of a set that grows by a factor."""
    sizes = [least]
    while (size := max(int(sizes[-1] * factor), sizes[-1] + 1)) <= most:
        sizes.append(size)
    return sizes


def errors(series: Series, looks: Looks, *, runs: int, seed: int) -> Errors:
    """Follow so many runs from look to look.

    Args:
        series: Draws the runs, and yields what each look sees, with the truth.
        looks: How often they may be looked at.
        runs: Number of runs.
        seed: Of the draws: the same for one look as for any number.
    """
    above: NDArray[np.bool_] = np.zeros(runs, dtype=bool)
    below = above.copy()
    for look, truth in series(np.random.default_rng(seed), runs):
        low, high = (end.reshape(runs, -1) for end in look(looks))
        above |= (low > truth + 1e-12).any(axis=1)
        below |= (high < truth - 1e-12).any(axis=1)
    return Errors(float(above.mean()), float(below.mean()))


def _counts(
    rng: np.random.Generator, rate: float, sizes: list[int], shape: tuple[int, ...]
) -> Integers:
    """Successes at each size, (looks, ...)."""
    steps = np.diff([0, *sizes])
    return np.cumsum([rng.binomial(step, rate, shape) for step in steps], axis=0)


def _alone(measured: Measured, confidence: float = LEVEL) -> Look:
    return lambda looks: at_looks(measured, looks, whole=(0.0, 1.0)).alone(confidence)


def _pairs(
    measured: Measured, first: Integers, second: Integers, confidence: float = LEVEL
) -> Look:
    """Differences; runs with the same counts are computed once."""

    def interval(looks: Looks) -> Interval:
        looked = at_looks(measured, looks, whole=(-1.0, 1.0))
        return looked.pairs(first, second, kind="difference", confidence=confidence)

    return interval


def _once(look: Callable[[Integers], Look], counts: Integers) -> Look:
    """Compute the intervals of runs with the same counts, (runs, ...), once."""
    unique, inverse = np.unique(counts, axis=0, return_inverse=True)

    def interval(looks: Looks) -> Interval:
        return Interval(*(end[inverse.reshape(-1)] for end in look(unique)(looks)))

    return interval


def rates(rate: float, sizes: list[int], *, family: int = 1) -> Series:
    """One rate at its limit, or the first step of Holm over several."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        counts = _counts(rng, rate, sizes, (runs * family,))
        for n, x in zip(sizes, counts, strict=True):
            rows = GroupRates(RateCounts(x, np.full_like(x, n)))
            yield _alone(rows, bonferroni(LEVEL, family)), rate

    return series


def differences(first: float, second: float, sizes: list[int], *, times: int = 1) -> Series:
    """The difference of two independent rates, the second of which has `times` as many samples."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        counts = _counts(rng, first, sizes, (runs,))
        others = _counts(rng, second, [times * n for n in sizes], (runs,))
        for n, x, y in zip(sizes, counts, others, strict=True):

            def look(tables: Integers, n: int = n) -> Look:
                size = len(tables)
                whole = np.repeat([n, times * n], size)
                rows = GroupRates(RateCounts(tables.T.reshape(-1), whole))
                return _pairs(rows, np.arange(size), size + np.arange(size))

            yield _once(look, np.column_stack([x, y])), first - second

    return series


def largest_gap(rate: float, groups: int, sizes: list[int]) -> Series:
    """The inner bound of the largest gap of fair groups: all pairs, with Bonferroni over them."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        counts = _counts(rng, rate, sizes, (runs * groups,))
        one, other = np.triu_indices(groups, k=1)
        start = np.arange(runs)[:, None] * groups
        first, second = ((start + end).reshape(-1) for end in (one, other))
        for n, x in zip(sizes, counts, strict=True):
            rows = GroupRates(RateCounts(x, np.full_like(x, n)))
            yield _pairs(rows, first, second, bonferroni(LEVEL, len(one))), 0.0

    return series


def paired(cells: tuple[float, float, float, float], sizes: list[int]) -> Series:
    """The change of a rate on the same samples: chances of both, now only, then only and neither."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        steps = np.diff([0, *sizes])
        tables = np.cumsum([rng.multinomial(step, cells, runs) for step in steps], axis=0)
        for n, table in zip(sizes, tables, strict=True):

            def look(some: Integers, n: int = n) -> Look:
                moved = Movement.paired(PairTables(*some.T.astype(np.float64)))

                def interval(looks: Looks) -> Interval:
                    level = float(look_level(LEVEL, n, looks))
                    return moved.change_interval(level) if level < 1 else _whole(len(some))

                return interval

            yield _once(look, table), cells[1] - cells[2]

    return series


def _whole(size: int) -> Interval:
    return Interval(np.full(size, -1.0), np.full(size, 1.0))


def clustered(
    rate: float,
    correlation: float,
    sizes: Callable[[np.random.Generator, int], Integers],
    clusters: list[int],
    *,
    kind: Kind = "none",
    shared: bool = False,
) -> Series:
    """A rate, or a difference of two equal rates, of clusters that arrive one after the other.

    Args:
        rate: The true rate.
        correlation: Intra-cluster correlation of a beta-binomial.
        sizes: Draws the sizes of so many clusters, the first ones first.
        clusters: Clusters at each look.
        kind: Whether two groups are compared.
        shared: Whether both groups have their samples in the same clusters.
    """

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        most = clusters[-1]
        groups = 1 if kind == "none" else 2
        n = np.broadcast_to(sizes(rng, most), (groups, runs, most))
        spread = (1 - correlation) / correlation
        shape = (1 if shared else groups, runs, most)
        own = np.broadcast_to(rng.beta(rate * spread, (1 - rate) * spread, shape), n.shape)
        x = rng.binomial(n, own)
        for number in clusters:
            yield (
                _of_clusters(x[..., :number], n[..., :number], kind, shared=shared),
                (rate if kind == "none" else 0.0),
            )

    return series


def _of_clusters(x: Integers, n: Integers, kind: Kind, *, shared: bool) -> Look:
    groups, runs, number = x.shape
    flat_x, flat_n = x.reshape(-1, number), n.reshape(-1, number)
    if groups == 2 and not shared:  # other clusters: each group has columns of its own
        wide = np.zeros((2, 2 * runs, 2 * number), dtype=np.int64)
        for which, counts in enumerate((x, n)):
            wide[which, :runs, :number], wide[which, runs:, number:] = counts
        flat_x, flat_n = wide
    whole = RateCounts(flat_x.sum(axis=1), flat_n.sum(axis=1))
    rows = GroupRates(whole, ClusterCounts(flat_x, flat_n))
    if kind == "none":
        return _alone(rows)
    return _pairs(rows, np.arange(runs), runs + np.arange(runs))


def composites(name: str, hit: float, false: float, sizes: list[int]) -> Series:
    """A measure of several rates, of a group or of two that are alike; half of the samples are positive."""
    metric = metric_named(name)
    groups = 1 if metric.comparison == "none" else 2

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        half = [n // 2 for n in sizes]
        hits = _counts(rng, hit, half, (groups * runs,))
        alarms = _counts(rng, false, half, (groups * runs,))
        exact = np.array([[[1 - false, false], [1 - hit, hit]]]) * 1_000_000
        truth = measure(metric.measure, np.round(exact).astype(np.int64), positive=1).values[0]
        for n, tp, fp in zip(half, hits, alarms, strict=True):
            cells = np.stack([n - fp, fp, n - tp, tp], axis=-1).reshape(-1, 2, 2)
            rows = measure(metric.measure, cells, positive=1)
            if groups == 1:
                yield _alone(rows), float(truth)
            else:
                yield _pairs(rows, np.arange(runs), runs + np.arange(runs)), 0.0

    return series


def means(
    draw: Callable[[np.random.Generator, tuple[int, int]], NDArray[np.floating]], sizes: list[int]
) -> Series:
    """The mean of a number between 0 and 1. The truth is the mean of very many draws."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        truth = float(draw(np.random.default_rng(0), (1, 4_000_000)).mean())
        values = draw(rng, (runs, sizes[-1]))
        for n in sizes:
            groups = np.repeat(np.arange(runs), n)
            yield (
                _alone(sample_means(values[:, :n].reshape(-1).astype(np.float64), groups, runs)),
                truth,
            )

    return series


def mean_differences(share: float, sizes: list[int]) -> Series:
    """The difference of the means of two groups in which a share of the values is 1, the rest 0.4."""

    def series(rng: np.random.Generator, runs: int) -> Iterator[tuple[Look, float]]:
        values = np.where(rng.random((2 * runs, sizes[-1])) < share, 1.0, 0.4)
        for n in sizes:
            groups = np.repeat(np.arange(2 * runs), n)
            rows = sample_means(values[:, :n].reshape(-1), groups, 2 * runs)
            yield _pairs(rows, np.arange(runs), runs + np.arange(runs)), 0.0

    return series


def _equal(size: int) -> Callable[[np.random.Generator, int], Integers]:
    return lambda _, number: np.full(number, size)


def _mixed(_: np.random.Generator, number: int) -> Integers:
    return np.resize([1, 2, 4, 7, 12], number)


def _giant(_: np.random.Generator, number: int) -> Integers:
    return np.concatenate([np.full(5, 40), np.full(max(number - 5, 0), 2)])[:number]


def _pareto(rng: np.random.Generator, number: int) -> Integers:
    return np.minimum((rng.pareto(1.2, number) + 1).astype(np.int64), 300)


SLOW, FAST = grown(20, 3_000, 1.05), grown(20, 20_000, 1.01)
CLUSTERS = grown(10, 300, 1.15)
KINDS: Final[Mapping[str, tuple[str, Series]]] = {
    "rate .90": ("30 looks, + 10 %", rates(0.9, grown(20, 350, 1.1))),
    "rate .90, often": ("every 1 % to 20,000", rates(0.9, FAST)),
    "rate .50": ("every 1 % to 20,000", rates(0.5, FAST)),
    "rate .98": ("every 1 % to 20,000", rates(0.98, FAST)),
    "Holm, 10 rates .90": ("every 5 % to 3,000", rates(0.9, SLOW, family=10)),
    "difference .90 - .80": ("every 5 % to 3,000", differences(0.9, 0.8, SLOW)),
    "difference .60 - .50": ("every 5 % to 3,000", differences(0.6, 0.5, SLOW)),
    "difference .90 - .90, 1 to 10": ("every 5 % to 3,000", differences(0.9, 0.9, SLOW, times=10)),
    "exact unconditional .98 - .98": (
        "every 15 % to 200",
        differences(0.98, 0.98, grown(20, 200, 1.15)),
    ),
    "largest gap of 6 fair groups": ("every 5 % to 3,000", largest_gap(0.8, 6, SLOW)),
    "paired, .10 and .05 differ": ("every 5 % to 3,000", paired((0.7, 0.1, 0.05, 0.15), SLOW)),
    "paired, .02 and .02 differ": ("every 5 % to 3,000", paired((0.9, 0.02, 0.02, 0.06), SLOW)),
    "clusters of 4": ("every 15 % to 300", clustered(0.9, 0.3, _equal(4), CLUSTERS)),
    "clusters of 1 to 12": ("every 15 % to 300", clustered(0.9, 0.3, _mixed, CLUSTERS)),
    "clusters, 5 large ones first": ("every 15 % to 300", clustered(0.9, 0.3, _giant, CLUSTERS)),
    "clusters, Pareto": ("every 15 % to 300", clustered(0.9, 0.3, _pareto, CLUSTERS)),
    "difference, own clusters of 1 to 12": (
        "every 15 % to 300",
        clustered(0.8, 0.3, _mixed, CLUSTERS, kind="difference"),
    ),
    "difference, shared clusters of 4": (
        "every 15 % to 300",
        clustered(0.8, 0.3, _equal(4), CLUSTERS, kind="difference", shared=True),
    ),
    "F1": ("every 5 % to 3,000", composites("f1", 0.85, 0.1, SLOW)),
    "balanced accuracy": ("every 5 % to 3,000", composites("balanced_accuracy", 0.9, 0.2, SLOW)),
    "F1 difference": ("every 5 % to 3,000", composites("f1_difference", 0.85, 0.1, SLOW)),
    "equalised odds": (
        "every 5 % to 3,000",
        composites("equalized_odds_difference", 0.9, 0.1, SLOW),
    ),
    "mean, narrow": (
        "every 10 % to 600",
        means(lambda rng, shape: rng.beta(16, 4, shape), grown(20, 600, 1.1)),
    ),
    "mean, rare ones": (
        "every 10 % to 600",
        means(lambda rng, shape: (rng.random(shape) < 0.1) * 1.0, grown(20, 600, 1.1)),
    ),
    "mean, rare zeros": (
        "every 10 % to 600",
        means(lambda rng, shape: np.where(rng.random(shape) < 0.05, 0.0, 0.8), grown(20, 600, 1.1)),
    ),
    "difference of means": ("every 20 % to 300", mean_differences(0.05, grown(20, 300, 1.2))),
}
"""Name -> how often it is looked at, and its runs."""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--only", nargs="*", choices=KINDS, default=list(KINDS))
    args = parser.parse_args()
    print("| interval | schedule | one look: above, below | any: above, below |")
    print("|---|---|---|---|")
    for seed, (name, (schedule, series)) in enumerate(KINDS.items()):
        if name in args.only:
            one, more = (errors(series, looks, runs=args.runs, seed=seed) for looks in (1, "any"))
            cells = (f"{found.above:.4f}, {found.below:.4f}" for found in (one, more))
            print(f"| {name} | {schedule} | {' | '.join(cells)} |", flush=True)
    print()
    for looks in (1, "any"):
        found = follow_advice(looks, runs=4 * args.runs, seed=1)
        print(f"advice, looks = {looks}: {found}", flush=True)


if __name__ == "__main__":
    main()
