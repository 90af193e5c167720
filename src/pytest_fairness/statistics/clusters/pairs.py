"""The interval of a difference or ratio of two rates whose samples come in clusters."""

from typing import Literal

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.apart import BoundCounts, apart_interval
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import matched_interval
from pytest_fairness.statistics.clusters.rates import BoundFactors
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
    bound of the first rate goes with the upper bound of the second.

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
            *(_at(clusters, group[rows]) for group in (first, second)),
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
) -> BoundFactors:
    """Return effective n divided by n at which the score bounds of each pair are those of the clusters.

    It is above 1 where matched images are surer than as many independent ones.

    Args:
        clusters: Successes and n, (G, C).
        first: Positions of the first groups, (P,).
        second: Positions of the second groups, (P,).
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level, 0 to 1.

    Example:
        >>> people = ClusterCounts(np.array([[4] * 30 + [0] * 10, [4] * 40]), np.full((2, 40), 4))
        >>> both = np.array([0]), np.array([1])
        >>> worth = pair_worth(people, *both, kind="difference", confidence=0.95)
        >>> [float(bound.round(1)[0]) for bound in worth]
        [0.2, 0.2]
    """
    bounds = clustered_pair_interval(clusters, first, second, kind=kind, confidence=confidence)
    x, n = (counted.sum(axis=1).astype(np.float64) for counted in clusters)
    z = critical_value(confidence)
    statistic = score_statistic if kind == "difference" else ratio_score_statistic

    def worth(bound: Floats, above: float) -> Floats:
        def excess(log_share: Floats) -> Floats:
            share = np.exp(log_share)
            one, other = ((x[group] * share, n[group] * share) for group in (first, second))
            return z - above * statistic(*one, *other, bound, corrected=True)

        # The score statistic needs more than one sample.
        least = np.log(2 / np.maximum(n[first] + n[second], 2))
        return np.exp(crossing(excess, least, np.full(len(bound), _FAR), close=1e-9))

    return BoundFactors(worth(bounds.low, 1.0), worth(bounds.high, -1.0))


def _at(clusters: ClusterCounts, groups: Integers) -> ClusterCounts:
    return ClusterCounts(clusters.successes[groups], clusters.n[groups])


def _bound_counts(
    clusters: ClusterCounts, groups: Integers, growth: Floats, confidence: float
) -> BoundCounts:
    """Effective counts of some groups; those of each group and growth are sought once."""
    asked, back = np.unique(np.stack([groups, growth]), axis=1, return_inverse=True)
    position = asked[0].astype(np.int64)
    counts = BoundCounts.of(_at(clusters, position), confidence=confidence, growth=asked[1])
    return counts.at(back.ravel())
