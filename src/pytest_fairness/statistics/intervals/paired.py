"""Intervals and tests for two answers about the same samples, as of two releases of a model.

Only the samples on which the two answers differ count: `first_only` of them are successes of the
first alone, `second_only` of the second alone.
"""

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    check_alternative,
    critical_value,
    crossing,
)
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["mcnemar_p_value", "paired_score_statistic", "tango"]


def tango(
    first_only: ArrayLike, second_only: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Return Tango's score interval of p1 - p2 for paired samples.

    Args:
        first_only: samples that are successes of the first alone, any shape.
        second_only: samples that are successes of the second alone.
        n: all samples; all arguments are broadcast against each other.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Tango (1998), Statist. Med. 17, 891-908.

    >>> low, high = tango(1, 7, 21)
    >>> print(f"{low:.4f} {high:.4f}")
    -0.5172 -0.0260
    """
    first_only, second_only, n = _as_pairs(first_only, second_only, n)
    z = critical_value(confidence)
    return Interval(_lower(first_only, second_only, n, z), -_lower(second_only, first_only, n, z))


def paired_score_statistic(
    first_only: ArrayLike, second_only: ArrayLike, n: ArrayLike, delta: ArrayLike
) -> NDArray[np.float64]:
    """Return Tango's score statistic of the hypothesis p1 - p2 = delta.

    At delta = 0 it is that of McNemar's test. Falls as `delta` rises; 0 where the estimate equals
    `delta`, nan where n is 0.

    Args:
        first_only: samples that are successes of the first alone, and so on as in `tango`.
        second_only: samples that are successes of the second alone.
        n: all samples.
        delta: difference under test, in [-1, 1].

    Source: Tango (1998), equations 4 to 6.

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
        statistic = distance / np.sqrt((2 * rate + delta * (1 - delta)) / n)
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


def _lower(
    first_only: NDArray[np.float64],
    second_only: NDArray[np.float64],
    n: NDArray[np.float64],
    z: float,
) -> NDArray[np.float64]:
    """Return the difference below the estimate at which the score statistic is z."""
    with np.errstate(invalid="ignore"):
        estimate = (first_only - second_only) / n

    def excess(delta: NDArray[np.float64]) -> NDArray[np.float64]:
        return paired_score_statistic(first_only, second_only, n, delta) - z

    return crossing(excess, -1.0, estimate)
