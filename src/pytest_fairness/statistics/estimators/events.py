"""What a rate counts, sample by sample: where counts are not enough, as for pairs of answers."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG, Cells
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["Events", "events"]

Classes: TypeAlias = NDArray[Any]


class Events(NamedTuple):
    """Samples that show an event, and the samples that it is counted among."""

    seen: NDArray[np.bool_]
    among: NDArray[np.bool_]


def events(rate: Rate, target: Classes, prediction: Classes, *, positive: str | None) -> Events:
    """Return which samples a rate counts, and among which.

    Args:
        rate: What is counted among what.
        target: (N,) true classes.
        prediction: (N,) predicted classes.
        positive: The positive class; None where the rate does not need it.

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> target, prediction = np.array(["a", "b", "b"]), np.array(["b", "b", "a"])
        >>> seen, among = events(
        ...     metric_named("true_positive_rate").rate, target, prediction, positive="b")
        >>> seen.tolist(), among.tolist()
        ([False, True, False], [False, True, True])
    """
    right, own, called = prediction == target, target == positive, prediction == positive
    masks = {
        RIGHT: right,
        WRONG: ~right,
        TP: own & called,
        FP: ~own & called,
        FN: own & ~called,
        TN: ~own & ~called,
    }

    def of(cells: Cells) -> NDArray[np.bool_]:
        return np.asarray(np.any([masks[cell] for cell in cells], axis=0))

    return Events(of(rate.seen), of(rate.among))
