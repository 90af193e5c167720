"""Intervals of weighted sums of independent rates, or of functions of them, at any level.

Each rate has two confidence distributions, whose quantiles are the ends of its Clopper-Pearson
interval: Beta(x, n - x + 1) below and Beta(x + 1, n - x) above. An end of the interval of a sum
is the quantile of the sum of draws from these, taken above or below as the sign of each weight
asks. That quantile comes from a saddlepoint approximation, in which each term is a shifted gamma
variable of the same mean, variance and skewness: right for normal and for Poisson counts.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.inversion import critical_value, crossing
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Known", "Spread", "beta_spread", "melded_ratio", "melded_sum", "spread_of"]


# Skewness below this is as good as none; a gamma variable needs some.
_LEAST_SKEWNESS = 1e-3
# Where the saddlepoint is sought, as a share of the way to its pole.
_LEAST_SHARE, _MOST_SHARE = 1e-3, 1 - 1e-12
# A ratio of more than one over this is as good as infinite.
_LEAST_RATIO = 1e-12
# Normal deviates at which a function of a rate is averaged: the trapezoid rule is exact enough.
_DEVIATES = np.linspace(-6, 6, 13)
_WEIGHTS = np.exp(-(_DEVIATES**2) / 2) / np.exp(-(_DEVIATES**2) / 2).sum()


class Spread(NamedTuple):
    """Mean, standard deviation and skewness of confidence distributions, any shape."""

    mean: Floats
    deviation: Floats
    skewness: Floats


class Known(NamedTuple):
    """Bounds and moments of P independent quantities, (..., P) each.

    Args:
        value: Their estimates.
        low: Lower ends of their intervals, each alone.
        high: Upper ends.
        below: Confidence distributions that the lower ends are quantiles of.
        above: The same of the upper ends.
    """

    value: Floats
    low: Floats
    high: Floats
    below: Spread
    above: Spread


def beta_spread(a: Floats, b: Floats) -> Spread:
    """Return the moments of Beta(a, b). Where a or b is 0, all of it lies at 0 or at 1."""
    total = a + b
    with np.errstate(divide="ignore", invalid="ignore"):
        deviation = np.sqrt(a * b / (total + 1)) / total
        skewness = 2 * (b - a) * np.sqrt(total + 1) / ((total + 2) * np.sqrt(a * b))
        return Spread(a / total, deviation, np.where(deviation > 0, skewness, 0.0))


def spread_of(draws: Floats) -> Spread:
    """Return the moments of a function of a quantity, from its values at `_DEVIATES` (last axis)."""
    mean = draws @ _WEIGHTS
    away = draws - mean[..., None]
    deviation = np.sqrt(away**2 @ _WEIGHTS)
    with np.errstate(divide="ignore", invalid="ignore"):
        skewness = away**3 @ _WEIGHTS / deviation**3
    return Spread(mean, deviation, np.where(deviation > 0, skewness, 0.0))


def beta_draws(a: Floats, b: Floats) -> Floats:
    """Return the quantiles of Beta(a, b) at `_DEVIATES`, along a new last axis."""
    found = special.betaincinv(a[..., None], b[..., None], special.ndtr(_DEVIATES))
    return np.where((a > 0)[..., None], np.where((b > 0)[..., None], found, 1.0), 0.0)


def melded_sum(
    known: Known, weights: ArrayLike, *, confidence: float, inflation: Floats | float = 1.0
) -> Interval:
    """Return the interval of a weighted sum, no wider than the sum of the intervals.

    Args:
        known: The P quantities.
        weights: Of any sign, broadcast against (..., P).
        confidence: Confidence level of the interval, 0 to 1.
        inflation: Standard deviation of the sum over that of a sum of independent quantities.

    Source: Fay, Proschan and Brittain (2015), Biometrics 71, 146-156 (melding); Barndorff-Nielsen
        (1986), Biometrika 73, 307-322 (r*). Coverage is enumerated in the tests.
    """
    weights = np.asarray(weights, dtype=np.float64)
    high = _upper(known, weights, confidence, inflation)
    return Interval(0.0 - _upper(known, -weights, confidence, inflation), high)


def melded_ratio(
    known: Known, first: NDArray[np.bool_], *, confidence: float, inflation: Floats | float = 1.0
) -> Interval:
    """Return the interval of the sum of some quantities over the sum of the others, all positive.

    A bound is the ratio r at which the bound of (first sum) - r (second sum) is 0 (Fieller).

    Args:
        known: The P quantities.
        first: Which of them (P,) are above the line.
        confidence: Confidence level of the interval, 0 to 1.
        inflation: As for `melded_sum`.
    """

    def weights(share: Floats) -> Floats:
        share = share[..., None]
        return np.where(first, 1 - share, -share)

    unknown = np.isnan(known.value).any(axis=-1)
    least, most = np.where(unknown, np.nan, 0.0), np.where(unknown, np.nan, 1.0)
    high = crossing(lambda share: _upper(known, weights(share), confidence, inflation), least, most)
    low = crossing(
        lambda share: -_upper(known, -weights(share), confidence, inflation), least, most
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        high = np.where(high > 1 - _LEAST_RATIO, np.inf + high, high / (1 - high))
        low = np.where(low < _LEAST_RATIO, 0 * low, low / (1 - low))
    return Interval(low, high)


def _upper(known: Known, weights: Floats, confidence: float, inflation: Floats | float) -> Floats:
    """Return the upper bound of the weighted sum."""
    up = weights > 0
    above, below = known.above, known.below
    deviation = np.where(up, above.deviation, below.deviation)
    skewness = np.where(up, above.skewness, below.skewness)
    inflation = np.asarray(inflation)[..., None]
    away = np.where(up, above.mean, below.mean) - known.value
    mean = known.value + inflation * away
    moments = Spread(
        mean * weights, inflation * deviation * np.abs(weights), skewness * np.sign(weights)
    )
    outermost = (np.where(up, known.high, known.low) * weights).sum(axis=-1)
    return np.asarray(np.minimum(_quantile(moments, critical_value(confidence)), outermost))


def _quantile(terms: Spread, z: float) -> Floats:
    """Return the quantile at the normal deviate z of a sum (last axis) of shifted gammas."""
    mean, total = terms.mean.sum(axis=-1), np.sqrt((terms.deviation**2).sum(axis=-1))
    skewness = np.where(np.abs(terms.skewness) < _LEAST_SKEWNESS, _LEAST_SKEWNESS, terms.skewness)
    shape, scale = 4 / skewness**2, terms.deviation * skewness / 2
    pole = np.maximum(scale.max(axis=-1), 0.0)

    def at(share: Floats) -> tuple[Floats, Floats]:
        """Return the value whose saddlepoint is there, and its deviate r*."""
        point = 1 / (pole + (1 - share) / share * total)
        reach = scale * point[..., None]
        generating = (shape * (-reach - np.log1p(-reach))).sum(axis=-1)
        value = (shape * scale * reach / (1 - reach)).sum(axis=-1)
        curvature = (shape * (scale / (1 - reach)) ** 2).sum(axis=-1)
        root = np.sqrt(2 * (point * value - generating))
        return value, root + np.log(point * np.sqrt(curvature) / root) / root

    with np.errstate(divide="ignore", invalid="ignore"):
        ends = np.where(np.isnan(mean), np.nan, [[_LEAST_SHARE], [_MOST_SHARE]])
        ends = ends.reshape(2, *mean.shape)
        share = crossing(lambda share: z - at(share)[1], *ends, close=1e-12)
        return np.asarray(np.where(total > 0, mean + at(share)[0], mean))
