"""Score intervals and tests of the difference p1 - p2 of two independent rates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    critical_value,
    crossing,
    without_skewness,
)
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["miettinen_nurminen", "score_statistic"]


def miettinen_nurminen(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    confidence: float = 0.95,
    corrected: bool = False,
) -> Interval:
    """Return the Miettinen-Nurminen score interval of p1 - p2, on request corrected for skewness.

    Args:
        x1: successes of the first group, any shape; need not be integers (an effective count).
        n1: total of the first group; all arguments are broadcast against each other.
        x2: successes of the second group.
        n2: total of the second group.
        confidence: two-sided confidence level, between 0 and 1.
        corrected: whether the skewness of the statistic is taken out, which makes both one-sided
            errors alike and keeps them near nominal at high levels.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Miettinen and Nurminen (1985), Statist. Med. 4, 213-226, with their factor N/(N - 1);
        corrected: Gart and Nam (1990), Biometrics 46, 637-643, and Laud (2017), Pharm. Stat. 16,
        334-348.

    >>> low, high = miettinen_nurminen(56, 70, 48, 80)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0528 0.3382
    """
    x1, n1, x2, n2 = as_counts(x1, n1, x2, n2)
    # The upper bound is minus the lower bound of p2 - p1; both are sought at once.
    pairs = (x1, x2), (n1, n2), (x2, x1), (n2, n1)
    x1, n1, x2, n2 = (np.stack(pair) for pair in pairs)
    low, minus_high = _lower(x1, n1, x2, n2, critical_value(confidence), corrected=corrected)
    return Interval(low, -minus_high)


def score_statistic(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    delta: ArrayLike,
    *,
    corrected: bool = False,
) -> NDArray[np.float64]:
    """Return the score statistic of the hypothesis p1 - p2 = delta, about standard normal under it.

    Its variance is taken at the most likely rates that differ by `delta`. Falls as `delta` rises;
    0 where the estimate equals `delta`, infinite where `delta` is impossible, nan where an n is 0.

    Args:
        x1: successes of the first group, and so on as in `miettinen_nurminen`.
        n1: total of the first group.
        x2: successes of the second group.
        n2: total of the second group.
        delta: difference under test, in [-1, 1].
        corrected: whether the skewness of the statistic is taken out.

    Source: Miettinen and Nurminen (1985), equations 4 to 9; corrected: Gart and Nam (1990).

    >>> print(f"{score_statistic(56, 70, 48, 80, 0.0):.4f}")
    2.6413
    """
    x1, n1, x2, n2, delta = (np.asarray(a, dtype=np.float64) for a in (x1, n1, x2, n2, delta))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = x1 / n1 - x2 / n2 - delta
        rate2 = _restricted_rate(x1, n1, x2, n2, delta)
        rate1 = np.minimum(np.maximum(rate2 + delta, 0.0), 1.0)
        total = n1 + n2
        first, second = rate1 * (1 - rate1) / n1, rate2 * (1 - rate2) / n2
        variance = (first + second) * total / (total - 1)
        statistic = distance / np.sqrt(variance)
        if corrected:
            third = first * (1 - 2 * rate1) / n1 - second * (1 - 2 * rate2) / n2
            statistic = without_skewness(statistic, third / (variance * np.sqrt(variance)))
    return np.where(distance == 0, 0.0, statistic)


def _lower(
    x1: NDArray[np.float64],
    n1: NDArray[np.float64],
    x2: NDArray[np.float64],
    n2: NDArray[np.float64],
    z: float,
    *,
    corrected: bool,
) -> NDArray[np.float64]:
    """Return the difference below the estimate at which the score statistic is z."""
    with np.errstate(invalid="ignore"):
        estimate = x1 / n1 - x2 / n2

    def excess(delta: NDArray[np.float64]) -> NDArray[np.float64]:
        return score_statistic(x1, n1, x2, n2, delta, corrected=corrected) - z

    return crossing(excess, -1.0, estimate, near=_guess(x1, n1, x2, n2, z))


def _guess(
    x1: NDArray[np.float64],
    n1: NDArray[np.float64],
    x2: NDArray[np.float64],
    n2: NDArray[np.float64],
    z: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return values between which the bound nearly always is.

    Source: Agresti and Caffo (2000), Am. Stat. 54, 280-288, give or take a sixth of the width.
    """
    rate1, rate2 = (x1 + 1) / (n1 + 2), (x2 + 1) / (n2 + 2)
    width = z * np.sqrt(rate1 * (1 - rate1) / (n1 + 2) + rate2 * (1 - rate2) / (n2 + 2))
    bound = rate1 - rate2 - width
    return bound - width / 6, bound + width / 6


def _restricted_rate(
    x1: NDArray[np.float64],
    n1: NDArray[np.float64],
    x2: NDArray[np.float64],
    n2: NDArray[np.float64],
    delta: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the most likely second rate among pairs of rates that differ by delta.

    It is the middle root of a cubic, in closed form.
    Source: Miettinen and Nurminen (1985), appendix I.
    """
    total = n1 + n2
    successes = x1 + x2
    # The cubic of the appendix, divided by its leading coefficient.
    square = ((n1 + 2 * n2) * delta - total - successes) / total
    linear = ((n2 * delta - total - 2 * x2) * delta + successes) / total
    constant = x2 * delta * (1 - delta) / total
    third = square / 3
    # Products, not powers: numpy's are many times slower.
    apart = third * third
    offset = third * (apart - linear / 2) + constant / 2
    radius = np.copysign(np.sqrt(np.maximum(apart - linear / 3, 0.0)), offset)
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = np.where(radius == 0, 0.0, offset / (radius * radius * radius))
    angle = (np.pi + np.arccos(np.minimum(np.maximum(cosine, -1.0), 1.0))) / 3
    root = 2 * radius * np.cos(angle) - third
    rate: NDArray[np.float64] = np.minimum(
        np.maximum(root, np.maximum(0.0, -delta)), np.minimum(1.0, 1.0 - delta)
    )
    return rate
