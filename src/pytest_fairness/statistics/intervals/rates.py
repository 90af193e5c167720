"""Intervals of one rate: successes of n."""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    critical_value,
)

__all__ = ["Interval", "clopper_pearson", "wilson"]


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
