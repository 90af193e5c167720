"""Matched images, which differ in one attribute only: outcomes of pairs and their intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval, rate_bound_factors
from pytest_fairness.statistics.clusters.same_images import effective_images, same_images_interval
from pytest_fairness.statistics.intervals.chosen import paired_interval, rate_interval
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["MatchedOutcomes"]


@dataclass(frozen=True, slots=True, eq=False)
class MatchedOutcomes:
    """Outcomes of the P matched pairs of a group and its reference.

    Args:
        right: (P,) whether the image of the group is right.
        reference_right: (P,) whether the image of the reference is right.
        flipped: (P,) whether the two are given different classes.
        clusters: What dependent pairs share, of P pairs; None where pairs are independent.
    """

    right: NDArray[np.bool_]
    reference_right: NDArray[np.bool_]
    flipped: NDArray[np.bool_]
    clusters: SampleClusters | None = None

    @property
    def pairs(self) -> int:
        """The number P of pairs."""
        return len(self.flipped)

    @property
    def flips(self) -> int:
        """The pairs that are given different classes."""
        return int(self.flipped.sum())

    @property
    def right_only(self) -> int:
        """The pairs whose image of the group alone is right."""
        return int((self.right & ~self.reference_right).sum())

    @property
    def reference_only(self) -> int:
        """The pairs whose image of the reference alone is right."""
        return int((self.reference_right & ~self.right).sum())

    def flip_interval(self, confidence: float, *, size: float = 0.0) -> Interval:
        """Return the interval of the share of flipped pairs, or of the same share of `size` pairs or more."""
        factor = self._factor(size)
        if self.clusters is None:
            return rate_interval(self.flips * factor, self.pairs * factor, confidence=confidence)
        flips = self._per_cluster(self.flipped)
        return _one(clustered_rate_interval(flips, confidence=confidence, growth=factor))

    def accuracy_interval(self, confidence: float, *, size: float = 0.0) -> Interval:
        """Return the interval of the group's accuracy minus the reference's, on the same pairs."""
        factor = self._factor(size)
        if self.clusters is None or not self.pairs:
            counts = self.right_only * factor, self.reference_only * factor, self.pairs * factor
            return paired_interval(*counts, confidence=confidence)
        both = self._per_cluster(self.right), self._per_cluster(self.reference_right)
        return _one(same_images_interval(*both, confidence=confidence, growth=factor))

    def effective_pairs(self, confidence: float, *, flips: bool) -> float:
        """Return how many independent pairs would tell as much.

        Args:
            confidence: Confidence level of the interval, 0 to 1.
            flips: Whether flips are counted; else the difference of the accuracies.
        """
        if self.clusters is None or not self.pairs:
            return float(self.pairs)
        if flips:
            factors = rate_bound_factors(self._per_cluster(self.flipped), confidence=confidence)
            return self.pairs * float(factors.least[0])
        both = self._per_cluster(self.right), self._per_cluster(self.reference_right)
        return float(effective_images(*both, confidence=confidence)[0])

    @property
    def dominant(self) -> Floats:
        """The share (W,) of pairs in the largest cluster where it decides the width, else nan."""
        if self.clusters is None:
            return np.array([np.nan])
        return np.asarray(self._per_cluster(self.flipped).dominant[:, 0])

    def _per_cluster(self, outcome: NDArray[np.bool_]) -> ClusterCounts:
        """How many pairs of each cluster have the outcome, (1, C)."""
        together = np.zeros(self.pairs, dtype=np.int64)
        clusters = SampleClusters(together) if self.clusters is None else self.clusters
        counted = clusters.summed(together, 1, outcome).astype(np.int64)
        return ClusterCounts(counted, clusters.counted(together, 1), clusters.ways)

    def _factor(self, size: float) -> float:
        return max(size / max(self.pairs, 1), 1.0)


def _one(bounds: Interval) -> Interval:
    return Interval(*(bound[0] for bound in bounds))
