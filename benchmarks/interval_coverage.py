"""Exact error rates of the intervals, by enumeration: `python -m benchmarks.interval_coverage`.

Every table of two groups, and of pairs, is enumerated, for each pair of rates of a grid, so nothing
is simulated. Mean coverage is over 40 x 40 evenly spaced pairs of rates; the worst values are also
over rates close to 0 and 1, down to 0.05 expected successes, where approximations fail at any n.
"""

import argparse
import itertools
from collections.abc import Callable, Iterator
from functools import partial
from typing import NamedTuple, TypeAlias, TypedDict

import numpy as np
from scipy import stats

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.intervals.chosen import (
    Method,
    difference_interval,
    rate_interval,
    ratio_interval,
)
from pytest_fairness.statistics.intervals.paired import tango
from pytest_fairness.statistics.intervals.paired_ratios import paired_ratio_score
from pytest_fairness.statistics.intervals.rates import Interval

EVEN = (np.arange(40) + 0.5) / 40
PAIRED_SIZES = (5, 10, 20, 50, 100, 200, 1000)
PAIRS = ((5, 5), (5, 50), (20, 20), (20, 100), (100, 100))
TWO_GROUPS: dict[str, tuple[Method, ...]] = {
    "difference": ("score", "corrected", "exact", "auto"),
    "ratio": ("score", "corrected", "exact", "auto"),
}

PairedInterval: TypeAlias = Callable[[Integers, Integers, int], Interval]


class PairedHow(TypedDict):
    """What a paired interval is asked for."""

    confidence: float
    corrected: bool


class Errors(NamedTuple):
    """Chances that the interval is above and that it is below the truth, by rates."""

    above: Floats
    below: Floats

    @property
    def covered(self) -> Floats:
        """Chance that the interval contains the truth."""
        return 1 - self.above - self.below


def extreme_rates(n: int) -> Floats:
    """Rates all over [0, 1], with few expected successes or failures among them."""
    few = np.array([0.05, 0.1, 0.17, 0.24, 0.35, 0.6, 1, 1.5, 2.3, 3.5, 5, 8]) / n
    few = few[few < 0.5]
    angles = np.sin(np.linspace(0, np.pi / 2, 42)[1:-1]) ** 2
    return np.unique(np.concatenate([EVEN, angles, few, 1 - few]))


def rate_errors(method: Method, n: int, rates: Floats, confidence: float) -> Errors:
    """Errors of the interval of one rate, for each rate."""
    successes = np.arange(n + 1)
    low, high = rate_interval(successes, n, confidence=confidence, method=method)
    chances = stats.binom.pmf(successes, n, rates[:, None])
    truth = rates[:, None]
    above, below = (chances * (low > truth)).sum(axis=1), (chances * (high < truth)).sum(axis=1)
    return Errors(above, below)


def pair_errors(
    interval: Interval, n1: int, n2: int, rates: tuple[Floats, Floats], *, ratio: bool
) -> Errors:
    """Errors of the interval of each table (x1, x2), for each pair of rates."""
    chances1, chances2 = (
        np.asarray(stats.binom.pmf(np.arange(n + 1), n, grid[:, None]))
        for n, grid in zip((n1, n2), rates, strict=True)
    )
    above, below = (np.empty((len(rates[0]), len(rates[1]))) for _ in range(2))
    for i, rate1 in enumerate(rates[0]):
        for j, rate2 in enumerate(rates[1]):
            truth = rate1 / rate2 if ratio else rate1 - rate2
            # A bound at the truth but for rounding contains it.
            room = 1e-9 * abs(truth) + 1e-12
            above[i, j] = chances1[i] @ ((interval.low > truth + room) @ chances2[j])
            below[i, j] = chances1[i] @ ((interval.high < truth - room) @ chances2[j])
    return Errors(above, below)


def paired_rates(n: int) -> Floats:
    """Pairs of rates (T, 2) of first-only and second-only samples, few expected ones among them."""
    few = np.array([0.01, 0.05, 0.1, 0.2, 0.4, 0.8, 1.5, 2.4, 4, 7, 12, 20, 33, 55, 90]) / n
    each = np.unique(np.concatenate([EVEN[::5], few[few < 0.9]]))
    first, second = (grid.ravel() for grid in np.meshgrid(each, each))
    possible = first + second <= 1
    # All samples may differ, or nearly all.
    alike = np.array([0, *few[:6]])[:, None]
    rest = np.maximum(1 - alike - each, 0).ravel(), np.tile(each, len(alike))
    differing = np.stack(rest, axis=1)[rest[0] > 0]
    return np.concatenate([np.stack([first, second], axis=1)[possible], differing])


def paired_errors(interval: PairedInterval, n: int, rates: Floats, *, ratio: bool) -> Errors:
    """Errors of a paired interval, for pairs of rates (T, 2) of first-only and second-only samples.

    A ratio is that of n samples that are a success of the first or of the second.
    """
    first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = first + second <= n
    low, high = (np.full(first.shape, np.nan) for _ in range(2))
    low[possible], high[possible] = interval(first[possible], second[possible], n)
    above, below = [], []
    for rate1, rate2 in rates:
        truth = (1 - rate2) / (1 - rate1) if ratio else rate1 - rate2
        room = 1e-9 * abs(truth) + 1e-12
        seen = _seen(n, rate1), _seen(n, rate2)
        a, b = np.ix_(*(np.arange(n + 1)[counts] for counts in seen))
        with np.errstate(invalid="ignore"):
            # The second count, given the first.
            chances = stats.binom.pmf(a, n, rate1) * stats.binom.pmf(
                b, n - a, min(1.0, rate2 / (1 - rate1))
            )
        chances = np.where(a + b <= n, chances, 0.0)
        above.append(chances[low[seen] > truth + room].sum())
        below.append(chances[high[seen] < truth - room].sum())
    return Errors(np.array(above), np.array(below))


def _seen(n: int, rate: float) -> slice:
    """Counts that are seen under a rate but for a chance of 1e-12."""
    reach = 8 * np.sqrt(n * rate * (1 - rate)) + 20
    return slice(max(0, int(n * rate - reach)), min(n, int(n * rate + reach)) + 1)


def paired_rows(sizes: list[int], confidence: float) -> Iterator[str]:
    """Yield a row for each paired interval and size."""
    even = np.stack(np.meshgrid(EVEN[::2], EVEN[::2]), axis=-1).reshape(-1, 2)
    even = even[even.sum(axis=1) <= 1]
    for n, ratio, corrected in itertools.product(sizes, (False, True), (False, True)):

        def interval(first: Integers, second: Integers, n: int) -> Interval:
            how: PairedHow = {"confidence": confidence, "corrected": corrected}  # noqa: B023
            if ratio:  # noqa: B023
                return paired_ratio_score(n - first - second, first, second, **how)
            return tango(first, second, n, **how)

        errors = [
            paired_errors(interval, n, rates, ratio=ratio) for rates in (even, paired_rates(n))
        ]
        kind = "paired ratio" if ratio else "paired difference"
        yield _row(kind, f"{n}", "auto" if corrected else "score", *errors)


def two_group_rows(
    kind: str, pairs: list[tuple[int, int]], confidence: float, largest_exact: int
) -> Iterator[str]:
    """Yield a row for each method and pair of sizes."""
    interval: Callable[..., Interval] = (
        difference_interval if kind == "difference" else ratio_interval
    )
    for n1, n2 in pairs:
        x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
        for method in TWO_GROUPS[kind]:
            if method == "exact" and n1 * n2 > largest_exact:
                continue
            bounds = interval(x1, n1, x2, n2, confidence=confidence, method=method)
            errors = partial(pair_errors, bounds, n1, n2, ratio=kind == "ratio")
            even, all_over = errors((EVEN, EVEN)), errors((extreme_rates(n1), extreme_rates(n2)))
            yield _row(kind, f"{n1} v {n2}", method, even, all_over)


def one_group_rows(sizes: list[int], confidence: float) -> Iterator[str]:
    """Yield a row for each method and size of one rate."""
    methods: tuple[Method, ...] = ("score", "exact")
    even = np.linspace(0, 1, 2001)[1:-1]
    for n in sizes:
        fine = np.union1d(even, np.geomspace(0.01, 10, 500) / n)
        fine = fine[fine < 1]
        for method in methods:
            average = rate_errors(method, n, even, confidence)
            yield _row("rate", f"{n}", method, average, rate_errors(method, n, fine, confidence))


def _row(kind: str, size: str, method: str, even: Errors, all_over: Errors) -> str:
    numbers = (
        even.covered.mean(),
        even.covered.min(),
        all_over.covered.min(),
        all_over.above.max(),
        all_over.below.max(),
    )
    return f"| {kind} | {size} | {method} | " + " | ".join(f"{x:.4f}" for x in numbers) + " |"


def _pair(text: str) -> tuple[int, int]:
    first, _, second = text.partition("v")
    return int(first), int(second)


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--level", type=float, default=0.95, dest="confidence")
    parser.add_argument("--pairs", type=_pair, nargs="*", default=list(PAIRS), metavar="N1vN2")
    parser.add_argument("--sizes", type=int, nargs="*", default=[5, 20, 100, 400, 2000])
    parser.add_argument(
        "--largest-exact",
        type=int,
        default=2000,
        help="enumerate the exact method for all tables up to this many",
    )
    parser.add_argument("--paired-sizes", type=int, nargs="*", default=list(PAIRED_SIZES))
    options = parser.parse_args()
    print(
        "| interval | n | method | mean coverage | smallest, even rates | smallest, all rates "
        "| worst error above | worst error below |"
    )
    print("|---|---|---|---|---|---|---|---|")
    for row in one_group_rows(options.sizes, options.confidence):
        print(row, flush=True)
    for row in paired_rows(options.paired_sizes, options.confidence):
        print(row, flush=True)
    for kind in TWO_GROUPS:
        for row in two_group_rows(kind, options.pairs, options.confidence, options.largest_exact):
            print(row, flush=True)


if __name__ == "__main__":
    main()
