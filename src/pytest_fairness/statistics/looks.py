"""Levels of intervals that are looked at again while the samples grow: one level for each n."""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni

__all__ = ["ONE_LOOK", "Look", "Looks", "by_level", "forecast_level", "look_level"]

Looks: TypeAlias = int | Literal["any"]
"""How often a growing set may be judged: a number of times, or any number of times."""

# Samples at which the prior of the mixture weighs as much as the data.
_SCALE = 25.0
# With so few samples, or so far out, nothing is claimed.
_FEWEST, _FARTHEST = 8, 7.0
# Sizes of a forecast that are this near to each other (as logarithms) share a level.
_NEAR = 0.02


def look_level(confidence: float, n: ArrayLike, looks: Looks) -> Floats:
    """Return the confidence level at which an interval of n samples is computed at each look.

    With `looks = "any"`, the intervals of all n hold together with probability `confidence`: a
    sum of n independent terms stays within b(n) standard deviations at every n,
    b(n)^2 = (1 + 1/t) (log(1 + t) - 2 log(1 - confidence)) with t = n / 25. With a number of looks, each has
    an equal part of the error. Only n enters, so that no look needs to know of the others.

    Args:
        confidence: Confidence level that holds for all looks together, 0 to 1.
        n: Samples of the smallest group of the interval, any shape.
        looks: How often the set may be looked at.

    Returns:
        Levels of the shape of n. 1, the whole range, for fewer than 8 samples or where b is above
        7, with `any`.

    Source: Robbins (1970), Ann. Math. Statist. 41, 1397-1409 (normal mixture); Howard, Ramdas,
        McAuliffe and Sekhon (2021), Ann. Statist. 49, 1055-1080; Dunn (1961) for a number of looks.

    Example:
        >>> look_level(0.95, [5, 200, 10_000], "any").round(4).tolist()
        [1.0, 0.9976, 0.9995]
        >>> float(look_level(0.95, 200, 5).round(4))
        0.99
    """
    n = np.asarray(n, dtype=np.float64)
    if looks != "any":
        level = confidence if looks == 1 else bonferroni(confidence, looks)
        return np.full(n.shape, level)
    t = np.maximum(n, _FEWEST) / _SCALE
    with np.errstate(divide="ignore"):
        b = np.sqrt((1 + 1 / t) * (np.log1p(t) - 2 * np.log(1 - confidence)))
    nothing = (n < _FEWEST) | (b > _FARTHEST)
    return np.asarray(np.where(nothing, 1.0, 1 - 2 * special.ndtr(-b)))


def forecast_level(confidence: float, n: ArrayLike, looks: Looks) -> Floats:
    """Return the level for sizes that nobody has yet: sizes within two percent share a level.

    The arguments are those of `look_level`.

    Example:
        >>> forecast_level(0.95, [1_000, 1_005], "any").round(4).tolist()
        [0.9984, 0.9984]
    """
    with np.errstate(divide="ignore"):
        near = np.exp(np.round(np.log(np.asarray(n, dtype=np.float64)) / _NEAR) * _NEAR)
    return look_level(confidence, near, looks)


class Look(NamedTuple):
    """A look at an interval: how often the set may be looked at, and the samples of this time.

    Args:
        looks: How often the set may be looked at.
        n: Samples of the smallest group of the interval.
    """

    looks: Looks
    n: float

    def level(self, confidence: float) -> float:
        """Return the confidence level at which the interval is computed."""
        return float(look_level(confidence, self.n, self.looks))

    def grown(self, size: float) -> "Look":
        """Return the look if there were at least `size` samples."""
        return self._replace(n=max(self.n, size))


ONE_LOOK = Look(1, math.inf)
"""The look at an interval that needs no other level."""


def by_level(
    levels: Floats,
    interval: Callable[[Integers, float], Interval],
    *,
    whole: tuple[float, float],
) -> Interval:
    """Return the intervals of R rows, each at its own confidence level.

    Args:
        levels: Confidence levels, (R,); 1 asks for the whole range.
        interval: Intervals of some rows at one level below 1.
        whole: Smallest and largest value that is possible.

    Example:
        >>> found = by_level(
        ...     np.array([1.0, 0.9]), lambda rows, level: Interval(rows - level, rows + level),
        ...     whole=(-5.0, 5.0))
        >>> found.low.round(3).tolist(), found.high.round(3).tolist()
        ([-5.0, 0.1], [5.0, 1.9])
    """
    low, high = (np.full(levels.shape, end, dtype=np.float64) for end in whole)
    for level in np.unique(levels[levels < 1]).tolist():
        rows = np.flatnonzero(levels == level)
        low[rows], high[rows] = interval(rows, level)
    return Interval(low, high)
