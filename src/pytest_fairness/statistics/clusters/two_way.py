"""What samples are worth whose clusters are made by two columns: a person and a camera, or two people.

The variance of a rate whose samples share persons, or cameras, or both, is the variance by persons, plus that by
cameras, minus that by both at once (Cameron, Gelbach and Miller 2011). In numbers of independent
samples: 1 / n = 1 / n1 + 1 / n2 - 1 / n12. Samples of one person and one camera vary at least as much as independent ones,
so N in place of n12 is safe, and n12 is not sought. Where a person may be in either column, every image is in
the clusters of two people (Aronow, Samii and Assenova 2015).
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.clusters.counts import ClusterCounts

__all__ = ["lies_within", "together"]


def together(worths: Sequence[Floats], *clusters: ClusterCounts) -> Floats:
    """Return effective n divided by n of samples that share the clusters of two columns.

    It is never above that of either column, so that two columns never say more than one of them. Where
    the clusters of one column lie within those of the other, it is that of the other.

    Args:
        worths: Effective n divided by n of each of `clusters.each_way`, (P,) each; above 1 where
            matched samples are surer than as many independent ones.
        clusters: Counts of the groups (P, C); of a pair of groups, those of both.

    Source: Cameron, Gelbach and Miller (2011), J. Bus. Econ. Stat. 29, 238-249; Aronow, Samii and
        Assenova (2015), Polit. Anal. 23, 564-577. Errors are simulated in benchmarks/cluster_coverage.py.

    Example:
        >>> from pytest_fairness.statistics.clusters.counts import Ways
        >>> ways = Ways(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]))
        >>> crossed = ClusterCounts(np.ones((1, 4), dtype=int), np.full((1, 4), 2), ways)
        >>> together([np.array([0.5]), np.array([0.25])], crossed).tolist()
        [0.2]
    """
    # Where a group is empty nothing is to be weighed.
    over = [1 / np.where(np.isnan(worth), 1.0, np.maximum(worth, 1e-12)) for worth in worths]
    if len(over) == 1:
        # Each image is counted in two clusters, of 2 n in all.
        return np.asarray(1 / np.maximum(2 * over[0] - 1, 1.0))
    one, other = over
    both = 1 / np.maximum(one + other - 1, np.maximum(one, other))
    within_one, within_other = lies_within(*clusters)
    return np.where(within_one, 1 / one, np.where(within_other, 1 / other, both))


def lies_within(*clusters: ClusterCounts) -> tuple[NDArray[np.bool_], ...]:
    """Return by which column alone the samples are clustered, since the other's clusters lie within its, (P,) each.

    Args:
        clusters: Counts of the groups (P, C); of a pair of groups, those of both.
    """
    if clusters[0].ways is None or clusters[0].ways.alike:
        return (np.zeros(len(clusters[0].n), dtype=bool),)
    whole = clusters[0]._replace(n=np.sum([counts.n for counts in clusters], axis=0))
    cells = (whole.n > 0).sum(axis=1)
    one, other = ((way.n > 0).sum(axis=1) for way in whole.each_way)
    return other == cells, one == cells
