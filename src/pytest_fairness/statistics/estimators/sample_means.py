"""Means of a bounded number that is known of every sample: attention scores, F2, drops."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.effects import mean_factors, mean_pair_factors, mean_worth
from pytest_fairness.statistics.estimators.measured import Kind, compared, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["SampleMeans", "sample_means"]


@dataclass(frozen=True, slots=True, eq=False)
class SampleMeans:
    """Means of G groups of a number between `floor` and `ceiling`, with their intervals.

    The interval of a mean is Student's t after one sample at either bound has been added to each
    group: a bounded number that was never seen to vary may still vary. Clusters enter through the
    design effect on the effective n, as for rates.

    Args:
        n: Samples of each group that have a value, (G,).
        sums: Sum of their values, scaled to 0 … 1, (G,).
        squares: Sum of the squares of these, (G,).
        floor: Smallest value that is possible.
        ceiling: Largest value that is possible.
        clusters: Sums and n per cluster, (G, C); None where samples are independent.

    Source: Agresti and Caffo (2000), The American Statistician 54, 280-288 (one success and one
    failure added to each group), of which this is the form for numbers in between; Welch (1947) for
    the degrees of freedom of a difference. Coverage is simulated in the tests.
    """

    n: Integers
    sums: Floats
    squares: Floats
    floor: float = 0.0
    ceiling: float = 1.0
    clusters: ClusterCounts | None = None

    @property
    def counts(self) -> RateCounts:
        """The rounded sums of the values and n, (G,) each."""
        return RateCounts(np.round(self.sums).astype(np.int64), self.n)

    @property
    def values(self) -> Floats:
        """The mean of each group, nan where there is no value."""
        return np.asarray(self.floor + self._span * self._means())

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The means."""
        return (self.values,)

    @property
    def deviations(self) -> Floats:
        """The standard deviation of the values of each group, nan below two values."""
        with np.errstate(divide="ignore", invalid="ignore"):
            spread = np.sqrt(self._variances() * self.n / (self.n - 1.0))
        return np.where(self.n > 1, self._span * spread, np.nan)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether each group has a value."""
        return np.asarray(self.n > 0)

    @property
    def smallest_n(self) -> Integers:
        """The values of each group."""
        return self.n

    @property
    def effective_n(self) -> Floats:
        """The values of each group after the design effect of clusters."""
        if self.clusters is None:
            return self.n.astype(np.float64)
        return np.asarray(self.n * mean_worth(self.clusters, self._variances()))

    @property
    def dominant(self) -> Floats:
        """The share (G,) of values in the largest cluster where it decides the width, else nan."""
        if self.clusters is None:
            return np.full(len(self.n), np.nan)
        return self.clusters.dominant

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's mean."""
        groups = np.arange(len(self.n)) if groups is None else groups
        more = growth(self.counts, groups, size)
        n = self.n[groups] * more * self._factors(groups, confidence=confidence, more=more)
        centre, variance, freedom = self._with_bounds(groups, n)
        half = special.stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(variance)
        low, high = np.clip(centre - half, 0, 1), np.clip(centre + half, 0, 1)
        mean = self._means()[groups]
        return Interval(
            self.floor + self._span * np.minimum(low, mean),
            self.floor + self._span * np.maximum(high, mean),
        )

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
        """Return the interval of the difference of each pair.

        Raises:
            ValueError: A ratio is asked for: its bounds would be those of a number that may be 0.
        """
        if kind != "difference":
            msg = f"means of samples are subtracted, never divided, got kind={kind!r}"
            raise ValueError(msg)
        more = growth(self.counts, first, size), growth(self.counts, second, size)
        one, two = self._pair_factors(first, second, confidence=confidence, more=np.minimum(*more))
        centre1, variance1, freedom1 = self._with_bounds(first, self.n[first] * more[0] * one)
        centre2, variance2, freedom2 = self._with_bounds(second, self.n[second] * more[1] * two)
        variance = variance1 + variance2
        freedom = variance**2 / (variance1**2 / freedom1 + variance2**2 / freedom2)
        half = special.stdtrit(freedom, (1 + confidence) / 2) * np.sqrt(variance)
        centre = centre1 - centre2
        seen = self._means()[first] - self._means()[second]
        low, high = np.clip(centre - half, -1, 1), np.clip(centre + half, -1, 1)
        return Interval(self._span * np.minimum(low, seen), self._span * np.maximum(high, seen))

    @property
    def _span(self) -> float:
        return self.ceiling - self.floor

    def _means(self) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(self.sums / self.n)

    def _variances(self) -> Floats:
        """Variance of the values of each group, divided by n."""
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray(np.maximum(self.squares / self.n - self._means() ** 2, 0.0))

    def _with_bounds(self, groups: Integers, n: Floats) -> tuple[Floats, Floats, Floats]:
        """Mean, its variance and its degrees of freedom with a 0 and a 1 added, (Q,) each."""
        mean, square = self._means()[groups], (self._variances() + self._means() ** 2)[groups]
        n = np.where(self.n[groups] > 0, n, np.nan)
        centre = (mean * n + 1) / (n + 2)
        spread = (square * n + 1) / (n + 2) - centre**2
        return centre, spread / (n + 1), n + 1

    def _factors(self, groups: Integers, *, confidence: float, more: Floats | float) -> Floats:
        if self.clusters is None:
            return np.ones(len(groups))
        some = ClusterCounts(self.clusters.successes[groups], self.clusters.n[groups])
        return mean_factors(some, self._variances()[groups], confidence=confidence, growth=more)

    def _pair_factors(
        self, first: Integers, second: Integers, *, confidence: float, more: Floats
    ) -> tuple[Floats, Floats]:
        if self.clusters is None:
            return np.ones(len(first)), np.ones(len(second))
        return mean_pair_factors(
            self.clusters, self._variances(), first, second, confidence=confidence, growth=more
        )


def sample_means(
    values: Floats,
    groups: Integers,
    count: int,
    *,
    floor: float = 0.0,
    ceiling: float = 1.0,
    clusters: Integers | None = None,
) -> SampleMeans:
    """Sum up the values of samples by group.

    Args:
        values: (N,) values; nan where a sample has none, which leaves it out.
        groups: (N,) position of the group of each sample, 0 … count - 1.
        count: Number of groups, those without samples included.
        floor: Smallest value that is possible.
        ceiling: Largest value that is possible.
        clusters: (N,) number of the cluster of each sample, from 0; None where independent.

    Raises:
        ValueError: A value lies outside its bounds.

    Example:
        >>> found = sample_means(np.array([0.2, 0.4, 0.9, np.nan]), np.array([0, 0, 1, 1]), 2)
        >>> found.values.round(2).tolist(), found.n.tolist()
        ([0.3, 0.9], [2, 1])
    """
    known = ~np.isnan(values)
    scaled = (values[known] - floor) / (ceiling - floor)
    rounding = 1e-6  # float32 scores
    if ((scaled < -rounding) | (scaled > 1 + rounding)).any():
        worst = values[known][np.abs(scaled - 0.5).argmax()]
        msg = f"a value is {worst:g}, outside its bounds {floor:g} … {ceiling:g}"
        raise ValueError(msg)
    scaled, groups = np.clip(scaled, 0.0, 1.0), groups[known]

    def summed(weights: Floats | None) -> Floats:
        return np.bincount(groups, weights=weights, minlength=count).astype(np.float64)

    found = None
    if clusters is not None:
        units = int(clusters.max(initial=-1)) + 1
        flat = groups * units + clusters[known]
        shape = (count, units)
        found = ClusterCounts(
            np.bincount(flat, weights=scaled, minlength=count * units).reshape(shape),
            np.bincount(flat, minlength=count * units).reshape(shape),
        )
    n = summed(None).astype(np.int64)
    return SampleMeans(n, summed(scaled), summed(scaled**2), floor, ceiling, found)
