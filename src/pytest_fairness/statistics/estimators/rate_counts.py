"""Rates of each group, still as integers: successes out of n."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["RateCounts", "rate_counts"]


class RateCounts(NamedTuple):
    """Successes out of n, one entry a group. A rate with n = 0 is undefined."""

    successes: NDArray[Any]
    n: NDArray[Any]

    def grown(self, size: float) -> "RateCounts":
        """Return the counts if every group had at least `size` samples at its rate.

        Empty ones stay so.
        """
        factor = np.maximum(size / np.maximum(self.n, 1), 1.0)
        return RateCounts(self.successes * factor, self.n * factor)


def rate_counts(
    confusion: NDArray[np.int64], rate: Rate, *, positive: int | None = None
) -> RateCounts:
    """Count the successes and the samples of a rate in each group.

    Args:
        confusion: (G, K, K) counts of true class by predicted class.
        rate: What is counted among what.
        positive: Index of the positive class; None where the rate does not need it.

    Raises:
        ValueError: The rate needs a positive class and none is given.

    Source: the confusion-matrix rates of Fawcett (2006), An introduction to ROC analysis.

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> fpr = metric_named("false_positive_rate").rate
        >>> rate_counts(np.array([[[6, 2], [1, 3]]]), fpr, positive=1)
        RateCounts(successes=array([2]), n=array([8]))
    """
    total = confusion.sum(axis=(1, 2))
    if not rate.needs_positive:
        right = np.trace(confusion, axis1=1, axis2=2)
        counted = {RIGHT: right, WRONG: total - right}
    elif positive is None:
        msg = f"{rate.name} needs a positive class"
        raise ValueError(msg)
    else:
        hits = confusion[:, positive, positive]
        missed = confusion[:, positive, :].sum(axis=1) - hits
        false = confusion[:, :, positive].sum(axis=1) - hits
        counted = {TP: hits, FN: missed, FP: false, TN: total - hits - missed - false}
    successes, n = (
        np.sum([counted[cell] for cell in cells], axis=0) for cells in (rate.seen, rate.among)
    )
    return RateCounts(successes, n)
