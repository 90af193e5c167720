"""Intervals of the difference and of the ratio of the odds p / (1 - p) of two rates."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.inversion import as_counts, crossing
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["odds_of", "odds_pair_interval"]

# Logits at which the second rate is averaged: the trapezoid rule is exact for what falls off so fast.
_LOGITS = np.linspace(-36, 36, 289)
_CHANCES = special.expit(_LOGITS)
_WEIGHTS = _CHANCES * special.expit(-_LOGITS) * (_LOGITS[1] - _LOGITS[0])
# Beyond e to this power, or below its inverse, odds and their difference are as good as infinite.
_MOST = 60.0


def odds_of(rate: ArrayLike) -> Floats:
    """Return p / (1 - p): 0 of a rate of 0, infinite of a rate of 1.

    Example:
        >>> odds_of([0.0, 0.25, 0.5, 1.0]).round(3).tolist()
        [0.0, 0.333, 1.0, inf]
    """
    rate = np.asarray(rate, dtype=np.float64)
    with np.errstate(divide="ignore"):
        return np.asarray(rate / (1 - rate))


class _Beta(NamedTuple):
    """Confidence distributions Beta(a, b) of some rates; all of it at 0 or 1 where a or b is 0."""

    a: Floats
    b: Floats

    def odds_at(self, chance: Floats, rest: Floats) -> Floats:
        """Quantiles of the odds at a chance, of which `rest` is left, along a new last axis."""
        a, b = self.a[..., None], self.b[..., None]
        with np.errstate(divide="ignore", invalid="ignore"):
            odds = special.betaincinv(a, b, chance) / special.betaincinv(b, a, rest)
        return np.where(a == 0, 0.0, np.where(b == 0, np.inf, odds))

    def below(self, odds: Floats) -> Floats:
        """Chance that the odds are at most these, (..., M)."""
        a, b = self.a[..., None], self.b[..., None]
        with np.errstate(invalid="ignore"):
            rate = np.where(np.isinf(odds), 1.0, odds / (1 + np.maximum(odds, 0)))
        chance = special.betainc(a, b, np.clip(rate, 0, 1))
        chance = np.where(a == 0, 1.0, np.where((b == 0) & np.isfinite(odds), 0.0, chance))
        return np.where(odds < 0, 0.0, chance)


def odds_pair_interval(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
) -> Interval:
    """Return the interval of odds 1 - odds 2, or of odds 1 / odds 2: the odds ratio.

    Args:
        x1: Successes of the first groups.
        n1: What they are counted among; effective numbers may be fractions.
        x2: Successes of the second groups.
        n2: What they are counted among.
        kind: Whether odds are subtracted or divided.
        confidence: Confidence level of the interval, 0 to 1.

    Returns:
        Bounds, nan where a group has nothing to count among. A bound may be infinite: odds are,
        where every sample is a success.

    Source: Fay, Proschan and Brittain (2015), Biometrics 71, 146-156 (melded confidence intervals):
        a bound is a quantile over draws from the confidence distributions whose quantiles are the
        Clopper-Pearson bounds of each rate. Of the odds ratio, the bounds agree with the one-sided
        exact tests of Fisher at 1. Coverage is enumerated in the tests.

    Example:
        >>> low, high = odds_pair_interval(8, 10, 3, 12, kind="ratio", confidence=0.95)
        >>> float(low.round(2)), float(high.round(2))
        (1.2, 231.11)
    """
    x1, n1, x2, n2 = as_counts(x1, n1, x2, n2)
    low = _lower((x1, n1), (x2, n2), kind, confidence)
    other = _lower((x2, n2), (x1, n1), kind, confidence)
    with np.errstate(divide="ignore"):
        return Interval(low, 0.0 - other if kind == "difference" else 1 / other)


def _lower(
    first: tuple[Floats, Floats], second: tuple[Floats, Floats], kind: str, confidence: float
) -> Floats:
    """Return the lower bounds: least odds of the first against the most of the second."""
    (x1, n1), (x2, n2) = first, second
    least, most = _Beta(x1, n1 - x1 + 1), _Beta(x2 + 1, n2 - x2)
    tail = (1 - confidence) / 2
    others = most.odds_at(_CHANCES, special.expit(-_LOGITS))
    subtracted = kind == "difference"

    def excess(power: Floats) -> Floats:
        odds = (
            np.sinh(power[..., None]) + others if subtracted else np.exp(power[..., None]) * others
        )
        return np.asarray(tail - least.below(odds) @ _WEIGHTS)

    unknown = (n1 == 0) | (n2 == 0)
    ends = np.where(unknown, np.nan, _MOST)
    found = crossing(excess, -ends, ends, close=1e-12)
    never, nothing = least.a == 0, most.b == 0
    if subtracted:
        alone = 0.0 - most.odds_at(np.array([1 - tail]), np.array([tail]))[..., 0]
        bound = np.where(never, alone, np.sinh(found))
        return np.where(unknown, np.nan, np.where(nothing, -np.inf, bound))
    return np.where(unknown, np.nan, np.where(never | nothing, 0.0, np.exp(found)))
