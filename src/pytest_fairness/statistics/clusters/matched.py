"""Bounds of a difference or ratio of two groups that share clusters, such as designs in two tones.

What one cluster adds to the difference of the two rates is one observation: what is easy or hard
about it cancels. For each value that is asked about, the clusters' likelihood ratio is an empirical
one (Owen 2001) whose stakes are limited, as in `rates`. Divided by what one pair of images would add to
it, it is an effective number of pairs, and the bound is that of paired images at this number.
"""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.stakes import best_stake
from pytest_fairness.statistics.intervals.chosen import paired_interval, paired_ratio_interval
from pytest_fairness.statistics.intervals.inversion import critical_value, crossing
from pytest_fairness.statistics.intervals.paired import paired_score_statistic
from pytest_fairness.statistics.intervals.paired_ratios import paired_ratio_statistic
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["effective_pairs", "matched_interval", "most_pairs"]

# A bound is sought this closely, on a scale of length 1 or 2.
_CLOSE = 1e-9
# Of fewer clusters than this for each normal deviate of the level (20 at 95 %, 32 at 99.85 %), the effective
# number of pairs jumps when one image turns: each cluster is one pair then.
_ENOUGH = 10.0


def matched_interval(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
    growth: Floats | float = 1.0,
) -> Interval:
    """Return the interval of p1 - p2 or p1 / p2 of pairs of groups that share clusters.

    The larger of two lower bounds is taken: that of the effective pairs, and that of clusters which
    count as one pair each. Both hold; the former is wide where one cluster has most images. With
    fewer than 20 clusters (32 at a level of 99.85 %), or a few that have most images, only the latter is.

    Args:
        first: Successes and n of the first groups, (P, C).
        second: The same of the second groups, in the same clusters.
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (P,).

    Returns:
        Bounds (P,), nan where a group has no samples. Clusters of one image of each group give the interval of paired images.

    Source: Owen (2001), Empirical Likelihood, ch. 2; Tango (1998), Statist. Med. 17, 891-908; Tang,
        Tang and Chan (2003), Statist. Med. 22, 1217-1233. Errors are simulated in
        benchmarks/cluster_coverage.py.

    Example:
        >>> designs = ClusterCounts(np.array([[4] * 75 + [3]]), np.full((1, 76), 4))
        >>> same = ClusterCounts(np.array([[4] * 76]), np.full((1, 76), 4))
        >>> low, high = matched_interval(designs, same, kind="difference", confidence=0.95)
        >>> print(f"{low[0]:.3f} {high[0]:.3f}")
        -0.047 0.046
    """
    rows = _with_samples(first, second)
    more = np.broadcast_to(np.asarray(growth, dtype=np.float64), len(first.n))[rows]
    kinds = _Kinds.of(first.at(rows), second.at(rows), more)
    bounds = np.full((2, len(first.n)), np.nan)
    low, other = np.split(_lower(kinds.both_ways(), kind, confidence), 2)
    with np.errstate(divide="ignore"):
        bounds[:, rows] = low, (0.0 - other if kind == "difference" else 1 / other)
    return Interval(*bounds)


def effective_pairs(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    confidence: float,
    growth: Floats | float = 1.0,
) -> Floats:
    """Return how many independent pairs tell as much of the difference, (P,): the fewer of both bounds.

    Args:
        first: Successes and n of the first groups, (P, C).
        second: The same of the second groups, in the same clusters.
        confidence: Two-sided confidence level of the bounds, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (P,).

    Example:
        >>> right = ClusterCounts(np.array([[4] * 30 + [0] * 10]), np.full((1, 40), 4))
        >>> always = ClusterCounts(np.full((1, 40), 4), np.full((1, 40), 4))
        >>> effective_pairs(right, always, confidence=0.95).round().tolist()
        [40.0]
    """
    rows = _with_samples(first, second)
    more = np.broadcast_to(np.asarray(growth, dtype=np.float64), len(first.n))[rows]
    shares = _Shares.of(_Kinds.of(first.at(rows), second.at(rows), more).both_ways())
    pairs = _Search(shares, "difference").pairs(critical_value(confidence))
    effective = np.zeros(len(first.n))
    pairs = np.where(
        shares.whole >= _ENOUGH * critical_value(confidence),
        np.maximum(pairs, shares.whole),
        shares.whole,
    )
    effective[rows] = np.minimum(*np.split(pairs, 2))
    return effective


def most_pairs(first: Integers, second: Integers, *, confidence: float) -> float:
    """Return the largest effective number of pairs that any answers can have.

    Args:
        first: (C,) samples of the first group in each cluster.
        second: (C,) samples of the second group in the same clusters.
        confidence: Two-sided confidence level of the bounds, 0 to 1.

    Example:
        >>> most_pairs(np.full(8, 4), np.full(8, 4), confidence=0.95)
        8.0
        >>> most_pairs(np.full(30, 4), np.full(30, 4), confidence=0.95)
        120.0
    """
    one, other = (ClusterCounts(sizes[None, :], sizes[None, :]) for sizes in (first, second))
    kinds = _Kinds.of(one, other, np.ones(1))
    shares = _Shares.of(kinds)
    if kinds.single[0]:
        return float(kinds.number.sum())
    whole, totals = float(shares.whole[0]), [float(total[0]) for total in shares.totals]
    if whole < _ENOUGH * critical_value(confidence):
        return whole
    return max(whole, 2 / (1 / totals[0] + 1 / totals[1]))


def _with_samples(first: ClusterCounts, second: ClusterCounts) -> Integers:
    """Positions of the pairs both of whose groups have a sample."""
    return np.flatnonzero((first.n.sum(axis=1) > 0) & (second.n.sum(axis=1) > 0))


class _Kinds(NamedTuple):
    """Clusters that are alike, counted, (R, K) each: counts of both groups, and number of each kind."""

    x1: Floats
    n1: Floats
    x2: Floats
    n2: Floats
    number: Floats

    @classmethod
    def of(cls, first: ClusterCounts, second: ClusterCounts, growth: Floats) -> "_Kinds":
        """From the clusters of R pairs; those without samples are left out."""
        rows, columns = np.nonzero(first.n + second.n)
        counts = np.stack([counted[rows, columns] for counted in (*first[:2], *second[:2])])
        alike, kind = np.unique(counts, axis=1, return_inverse=True)
        codes, number = np.unique(rows * alike.shape[1] + kind.ravel(), return_counts=True)
        row = codes // alike.shape[1]
        each = np.bincount(row, minlength=len(first.n))
        place = np.arange(len(row)) - np.repeat(np.cumsum(each) - each, each)
        table = np.zeros((5, len(first.n), max(int(each.max(initial=0)), 1)))
        table[:4, row, place] = alike[:, codes % alike.shape[1]]
        table[4, row, place] = number * growth[row]
        return cls(*table)

    def both_ways(self) -> "_Kinds":
        """The pairs, then the same with their groups exchanged."""
        ways = self, _Kinds(self.x2, self.n2, self.x1, self.n1, self.number)
        return _Kinds(*(np.concatenate(part) for part in zip(*ways, strict=True)))

    @property
    def single(self) -> NDArray[np.bool_]:
        """Whether all clusters of a row are one sample of each group, and none is imagined."""
        none = self.number == 0
        return np.asarray(
            (none | ((self.n1 == 1) & (self.n2 == 1) & (self.number % 1 == 0))).all(1)
        )


class _Cells(NamedTuple):
    """Shares of pairs by which of their images are successes, (R,) each."""

    both: Floats
    first_only: Floats
    second_only: Floats

    @property
    def neither(self) -> Floats:
        """The rest."""
        return np.maximum(1 - self.both - self.first_only - self.second_only, 0.0)

    def times(self, n: Floats) -> "_Cells":
        """The cells of n pairs."""
        return _Cells(*(cell * n for cell in self))


@dataclass(frozen=True, slots=True)
class _Shares:
    """What each kind of cluster adds to the rates of R pairs of groups.

    Args:
        kinds: The clusters.
        a: (R, K) share of the first group's samples that one such cluster has.
        b: The same of the second group's.
    """

    kinds: _Kinds
    a: Floats
    b: Floats

    @classmethod
    def of(cls, kinds: _Kinds) -> "_Shares":
        n1, n2 = ((kinds.number * n).sum(axis=1, keepdims=True) for n in (kinds.n1, kinds.n2))
        return cls(kinds, kinds.n1 / n1, kinds.n2 / n2)

    def flawless(self) -> "_Shares":
        """As if the first group had no failure."""
        return replace(self, kinds=self.kinds._replace(x1=self.kinds.n1))

    @property
    def totals(self) -> tuple[Floats, Floats]:
        """Samples of both groups, (R,) each."""
        number, first, second = self.kinds.number, self.kinds.n1, self.kinds.n2
        return (number * first).sum(axis=1), (number * second).sum(axis=1)

    @property
    def rates(self) -> tuple[Floats, Floats]:
        """The rates of both groups, (R,) each."""
        n1, n2 = self.totals
        kinds = self.kinds
        return (kinds.number * kinds.x1).sum(1) / n1, (kinds.number * kinds.x2).sum(1) / n2

    @property
    def cells(self) -> _Cells:
        """Shares of pairs: within a cluster as alike as its rates allow, the rest at random."""
        kinds, number = self.kinds, self.kinds.number
        q1, q2 = kinds.x1 / np.maximum(kinds.n1, 1), kinds.x2 / np.maximum(kinds.n2, 1)
        common = np.minimum(self.a, self.b)
        paired = number * common
        left = np.maximum(1 - paired.sum(1), 0.0)
        alone1 = (number * (self.a - common) * q1).sum(1)
        alone2 = (number * (self.b - common) * q2).sum(1)
        some = left > _CLOSE
        mixed = np.where(some, alone1 * alone2 / np.where(some, left, 1.0), 0.0)
        return _Cells(
            (paired * np.minimum(q1, q2)).sum(1) + mixed,
            (paired * np.maximum(q1 - q2, 0)).sum(1) + np.maximum(alone1 - mixed, 0),
            (paired * np.maximum(q2 - q1, 0)).sum(1) + np.maximum(alone2 - mixed, 0),
        )

    @property
    def whole(self) -> Floats:
        """How many pairs the clusters are when all images of a cluster say the same, (R,)."""
        number, common = self.kinds.number, np.minimum(self.a, self.b)
        heaviest = np.maximum(self.a, self.b)
        one_over = [np.zeros(len(common))]
        for part in (common, self.a - common, self.b - common):
            share = (number * part).sum(axis=1)
            weight = (number * heaviest * part).sum(axis=1)
            one_over.append(np.where(share > 0, weight / np.where(share > 0, share, 1.0), 0.0))
        return np.asarray(1 / np.max(one_over, axis=0))


def _lower(kinds: _Kinds, kind: Literal["difference", "ratio"], confidence: float) -> Floats:
    """Return the lower bound of each row."""
    shares = _Shares.of(kinds)
    z = critical_value(confidence)
    single = kinds.single
    pairs = np.where(single, kinds.number.sum(1), np.nan)
    cells = shares.cells
    bounds = []
    for which in (shares, shares.flawless()):
        search = _Search(which, kind)
        effective = np.where(single, pairs, search.pairs(z))
        bounds.append(_bound(which.cells.times(effective), effective, kind, confidence))
    each_cluster = _bound(cells.times(shares.whole), shares.whole, kind, confidence)
    enough = shares.whole >= _ENOUGH * z
    low = np.where(enough, np.fmax(np.minimum(*bounds), each_cluster), each_cluster)
    return np.asarray(np.where(single, bounds[0], low))


def _bound(
    cells: _Cells, n: Floats, kind: Literal["difference", "ratio"], confidence: float
) -> Floats:
    """The lower bound of n paired images."""
    if kind == "difference":
        one, other = cells.first_only, cells.second_only
        return paired_interval(one, other, np.maximum(n, one + other), confidence=confidence).low
    low = paired_ratio_interval(*cells, confidence=confidence).low
    # Where nothing is a success the ratio may be anything.
    return np.where(np.isnan(low), 0.0, low)


class _Search:
    """The likelihood ratio of clusters beside that of pairs, at one difference or ratio after the other.

    Args:
        shares: Clusters of R rows.
        kind: Whether rates are subtracted or divided.
    """

    def __init__(self, shares: _Shares, kind: Literal["difference", "ratio"]) -> None:
        self._shares, self._kind = shares, kind
        self._cells = shares.cells
        self._rates, self._totals = shares.rates, shares.totals
        self._most = 2 / (1 / self._totals[0] + 1 / self._totals[1])
        # Where the best stakes were found last, as shares of the largest: they hardly move.
        self._at = {name: np.full(len(self._most), 0.5) for name in ("clusters", "pair")}

    def pairs(self, z: float) -> Floats:
        """Return the effective number of pairs at the lower bound, (R,)."""
        return self._effective(self._value(self._place(z)))

    def _place(self, z: float) -> Floats:
        first, second = self._rates
        if self._kind == "difference":
            least, estimate = -1 + _CLOSE, first - second
        else:
            least, estimate = _CLOSE, first / np.maximum(first + second, _CLOSE)

        def excess(place: Floats) -> Floats:
            value = self._value(place)
            n = self._effective(value)
            cells = self._cells.times(n)
            if self._kind == "difference":
                statistic = paired_score_statistic(cells.first_only, cells.second_only, n, value)
            else:
                statistic = paired_ratio_statistic(*cells, value, corrected=True)
            return np.asarray(np.where(place < estimate, statistic, 0.0) - z)

        return crossing(excess, least, estimate, close=_CLOSE)

    def _value(self, place: Floats) -> Floats:
        """The difference; or the ratio, which is sought as p1 / (p1 + p2)."""
        if self._kind == "difference":
            return place
        return place / np.maximum(1 - place, _CLOSE)

    def _effective(self, value: Floats) -> Floats:
        """Return the effective number of pairs if this were the difference or ratio."""
        (first, second), (n1, n2), kinds = self._rates, self._totals, self._shares.kinds
        if self._kind == "difference":
            times = np.ones_like(value)
            rate2 = (n1 * (first - value) + n2 * second) / (n1 + n2)
            rate2 = np.clip(rate2, np.maximum(0, -value), np.minimum(1, 1 - value))
            rate1 = rate2 + value
        else:
            times = value
            rate2 = (n1 * first + n2 * second) / (value * n1 + n2)
            rate2 = np.minimum(rate2, np.minimum(1, 1 / np.maximum(value, _CLOSE)))
            rate1 = np.minimum(rate2 * value, 1.0)
        p1, p2, t = rate1[:, None], rate2[:, None], times[:, None]
        a, b = self._shares.a, self._shares.b
        gains = (kinds.x1 - p1 * kinds.n1) / n1[:, None] - t * (kinds.x2 - p2 * kinds.n2) / n2[
            :, None
        ]
        worst = (p1 * a + t * (1 - p2) * b).max(axis=1)
        won = self._won("clusters", gains, kinds.number, worst)
        # Of one pair: both a success, the first alone, the second alone, neither.
        seen = np.array([[1.0, 1.0], [1.0, 0.0], [0.0, 1.0], [0.0, 0.0]])
        of_pair = seen[:, 0] - p1 - t * (seen[:, 1] - p2)
        shares = np.stack([*self._cells, self._cells.neither], axis=1)
        by_pair = self._won("pair", of_pair, shares, rate1 + times * (1 - rate2))
        with np.errstate(divide="ignore", invalid="ignore"):
            n = won / by_pair
        return np.asarray(np.where(by_pair > 0, np.minimum(n, self._most), self._most))

    def _won(self, name: str, gains: Floats, number: Floats, worst: Floats) -> Floats:
        """Logarithm of what the best limited stake wins."""
        seen = np.where(number > 0, gains, 0.0)
        most = (1 - 1e-9) / np.maximum(worst, -seen.min(axis=1))
        stake = best_stake(seen, number, most, self._at[name])
        self._at[name] = np.clip(stake / most, 0.01, 0.99)
        won = (number * np.log1p(stake[:, None] * seen)).sum(axis=1)
        return np.asarray(np.maximum(won, 0.0))
