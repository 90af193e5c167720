"""The worst of several rates, and how far the best and the worst are apart: classes are not equal."""

from dataclasses import dataclass

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.composites import Composite
from pytest_fairness.statistics.estimators.looked import Looked
from pytest_fairness.statistics.estimators.measured import Kind, compared
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Looks

__all__ = ["ExtremeRates"]


@dataclass(frozen=True, slots=True)
class ExtremeRates(Composite):
    """The smallest of P rates of each group, or the largest minus the smallest.

    The data choose which rate is the smallest, and the smallest one seen is smaller than the
    smallest true one (winner's curse). A bound that holds for the true extreme rate, which is a
    fixed one, needs no correction; a bound taken from the rate that the data chose is simultaneous
    over the rates (Bonferroni).

    Args:
        spread: Whether the value is the largest minus the smallest rate.
        looks: How often the set may be looked at; the interval of each rate is computed at the
            level that its own n asks for.

    Source: Berger (1982), Technometrics 24, 295-300 (intersection-union tests); Bonferroni.
    """

    spread: bool = False
    looks: Looks = 1

    @property
    def values(self) -> Floats:
        """The value of each group (G,), or nan where a rate has no samples."""
        rates = self._rates
        smallest = rates.min(axis=0)
        return np.asarray(rates.max(axis=0) - smallest if self.spread else smallest)

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The values."""
        return (self.values,)

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's value."""
        groups = np.arange(len(self.counts.n)) if groups is None else groups
        many = bonferroni(confidence, len(self.parts))
        if not self.spread:
            low, _ = self._bounds(confidence, groups, size)
            _, high = self._bounds(many, groups, size)
            return Interval(low.min(axis=0), high.min(axis=0))
        # Both extremes may err, so each end has half of the error; inside, over all rates.
        low, high = self._bounds((1 + confidence) / 2, groups, size)
        inner_low, inner_high = self._bounds((1 + many) / 2, groups, size)
        outer = np.minimum(high.max(axis=0) - low.min(axis=0), 1.0)
        inner = np.maximum(inner_low.max(axis=0) - inner_high.min(axis=0), 0.0)
        return Interval(inner, outer)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference of each pair."""
        return compared(self.values[first], self.values[second], kind)

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,
    ) -> Interval:
        """Return the interval of the difference of each pair: each group's interval has half of the error.

        Raises:
            ValueError: A ratio is asked for.
        """
        if kind != "difference":
            msg = f"extremes of rates are subtracted, never divided, got kind={kind!r}"
            raise ValueError(msg)
        half = (1 + confidence) / 2
        one, other = (self.alone(half, groups=some, size=size) for some in (first, second))
        return Interval(one.low - other.high, one.high - other.low)

    @property
    def _rates(self) -> Floats:
        return np.stack([part.values for part in self.parts])

    def _bounds(self, confidence: float, groups: Integers, size: Floats | float) -> Interval:
        """Bounds of every rate, (P, Q) each; nan where a rate has no samples."""
        found = [
            self._part_bounds(part, confidence, groups, size) for part in range(len(self.parts))
        ]
        return Interval(*(np.stack(ends) for ends in zip(*found, strict=True)))

    def _part_bounds(
        self, part: int, confidence: float, groups: Integers, size: Floats | float
    ) -> Interval:
        # The size is that of the whole group: its rates keep their shares of it.
        rate = self.parts[part]
        whole = np.maximum(self.counts.n[groups], 1)
        share = rate.counts.n[groups] / whole
        looked = rate if self.looks == 1 else Looked(rate, self.looks, (0.0, 1.0))
        return looked.alone(confidence, groups=groups, size=np.asarray(size) * share)
