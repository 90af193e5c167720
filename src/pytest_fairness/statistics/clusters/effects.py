"""Several images of one person or design are not independent: how many are they worth?

The residuals of a rate or of a mean are summed per cluster and give its cluster-robust variance.
Divided by the variance of independent samples it is the design effect. Intervals do not use it.
"""

import numpy as np

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.two_way import together

__all__ = ["worth"]


def worth(clusters: ClusterCounts, variance: Floats | None = None) -> Floats:
    """Return 1 / design effect of each group, (G,) in (0, 1].

    A group that shows no variation between its clusters is worth one sample a cluster.

    Args:
        clusters: Sums of the outcome and n, (G, C).
        variance: Variance of one outcome of each group, (G,); that of a rate if None.

    Source: Kish (1965), Survey Sampling, section 5.4, with the variance between clusters of Liang
        and Zeger (1986), Biometrika 73, 13-22.

    >>> always_alike = ClusterCounts(np.array([[5, 0] * 10]), np.array([[5] * 20]))
    >>> worth(always_alike).round(2).tolist()
    [0.19]
    """
    if clusters.ways is not None:
        return together([worth(way, variance) for way in clusters.each_way], clusters)
    n, number = clusters.n.sum(axis=1), (clusters.n > 0).sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        means = clusters.successes.sum(axis=1) / n
        residuals = (clusters.successes - means[:, None] * clusters.n) / n[:, None]
        independent = (means * (1 - means) if variance is None else variance) / n
        squares = (residuals**2).sum(axis=1)
        effect = squares * number / (np.maximum(number, 2) - 1) / independent
        seen = np.isfinite(effect) & (effect > 0)
        scarce = np.minimum(number / np.maximum(n, 1), 1.0)
        return np.asarray(np.where(seen, 1 / np.maximum(effect, 1.0), scarce))
