"""The interval of a rate from samples that come in clusters, such as several images of one person.

Each bound asks for which rates the clusters seen would be a surprise. The clusters' likelihood ratio
is an empirical one (Owen 2001) whose stakes are limited, so that no single cluster can turn the answer: then
each further success moves a bound up and each further failure moves it down. That likelihood ratio,
divided by what one independent sample would add to it, is an effective n. The bound is that of Clopper
and Pearson at this n. Where each cluster is one sample, the effective n is n.

What no method can do: with C clusters and not one failure, no valid bound exceeds a^(1/C) for a
one-sided error of a, since all clusters may be right by chance.
"""

from typing import NamedTuple

import numpy as np
from scipy import special

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.stakes import best_stake
from pytest_fairness.statistics.clusters.two_way import together
from pytest_fairness.statistics.intervals.inversion import as_counts, critical_value, crossing
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

__all__ = ["BoundFactors", "clustered_rate_interval", "most_effective", "rate_bound_factors"]

# A bound is sought this closely; a rate below it is as good as 0.
_CLOSE = 1e-10
_LEAST = 1e-9


def clustered_rate_interval(
    clusters: ClusterCounts, *, confidence: float, growth: Floats | float = 1.0
) -> Interval:
    """Return the interval of the rate of each group, whose samples come in clusters.

    Args:
        clusters: Successes and n, (G, C); n may be 0.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (G,).

    Returns:
        Bounds (G,), nan where a group has no samples. Clusters of one sample each give the interval
        of Clopper and Pearson.

    Raises:
        FairnessError: The confidence is out of range; or a count is negative, no whole number, or
            more than its n.

    Source: Owen (2001), Empirical Likelihood, ch. 2, with stakes limited as by Waudby-Smith and
        Ramdas (2024), J. R. Stat. Soc. B 86, 1-27; Clopper and Pearson (1934) at the effective n.
        Its errors are simulated in benchmarks/cluster_coverage.py.

    Example:
        >>> pairs = ClusterCounts(np.array([[2] * 299 + [1]]), np.full((1, 300), 2))
        >>> low, high = clustered_rate_interval(pairs, confidence=0.95)
        >>> print(f"{low[0]:.3f} {high[0]:.3f}")
        0.988 1.000
    """
    critical_value(confidence)  # refuses a confidence that is out of range
    successes, n = as_counts(clusters.successes, clusters.n)
    if (successes % 1).any() or (n % 1).any():
        msg = "clusters: successes and n of a rate are whole numbers; a mean of numbers is no rate"
        raise FairnessError(msg)
    if clusters.ways is not None:
        return _two_way(clusters, confidence, growth)
    groups = len(clusters.n)
    failures = clusters.n - clusters.successes
    both = ClusterCounts(
        np.concatenate([clusters.successes, failures]), np.concatenate([clusters.n, clusters.n])
    )
    more = np.tile(np.broadcast_to(np.asarray(growth, dtype=np.float64), groups), 2)
    low = _lower(both, (1 - confidence) / 2, more)
    return Interval(low[:groups], 1 - low[groups:])


class BoundFactors(NamedTuple):
    """Effective n divided by n, of the lower and of the upper bound of each group, (G,) each in (0, 1]."""

    lower: Floats
    upper: Floats

    @property
    def least(self) -> Floats:
        """The smaller of the two."""
        return np.minimum(self.lower, self.upper)


def rate_bound_factors(
    clusters: ClusterCounts, *, confidence: float, growth: Floats | float = 1.0
) -> BoundFactors:
    """Return effective n divided by n, at which the Clopper-Pearson bounds are those of the clusters.

    Args:
        clusters: Successes and n, (G, C).
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (G,).

    Returns:
        Factors of both bounds. Where nothing can err (a lower bound of 0 when no success was seen)
        the factor is that of the other bound.

    Example:
        >>> whole = ClusterCounts(np.array([[4] * 30 + [0] * 10]), np.full((1, 40), 4))
        >>> factors = rate_bound_factors(whole, confidence=0.95)
        >>> factors.lower.round(2).tolist(), factors.upper.round(2).tolist()
        ([0.25], [0.25])
    """
    if clusters.ways is not None:
        low, high = _two_way(clusters, confidence, growth)
    else:
        low, high = clustered_rate_interval(clusters, confidence=confidence, growth=growth)
    n = clusters.n.sum(axis=1) * np.asarray(growth, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        rate = clusters.successes.sum(axis=1) / clusters.n.sum(axis=1)
    tail = (1 - confidence) / 2
    lower = np.where(low > 0, _factor_of(low, rate, n, tail), np.nan)
    upper = np.where(high < 1, _factor_of(1 - high, 1 - rate, n, tail), np.nan)
    either = np.where(np.isnan(lower), upper, lower)
    either = np.where(np.isnan(either), 1.0, either)
    return BoundFactors(*(np.where(np.isnan(part), either, part) for part in (lower, upper)))


def most_effective(
    sizes: Integers, *, confidence: float, flawless: float | None = None
) -> tuple[Floats, Floats]:
    """Return the largest effective n that any answers can have, by the number of successes.

    No lower bound is above that of clusters without a failure, and no effective n above n.

    Args:
        sizes: (C,) images of each cluster, n in all.
        confidence: Two-sided confidence level of the bounds, 0 to 1.
        flawless: Lower bound of such clusters without a failure, where it is known.

    Returns:
        Of the lower and of the upper bound, (n + 1,) each: for 0 to n successes.

    Example:
        >>> low, high = most_effective(np.array([4, 4, 4]), confidence=0.95)
        >>> low.round(1).tolist()
        [3.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 12.0, 8.7, 6.2, 4.7, 3.7, 3.0]
    """
    n = int(sizes.sum())
    if flawless is None:
        clusters = ClusterCounts(sizes[None, :], sizes[None, :])
        flawless = float(clustered_rate_interval(clusters, confidence=confidence).low[0])
    rates = np.arange(n + 1) / max(n, 1)
    above = np.flatnonzero(flawless < rates)  # elsewhere n is the limit
    bound, samples = np.full(len(above), flawless), np.full(len(above), float(n))
    factors = _factor_of(bound, rates[above], samples, (1 - confidence) / 2)
    low = np.full(n + 1, float(n))
    low[above] = n * np.where(np.isnan(factors), 1.0, factors)
    low[0] = low[-1]  # nothing can err below: the other bound tells
    return low, low[::-1]


def _two_way(clusters: ClusterCounts, confidence: float, growth: Floats | float) -> Interval:
    """The interval where two columns make the clusters: at the effective n of each bound.

    No bound is above that of samples without a failure: what they are worth by each column is least there,
    and a failure would seem to add to it.
    """
    tail = (1 - confidence) / 2
    more = np.broadcast_to(np.asarray(growth, dtype=np.float64), len(clusters.n))
    counts = clusters.beside(clusters.failures, clusters.flawless)
    low, high, flawless = np.split(_put_together(counts, tail, np.tile(more, 3)), 3)
    return Interval(np.fmin(low, flawless), 1 - np.fmin(high, flawless))


def _put_together(clusters: ClusterCounts, tail: float, growth: Floats) -> Floats:
    """The lower bound of two columns, from the effective n that it has by each."""
    each = []
    for way in clusters.each_way:
        x, n = (counted.sum(axis=1) * growth for counted in way[:2])
        with np.errstate(invalid="ignore"):
            each.append(_factor_of(_lower(way, tail, growth), x / n, n, tail))
    worth = together(each, clusters)
    x, n = (counted.sum(axis=1) * growth * worth for counted in clusters[:2])
    return np.asarray(clopper_pearson(x, n, confidence=1 - 2 * tail).low)


def _factor_of(bound: Floats, rate: Floats, n: Floats, tail: float) -> Floats:
    """The share of n samples of that rate whose Clopper-Pearson lower bound this is."""

    def excess(log_share: Floats) -> Floats:
        effective = n * np.exp(log_share)
        successes = rate * effective
        return np.asarray(special.betainc(successes, effective - successes + 1, bound) - tail)

    with np.errstate(invalid="ignore", divide="ignore"):
        least = np.where((bound > 0) & (bound < rate), -np.log(n) - 20.0, np.nan)
        # Nothing is sought where there is no bound: its end is no number, either.
        return np.asarray(np.exp(crossing(excess, least, least * 0, close=1e-12)))


class _Kinds(NamedTuple):
    """Clusters that are alike, counted: successes, n and number of each kind, (R, K) each."""

    successes: Floats
    n: Floats
    number: Floats

    @classmethod
    def of(cls, clusters: ClusterCounts, growth: Floats) -> "_Kinds":
        """From the clusters of R groups; those without samples are left out."""
        rows, columns = np.nonzero(clusters.n)
        sizes, successes = (
            counts[rows, columns].astype(np.int64) for counts in (clusters.n, clusters.successes)
        )
        base = int(sizes.max(initial=0)) + 1
        kinds, number = np.unique((rows * base + sizes) * base + successes, return_counts=True)
        row, each = kinds // base**2, np.bincount(kinds // base**2, minlength=len(clusters.n))
        place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        table = np.zeros((3, len(clusters.n), max(int(each.max(initial=0)), 1)))
        table[:, row, place] = kinds % base, kinds // base % base, number * growth[row]
        return cls(*table)

    def at(self, rows: Integers) -> "_Kinds":
        """The kinds of some rows."""
        return _Kinds(*(part[rows] for part in self))


def _lower(clusters: ClusterCounts, tail: float, growth: Floats) -> Floats:
    """Return the lower bound of the rate of each row, at a one-sided error."""
    n = clusters.n.sum(axis=1)
    successes = clusters.successes.sum(axis=1)
    bound = np.where(n > 0, 0.0, np.nan)
    rows = np.flatnonzero(successes > 0)
    if not len(rows):
        return bound
    some = ClusterCounts(clusters.successes[rows], clusters.n[rows])
    search = _Search(_Kinds.of(some, growth[rows]))

    def excess(rate: Floats) -> Floats:
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(tail) - np.log(search.chance(rate)))

    estimate = successes[rows] / n[rows]
    confidence = 1 - 2 * tail
    total = search.total
    guesses = tuple(
        clopper_pearson(estimate * size, size, confidence=confidence).low
        for size in (total / search.usual, total)
    )
    near = np.maximum(guesses[0] - _LEAST, _LEAST), guesses[1] + _LEAST
    low = crossing(excess, np.full(len(rows), _LEAST), estimate, close=_CLOSE, near=near)
    single = search.largest == 1
    bound[rows] = np.where(single, guesses[1], np.where(low <= _LEAST, 0.0, low))
    return bound


class _Search:
    """The chance of clusters like those seen, at one rate after the other.

    Args:
        kinds: Clusters of R rows, each row with a success.
    """

    def __init__(self, kinds: _Kinds) -> None:
        weighted = kinds.number * kinds.n
        self.total = weighted.sum(axis=1)
        self.largest = kinds.n.max(axis=1)
        # The size of the cluster in which a sample is found, on average.
        self.usual = (weighted * kinds.n).sum(axis=1) / self.total
        uneven = np.flatnonzero(self.usual < self.largest - 1e-9)
        self._uneven = uneven
        self._freedom = np.clip(self.total / self.usual / 5, 1, 5)[uneven]
        self._by_largest = _Stakes(kinds, self.largest)
        self._by_usual = _Stakes(kinds.at(uneven), self.usual[uneven])

    def chance(self, rate: Floats) -> Floats:
        """Return the chance of so many successes or more if this were the rate, (R,).

        Stakes that are limited by the largest cluster are safe, and timid where sizes differ.
        Stakes that are limited by the usual size are bolder: of them, Student's quantile at few
        degrees of freedom is taken instead of the normal one.
        """
        chance = self._by_largest.chance(rate)
        if not len(self._uneven):
            return chance
        bold = np.clip(self._by_usual.chance(rate[self._uneven]), 1e-300, 1 - 1e-12)
        bold = special.stdtr(self._freedom, special.ndtri(bold))
        chance[self._uneven] = np.minimum(chance[self._uneven], bold)
        return chance


class _Stakes:
    """The likelihood ratio of clusters whose stakes are limited by a size, at one rate after the other.

    Args:
        kinds: Clusters of R rows, each row with a success.
        size: (R,) size of a cluster that may lose all of its stake.
    """

    def __init__(self, kinds: _Kinds, size: Floats) -> None:
        self._kinds, self._size = kinds, size
        self._total = (kinds.number * kinds.n).sum(axis=1)
        self._estimate = (kinds.number * kinds.successes).sum(axis=1) / self._total
        # Where the best stake was found last, as a share of the largest: it hardly moves.
        self._share = np.full(len(size), 0.5)

    def chance(self, rate: Floats) -> Floats:
        """Return the tail of Clopper and Pearson at the effective n of a rate, (R,)."""
        estimate, total = self._estimate, self._total
        below = rate < estimate
        rate = np.where(below, rate, estimate / 2)
        divergence = special.xlogy(estimate, estimate / rate)
        divergence += special.xlogy(1 - estimate, (1 - estimate) / (1 - rate))
        n = np.minimum(self._log_likelihood(rate) / divergence, total)
        successes = estimate * n
        tail = special.betainc(np.maximum(successes, 1e-300), n - successes + 1, rate)
        # As if there had been no failure: a failure never makes a rate less likely than that.
        most = np.log1p((1 / rate - 1)[:, None] * self._kinds.n / self._size[:, None])
        flawless = np.exp(-(self._kinds.number * most).sum(axis=1))
        return np.where(below, np.maximum(tail, flawless), 1.0)

    def _log_likelihood(self, rate: Floats) -> Floats:
        """Logarithm of the likelihood ratio of the best rates to this one."""
        number = self._kinds.number
        gains = self._kinds.successes - rate[:, None] * self._kinds.n
        worst = np.maximum(-gains.min(axis=1), 0.0)
        most = (1 - 1e-9) / np.maximum(rate * self._size, worst)
        stake = best_stake(gains, number, most, self._share)
        self._share = np.clip(stake / most, 0.01, 0.99)
        won = (number * np.log1p(stake[:, None] * gains)).sum(axis=1)
        return np.asarray(np.maximum(won, 0.0))
