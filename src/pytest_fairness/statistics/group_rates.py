"""The rates of one question's groups, and the intervals of them and of their pairs."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.clusters import ClusterCounts, pair_factors, rate_factors, worth
from pytest_fairness.statistics.defaults import difference_interval, rate_interval, ratio_interval
from pytest_fairness.statistics.metrics import RateCounts
from pytest_fairness.statistics.rates import Interval

__all__ = ["GroupRates", "Kind"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]
Kind: TypeAlias = Literal["difference", "ratio"]


@dataclass(frozen=True, slots=True)
class GroupRates:
    """Successes out of n of G groups; with clusters, intervals are those of the effective n.

    Args:
        counts: Successes and n, (G,) each.
        clusters: The same counted per cluster, (G, C); None where samples are independent.
        growth: How many times as many samples and clusters there are as were counted, (G,).
    """

    counts: RateCounts
    clusters: ClusterCounts | None = None
    growth: Floats | None = None

    @property
    def values(self) -> Floats:
        """Rate of each group, nan where n is 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.counts.successes / self.counts.n, dtype=np.float64)

    def grown(self, size: float) -> "GroupRates":
        """The groups if each had at least `size` samples, of the same rates and dependence."""
        grown = self.counts.grown(size)
        return GroupRates(grown, self.clusters, grown.n / np.maximum(self.counts.n, 1))

    def alone(self, level: float) -> Interval:
        """Interval of each group's rate."""
        x, n = self._floats()
        if self.clusters is not None:
            factor = rate_factors(self.clusters, level=level, growth=self._growth())
            x, n = x * factor, n * factor
        return rate_interval(x, n, level=level)

    def pairs(self, first: Integers, second: Integers, *, kind: Kind, level: float) -> Interval:
        """Interval of p_first - p_second, or of p_first / p_second, for each pair."""
        x, n = self._floats()
        x1, n1, x2, n2 = x[first], n[first], x[second], n[second]
        if self.clusters is not None:
            growth = np.minimum(self._growth()[first], self._growth()[second])
            one, two = pair_factors(
                self.clusters, first, second, kind=kind, level=level, growth=growth
            )
            x1, n1, x2, n2 = x1 * one, n1 * one, x2 * two, n2 * two
        interval = difference_interval if kind == "difference" else ratio_interval
        return interval(x1, n1, x2, n2, level=level)

    @property
    def effective_n(self) -> Floats:
        """Samples of each group after the design effect."""
        n = self.counts.n.astype(np.float64)
        return n if self.clusters is None else n * worth(self.clusters)

    def _growth(self) -> Floats:
        return np.ones(len(self.counts.n)) if self.growth is None else self.growth

    def _floats(self) -> tuple[Floats, Floats]:
        return self.counts.successes.astype(np.float64), self.counts.n.astype(np.float64)
