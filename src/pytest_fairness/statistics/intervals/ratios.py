"""Score interval and test of the ratio p1 / p2 of two independent rates."""

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    critical_value,
    crossing,
    without_skewness,
)
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["ratio_score_statistic", "score_ratio"]

# A ratio below it is as good as 0, and one over it as good as infinite.
_LEAST_SHARE = 1e-12


def score_ratio(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    confidence: float = 0.95,
    corrected: bool = False,
) -> Interval:
    """Return the score interval of p1 / p2, within [0, inf], on request corrected for skewness.

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

    Source: Koopman (1984), Biometrics 40, 513-517; Miettinen and Nurminen (1985), Statist. Med. 4,
        213-226, whose factor N/(N - 1) is used; corrected: Gart and Nam (1988), Biometrics 44,
        323-338, and Laud (2017), Pharm. Stat. 16, 334-348.

    >>> low, high = score_ratio(36, 40, 16, 80)
    >>> print(f"{low:.3f} {high:.3f}")
    2.935 7.166
    """
    x1, n1, x2, n2 = as_counts(x1, n1, x2, n2)
    # The upper bound is one over the lower bound of p2 / p1; both are sought at once.
    pairs = (x1, x2), (n1, n2), (x2, x1), (n2, n1)
    x1, n1, x2, n2 = (np.stack(pair) for pair in pairs)
    low, one_over_high = _lower(x1, n1, x2, n2, critical_value(confidence), corrected=corrected)
    with np.errstate(divide="ignore"):
        return Interval(low, 1 / one_over_high)


def ratio_score_statistic(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    ratio: ArrayLike,
    *,
    corrected: bool = False,
) -> NDArray[np.float64]:
    """Return the score statistic of the hypothesis p1 / p2 = ratio, about standard normal under it.

    Its variance is taken at the most likely rates with that ratio. Falls as `ratio` rises; 0 where
    the estimate equals `ratio` or no success was seen, infinite where `ratio` is impossible.

    Args:
        x1: successes of the first group, and so on as in `score_ratio`.
        n1: total of the first group.
        x2: successes of the second group.
        n2: total of the second group.
        ratio: ratio under test, above 0.
        corrected: whether the skewness of the statistic is taken out.

    Source: Miettinen and Nurminen (1985), equations 10 to 13; corrected: Gart and Nam (1988).

    >>> print(f"{ratio_score_statistic(36, 40, 16, 80, 4.5):.4f}")
    0.0000
    """
    x1, n1, x2, n2, ratio = (np.asarray(a, dtype=np.float64) for a in (x1, n1, x2, n2, ratio))
    with np.errstate(divide="ignore", invalid="ignore"):
        distance = x1 / n1 - x2 / n2 * ratio
        rate2 = _restricted_rate(x1, n1, x2, n2, ratio)
        rate1 = np.clip(rate2 * ratio, 0.0, 1.0)
        total = n1 + n2
        first, second = rate1 * (1 - rate1) / n1, ratio**2 * rate2 * (1 - rate2) / n2
        variance = (first + second) * total / (total - 1)
        statistic = distance / np.sqrt(variance)
        if corrected:
            third = first * (1 - 2 * rate1) / n1 - second * ratio * (1 - 2 * rate2) / n2
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
    """Return the ratio below the estimate at which the score statistic is z."""
    # Sought as a share p1 / (p1 + p2), which stays finite when the second group has no success.
    with np.errstate(invalid="ignore"):
        share = (x1 / n1) / (x1 / n1 + x2 / n2)
    share = np.where((x1 == 0) & (x2 == 0) & (n1 > 0) & (n2 > 0), 0.0, share)

    def excess(share: NDArray[np.float64]) -> NDArray[np.float64]:
        ratio = share / (1 - share)
        return ratio_score_statistic(x1, n1, x2, n2, ratio, corrected=corrected) - z

    bound = crossing(excess, 0.0, share, near=_guess(x1, n1, x2, n2, z))
    unbounded = (x1 == 0) | (bound < _LEAST_SHARE)
    return np.where(unbounded, 0.0 * share, bound / (1 - bound))


def _guess(
    x1: NDArray[np.float64],
    n1: NDArray[np.float64],
    x2: NDArray[np.float64],
    n2: NDArray[np.float64],
    z: float,
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return shares between which the bound nearly always is.

    Source: Walter (1975), Biometrika 62, 371-374, give or take a sixth of the width.
    """
    first, second = (x1 + 0.5) / (n1 + 0.5), (x2 + 0.5) / (n2 + 0.5)
    variance = 1 / (x1 + 0.5) - 1 / (n1 + 0.5) + 1 / (x2 + 0.5) - 1 / (n2 + 0.5)
    centre, width = np.log(first / second), z * np.sqrt(np.maximum(variance, 0.0))
    ratios = np.exp(centre - width * 7 / 6), np.exp(centre - width * 5 / 6)
    return ratios[0] / (1 + ratios[0]), ratios[1] / (1 + ratios[1])


def _restricted_rate(
    x1: NDArray[np.float64],
    n1: NDArray[np.float64],
    x2: NDArray[np.float64],
    n2: NDArray[np.float64],
    ratio: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return the most likely second rate among pairs of rates with that ratio: a quadratic's root.

    Source: Miettinen and Nurminen (1985), equation 12.
    """
    half = (n1 * ratio + x1 + n2 + x2 * ratio) / 2
    root = np.sqrt(np.maximum(half**2 - (n1 + n2) * ratio * (x1 + x2), 0.0))
    # Written so that nothing cancels when the ratio is near 0.
    rate: NDArray[np.float64] = np.clip((x1 + x2) / (half + root), 0.0, np.minimum(1.0, 1 / ratio))
    return rate
