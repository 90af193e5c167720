"""The odds of a rate of each group, such as false negatives for each false positive."""

from dataclasses import dataclass

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.composites import Composite
from pytest_fairness.statistics.estimators.measured import Kind, compared, growth
from pytest_fairness.statistics.intervals.odds import odds_of, odds_pair_interval
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Odds"]


@dataclass(frozen=True, slots=True)
class Odds(Composite):
    """The odds p / (1 - p) of one rate of each of G groups.

    Odds rise with the rate, so the interval of a group is that of its rate, transformed. With
    clusters, intervals are those of the effective n.
    """

    @property
    def values(self) -> Floats:
        """The odds of each group: infinite where every sample is a success, nan without samples."""
        return odds_of(self.parts[0].values)

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The odds."""
        return (self.values,)

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's odds."""
        return Interval(*map(odds_of, self.parts[0].alone(confidence, groups=groups, size=size)))

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference or ratio of each pair, nan where both are infinite."""
        with np.errstate(invalid="ignore"):
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
        """Return the interval of the difference or ratio of each pair."""
        (rate,) = self.parts
        one, other = (
            rate.effective(groups, confidence=confidence, factor=growth(rate.counts, groups, size))
            for groups in (first, second)
        )
        # The least of the first goes with the most of the second.
        bounds = (
            odds_pair_interval(*counts, *against, kind=kind, confidence=confidence)
            for counts, against in ((one[0], other[1]), (one[1], other[0]))
        )
        return Interval(next(bounds).low, next(bounds).high)
