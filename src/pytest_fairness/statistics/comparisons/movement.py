"""How a rate moved between two releases: image by image, or from the counts of each alone."""

from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.apart import BoundCounts, apart_interval
from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.clusters.same_images import effective_images, same_images_interval
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["ClusterMoves", "Movement", "PairTables", "cluster_moves", "pair_tables"]


class PairTables(NamedTuple):
    """The 2 x 2 tables of G groups: samples by whether the event was seen now and then."""

    both: Floats
    now_only: Floats
    then_only: Floats
    neither: Floats

    @property
    def n(self) -> Floats:
        """The samples of each group."""
        return self.both + self.now_only + self.then_only + self.neither

    def times(self, factor: Floats) -> "PairTables":
        """Return the tables with every count of a group multiplied by its factor (G,)."""
        return PairTables(*(cell * factor for cell in self))


def pair_tables(
    now: NDArray[np.bool_], then: NDArray[np.bool_], groups: Integers, *, size: int
) -> PairTables:
    """Count what was seen of each sample now and then, in each group.

    Args:
        now: (N,) whether the event is seen now.
        then: (N,) whether it was seen then.
        groups: (N,) position of the sample's group, 0 to `size` - 1.
        size: Number G of groups; one without samples has a table of zeros.

    Example:
        >>> now, then = np.array([True, True, False]), np.array([True, False, True])
        >>> tables = pair_tables(now, then, np.array([0, 0, 0]), size=2)
        >>> tables.now_only.tolist(), tables.n.tolist()
        ([1.0, 0.0], [3.0, 0.0])
    """
    cells = (now & then, now & ~then, ~now & then, ~now & ~then)
    return PairTables(
        *(np.bincount(groups[cell], minlength=size).astype(np.float64) for cell in cells)
    )


class ClusterMoves(NamedTuple):
    """Counts in each cluster of dependent samples, (G, C) each.

    Args:
        now: Successes and n now.
        then: The same then; None where it is not known, which is taken to be as now.
    """

    now: ClusterCounts
    then: ClusterCounts | None = None

    def at(self, groups: slice) -> "ClusterMoves":
        """Return the counts of some groups."""
        then = None if self.then is None else self.then.at(groups)
        return ClusterMoves(self.now.at(groups), then)


def cluster_moves(
    now: NDArray[np.bool_],
    then: NDArray[np.bool_],
    groups: Integers,
    clusters: SampleClusters,
    *,
    size: int,
) -> ClusterMoves:
    """Count what was seen of each sample now and then, in each group and cluster.

    Args:
        now: (N,) whether the event is seen now.
        then: (N,) whether it was seen then.
        groups: (N,) position of the sample's group, 0 to `size` - 1.
        clusters: The samples' clusters.
        size: Number G of groups.
    """
    n = clusters.counted(groups, size)
    before, after = (
        ClusterCounts(clusters.summed(groups, size, seen).astype(np.int64), n, clusters.ways)
        for seen in (then, now)
    )
    return ClusterMoves(after, before)


@dataclass(frozen=True, slots=True)
class Movement:
    """The rates of G groups now and then.

    Args:
        now: Successes and n of each group now.
        then: The same then.
        pairs: The tables of the same samples; None where the samples are not the same.
        clusters: The same counted per cluster; None where samples are independent.
        growth: How many times as many samples there are as were counted, (G,).
    """

    now: RateCounts
    then: RateCounts
    pairs: PairTables | None = None
    clusters: ClusterMoves | None = None
    growth: Floats | float = 1.0

    @classmethod
    def paired(cls, tables: PairTables, clusters: ClusterMoves | None = None) -> "Movement":
        """Return the movement of samples that both releases answered."""
        now = RateCounts(tables.both + tables.now_only, tables.n)
        return cls(now, RateCounts(tables.both + tables.then_only, tables.n), tables, clusters)

    @property
    def change(self) -> Floats:
        """The current rate minus the previous rate (G,), nan where one of them is undefined."""
        return _rate(self.now) - _rate(self.then)

    @property
    def total(self) -> Floats:
        """The current rate plus the previous rate (G,)."""
        return _rate(self.now) + _rate(self.then)

    def change_interval(self, confidence: float) -> Interval:
        """Return the interval of the change: that of paired samples, else that of independent rates."""
        if self.pairs is None:
            return self._apart(self.counts_then(confidence), confidence)
        if self.clusters is None:
            now_only, then_only = self.pairs.now_only, self.pairs.then_only
            return paired_interval(now_only, then_only, self.pairs.n, confidence=confidence)
        return self._matched(self._then, confidence)

    def total_interval(self, confidence: float) -> Interval:
        """Return the interval of the sum of both rates."""
        if self.pairs is None:
            bounds = self._apart(self.counts_then(confidence).failures, confidence)
        elif self.clusters is None:
            both, neither = self.pairs.both, self.pairs.neither
            bounds = paired_interval(both, neither, self.pairs.n, confidence=confidence)
        else:
            bounds = self._matched(self._then.failures, confidence)
        return Interval(1 + bounds.low, 1 + bounds.high)

    def counts_now(self, confidence: float) -> BoundCounts:
        """Return the counts of the current release, with what they are worth."""
        clusters = None if self.clusters is None else self.clusters.now
        return _bound_counts(self.now, clusters, confidence, self.growth)

    def counts_then(self, confidence: float) -> BoundCounts:
        """Return the counts of the previous release, with what they are worth."""
        clusters = None if self.clusters is None else self._then
        return _bound_counts(self.then, clusters, confidence, self.growth)

    def effective_n(self, confidence: float) -> Floats:
        """Return the effective n of the change (G,) at a confidence."""
        if self.pairs is None:
            counts = self.counts_now(confidence)
            return np.asarray(counts.n * np.minimum(counts.lower, counts.upper))
        if self.clusters is None:
            return self.pairs.n
        return effective_images(
            self.clusters.now, self._then, confidence=confidence, growth=self.growth
        )

    @property
    def dominant(self) -> Floats:
        """The share (W, G) of current samples in the largest cluster where it decides, else nan."""
        if self.clusters is None:
            return np.full((1, len(self.now.n)), np.nan)
        return self.clusters.now.dominant

    def at(self, group: int) -> "Movement":
        """Return the movement of one group, as arrays of length 1."""
        one = slice(group, group + 1)
        return Movement(
            RateCounts(self.now.successes[one], self.now.n[one]),
            RateCounts(self.then.successes[one], self.then.n[one]),
            None if self.pairs is None else PairTables(*(cell[one] for cell in self.pairs)),
            None if self.clusters is None else self.clusters.at(one),
            np.broadcast_to(self.growth, self.now.n.shape)[one],
        )

    def grown(self, size: float) -> "Movement":
        """Return the movement if every group had at least `size` samples in both releases."""
        now, then = self.now.grown(size), self.then.grown(size)
        if self.pairs is None:
            growth = now.n / np.maximum(self.now.n, 1)
            return replace(self, now=now, then=then, growth=np.maximum(growth, 1.0))
        factor = np.maximum(size / np.maximum(self.pairs.n, 1), 1.0)
        grown = Movement.paired(self.pairs.times(factor), self.clusters)
        return replace(grown, growth=factor)

    @property
    def _then(self) -> ClusterCounts:
        """What is known of the clusters of the previous release."""
        if self.clusters is None:
            msg = "these samples have no clusters"
            raise ValueError(msg)
        return self.clusters.then or self.clusters.now

    def _apart(self, then: BoundCounts, confidence: float) -> Interval:
        now = self.counts_now(confidence)
        return apart_interval(now, then, kind="difference", confidence=confidence)

    def _matched(self, then: ClusterCounts, confidence: float) -> Interval:
        now = then if self.clusters is None else self.clusters.now
        return same_images_interval(now, then, confidence=confidence, growth=self.growth)


def _bound_counts(
    counts: RateCounts, clusters: ClusterCounts | None, confidence: float, growth: Floats | float
) -> BoundCounts:
    x, n = (np.asarray(count, dtype=np.float64) for count in counts)
    if clusters is None:
        return BoundCounts.independent(x, n)
    return BoundCounts.of(clusters, confidence=confidence, growth=growth, counts=(x, n))


def _rate(counts: RateCounts) -> Floats:
    with np.errstate(invalid="ignore"):
        return np.asarray(counts.successes / counts.n, dtype=np.float64)
