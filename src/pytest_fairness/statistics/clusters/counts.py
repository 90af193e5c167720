"""Counts of samples that come in clusters, such as several images of one person."""

from typing import NamedTuple

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["ClusterCounts"]


class ClusterCounts(NamedTuple):
    """Successes, or sums of another outcome, out of n of G groups in C clusters, both (G, C)."""

    successes: Integers | Floats
    n: Integers

    @property
    def dominant(self) -> Floats:
        """The share (G,) of a group's samples in its largest cluster, nan where that decides little.

        How far a rate can be off by its clusters goes with the sum of their squared shares. A
        cluster that makes up more than half of that sum decides how wide the interval is.

        Example:
            >>> n = np.array([[60, 20, 20], [34, 33, 33], [0, 0, 0]])
            >>> ClusterCounts(n, n).dominant.tolist()
            [0.6, nan, nan]
        """
        n = np.asarray(self.n, dtype=np.float64)
        largest, total = n.max(axis=1, initial=0.0), np.maximum(n.sum(axis=1), 1)
        # Of whole numbers, so that half is half.
        return np.where(2 * largest**2 > (n**2).sum(axis=1), largest / total, np.nan)
