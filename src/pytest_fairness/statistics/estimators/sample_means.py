"""Means of a bounded number that is known of every sample: attention scores, F2, drops."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.clusters.effects import worth
from pytest_fairness.statistics.clusters.two_way import lies_within
from pytest_fairness.statistics.estimators.measured import Kind, compared, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.bounded_means import (
    Units,
    mean_interval,
    shared_difference_interval,
    subtracted,
)
from pytest_fairness.statistics.intervals.rates import Interval

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["SampleMeans", "sample_means"]

# Groups are compared within clusters where these hold at least this part of both groups' samples.
_SHARED = 0.5
# So many values are bounded at once, about.
_AT_ONCE = 1_000_000


@dataclass(frozen=True, slots=True, eq=False)
class SampleMeans:
    """Means of G groups of a number between `floor` and `ceiling`, with their intervals.

    The interval of a mean is right for values that are rarely far from the others, seen or not, and
    for every confidence (`intervals/bounded_means`). A cluster is one unit of evidence. Differences
    are those of two independent means, or, where both groups share their clusters, means of the
    differences within clusters.

    Args:
        n: Samples of each group that have a value, (G,).
        each: Their values, scaled to 0 … 1, those of the first group first, (sum of n,).
        floor: Smallest value that is possible.
        ceiling: Largest value that is possible.
        clusters: Sums and n per cluster, (G, C); None where samples are independent.

    Source: see `intervals/bounded_means`; coverage is enumerated and simulated in
    benchmarks/mean_coverage.py.
    """

    n: Integers
    each: Floats
    floor: float = 0.0
    ceiling: float = 1.0
    clusters: ClusterCounts | None = None

    @property
    def counts(self) -> RateCounts:
        """The rounded sums of the values and n, (G,) each."""
        return RateCounts(np.round(self.sums).astype(np.int64), self.n)

    @property
    def sums(self) -> Floats:
        """The sum of the scaled values of each group, (G,)."""
        return self._sums_of(self.each)

    @property
    def values(self) -> Floats:
        """The mean of each group, nan where there is no value."""
        return np.asarray(self.floor + self._span * self._means())

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The means."""
        return (self.values,)

    @property
    def deviations(self) -> Floats:
        """The standard deviation of the values of each group, nan below two values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(self._variances() * self.n / (self.n - 1.0))
        return np.where(self.n > 1, self._span * spread, np.nan)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether each group has a value."""
        return np.asarray(self.n > 0)

    @property
    def smallest_n(self) -> Integers:
        """The values of each group."""
        return self.n

    @property
    def effective_n(self) -> Floats:
        """The values of each group divided by the design effect of clusters, at least 1."""
        if self.clusters is None:
            return self.n.astype(np.float64)
        return np.asarray(self.n * worth(self.clusters, self._variances()))

    @property
    def dominant(self) -> Floats:
        """The share (W, G) of values in the largest cluster where it decides the width, else nan."""
        if self.clusters is None:
            return np.full((1, len(self.n)), np.nan)
        return self.clusters.dominant

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's mean."""
        groups = np.arange(len(self.n)) if groups is None else groups
        if self.clusters is not None and self.clusters.ways is not None:
            return self._two_way(
                self.clusters,
                lambda means: means.alone(confidence, groups=groups, size=size),
                self.values[groups],
                groups,
            )
        low, high = self._bounds(groups, growth(self.counts, groups, size), confidence)
        return Interval(self.floor + self._span * low, self.floor + self._span * high)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference of each pair."""
        return compared(self.values[first], self.values[second], kind)

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,
    ) -> Interval:
        """Return the interval of the difference of each pair.

        Raises:
            ValueError: A ratio is asked for: its bounds would be those of a number that may be 0.
        """
        if kind != "difference":
            msg = f"means of samples are subtracted, never divided, got kind={kind!r}"
            raise ValueError(msg)
        if self.clusters is not None and self.clusters.ways is not None:
            return self._two_way(
                self.clusters,
                lambda means: means.pairs(
                    first, second, kind=kind, confidence=confidence, size=size
                ),
                self.compare(first, second, kind=kind),
                first,
                second,
            )
        more = growth(self.counts, first, size), growth(self.counts, second, size)
        means = self._means()
        low, high = subtracted(
            (means[first], means[second]),
            (
                lambda levels: self._bounds(first, more[0], levels[:, None]),
                lambda levels: self._bounds(second, more[1], levels[:, None]),
            ),
            confidence=confidence,
        )
        together = self._together(first, second)
        if together.any():
            times = np.minimum(*more)[together]
            within = self._within_clusters(first[together], second[together], times)
            low[together], high[together] = shared_difference_interval(
                within, confidence=confidence
            )
        return Interval(self._span * low, self._span * high)

    def _two_way(
        self,
        clusters: ClusterCounts,
        interval: "Callable[[SampleMeans], Interval]",
        value: Floats,
        *groups: Integers,
    ) -> Interval:
        """The interval where two columns make the clusters: as far from the value as by both together.

        Distances are added as they are: their squares add up where many clusters are seen, they themselves
        where few are and none differs. By both people of a pair, the distance is twice that by each.
        """
        each_way = clusters.each_way
        alike = len(each_way) == 1
        if alike:  # every image is counted for both of its people
            (way,) = each_way
            each_way = (ClusterCounts(way.successes / 2, np.asarray(way.n / 2)),) * 2
        each = [interval(replace(self, clusters=way)) for way in each_way]
        span = self._span * (1.0 if len(groups) == 1 else 2.0)
        floor = self.floor if len(groups) == 1 else -self._span
        low = value - sum(value - way.low for way in each)
        high = value + sum(way.high - value for way in each)
        bounds = np.clip(np.stack([low, high]), floor, floor + span)
        if not alike:
            within = lies_within(*(clusters.at(some) for some in groups))
            for rows, alone in zip(within, each, strict=True):
                bounds[:, rows] = np.stack(alone)[:, rows]
        return Interval(*bounds)

    @property
    def _span(self) -> float:
        return self.ceiling - self.floor

    @property
    def _starts(self) -> Integers:
        return np.cumsum(self.n) - self.n

    def _sums_of(self, values: Floats) -> Floats:
        group = np.repeat(np.arange(len(self.n)), self.n)
        return np.bincount(group, weights=values, minlength=len(self.n)).astype(np.float64)

    def _means(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.sums / self.n)

    def _variances(self) -> Floats:
        """Variance of the values of each group, divided by n."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(
                np.maximum(self._sums_of(self.each**2) / self.n - self._means() ** 2, 0.0)
            )

    def _bounds(self, groups: Integers, more: Floats, confidence: Floats | float) -> Interval:
        """Bounds of the scaled means of some groups (..., Q), with so many times as many units.

        The levels are one, or (L, 1).
        """
        rows = np.broadcast_arrays(groups, more, confidence)
        asked, back = np.unique([row.ravel() for row in rows], axis=1, return_inverse=True)
        of = asked[0].astype(np.int64)
        low, high = (np.full(len(of), np.nan) for _ in range(2))
        for some in _at_once(of, self.n):
            sums, sizes, starts = self._units(of[some])
            times = np.repeat(asked[1, some], np.diff(starts, append=len(sums)))
            low[some], high[some] = mean_interval(
                sums, sizes, starts, confidence=asked[2, some], times=times
            )
        return Interval(*(end[back].reshape(rows[0].shape) for end in (low, high)))

    def _units(self, groups: Integers) -> tuple[Floats, Floats, Integers]:
        """Sums and n of the independent units of some groups, and where each group starts."""
        if self.clusters is not None:
            sums, n = (count[groups].astype(np.float64) for count in self.clusters[:2])
            present = n > 0
            return sums[present], n[present], _starts(present.sum(axis=1))
        sizes = self.n[groups]
        starts = _starts(sizes)
        within = np.arange(sizes.sum()) - np.repeat(starts, sizes)
        sums = self.each[np.repeat(self._starts[groups], sizes) + within]
        return sums, np.ones(len(sums)), starts

    def _together(self, first: Integers, second: Integers) -> NDArray[np.bool_]:
        """Whether both groups of each pair have most of their samples in the same clusters."""
        if self.clusters is None:
            return np.zeros(len(first), dtype=bool)
        one, other = self.clusters.n[first], self.clusters.n[second]
        both = (one > 0) & (other > 0)
        with np.errstate(invalid="ignore"):
            shares = [(n * both).sum(axis=1) / n.sum(axis=1) for n in (one, other)]
        return np.asarray(np.minimum(*shares) >= _SHARED)

    def _within_clusters(self, first: Integers, second: Integers, times: Floats) -> Units:
        """What each cluster adds to the difference of the means of each pair."""
        if self.clusters is None:
            msg = "samples without clusters have no difference within them"
            raise ValueError(msg)
        means = self._means()
        middle = ((means[first] + means[second]) / 2)[:, None]
        gains, losses = [], []
        for groups in (first, second):
            share = self.clusters.n[groups] / self.n[groups][:, None]
            gains.append(self.clusters.successes[groups] / self.n[groups][:, None] - middle * share)
            losses.append(share)
        present = (losses[0] + losses[1]) > 0
        gain, weight = gains[0] - gains[1], (losses[0] + losses[1]) / 2
        loss = middle * losses[0] + (1 - middle) * losses[1]
        sizes = present.sum(axis=1)
        each = np.repeat(times, sizes)
        return Units(gain[present], weight[present], loss[present], each, _starts(sizes))


def _at_once(groups: Integers, n: Integers) -> list[Integers]:
    """Positions of the groups that have values, in parts that memory can hold."""
    known = np.flatnonzero(n[groups] > 0)
    parts = np.cumsum(n[groups[known]]) // _AT_ONCE
    return np.split(known, np.flatnonzero(np.diff(parts)) + 1) if len(known) else []


def _starts(sizes: Integers) -> Integers:
    return np.asarray(np.cumsum(sizes) - sizes)


def sample_means(
    values: Floats,
    groups: Integers,
    count: int,
    *,
    floor: float = 0.0,
    ceiling: float = 1.0,
    clusters: SampleClusters | None = None,
) -> SampleMeans:
    """Sum up the values of samples by group.

    Args:
        values: (N,) values; nan where a sample has none, which leaves it out.
        groups: (N,) position of the group of each sample, 0 … count - 1.
        count: Number of groups, those without samples included.
        floor: Smallest value that is possible.
        ceiling: Largest value that is possible.
        clusters: Cluster of each of N samples; None where independent.

    Raises:
        ValueError: A value lies outside its bounds.

    Example:
        >>> found = sample_means(np.array([0.2, 0.4, 0.9, np.nan]), np.array([0, 0, 1, 1]), 2)
        >>> found.values.round(2).tolist(), found.n.tolist()
        ([0.3, 0.9], [2, 1])
    """
    known = ~np.isnan(values)
    scaled = (values[known] - floor) / (ceiling - floor)
    rounding = 1e-6  # float32 scores
    if ((scaled < -rounding) | (scaled > 1 + rounding)).any():
        worst = values[known][np.abs(scaled - 0.5).argmax()]
        msg = f"a value is {worst:g}, outside its bounds {floor:g} … {ceiling:g}"
        raise ValueError(msg)
    scaled, groups = np.clip(scaled, 0.0, 1.0), groups[known]
    n = np.bincount(groups, minlength=count).astype(np.int64)
    by_group = scaled[np.argsort(groups, kind="stable")]
    if clusters is None:
        return SampleMeans(n, by_group, floor, ceiling)
    chosen = clusters.at(known)
    sums, sizes = chosen.summed(groups, count, scaled), chosen.counted(groups, count)
    found = ClusterCounts(sums, sizes, clusters.ways)
    return SampleMeans(n, by_group, floor, ceiling, found)
