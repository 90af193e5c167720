"""Bounds of a difference or ratio of two groups that share no cluster, such as women and men.

The lower bound of the first rate goes with the upper bound of the second. Each is turned into the counts
of independent images that would have that bound, and these are compared.
"""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.rates import rate_bound_factors
from pytest_fairness.statistics.intervals.chosen import Method, difference_interval, ratio_interval
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["BoundCounts", "apart_interval"]


class BoundCounts(NamedTuple):
    """Counts of independent samples that have the bounds of clustered ones.

    Args:
        x: (G,) successes.
        n: (G,) samples.
        lower: (G,) effective n divided by n, of the lower bound.
        upper: (G,) the same of the upper bound.
        single: (G,) whether every cluster is one sample: nothing is to be changed then.
    """

    x: Floats
    n: Floats
    lower: Floats
    upper: Floats
    single: NDArray[np.bool_]

    @classmethod
    def of(
        cls,
        clusters: ClusterCounts,
        *,
        confidence: float,
        growth: Floats | float = 1.0,
        counts: tuple[Floats, Floats] | None = None,
    ) -> "BoundCounts":
        """Return those of some groups.

        Args:
            clusters: Successes and n, (G, C).
            confidence: Two-sided confidence level of the bounds, 0 to 1.
            growth: How many times as many clusters of the same kind there would be, (G,).
            counts: Successes and n, (G,) each, of other samples that depend on each other like
                those of the clusters; those of the clusters, grown, when absent.
        """
        more = np.broadcast_to(np.asarray(growth, dtype=np.float64), len(clusters.n))
        x, n = counts or (clusters.successes.sum(axis=1) * more, clusters.n.sum(axis=1) * more)
        factors = rate_bound_factors(clusters, confidence=confidence, growth=more)
        return cls(x, n, *factors, clusters.single)

    @classmethod
    def independent(cls, x: Floats, n: Floats) -> "BoundCounts":
        """Return those of samples that are independent already."""
        return cls(x, n, np.ones_like(n), np.ones_like(n), np.ones(len(n), dtype=bool))

    @property
    def failures(self) -> "BoundCounts":
        """The same of the samples that are no successes."""
        return self._replace(x=self.n - self.x, lower=self.upper, upper=self.lower)

    def at(self, rows: Integers) -> "BoundCounts":
        """Return the counts of some groups."""
        counts = (self.x[rows], self.n[rows], self.lower[rows], self.upper[rows])
        return BoundCounts(*counts, self.single[rows])

    def of_bound(self, which: Literal["lower", "upper"]) -> tuple[Floats, Floats]:
        """Return successes and n of one bound."""
        worth = self.lower if which == "lower" else self.upper
        return self.x * worth, self.n * worth


def apart_interval(
    first: BoundCounts,
    second: BoundCounts,
    *,
    kind: Literal["difference", "ratio"],
    confidence: float,
    guessed: bool = False,
) -> Interval:
    """Return the interval of p1 - p2 or p1 / p2 of pairs of groups that share no cluster.

    Args:
        first: Counts of the first groups, (P,).
        second: Counts of the second groups.
        kind: Whether rates are subtracted or divided.
        confidence: Two-sided confidence level, 0 to 1.
        guessed: Whether it is a guess at more samples, so without the exact method.

    Returns:
        Bounds (P,). Where every cluster is one sample, they are those of independent samples.

    Source: Donner and Zou (2012), Stat. Methods Med. Res. 21, 347-359, for which bound of one rate
        goes with which of the other; the score interval at the effective counts in place of their
        closed form, whose errors are up to 48 times nominal at high levels.

    Example:
        >>> people = ClusterCounts(np.array([[2] * 36 + [1] * 4, [2] * 25 + [0] * 15]), np.full((2, 40), 2))
        >>> counts = BoundCounts.of(people, confidence=0.95)
        >>> groups = counts.at(np.array([0])), counts.at(np.array([1]))
        >>> low, high = apart_interval(*groups, kind="difference", confidence=0.95)
        >>> print(f"{low[0]:.2f} {high[0]:.2f}")
        0.17 0.49
    """
    interval = difference_interval if kind == "difference" else ratio_interval
    bounds = np.full((2, len(first.n)), np.nan)
    single = first.single & second.single
    rows = np.flatnonzero(single)
    if len(rows):
        counts = (count[rows] for group in (first, second) for count in (group.x, group.n))
        method: Method = "corrected" if guessed else "auto"
        bounds[:, rows] = interval(*counts, confidence=confidence, method=method)
    rows = np.flatnonzero(~single)
    if len(rows):
        one, other = first.at(rows), second.at(rows)
        # Effective counts are no integers, which the exact method would round.
        low = *one.of_bound("lower"), *other.of_bound("upper")
        high = *one.of_bound("upper"), *other.of_bound("lower")
        bounds[0, rows] = interval(*low, confidence=confidence, method="corrected").low
        bounds[1, rows] = interval(*high, confidence=confidence, method="corrected").high
    return Interval(*bounds)
