"""A measure that is looked at again: each interval at the level that its own n asks for."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.measured import Kind, Measured, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Looks, by_level, forecast_level, look_level

__all__ = ["Looked"]


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

    @property
    def dominant(self) -> Floats:
        """The share of samples in the largest cluster of each group, where it decides the width."""
        return self.measured.dominant

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's value."""
        groups = np.arange(len(self.counts.n)) if groups is None else groups
        sizes = np.broadcast_to(size, groups.shape)

        def interval(rows: Integers, level: float) -> Interval:
            return self.measured.alone(level, groups=groups[rows], size=sizes[rows])

        levels = self._levels(confidence, self._n(groups, sizes), sizes)
        return by_level(levels, interval, whole=self.whole)

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
        return by_level(self._levels(confidence, n, sizes), interval, whole=self.whole)

    def _n(self, groups: Integers, sizes: Floats) -> Floats:
        return np.asarray(self.smallest_n[groups] * growth(self.counts, groups, sizes))

    def _levels(self, confidence: float, n: Floats, sizes: Floats) -> Floats:
        level = forecast_level if sizes.any() else look_level
        return level(confidence, n, self.looks)
