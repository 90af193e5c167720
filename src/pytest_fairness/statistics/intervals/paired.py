"""Intervals and tests for two answers about the same samples, as of two releases of a model.

Only the samples on which the two answers differ count: `first_only` of them are successes of the
first alone, `second_only` of the second alone.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    check_alternative,
    critical_value,
    crossing,
    without_skewness,
)
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

__all__ = ["mcnemar_p_value", "moved_a_step", "paired_score_statistic", "tango"]

# The step of the statistic counts for less as its variance grows beyond this many samples; and
# the step is that of the difference, 1, or 2 where nearly all samples differ.
_SMOOTH, _ALL_DIFFER = 20.0, 3.0


def tango(
    first_only: ArrayLike,
    second_only: ArrayLike,
    n: ArrayLike,
    *,
    confidence: float = 0.95,
    corrected: bool = False,
) -> Interval:
    """Return Tango's score interval of p1 - p2 for paired samples, on request corrected.

    Args:
        first_only: samples that are successes of the first alone, any shape; need not be integers
            (an effective count).
        second_only: samples that are successes of the second alone.
        n: all samples; all arguments are broadcast against each other.
        confidence: two-sided confidence level, between 0 and 1.
        corrected: whether the skewness of the statistic and its steps are taken out, which keeps
            errors near nominal at high levels and where few samples differ. No bound is then
            worse than the exact one that the rate of one kind of differing samples has alone.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Tango (1998), Statist. Med. 17, 891-908; corrected: Gart and Nam (1990), Biometrics 46,
        637-643, and Laud (2017), Pharm. Stat. 16, 334-348, for the skewness and n/(n - 1); Yates
        (1934), Suppl. J. R. Stat. Soc. 1, 217-235, for the steps, here fading as they get fine.

    >>> low, high = tango(1, 7, 21)
    >>> print(f"{low:.4f} {high:.4f}")
    -0.5172 -0.0260
    """
    first_only, second_only, n = _as_pairs(first_only, second_only, n)
    critical_value(confidence)  # refuses a confidence that is out of range
    lower = _corrected_lower if corrected else _lower
    low = lower(first_only, second_only, n, confidence)
    return Interval(low, -lower(second_only, first_only, n, confidence))


def moved_a_step(
    first_only: ArrayLike, second_only: ArrayLike, n: ArrayLike
) -> tuple[Floats, Floats]:
    """Return the counts moved against the first answer by half a step of their difference.

    The distribution of a difference of counts has steps; a normal one through the middle of a step
    errs by half of it. Steps matter while the difference varies by few samples, so the move fades.
    One more success of the first, or one less of the second, still raises the moved difference.

    Args:
        first_only: samples that are successes of the first alone, and so on as in `tango`.
        second_only: samples that are successes of the second alone.
        n: all samples.

    Returns:
        What the counts of the first and of the second alone become, never below 0 nor above n.

    >>> first, second = moved_a_step(1, 7, 21)
    >>> print(f"{first:.3f} {second:.3f}")
    0.688 7.312
    """
    first, second, n = (np.asarray(a, dtype=np.float64) for a in (first_only, second_only, n))
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = np.maximum(first + second - (first - second) ** 2 / n, 0.0)
        alike = np.maximum(n - first - second, 0.0)
        step = 1 + 1 / np.sqrt(1 + alike / _ALL_DIFFER)
        move = step / (2 * np.sqrt(1 + variance / _SMOOTH))
    taken = np.minimum(move / 2, first)
    second_moved = np.minimum(second + move - taken, n)
    return np.minimum(first - taken, n - second_moved), second_moved


def paired_score_statistic(
    first_only: ArrayLike,
    second_only: ArrayLike,
    n: ArrayLike,
    delta: ArrayLike,
    *,
    corrected: bool = False,
) -> NDArray[np.float64]:
    """Return Tango's score statistic of the hypothesis p1 - p2 = delta.

    At delta = 0 it is that of McNemar's test. Falls as `delta` rises; 0 where the estimate equals
    `delta`, nan where n is 0.

    Args:
        first_only: samples that are successes of the first alone, and so on as in `tango`.
        second_only: samples that are successes of the second alone.
        n: all samples.
        delta: difference under test, in [-1, 1].
        corrected: whether the skewness is taken out; steps are the caller's (`moved_a_step`).

    Source: Tango (1998), equations 4 to 6; corrected: Gart and Nam (1990), with the third moment of
        outcomes 1, -1 and 0.

    >>> print(f"{paired_score_statistic(1, 7, 21, 0.0):.4f}")
    -2.1213
    """
    first_only, second_only, n, delta = (
        np.asarray(a, dtype=np.float64) for a in (first_only, second_only, n, delta)
    )
    # The most likely rate of second-only samples under the hypothesis solves a quadratic.
    half = ((2 * n - first_only + second_only) * delta - first_only - second_only) / 2
    product = 2 * n * second_only * delta * (1 - delta)
    root = np.sqrt(np.maximum(half**2 + product, 0.0))
    with np.errstate(divide="ignore", invalid="ignore"):
        # Written so that nothing cancels, whatever the sign.
        rate = np.where(half > 0, product / (root + half), root - half) / (2 * n)
        rate = np.maximum(rate, np.maximum(0.0, -delta))
        distance = (first_only - second_only) / n - delta
        variance = 2 * rate + delta * (1 - delta)
        if not corrected:
            return np.where(distance == 0, 0.0, distance / np.sqrt(variance / n))
        third = delta - 3 * delta * (2 * rate + delta) + 2 * delta**3
        variance = variance * n / np.maximum(n - 1, 0.0)
        statistic = without_skewness(
            distance / np.sqrt(variance / n), third / (variance * np.sqrt(variance * n))
        )
    return np.where(distance == 0, 0.0, statistic)


def mcnemar_p_value(
    first_only: ArrayLike, second_only: ArrayLike, *, alternative: str = "two-sided"
) -> NDArray[np.float64]:
    """Return the exact p-value of McNemar's test that two answers succeed equally often.

    Args:
        first_only: samples that are successes of the first alone, any shape.
        second_only: samples that are successes of the second alone, broadcast.
        alternative: "two-sided", "greater" to show that the first succeeds more often, or "less".

    Raises:
        FairnessError: counts are out of range, or the alternative is unknown.

    Source: McNemar (1947), Psychometrika 12, 153-157; the binomial test of Mosteller (1952).

    >>> print(f"{mcnemar_p_value(1, 7):.4f}")
    0.0703
    """
    check_alternative(alternative, "two-sided")
    first, differing = as_counts(first_only, np.add(first_only, second_only))
    more, fewer = _at_least(first, differing), _at_least(differing - first, differing)
    if alternative == "two-sided":
        return np.asarray(np.minimum(1.0, 2 * np.minimum(more, fewer)))
    return more if alternative == "greater" else fewer


def _as_pairs(
    first_only: ArrayLike, second_only: ArrayLike, n: ArrayLike
) -> tuple[NDArray[np.float64], ...]:
    differing = np.add(first_only, second_only)
    first, differing, _, n = as_counts(first_only, differing, differing, n)
    return first, differing - first, n


def _at_least(successes: NDArray[np.float64], n: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the chance of that many successes or more in n tosses of a coin."""
    tail = special.betainc(np.maximum(successes, 1.0), n - successes + 1, 0.5)
    return np.where(successes == 0, 1.0, tail)


def _lower(first_only: Floats, second_only: Floats, n: Floats, confidence: float) -> Floats:
    """Return the difference below the estimate at which the score statistic is z."""
    z = critical_value(confidence)

    def excess(delta: Floats) -> Floats:
        return paired_score_statistic(first_only, second_only, n, delta) - z

    return crossing(excess, -1.0, _difference(first_only, second_only, n))


def _corrected_lower(
    first_only: Floats, second_only: Floats, n: Floats, confidence: float
) -> Floats:
    """Return the larger of the corrected score bound and the exact bounds of either rate alone."""
    z = critical_value(confidence)
    first, second = moved_a_step(first_only, second_only, n)

    def excess(delta: Floats) -> Floats:
        return paired_score_statistic(first, second, n, delta, corrected=True) - z

    bound = crossing(excess, -1.0, _difference(first, second, n))
    # p1 - p2 is at least minus the rate of second-only samples, and, as that rate is at most one
    # minus the rate of first-only samples, at least twice the latter minus 1.
    most_lost = clopper_pearson(second_only, n, confidence=confidence).high
    least_won = clopper_pearson(first_only, n, confidence=confidence).low
    return np.asarray(np.maximum(bound, np.maximum(-most_lost, 2 * least_won - 1)))


def _difference(first_only: Floats, second_only: Floats, n: Floats) -> Floats:
    with np.errstate(invalid="ignore"):
        return (first_only - second_only) / n
