"""A measure that is looked at again: each interval at the level that its own n asks for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.measured import Kind, Measured, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Looks, by_level, look_level

__all__ = ["Looked"]

# Sizes of a forecast that are this near to each other (as logarithms) share a level.
_NEAR = 0.02


@dataclass(frozen=True, slots=True)
class Looked:
    """A measure of G groups whose intervals are computed at the level of a look.

    Args:
        measured: The measure.
        looks: How often the set may be looked at.
        whole: Smallest and largest value of its intervals.
    """

    measured: Measured
    looks: Looks
    whole: tuple[float, float]

    @property
    def counts(self) -> RateCounts:
        """The counts of each group."""
        return self.measured.counts

    @property
    def values(self) -> Floats:
        """The value of each group."""
        return self.measured.values

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The values that pairs are compared by."""
        return self.measured.scores

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether each group has all samples that the measure needs."""
        return self.measured.defined

    @property
    def smallest_n(self) -> Integers:
        """The samples of the smallest part of each group."""
        return self.measured.smallest_n

    @property
    def effective_n(self) -> Floats:
        """The effective n of each group."""
        return self.measured.effective_n

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's value."""
        groups = np.arange(len(self.counts.n)) if groups is None else groups
        sizes = np.broadcast_to(size, groups.shape)

        def interval(rows: Integers, level: float) -> Interval:
            return self.measured.alone(level, groups=groups[rows], size=sizes[rows])

        return self._at(confidence, self._n(groups, sizes), interval)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference or ratio of each pair."""
        return self.measured.compare(first, second, kind=kind)

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
        sizes = np.broadcast_to(size, first.shape)

        def interval(rows: Integers, level: float) -> Interval:
            return self.measured.pairs(
                first[rows], second[rows], kind=kind, confidence=level, size=sizes[rows]
            )

        n = np.minimum(self._n(first, sizes), self._n(second, sizes))
        return self._at(confidence, n, interval)

    def _n(self, groups: Integers, sizes: Floats) -> Floats:
        n = self.smallest_n[groups] * growth(self.counts, groups, sizes)
        with np.errstate(divide="ignore"):
            near = np.exp(np.round(np.log(n) / _NEAR) * _NEAR)
        return np.asarray(np.where(sizes > 0, near, n), dtype=np.float64)

    def _at(
        self, confidence: float, n: Floats, interval: Callable[[Integers, float], Interval]
    ) -> Interval:
        return by_level(look_level(confidence, n, self.looks), interval, whole=self.whole)
