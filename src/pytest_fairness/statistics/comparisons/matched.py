"""Matched images, which differ in one attribute only: outcomes of pairs and their intervals."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.effects import mean_factors
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
        clusters: (P,) what dependent pairs share; None where pairs are independent.
    """

    right: NDArray[np.bool_]
    reference_right: NDArray[np.bool_]
    flipped: NDArray[np.bool_]
    clusters: NDArray[np.int64] | None = None

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
        factor *= self.worth(confidence, flips=True, growth=factor)
        return rate_interval(self.flips * factor, self.pairs * factor, confidence=confidence)

    def accuracy_interval(self, confidence: float, *, size: float = 0.0) -> Interval:
        """Return Tango's interval of the group's accuracy minus the reference's, on the same pairs."""
        factor = self._factor(size)
        factor *= self.worth(confidence, flips=False, growth=factor)
        return paired_interval(
            self.right_only * factor,
            self.reference_only * factor,
            self.pairs * factor,
            confidence=confidence,
        )

    def worth(self, confidence: float, *, flips: bool, growth: float = 1.0) -> float:
        """Return effective n divided by n, for matched pairs.

        Args:
            confidence: Confidence level of the interval, 0 to 1.
            flips: Whether flips are counted; else the difference of the accuracies.
            growth: How many times as many pairs and clusters there are as were counted.
        """
        if flips:
            return self._worth(self.flipped.astype(np.int64), confidence, growth)
        change = self.right.astype(np.int64) - self.reference_right
        # Discordant pairs of both kinds vary at least as much as their difference does.
        return min(self._worth(part, confidence, growth) for part in (change, np.abs(change)))

    def _worth(self, outcome: NDArray[np.int64], confidence: float, growth: float) -> float:
        """Share of the pairs that an equally sure set of independent pairs would have."""
        if self.clusters is None or not self.pairs:
            return 1.0
        sums = np.bincount(self.clusters, weights=outcome)[None, :].astype(np.int64)
        sizes = np.bincount(self.clusters)[None, :].astype(np.int64)
        found = mean_factors(
            ClusterCounts(sums, sizes), float(np.var(outcome)), confidence=confidence, growth=growth
        )
        return float(found[0])

    def _factor(self, size: float) -> float:
        return max(size / max(self.pairs, 1), 1.0)
