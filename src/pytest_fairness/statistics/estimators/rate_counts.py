"""Rates of each group, still as integers: successes out of n."""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.metrics.names import RateDefinition

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
    confusion: NDArray[np.int64], rate: RateDefinition, *, positive: int | None = None
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
    correct = np.trace(confusion, axis1=1, axis2=2)
    if not rate.needs_positive:
        return RateCounts(correct if rate.event == "correct" else total - correct, total)
    if positive is None:
        msg = f"{rate.name} needs a positive class"
        raise ValueError(msg)
    positives = confusion[:, positive, :].sum(axis=1)
    called = confusion[:, :, positive].sum(axis=1)
    hits = confusion[:, positive, positive]
    match rate.among:
        case "all":
            return RateCounts(called, total)
        case "called positive":
            return RateCounts(hits, called)
        case "positives or called positive":
            return RateCounts(hits, positives + called - hits)
        case "positives":
            n, called_positive = positives, hits
        case _:  # negatives
            n, called_positive = total - positives, called - hits
    success = called_positive if rate.event == "called positive" else n - called_positive
    return RateCounts(success, n)
