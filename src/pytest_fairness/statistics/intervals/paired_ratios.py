"""Score interval of the ratio p1 / p2 of two answers about the same samples.

Samples on which neither answer is a success say nothing about the ratio. Among the others, `both`
are successes of both answers, `first_only` of the first alone, `second_only` of the second alone.
"""

import numpy as np
from numpy.typing import ArrayLike

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    critical_value,
    crossing,
    without_skewness,
)
from pytest_fairness.statistics.intervals.paired import moved_a_step
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

__all__ = ["paired_ratio_score", "paired_ratio_statistic"]

# A ratio below it is as good as 0, and one over it as good as infinite.
_LEAST_SHARE = 1e-12


def paired_ratio_score(
    both: ArrayLike,
    first_only: ArrayLike,
    second_only: ArrayLike,
    *,
    confidence: float = 0.95,
    corrected: bool = False,
) -> Interval:
    """Return the score interval of p1 / p2 for paired samples, within [0, inf], on request corrected.

    Args:
        both: Samples that are successes of both, any shape; need not be integers.
        first_only: Samples that are successes of the first alone.
        second_only: Samples that are successes of the second alone; all are broadcast.
        confidence: Two-sided confidence level, between 0 and 1.
        corrected: Whether the skewness of the statistic and its steps are taken out, and no bound
            is worse than the exact one that one kind of differing samples has alone, as in
            `pytest_fairness.statistics.intervals.paired.tango`.

    Returns:
        Bounds, nan where no sample is a success of either.

    Raises:
        FairnessError: Counts or confidence are out of range.

    Source: Nam and Blackwelder (2002), Statist. Med. 21, 689-699; Tang, Tang and Chan (2003),
        Statist. Med. 22, 1217-1233; corrected: Gart and Nam (1990), Laud (2017).

    >>> low, high = paired_ratio_score(43, 0, 1)
    >>> print(f"{low:.4f} {high:.4f}")
    0.8819 1.0646
    """
    both, first_only, second_only = _as_cells(both, first_only, second_only)
    critical_value(confidence)  # refuses a confidence that is out of range
    lower = _corrected_lower if corrected else _lower
    low = lower(both, first_only, second_only, confidence)
    one_over_high = lower(both, second_only, first_only, confidence)
    with np.errstate(divide="ignore"):
        return Interval(low, 1 / one_over_high)


def paired_ratio_statistic(
    both: ArrayLike,
    first_only: ArrayLike,
    second_only: ArrayLike,
    ratio: ArrayLike,
    *,
    corrected: bool = False,
) -> Floats:
    """Return the score statistic of the hypothesis p1 / p2 = ratio for paired samples.

    Falls as `ratio` rises; 0 where the estimate equals `ratio`.

    Args:
        both: Samples that are successes of both, and so on as in `paired_ratio_score`.
        first_only: Samples that are successes of the first alone.
        second_only: Samples that are successes of the second alone.
        ratio: Ratio under test, above 0.
        corrected: Whether the skewness is taken out; steps are the caller's (`moved_a_step`).

    Source: Tang, Tang and Chan (2003), equations 3 to 5.

    >>> print(f"{paired_ratio_statistic(20, 1, 7, 1.0):.4f}")
    -2.1213
    """
    both, first_only, second_only, ratio = (
        np.asarray(a, dtype=np.float64) for a in (both, first_only, second_only, ratio)
    )
    n = both + first_only + second_only
    # The most likely share of second-only samples under the hypothesis solves a quadratic.
    half = (both + first_only + 2 * second_only - (both + second_only) * ratio**2) / 2
    product = n * (1 + ratio) * second_only * (ratio - 1)
    root = np.sqrt(np.maximum(half**2 + product, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Written so that nothing cancels, whatever the sign.
        share = np.where(half < 0, product / (root - half), root + half) / (n * (1 + ratio))
        share = np.clip(share, np.maximum(0.0, 1 - ratio), 1 / (1 + ratio))
        other = (ratio - 1 + share) / ratio
        distance = both + first_only - ratio * (both + second_only)
        variance = n * ratio * (share + other)
        if not corrected:
            return np.where(distance == 0, 0.0, distance / np.sqrt(variance))
        third = (1 - share - other) * (1 - ratio) ** 3 + other - ratio**3 * share
        variance = variance * n / np.maximum(n - 1, 0.0)
        statistic = without_skewness(
            distance / np.sqrt(variance), n * third / (variance * np.sqrt(variance))
        )
    return np.where(distance == 0, 0.0, statistic)


def _as_cells(
    both: ArrayLike, first_only: ArrayLike, second_only: ArrayLike
) -> tuple[Floats, Floats, Floats]:
    n = np.add(np.add(both, first_only), second_only)
    both, _, first_only, _, second_only, _ = as_counts(both, n, first_only, n, second_only, n)
    return both, first_only, second_only


def _lower(
    both: Floats,
    first_only: Floats,
    second_only: Floats,
    confidence: float,
    *,
    corrected: bool = False,
) -> Floats:
    """Return the ratio below the estimate at which the score statistic is z."""
    z = critical_value(confidence)
    # Sought as a share p1 / (p1 + p2), which stays finite when the second has no success.
    first, second = both + first_only, both + second_only
    with np.errstate(invalid="ignore"):
        estimate = first / (first + second)

    def excess(share: Floats) -> Floats:
        ratio = share / (1 - share)
        return paired_ratio_statistic(both, first_only, second_only, ratio, corrected=corrected) - z

    bound = crossing(excess, _LEAST_SHARE, np.where(first > 0, estimate, np.nan))
    nothing = (first == 0) | (bound <= _LEAST_SHARE)
    return np.where(nothing, np.where(first + second > 0, 0.0, np.nan), bound / (1 - bound))


def _corrected_lower(
    both: Floats, first_only: Floats, second_only: Floats, confidence: float
) -> Floats:
    """Return the larger of the corrected score bound and the exact bounds of either share alone."""
    n = both + first_only + second_only
    first, second = moved_a_step(first_only, second_only, n)
    bound = _lower(n - first - second, first, second, confidence, corrected=True)
    # Among samples that are a success of either, the first has all but the second-only ones, and
    # the second at most all; or the second at most those that are not of the first alone.
    most_lost = clopper_pearson(second_only, n, confidence=confidence).high
    least_won = clopper_pearson(first_only, n, confidence=confidence).low
    exact = np.maximum(1 - most_lost, least_won / (1 - least_won))
    return np.asarray(np.maximum(bound, exact))
