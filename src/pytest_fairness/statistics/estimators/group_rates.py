"""The rates of one question's groups, and the intervals of them and of their pairs."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval, rate_bound_factors
from pytest_fairness.statistics.estimators.measured import Kind, compared, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import (
    Method,
    difference_interval,
    rate_interval,
    ratio_interval,
)
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["GroupRates", "Kind"]

# The confidence at which the effective n is shown.
_SHOWN = 0.95


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Successes out of n of G groups. With clusters, intervals are those of the effective n.

    Args:
        counts: Successes and n, (G,) each.
        clusters: The same counted per cluster, (G, C); None where samples are independent.
    """

    counts: RateCounts
    clusters: ClusterCounts | None = None

    @property
    def values(self) -> Floats:
        """The rate of each group, nan where n is 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.counts.successes / self.counts.n, dtype=np.float64)

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The rates."""
        return (self.values,)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether each group has a rate."""
        return np.asarray(self.counts.n > 0)

    @property
    def smallest_n(self) -> Integers:
        """The samples of each group that the rate is counted among."""
        return np.asarray(self.counts.n, dtype=np.int64)

    @property
    def effective_n(self) -> Floats:
        """The independent samples that would tell as much of each group, at 95 %."""
        n = self.counts.n.astype(np.float64)
        if self.clusters is None:
            return n
        return n * rate_bound_factors(self.clusters, confidence=_SHOWN).least

    @property
    def dominant(self) -> Floats:
        """The share (W, G) of samples in the largest cluster where it decides the width, else nan."""
        if self.clusters is None:
            return np.full((1, len(self.counts.n)), np.nan)
        return self.clusters.dominant

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's rate, or of the rates of some groups.

        Args:
            confidence: Confidence level of the intervals, 0 to 1.
            groups: Positions of the groups; all when absent.
            size: As if each of them had at least so many samples, of the same rate and dependence.
        """
        groups = np.arange(len(self.counts.n)) if groups is None else groups
        factor = growth(self.counts, groups, size)
        if self.clusters is not None:
            return clustered_rate_interval(
                self._clusters_of(groups), confidence=confidence, growth=factor
            )
        x, n = (count[groups] * factor for count in self._floats())
        return rate_interval(x, n, confidence=confidence)

    def effective(
        self, groups: Integers, *, confidence: float, factor: Floats | float = 1.0
    ) -> tuple[RateCounts, RateCounts]:
        """Return the effective successes and n of the lower and of the upper bounds, as floats.

        Args:
            groups: Positions of the groups.
            confidence: Confidence level of the interval that is computed from them.
            factor: How many times as many samples there are as were counted.
        """
        x, n = (count[groups] * factor for count in self._floats())
        if self.clusters is None:
            return RateCounts(x, n), RateCounts(x, n)
        factors = rate_bound_factors(
            self._clusters_of(groups), confidence=confidence, growth=factor
        )
        return RateCounts(x * factors.lower, n * factors.lower), RateCounts(
            x * factors.upper, n * factors.upper
        )

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return p_first - p_second, or p_first / p_second, of each pair."""
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
        """Return the interval of p_first - p_second, or of p_first / p_second, for each pair."""
        if not np.any(size):
            return self.pairs_of(first, second, kind=kind, confidence=confidence)
        factors = growth(self.counts, first, size), growth(self.counts, second, size)
        return self.pairs_of(first, second, kind=kind, confidence=confidence, factors=factors)

    def pairs_of(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        factors: tuple[Floats, Floats] | None = None,
    ) -> Interval:
        """Return the intervals of pairs whose groups have so many times as many samples.

        With factors it is a guess, so without the exact method, which takes its time.
        """
        if self.clusters is not None:
            return clustered_pair_interval(
                self.clusters, first, second, kind=kind, confidence=confidence, growth=factors
            )
        method: Method = "auto" if factors is None else "corrected"
        more1, more2 = (np.ones(len(first)),) * 2 if factors is None else factors
        x, n = self._floats()
        counts = x[first] * more1, n[first] * more1, x[second] * more2, n[second] * more2
        interval = difference_interval if kind == "difference" else ratio_interval
        return interval(*counts, confidence=confidence, method=method)

    def _clusters_of(self, groups: Integers) -> ClusterCounts:
        if self.clusters is None:
            msg = "these samples have no clusters"
            raise ValueError(msg)
        return self.clusters.at(groups)

    def _floats(self) -> tuple[Floats, Floats]:
        return self.counts.successes.astype(np.float64), self.counts.n.astype(np.float64)
