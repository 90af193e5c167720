"""Equalised odds: two groups are as far apart as the rate in which they differ most."""

from dataclasses import dataclass

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.composites import Composite
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Kind, growth
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Looks, by_level, look_level
from pytest_fairness.statistics.metrics.definitions import compared_range

__all__ = ["LargestGap"]


@dataclass(frozen=True, slots=True)
class LargestGap(Composite):
    """The largest gap of two groups over P rates, without sign: 0 (ratio: 1) for equal groups.

    Args:
        looks: How often the set may be looked at; the interval of each part is computed at the
            level that its own n asks for.
    """

    looks: Looks = 1

    @property
    def values(self) -> Floats:
        """The values (G,), all nan: a group alone has no gap."""
        return np.full(len(self.counts.n), np.nan)

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The rates of each part, any of which may be the one that differs most."""
        return tuple(part.values for part in self.parts)

    def alone(
        self,
        confidence: float,  # noqa: ARG002  (as all measures)
        *,
        groups: Integers | None = None,
        size: Floats | float = 0.0,  # noqa: ARG002
    ) -> Interval:
        """Return intervals of nan: a group alone has no gap."""
        nothing = self.values if groups is None else self.values[groups]
        return Interval(nothing, nothing)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the largest gap of each pair."""
        gaps = np.stack([part.compare(first, second, kind=kind) for part in self.parts])
        if kind == "difference":
            return np.asarray(np.abs(gaps).max(axis=0))
        with np.errstate(divide="ignore"):
            return np.asarray(np.minimum(gaps, 1 / gaps).min(axis=0))

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,
    ) -> Interval:
        """Return the interval of the largest gap of each pair.

        The outer bound is the outermost of the parts without correction: the rate that truly
        differs most is a fixed one. The inner bound is taken from a rate that the data choose, so
        it is simultaneous (Bonferroni over the parts).

        Source: Berger (1982), Technometrics 24, 295-300 (intersection-union tests).
        """
        factors = None
        if np.any(size):
            factors = growth(self.counts, first, size), growth(self.counts, second, size)

        def of_parts(confidence: float) -> Interval:
            found = [
                self._part_pairs(part, (first, second), kind, confidence, factors)
                for part in self.parts
            ]
            return Interval(*(np.stack(ends) for ends in zip(*found, strict=True)))

        outer, inner = of_parts(confidence), of_parts(bonferroni(confidence, len(self.parts)))
        if kind == "difference":
            high = np.maximum(np.abs(outer.low), np.abs(outer.high)).max(axis=0)
            low = np.maximum(np.maximum(inner.low, -inner.high), 0.0).max(axis=0)
            return Interval(low, high)
        with np.errstate(divide="ignore"):
            low = np.minimum(outer.low, 1 / outer.high).min(axis=0)
            high = np.minimum(np.minimum(inner.high, 1 / inner.low), 1.0).min(axis=0)
        return Interval(low, high)

    def _part_pairs(
        self,
        part: GroupRates,
        pairs: tuple[Integers, Integers],
        kind: Kind,
        confidence: float,
        factors: tuple[Floats, Floats] | None,
    ) -> Interval:
        if self.looks == 1:
            return part.pairs_of(*pairs, kind=kind, confidence=confidence, factors=factors)
        more = (1.0, 1.0) if factors is None else factors
        n = np.minimum(
            *(part.counts.n[one] * times for one, times in zip(pairs, more, strict=True))
        )

        def interval(rows: Integers, level: float) -> Interval:
            first, second = (one[rows] for one in pairs)
            some = None if factors is None else (factors[0][rows], factors[1][rows])
            return part.pairs_of(first, second, kind=kind, confidence=level, factors=some)

        levels = look_level(confidence, n, self.looks)
        return by_level(levels, interval, whole=compared_range(kind))
