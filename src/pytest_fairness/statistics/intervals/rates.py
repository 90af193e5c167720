"""Intervals of one rate: successes of n."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    check_alternative,
    critical_value,
    one_sided_p_value,
)

__all__ = ["Interval", "binomial_p_value", "clopper_pearson", "wilson", "wilson_p_value"]


class Interval(NamedTuple):
    """An interval: both bounds, as arrays of one shape, nan where n = 0."""

    low: NDArray[np.float64]
    high: NDArray[np.float64]


def wilson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the Wilson score interval of a rate.

    Args:
        successes: counts, any shape; need not be integers (an effective count).
        n: totals, broadcast against `successes`.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Wilson (1927), J. Am. Stat. Assoc. 22, 209-212.

    >>> low, high = wilson(15, 148)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0624 0.1605
    """
    successes, n = as_counts(successes, n)
    z = critical_value(confidence)
    with np.errstate(invalid="ignore"):
        rate = successes / n
    centre = (successes + z**2 / 2) / (n + z**2)
    half = z * np.sqrt(rate * (1 - rate) * n + z**2 / 4) / (n + z**2)
    return _closed(centre - half, centre + half, successes, n)


def clopper_pearson(successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95) -> Interval:
    """Return the Clopper-Pearson interval of a rate: each one-sided error is at most (1 - confidence)/2.

    Args:
        successes: counts, any shape; need not be integers (an effective count).
        n: totals, broadcast against `successes`.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Clopper and Pearson (1934), Biometrika 26, 404-413.

    >>> low, high = clopper_pearson(0, 20)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0000 0.1684
    """
    successes, n = as_counts(successes, n)
    critical_value(confidence)  # refuses a confidence that is out of range
    tail = (1 - confidence) / 2
    failures = n - successes
    low = np.asarray(special.betaincinv(successes, failures + 1, tail), dtype=np.float64)
    high = np.asarray(special.betainccinv(successes + 1, failures, tail), dtype=np.float64)
    return _closed(low, high, successes, n)


def wilson_p_value(
    successes: ArrayLike, n: ArrayLike, *, margin: ArrayLike, alternative: str = "greater"
) -> NDArray[np.float64]:
    """Return the one-sided p-value of the score test that a rate is beyond a margin.

    It is below (1 - confidence)/2 just where `wilson` at that level leaves the margin out.

    Args:
        successes: counts, any shape.
        n: totals, broadcast.
        margin: rate under test, between 0 and 1.
        alternative: "greater" to show a rate above the margin, "less" to show one below it.

    Raises:
        FairnessError: counts are out of range, or the alternative is unknown.

    >>> print(f"{wilson_p_value(95, 100, margin=0.9):.4f}")
    0.0478
    """
    successes, n, margin = _against(successes, n, margin)
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = successes / n - margin
        statistic = distance / np.sqrt(margin * (1 - margin) / n)
    return one_sided_p_value(np.where(distance == 0, 0.0, statistic), alternative)


def binomial_p_value(
    successes: ArrayLike, n: ArrayLike, *, margin: ArrayLike, alternative: str = "greater"
) -> NDArray[np.float64]:
    """Return the one-sided p-value of the exact binomial test that a rate is beyond a margin.

    It is below (1 - confidence)/2 just where `clopper_pearson` at that level leaves the margin out.
    Arguments as in `wilson_p_value`.

    Raises:
        FairnessError: counts are out of range, or the alternative is unknown.

    >>> print(f"{binomial_p_value(95, 100, margin=0.9):.4f}")
    0.0576
    """
    check_alternative(alternative)
    successes, n, margin = _against(successes, n, margin)
    if alternative == "less":
        successes, margin = n - successes, 1 - margin
    tail = special.betainc(np.where(successes > 0, successes, 1.0), n - successes + 1, margin)
    return np.where(successes == 0, 1.0, tail) + np.where(n == 0, np.nan, 0.0)


def _against(
    successes: ArrayLike, n: ArrayLike, margin: ArrayLike
) -> tuple[NDArray[np.float64], ...]:
    successes, n = as_counts(successes, n)
    return successes, n, np.asarray(margin, dtype=np.float64)


def _closed(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    successes: NDArray[np.float64],
    n: NDArray[np.float64],
) -> Interval:
    """Make the bounds exactly 0 and 1 where no success or only successes were seen."""
    undefined = np.where(n == 0, np.nan, 0.0)
    return Interval(
        np.where(successes == 0, 0.0, low) + undefined,
        np.where(successes == n, 1.0, high) + undefined,
    )
