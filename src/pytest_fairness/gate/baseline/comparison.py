"""A run beside its baseline: rates of each group now and then, and which images flipped."""

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.baseline.pairing import PairedSamples, Pairing
from pytest_fairness.statistics.clusters.columns import Cluster, axis_of
from pytest_fairness.statistics.clusters.counts import ClusterCounts, ways_of
from pytest_fairness.statistics.comparisons.movement import (
    ClusterMoves,
    Movement,
    PairTables,
    cluster_moves,
    pair_tables,
)
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.events import events
from pytest_fairness.statistics.estimators.rate_counts import RateCounts, rate_counts
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["GroupFlips", "ReleaseComparison"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupFlips:
    """Images of each group that changed from right to wrong, or from wrong to right.

    Args:
        tables: 2 x 2 tables of the groups: right now and then.
        samples: The images in common.
        codes: (N,) position of each image's group.
        lost: (N,) whether the image was right and is wrong.
    """

    tables: PairTables
    samples: PairedSamples
    codes: NDArray[np.int64]
    lost: NDArray[np.bool_]

    def worst(self, group: int) -> tuple[str, ...]:
        """Return the ids of images of a group that changed from right to wrong, the largest fall first."""
        return self.samples.worst(self.lost & (self.codes == group))


@dataclass(frozen=True, slots=True, eq=False)
class ReleaseComparison:
    """A run beside its baseline.

    Args:
        counts: Counts of the run.
        then: Counts of the baseline.
        pairing: How the two are compared.
        positive: The positive class.
        cluster: Column or columns of the clusters of dependent samples.
    """

    counts: GroupCounts
    then: GroupCounts
    pairing: Pairing
    positive: str | None
    cluster: Cluster | None = None

    def compared(self, rate: Rate) -> str:
        """Return how the rate is compared, in words."""
        if self.pairing.samples is not None and self._samples(rate) is None:
            what = rate.counted_among.replace("samples called", "what each release called")
            return f"unpaired: {rate.short} is counted among {what} itself"
        return self.pairing.compared

    def movement(self, rate: Rate, by: tuple[str, ...]) -> Movement:
        """Return the current and previous rates of the groups of `by`.

        The images are paired where that is possible.
        """
        samples = self._samples(rate)
        if samples is not None:
            now, then = (
                events(rate, samples.target, answers, positive=self.positive)
                for answers in (samples.now, samples.then)
            )
            codes, size = samples.groups(by)
            among = now.among
            seen = now.seen[among], then.seen[among]
            tables = pair_tables(*seen, codes[among], size=size)
            if samples.clusters is None:
                return Movement.paired(tables)
            clusters = samples.clusters.at(among)
            return Movement.paired(tables, cluster_moves(*seen, codes[among], clusters, size=size))
        return self.apart(rate, by)

    def apart(self, rate: Rate, by: tuple[str, ...]) -> Movement:
        """Return the rates of the groups of `by` over all current and all previous images."""
        groups = [tuple(group.values()) for group in self.counts.groups(by)]
        now, then = (
            _in_order(_rates(counts, rate, by, self.positive), groups)
            for counts in (self.counts, self.then)
        )
        return Movement(now, then, clusters=self._clusters(rate, by, groups))

    def _clusters(
        self, rate: Rate, by: tuple[str, ...], groups: list[tuple[str, ...]]
    ) -> ClusterMoves | None:
        """The same per cluster; None without clusters."""
        if self.cluster is None:
            return None
        now, then = (
            _per_cluster(counts, rate, by, groups, cluster=self.cluster, positive=self.positive)
            for counts in (self.counts, self.then)
        )
        return None if now is None else ClusterMoves(now, then)

    def flips(self, rate: Rate, by: tuple[str, ...]) -> GroupFlips | None:
        """Return the images that flipped, of those that a rate is counted among, or None when unpaired."""
        samples = self._samples(rate)
        if samples is None:
            return None
        among = events(rate, samples.target, samples.now, positive=self.positive).among
        now, then = samples.now == samples.target, samples.then == samples.target
        codes, size = samples.groups(by)
        tables = pair_tables(now[among], then[among], codes[among], size=size)
        return GroupFlips(tables, samples, codes, among & then & ~now)

    def _samples(self, rate: Rate) -> PairedSamples | None:
        return self.pairing.samples if rate.among_true_classes else None


_ByGroup: TypeAlias = dict[tuple[str, ...], tuple[int, int]]


def _rates(counts: GroupCounts, rate: Rate, by: tuple[str, ...], positive: str | None) -> _ByGroup:
    """Successes and n by the levels of a group; none where the counts know no such thing."""
    unknown = positive is not None and positive not in counts.classes
    if unknown or any(name not in counts.levels for name in by):
        return {}
    index = None if positive is None else counts.classes.index(positive)
    found = rate_counts(counts.confusion(by), rate, positive=index)
    groups = (tuple(group.values()) for group in counts.groups(by))
    pairs = zip(found.successes.tolist(), found.n.tolist(), strict=True)
    return dict(zip(groups, pairs, strict=True))


def _per_cluster(
    counts: GroupCounts,
    rate: Rate,
    by: tuple[str, ...],
    groups: list[tuple[str, ...]],
    *,
    cluster: Cluster,
    positive: str | None,
) -> ClusterCounts | None:
    """Successes and n of these groups in each cluster; None where the counts know no clusters."""
    axis = axis_of(cluster)
    if axis not in counts.levels:
        return None
    found = _rates(counts, rate, (*by, axis), positive)
    crossed = [(*group, one) for group in groups for one in counts.levels[axis]]
    apart = _in_order(found, crossed)
    shape = len(groups), -1
    ways = ways_of(cluster, counts.levels[axis])
    return ClusterCounts(apart.successes.reshape(shape), apart.n.reshape(shape), ways)


def _in_order(found: _ByGroup, groups: list[tuple[str, ...]]) -> RateCounts:
    """The rates of these groups; n is 0 where there is none."""
    successes, n = np.array([found.get(group, (0, 0)) for group in groups]).T
    return RateCounts(successes, n)
