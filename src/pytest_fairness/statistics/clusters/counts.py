"""Counts of samples that come in clusters, such as several images of one person."""

from typing import NamedTuple

from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["ClusterCounts"]


class ClusterCounts(NamedTuple):
    """Successes, or sums of another outcome, out of n of G groups in C clusters, both (G, C)."""

    successes: Integers | Floats
    n: Integers
