"""How likely a question is to be settled, before anything is measured: power and sample sizes.

The rule is that of the gate: an interval that lies wholly within the limit keeps it, one that
lies wholly outside breaks it. For one rate the binomial is enumerated. For two rates the
decision is that of the score interval corrected for skewness, enumerated over the second count
(in bins of at most a third of a standard deviation) and all of the first. Where the gate turns to
the exact interval, with fewer than five successes or failures, a quarter of a success is taken
off, which gives the same decision for nearly all tables and costs a thousandth of the time. Tests
hold both against simulation of the gate's own intervals.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special, stats

from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.intervals.chosen import FEW, paired_interval, rate_interval
from pytest_fairness.statistics.intervals.differences import score_statistic
from pytest_fairness.statistics.intervals.inversion import critical_value
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.ratios import ratio_score_statistic
from pytest_fairness.statistics.looks import Looks, look_level
from pytest_fairness.statistics.metrics.definitions import compared_range
from pytest_fairness.statistics.power.margins import MOST_SAMPLES, Margins, Settled

__all__ = [
    "cost_of_confidence",
    "cost_of_looks",
    "loss_power",
    "pair_power",
    "rate_power",
    "smallest_size",
]

# The second count of a pair is enumerated in this many bins at most.
_BINS = 33
_UNSEEN = 1e-6
# Successes taken off where the gate is exact.
_CAUTION = 0.25
_COARSE, _FINE = 1.5, 1.01


def rate_power(
    rate: ArrayLike, n: ArrayLike, *, margins: Margins, confidence: float, settled: Settled
) -> Floats:
    """Return the chance that the interval of a rate shows its limit kept, or shows it broken.

    Args:
        rate: True rates, any shape, 0 to 1.
        n: Samples, whole numbers, broadcast against `rate`.
        margins: The limit.
        confidence: Confidence level of the interval, 0 to 1.
        settled: Whether the limit is to be shown kept or broken.

    Source: enumeration of the binomial distribution.

    Example:
        >>> power = rate_power(0.9, [100, 200], margins=Margins(0.8, 1), confidence=0.95, settled="kept")
        >>> [round(float(chance), 3) for chance in power]
        [0.703, 0.973]
    """

    def interval(x: Integers, n: Integers) -> Interval:
        return rate_interval(x, n, confidence=confidence)

    return _power(interval, rate, n, margins=margins, settled=settled)


def loss_power(
    share: ArrayLike, n: ArrayLike, *, margins: Margins, confidence: float, settled: Settled
) -> Floats:
    """Return the same for the drop of a rate on the same samples, when none is gained.

    Samples that are gained make the interval wider: with some, more samples are needed.

    Args:
        share: True shares of samples that are lost, any shape, 0 to 1.
        n: Samples, whole numbers, broadcast against `share`.
        margins: The limit of the drop.
        confidence: Confidence level of the interval, 0 to 1.
        settled: Whether the limit is to be shown kept or broken.

    Source: enumeration; the interval is `paired_interval`.

    Example:
        >>> power = loss_power(0.0, [100, 400], margins=Margins(-1, 0.01), confidence=0.95, settled="kept")
        >>> [float(chance) for chance in power]
        [0.0, 1.0]
    """

    def interval(x: Integers, n: Integers) -> Interval:
        return paired_interval(x, np.zeros_like(x), n, confidence=confidence)

    return _power(interval, share, n, margins=margins, settled=settled)


def _power(
    interval: Callable[[Integers, Integers], Interval],
    rate: ArrayLike,
    n: ArrayLike,
    *,
    margins: Margins,
    settled: Settled,
) -> Floats:
    """Return the chance that the interval of a binomial count settles its limit."""
    rate, n = np.broadcast_arrays(np.asarray(rate, dtype=np.float64), np.asarray(n, dtype=np.int64))

    def lows(x: Integers) -> Floats:
        return interval(x, n).low

    def highs(x: Integers) -> Floats:
        return interval(x, n).high

    if settled == "kept":
        least = _first(lambda x: lows(x) >= margins.low - ROUNDING, n)
        beyond = _first(lambda x: highs(x) > margins.high + ROUNDING, n)
        power = _between(least, beyond, n, rate)
    else:
        below = _first(lambda x: highs(x) >= margins.low - ROUNDING, n)
        above = _first(lambda x: lows(x) > margins.high + ROUNDING, n)
        power = _between(np.zeros_like(n), below, n, rate) + _between(above, n + 1, n, rate)
    return np.asarray(np.where(n > 0, power, 0.0))


def pair_power(
    rates: tuple[ArrayLike, ArrayLike],
    sizes: tuple[ArrayLike, ArrayLike],
    *,
    kind: Literal["difference", "ratio"],
    margins: Margins,
    confidence: ArrayLike,
    settled: Settled,
) -> Floats:
    """Return the chance that the interval of two rates shows its limit kept, or shows it broken.

    Args:
        rates: True rates of the first and of the second group, any shape, 0 to 1.
        sizes: Samples of the first and of the second group, whole numbers, broadcast.
        kind: Whether the rates are subtracted or divided.
        margins: The limit of the difference or ratio.
        confidence: Confidence level of the interval, 0 to 1, broadcast; at 1 nothing is shown.
        settled: Whether the limit is to be shown kept or broken.

    Source: enumeration; the decision is that of Gart and Nam (1988, 1990), see `differences`.

    Example:
        >>> power = pair_power((0.2, 0.2), ([100, 400], [100, 400]), kind="difference",
        ...     margins=Margins(-0.1, 0.1), confidence=0.95, settled="kept")
        >>> [round(float(chance), 2) for chance in power]
        [0.0, 0.88]
    """
    arrays = np.broadcast_arrays(*(np.asarray(a, dtype=np.float64) for a in (*rates, *sizes)))
    shape = arrays[0].shape
    p1, p2, n1, n2 = (array.reshape(-1, 1) for array in arrays)
    empty = (n1 < 1) | (n2 < 1)
    n1, n2 = np.maximum(n1, 1), np.maximum(n2, 1)
    second, chances = _second_counts(p2, n2)
    table = _Tables(n1, second, n2, kind)
    levels = np.broadcast_to(confidence, shape).reshape(-1, 1)
    z = -special.ndtri((1 - levels) / 2)
    least, most = compared_range(kind)
    nothing, everything = np.zeros_like(table.n), table.n + 1
    if settled == "kept":
        from_ = nothing if margins.low <= least else table.above(margins.low, z)
        until = everything if margins.high >= most else table.below(margins.high, -z)
        found = _between(from_, until, table.n, p1)
    else:
        until = nothing if margins.low <= least else table.below(margins.low, -z)
        from_ = everything if margins.high >= most else table.above(margins.high, z)
        found = _between(nothing, until, table.n, p1) + _between(from_, everything, table.n, p1)
    never = empty[:, 0] | (levels[:, 0] >= 1)
    power = np.where(never, 0.0, (found * chances).sum(axis=1))
    return np.asarray(power.reshape(shape))


class _Tables(NamedTuple):
    """Counts of the second group, one a column, each with all counts of the first.

    Args:
        n1: (questions, 1) samples of the first group.
        second: (questions, bins) counts of the second group.
        n2: (questions, 1) samples of the second group.
        kind: Whether the rates are subtracted or divided.
    """

    n1: Floats
    second: Floats
    n2: Floats
    kind: Literal["difference", "ratio"]

    @property
    def n(self) -> Integers:
        """Samples of the first group for each table."""
        return np.broadcast_to(self.n1, self.second.shape).astype(np.int64)

    def above(self, edge: float, z: Floats) -> Integers:
        """Smallest first count that shows the value to be at least the edge."""
        return _first(lambda x: self._statistic(x, -_CAUTION, edge) >= z - ROUNDING, self.n)

    def below(self, edge: float, z: Floats) -> Integers:
        """Smallest first count that no longer shows the value to be at most the edge."""
        return _first(lambda x: self._statistic(x, _CAUTION, edge) > z + ROUNDING, self.n)

    def _statistic(self, first: Integers, caution: float, edge: float) -> Floats:
        x1, x2, n1, n2 = first, self.second, self.n1, self.n2
        few = np.minimum.reduce([x1, n1 - x1, x2, n2 - x2]) < FEW
        x1 = np.clip(np.where(few, x1 + caution, x1), 0, n1)
        statistic = score_statistic if self.kind == "difference" else ratio_score_statistic
        return statistic(x1, n1, x2, n2, edge, corrected=True)


def cost_of_confidence(confidence: float, *, beside: float, power: float) -> float:
    """Return how many times the samples a higher confidence needs, for the same power.

    Args:
        confidence: Two-sided confidence level that decides, 0 to 1.
        beside: The level that it is compared with.
        power: Chance of being settled at either, 0 to 1.

    Source: the size of a normal estimate goes with the square of (z of the level + z of the power).

    Example:
        >>> round(cost_of_confidence(1 - 0.05 / 34, beside=0.95, power=0.8), 2)
        2.06
    """
    own, other = (critical_value(level) + special.ndtri(power) for level in (confidence, beside))
    return float((own / other) ** 2)


def cost_of_looks(confidence: float, looks: Looks, *, n: float, power: float) -> float:
    """Return how many times the samples of one look are needed, for the same power at one of several.

    Args:
        confidence: Two-sided confidence level that holds for all looks, 0 to 1.
        looks: How often the set may be looked at.
        n: Samples that one look needs.
        power: Chance of being settled, 0 to 1.

    Example:
        >>> [round(cost_of_looks(0.95, "any", n=n, power=0.8), 2) for n in (100, 10_000)]
        [1.92, 2.51]
    """
    cost = 1.0
    for _ in range(20):  # the level rises slowly with n, so this settles at once
        level = float(look_level(confidence, n * cost, looks))
        if level == 1:
            return np.inf
        cost = cost_of_confidence(level, beside=confidence, power=power)
    return cost


def smallest_size(
    power: Callable[[Integers], Floats], *, target: float = 0.8, most: int = MOST_SAMPLES
) -> int | None:
    """Return the smallest size from which on the power reaches its target.

    Exact power falls back a little now and then as the size grows; the size returned is behind
    the last such fall among the sizes tried, which are all of the small ones and then one
    percent apart.

    Args:
        power: Chance of being settled at each of some sizes.
        target: Power that is asked for, 0 to 1.
        most: Largest size that is tried.

    Returns:
        None when no size up to `most` will do.

    Example:
        >>> smallest_size(lambda n: rate_power(
        ...     1.0, n, margins=Margins(0.9, 1), confidence=0.95, settled="kept"))
        36
    """
    sizes = _steps(1, most, _COARSE)
    short = np.flatnonzero(power(sizes) < target)
    if len(short) and short[-1] == len(sizes) - 1:
        return None
    last = int(sizes[short[-1]]) if len(short) else 0
    sizes = _steps(last + 1, min(most, int((last + 1) * _COARSE**2) + 1), _FINE)
    short = np.flatnonzero(power(sizes) < target)
    return int(sizes[short[-1] + 1]) if len(short) else int(sizes[0])


def _steps(least: int, most: int, factor: float) -> Integers:
    count = int(np.log(most / least) / np.log(factor)) + 2
    return np.unique(np.ceil(np.geomspace(least, most, count)).astype(np.int64))


def _first(reached: Callable[[Integers], NDArray[np.bool_]], n: Integers) -> Integers:
    """Return the smallest x in 0 … n at which something that stays reached is; n + 1 for none."""
    low, high = np.full_like(n, -1), n + 1
    while (high - low > 1).any():
        middle = (low + high) // 2
        found = reached(np.clip(middle, 0, n))
        searching = high - low > 1
        high = np.where(searching & found, middle, high)
        low = np.where(searching & ~found, middle, low)
    return np.asarray(high)


def _between(least: Integers, beyond: Integers, n: Integers, rate: Floats) -> Floats:
    """Return the chance that a binomial count x is in `least <= x < beyond`."""
    below = [
        np.where(end < 1, 0.0, special.bdtr(np.clip(end - 1, 0, n).astype(np.float64), n, rate))
        for end in (least, beyond)
    ]
    return np.asarray(np.maximum(below[1] - below[0], 0.0))


def _second_counts(rate: Floats, n: Floats) -> tuple[Floats, Floats]:
    """Return counts of the second group and their chances, (questions, bins) each."""
    low = np.maximum(stats.binom.ppf(_UNSEEN, n, rate), 0.0)
    high = stats.binom.ppf(1 - _UNSEEN, n, rate)
    edges = np.floor(low - 1 + (high - low + 1) * np.linspace(0, 1, _BINS + 1))
    chances = np.diff(stats.binom.cdf(edges, n, rate), axis=1)
    centres = np.clip((edges[:, :-1] + 1 + edges[:, 1:]) / 2, 0, n)
    return centres, chances / chances.sum(axis=1, keepdims=True)
