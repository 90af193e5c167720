"""Whether any answers at all could give clustered groups an interval within a limit.

Sizes of clusters are known before a model runs. The intervals of all answers cannot be computed, but
each is wider than one that can: the effective n of a bound is at most n, and at most what a group
without a failure would have to have that bound.
"""

import functools
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.clusters.matched import most_pairs
from pytest_fairness.statistics.clusters.rates import most_effective
from pytest_fairness.statistics.intervals.chosen import paired_interval, paired_ratio_interval
from pytest_fairness.statistics.intervals.differences import score_statistic
from pytest_fairness.statistics.intervals.inversion import critical_value
from pytest_fairness.statistics.intervals.ratios import ratio_score_statistic

__all__ = ["Range", "most_of_clusters", "pair_may_keep"]

Kind: TypeAlias = Literal["difference", "ratio"]

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
    kind: Kind,
    confidence: float,
    flawless: tuple[float, float] | None = None,
) -> bool:
    """Return whether answers could exist whose interval of a pair lies within a limit.

    False is shown: no answers do. True is not: where it cannot be shown, the answer is True.

    Args:
        first: (C,) images of the first group in each cluster.
        second: (C,) images of the second group in the same clusters.
        limit: What the interval has to keep.
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level of the interval, 0 to 1.
        flawless: Lower bounds of both groups if no image were a failure, where they are known.

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
    known = flawless or (None, None)
    return _apart_may_keep(first, second, limit, kind=kind, confidence=confidence, flawless=known)


def _matched_may_keep(
    first: Integers,
    second: Integers,
    limit: Range,
    *,
    kind: Kind,
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
    kind: Kind,
    confidence: float,
    flawless: tuple[float | None, float | None],
) -> bool:
    """Look at every pair of rates, each bound at the largest effective n that it could have."""
    n1, n2 = int(first.sum()), int(second.sum())
    ends = np.array(limit)
    if kind == "ratio":
        ends = _share(ends)
    if _least_tables(n1, n2, ends, kind) > _MOST_TABLES:
        return True
    x1, x2 = _near(n1, n2, ends, kind)
    if len(x1) > _MOST_TABLES:
        return True
    (low1, high1), (low2, high2) = (
        _most_effective(sizes, confidence, bound)
        for sizes, bound in zip((first, second), flawless, strict=True)
    )

    def counts(effective1: Floats, effective2: Floats) -> tuple[Floats, ...]:
        one, other = effective1[x1], effective2[x2]
        return x1 / n1 * one, one, x2 / n2 * other, other

    below, above = counts(low1, high2), counts(high1, low2)
    # The upper bound is the lower one of the groups in the other order.
    turned = (*above[2:], *above[:2])
    edge = 1 - ends[1] if kind == "ratio" else -ends[1]
    kept = _are_above(below, float(ends[0]) - _MARGIN, kind=kind, confidence=confidence)
    rows = np.flatnonzero(kept)
    turned = tuple(count[rows] for count in turned)
    return bool(_are_above(turned, float(edge) - _MARGIN, kind=kind, confidence=confidence).any())


def _are_above(
    counts: tuple[Floats, ...], edge: float, *, kind: Kind, confidence: float
) -> NDArray[np.bool_]:
    """Whether lower score bounds are at least an edge, or are not known: one test each, no search.

    Args:
        counts: Successes and n of the first and of the second groups, (T,) each.
        edge: What the bounds are compared with; of a ratio r, as r / (1 + r).
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level of the intervals, 0 to 1.
    """
    if edge <= (-1.0 if kind == "difference" else 0.0):
        return np.ones(len(counts[0]), dtype=bool)
    if edge >= 1:
        return np.zeros(len(counts[0]), dtype=bool)
    statistic = score_statistic if kind == "difference" else ratio_score_statistic
    value = edge if kind == "difference" else edge / (1 - edge)
    x1, n1, x2, n2 = counts
    found = statistic(x1, n1, x2, n2, value, corrected=True)
    return np.asarray((found >= critical_value(confidence)) | np.isnan(found))


@functools.lru_cache(maxsize=16)
def _remembered_effective(
    sizes: bytes, confidence: float, flawless: float | None
) -> tuple[Floats, Floats]:
    counted = np.frombuffer(sizes, dtype=np.int64)
    return most_effective(counted, confidence=confidence, flawless=flawless)


def _most_effective(
    sizes: Integers, confidence: float, flawless: float | None
) -> tuple[Floats, Floats]:
    """The largest effective n; a reference is compared with one group after the other."""
    present = np.ascontiguousarray(sizes[sizes > 0], dtype=np.int64)
    return _remembered_effective(present.tobytes(), confidence, flawless)


def _least_tables(n1: int, n2: int, ends: Floats, kind: Kind) -> int:
    """A number that is at most that of the pairs which `_near` returns, found without them."""
    rate = np.arange(n1 + 1) / n1
    low, high = ends[0] - _MARGIN, ends[1] + _MARGIN
    if kind == "difference":
        least, most = rate - high, rate - low
    else:
        with np.errstate(divide="ignore"):
            least = rate * (1 - high) / high
            most = rate * (1 - low) / low if low > 0 else np.ones(n1 + 1)
    each = np.floor(np.minimum(most, 1) * n2) - np.ceil(np.maximum(least, 0) * n2) - 1
    return int(np.maximum(each, 0).sum())


def _near(n1: int, n2: int, ends: Floats, kind: Kind) -> tuple[Integers, Integers]:
    """All counts of two groups whose difference or ratio keeps the limit: each interval has its value in it."""
    x1, x2 = np.arange(n1 + 1)[:, None], np.arange(n2 + 1)[None, :]
    if kind == "difference":
        value = x1 / n1 - x2 / n2
    else:
        one, other = x1 / n1 + 0 * x2, x2 / n2 + 0 * x1
        total = one + other
        value = np.where(total > 0, one / np.where(total > 0, total, 1.0), np.nan)
    near = (value >= ends[0] - _MARGIN) & (value <= ends[1] + _MARGIN)
    first, second = np.nonzero(near)
    return first, second


def _share(ratio: Floats) -> Floats:
    """A ratio r as r / (1 + r), from 0 to 1."""
    with np.errstate(divide="ignore"):
        return np.asarray(special.expit(np.log(ratio)))
