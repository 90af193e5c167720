"""The interval of a difference or ratio of two rates whose samples come in clusters."""

from typing import Literal

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.apart import BoundCounts, apart_interval
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import matched_interval
from pytest_fairness.statistics.clusters.rates import BoundFactors
from pytest_fairness.statistics.clusters.two_way import lies_within, together
from pytest_fairness.statistics.intervals.chosen import difference_interval, ratio_interval
from pytest_fairness.statistics.intervals.differences import score_statistic
from pytest_fairness.statistics.intervals.inversion import critical_value, crossing
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.ratios import ratio_score_statistic

__all__ = ["clustered_pair_interval", "pair_worth"]

# Logarithm of the largest worth of a sample.
_FAR = 16.0


def clustered_pair_interval(
    clusters: ClusterCounts,
    first: Integers,
    second: Integers,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
    growth: tuple[Floats, Floats] | None = None,
) -> Interval:
    """Return the interval of p1 - p2 or p1 / p2 of each pair of groups.

    Groups that share clusters (a design drawn in two tones) are matched: what one cluster adds to the
    difference is one observation. Others are compared at the effective n of each bound: the lower
    bound of the first rate goes with the upper bound of the second. Where two columns make the
    clusters, the bounds of each are turned into what the samples are worth by it, and these are put together.

    Args:
        clusters: Successes and n, (G, C).
        first: Positions of the first groups, (P,).
        second: Positions of the second groups, (P,).
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind both groups would have, (P,) each.

    Returns:
        Bounds (P,), nan where a group has no samples.

    Example:
        >>> people = ClusterCounts(np.array([[2, 2, 1, 0, 0, 0], [0, 0, 0, 2, 1, 1]]), np.array(
        ...     [[2, 2, 2, 0, 0, 0], [0, 0, 0, 2, 2, 2]]))
        >>> low, high = clustered_pair_interval(
        ...     people, np.array([0]), np.array([1]), kind="difference", confidence=0.95)
        >>> print(f"{low[0]:.2f} {high[0]:.2f}")
        -0.42 0.64
    """
    if clusters.ways is not None:
        return _two_way(clusters, (first, second), kind, confidence, growth)
    more = (np.ones(len(first)),) * 2 if growth is None else growth
    present = clusters.n > 0
    shared = np.array(
        [bool((present[i] & present[j]).any()) for i, j in zip(first, second, strict=True)],
        dtype=bool,
    )
    bounds = np.full((2, len(first)), np.nan)
    rows = np.flatnonzero(shared)
    if len(rows):
        bounds[:, rows] = matched_interval(
            *(clusters.at(group[rows]) for group in (first, second)),
            kind=kind,
            confidence=confidence,
            growth=np.minimum(*more)[rows],
        )
    rows = np.flatnonzero(~shared)
    if len(rows):
        bounds[:, rows] = apart_interval(
            *(
                _bound_counts(clusters, group[rows], times[rows], confidence)
                for group, times in zip((first, second), more, strict=True)
            ),
            kind=kind,
            confidence=confidence,
            guessed=growth is not None,
        )
    return Interval(*bounds)


def pair_worth(
    clusters: ClusterCounts,
    first: Integers,
    second: Integers,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
    growth: tuple[Floats, Floats] | None = None,
) -> BoundFactors:
    """Return effective n divided by n at which the score bounds of each pair are those of the clusters.

    It is above 1 where matched images are surer than as many independent ones.

    Args:
        clusters: Successes and n, (G, C).
        first: Positions of the first groups, (P,).
        second: Positions of the second groups, (P,).
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind both groups would have, (P,) each.

    Example:
        >>> people = ClusterCounts(np.array([[4] * 30 + [0] * 10, [4] * 40]), np.full((2, 40), 4))
        >>> both = np.array([0]), np.array([1])
        >>> worth = pair_worth(people, *both, kind="difference", confidence=0.95)
        >>> [float(bound.round(1)[0]) for bound in worth]
        [0.2, 0.2]
    """
    bounds = clustered_pair_interval(
        clusters, first, second, kind=kind, confidence=confidence, growth=growth
    )
    counts = _grown(clusters, (first, second), growth)
    z = critical_value(confidence)
    statistic = score_statistic if kind == "difference" else ratio_score_statistic

    def worth(bound: Floats, above: float) -> Floats:
        def excess(log_share: Floats) -> Floats:
            share = np.exp(log_share)
            x1, n1, x2, n2 = (count * share for count in counts)
            return z - above * statistic(x1, n1, x2, n2, bound, corrected=True)

        # The score statistic needs more than one sample.
        least = np.log(2 / np.maximum(counts[1] + counts[3], 2))
        return np.exp(crossing(excess, least, np.full(len(bound), _FAR), close=1e-9))

    return BoundFactors(worth(bounds.low, 1.0), worth(bounds.high, -1.0))


def _two_way(
    clusters: ClusterCounts,
    groups: tuple[Integers, Integers],
    kind: Literal["difference", "ratio"],
    confidence: float,
    growth: tuple[Floats, Floats] | None,
) -> Interval:
    """The interval where two columns make the clusters.

    The lower bound is not above that of a first group without a failure, nor the upper below that of such a second one:
    what samples are worth is least there, and a failure would seem to add to it.
    """
    first, second = (clusters.at(group) for group in groups)
    more = None if growth is None else (np.tile(growth[0], 3), np.tile(growth[1], 3))
    low, high = _put_together(
        first.beside(first.flawless, first),
        second.beside(second, second.flawless),
        kind,
        confidence,
        more,
    )
    whole, of_first, of_second = np.split(np.stack([low, high]), 3, axis=1)
    bounds = np.stack([np.fmin(whole[0], of_first[0]), np.fmax(whole[1], of_second[1])])
    for within, way in zip(lies_within(first, second), clusters.each_way, strict=True):
        rows = np.flatnonzero(within)
        if len(rows):
            some = None if growth is None else (growth[0][rows], growth[1][rows])
            bounds[:, rows] = clustered_pair_interval(
                way,
                *(group[rows] for group in groups),
                kind=kind,
                confidence=confidence,
                growth=some,
            )
    return Interval(*bounds)


def _put_together(
    first: ClusterCounts,
    second: ClusterCounts,
    kind: Literal["difference", "ratio"],
    confidence: float,
    growth: tuple[Floats, Floats] | None,
) -> Interval:
    """The interval of two columns, from what samples are worth by each."""
    both = first.beside(second)
    groups = np.arange(len(first.n)), np.arange(len(first.n)) + len(first.n)
    each = [
        pair_worth(way, *groups, kind=kind, confidence=confidence, growth=growth)
        for way in both.each_way
    ]
    interval = difference_interval if kind == "difference" else ratio_interval
    bounds = []
    for end, worths in enumerate(zip(*each, strict=True)):
        worth = together(worths, first, second)
        x1, n1, x2, n2 = (count * worth for count in _grown(both, groups, growth))
        bounds.append(interval(x1, n1, x2, n2, confidence=confidence, method="corrected")[end])
    return Interval(*bounds)


def _grown(
    clusters: ClusterCounts,
    groups: tuple[Integers, Integers],
    growth: tuple[Floats, Floats] | None,
) -> tuple[Floats, ...]:
    """Successes and n of the first groups, then of the second ones."""
    more = (1.0, 1.0) if growth is None else growth
    return tuple(
        count.sum(axis=1)[group] * times
        for group, times in zip(groups, more, strict=True)
        for count in clusters[:2]
    )


def _bound_counts(
    clusters: ClusterCounts, groups: Integers, growth: Floats, confidence: float
) -> BoundCounts:
    """Effective counts of some groups; those of each group and growth are sought once."""
    asked, back = np.unique(np.stack([groups, growth]), axis=1, return_inverse=True)
    position = asked[0].astype(np.int64)
    counts = BoundCounts.of(clusters.at(position), confidence=confidence, growth=asked[1])
    return counts.at(back.ravel())
