"""Whether any answers at all could give clustered groups an interval within a limit.

Sizes of clusters are known before a model runs. The intervals of all answers cannot be computed, but
each is wider than one that can: the effective n of a bound is at most n, and at most what a group
without a failure would have to have that bound.
"""

from typing import Literal, NamedTuple

import numpy as np
from scipy import special

from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.clusters.matched import most_pairs
from pytest_fairness.statistics.clusters.rates import most_effective
from pytest_fairness.statistics.intervals.chosen import (
    difference_interval,
    paired_interval,
    paired_ratio_interval,
    ratio_interval,
)
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Range", "most_of_clusters", "pair_may_keep"]

# Below this level, and beyond this margin (of a difference, or of a ratio r as r / (1 + r)), the score
# interval of a larger n can be the wider one: tests/unit/statistics/clusters/test_reach.py.
_LEAST_CONFIDENCE, _MARGIN = 0.9, 0.01
# Of more pairs of counts than this, nothing is shown.
_MOST_TABLES = 200_000


class Range(NamedTuple):
    """A limit on a difference or ratio: its ends, infinite where nothing is limited."""

    low: float
    high: float


def most_of_clusters(clusters: int, *, confidence: float) -> float:
    """Return the largest lower bound that a rate of so many clusters can have, whatever n is.

    Args:
        clusters: Clusters that have images.
        confidence: Two-sided confidence level, 0 to 1.

    Example:
        >>> round(most_of_clusters(36, confidence=0.95), 4)
        0.9026
    """
    return float(((1 - confidence) / 2) ** (1 / max(clusters, 1)))


def pair_may_keep(
    first: Integers,
    second: Integers,
    limit: Range,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
) -> bool:
    """Return whether answers could exist whose interval of a pair lies within a limit.

    False is shown: no answers do. True is not: where it cannot be shown, the answer is True.

    Args:
        first: (C,) images of the first group in each cluster.
        second: (C,) images of the second group in the same clusters.
        limit: What the interval has to keep.
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level of the interval, 0 to 1.

    Example:
        >>> one_person, others = np.array([8] + [0] * 40), np.array([0] + [4] * 40)
        >>> limit = Range(-0.1, 0.1)
        >>> pair_may_keep(one_person, others, limit, kind="difference", confidence=0.95)
        False
        >>> pair_may_keep(others, others, limit, kind="difference", confidence=0.95)
        True
    """
    if ((first > 0) & (second > 0)).any():
        return _matched_may_keep(first, second, limit, kind=kind, confidence=confidence)
    if confidence < _LEAST_CONFIDENCE:
        return True
    return _apart_may_keep(first, second, limit, kind=kind, confidence=confidence)


def _matched_may_keep(
    first: Integers,
    second: Integers,
    limit: Range,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
) -> bool:
    """No pairs are surer than as many without a difference, all of them right."""
    pairs = np.array([most_pairs(first, second, confidence=confidence)])
    none = np.zeros(1)
    if kind == "difference":
        low, high = (
            float(end[0]) for end in paired_interval(none, none, pairs, confidence=confidence)
        )
        return max(-low, high) <= max(-limit.low, limit.high) + ROUNDING
    low, high = (
        float(end[0]) for end in paired_ratio_interval(pairs, none, none, confidence=confidence)
    )
    with np.errstate(divide="ignore"):
        most = max(limit.high, float(np.divide(1.0, limit.low)))
        return max(high, float(np.divide(1.0, low))) <= most + ROUNDING


def _apart_may_keep(
    first: Integers,
    second: Integers,
    limit: Range,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
) -> bool:
    """Look at every pair of rates, each bound at the largest effective n that it could have."""
    n1, n2 = int(first.sum()), int(second.sum())
    x1, x2 = _near(n1, n2, limit, kind)
    if len(x1) > _MOST_TABLES:
        return True
    (low1, high1), (low2, high2) = (
        most_effective(sizes, confidence=confidence) for sizes in (first, second)
    )
    interval = difference_interval if kind == "difference" else ratio_interval

    def bound(effective1: Floats, effective2: Floats) -> Interval:
        one, other = effective1[x1], effective2[x2]
        counts = x1 / n1 * one, one, x2 / n2 * other, other
        return interval(*counts, confidence=confidence, method="corrected")

    low, high = bound(low1, high2).low, bound(high1, low2).high
    ends = np.array(limit)
    if kind == "ratio":
        low, high, ends = (_share(end) for end in (low, high, ends))
    kept = (low >= ends[0] - _MARGIN) & (high <= ends[1] + _MARGIN)
    return bool((kept | np.isnan(low) | np.isnan(high)).any())


def _near(
    n1: int, n2: int, limit: Range, kind: Literal["difference", "ratio"]
) -> tuple[Integers, Integers]:
    """All counts of two groups whose difference or ratio keeps the limit: each interval has its value in it."""
    x1, x2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    ends = np.array(limit)
    if kind == "difference":
        value = x1 / n1 - x2 / n2
    else:
        one, other = x1 / n1 + 0 * x2, x2 / n2 + 0 * x1
        total = one + other
        value = np.where(total > 0, one / np.where(total > 0, total, 1.0), np.nan)
        ends = _share(ends)
    near = (value >= ends[0] - _MARGIN) & (value <= ends[1] + _MARGIN)
    first, second = np.nonzero(near)
    return first, second


def _share(ratio: Floats) -> Floats:
    """A ratio r as r / (1 + r), from 0 to 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(special.expit(np.log(ratio)))
