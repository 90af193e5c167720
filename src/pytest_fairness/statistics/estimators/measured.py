"""What comparisons need to know of a measure of several groups, whatever it is made of."""

from typing import Literal, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Kind", "Measured", "compared", "growth"]

Kind: TypeAlias = Literal["difference", "ratio"]


class Measured(Protocol):
    """A measure of G groups: its values, and the intervals of groups and of pairs of them.

    A `size` asks for the interval if each group had at least so many samples like those seen.
    """

    @property
    def counts(self) -> RateCounts:
        """The counts of each group, (G,) each. n grows with the size."""

    @property
    def values(self) -> Floats:
        """The value of each group (G,), or nan where it is undefined or only pairs have one."""

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The values (G,) that pairs are compared by: one, or one of each rate."""

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether each group (G,) has all samples that the measure needs."""

    @property
    def smallest_n(self) -> Integers:
        """The samples (G,) of the smallest part of each group."""

    @property
    def effective_n(self) -> Floats:
        """The effective n of each group (G,), after the design effect of clusters."""

    @property
    def dominant(self) -> Floats:
        """The share (G,) of samples in the largest cluster where it decides the width, else nan."""

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's value."""

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference or ratio of each pair."""

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,
    ) -> Interval:
        """Return the interval of the difference or ratio of each pair."""


def compared(first: Floats, second: Floats, kind: Kind) -> Floats:
    """Return the difference or the ratio of values. A ratio of 0 to 0 is nan.

    Example:
        >>> compared(np.array([0.5, 0.0]), np.array([0.25, 0.0]), "ratio").tolist()
        [2.0, nan]
    """
    if kind == "difference":
        return first - second
    with np.errstate(divide="ignore", invalid="ignore"):
        return first / second


def growth(counts: RateCounts, groups: Integers, size: Floats | float) -> Floats:
    """Return how many times as many samples groups had if they had at least `size` of them."""
    return np.asarray(np.maximum(size / np.maximum(counts.n[groups], 1), 1.0))
