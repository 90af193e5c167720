"""What a rate counts, sample by sample: where counts are not enough, as for pairs of answers."""

from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.metrics.names import RateDefinition

__all__ = ["Events", "events"]

Classes: TypeAlias = NDArray[Any]


class Events(NamedTuple):
    """Samples that show an event, and the samples that it is counted among."""

    seen: NDArray[np.bool_]
    among: NDArray[np.bool_]


def events(
    rate: RateDefinition, target: Classes, prediction: Classes, *, positive: str | None
) -> Events:
    """Return which samples a rate counts, and among which.

    Args:
        rate: What is counted among what; not one that is counted among what was predicted.
        target: (N,) true classes.
        prediction: (N,) predicted classes.
        positive: The positive class; None where the rate does not need it.

    Raises:
        ValueError: The rate is counted among what was predicted, so that two models differ in it.

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> target, prediction = np.array(["a", "b", "b"]), np.array(["b", "b", "a"])
        >>> seen, among = events(
        ...     metric_named("true_positive_rate").rate, target, prediction, positive="b")
        >>> seen.tolist(), among.tolist()
        ([True, True, False], [False, True, True])
    """
    match rate.among:
        case "all":
            among = np.ones(len(target), dtype=bool)
        case "positives":
            among = target == positive
        case "negatives":
            among = target != positive
        case other:
            msg = f"{rate.name} is counted among {other}, which are not the same for two models"
            raise ValueError(msg)
    match rate.event:
        case "correct":
            seen = prediction == target
        case "wrong":
            seen = prediction != target
        case "called positive":
            seen = prediction == positive
        case _:
            seen = prediction != positive
    return Events(np.asarray(seen, dtype=bool), np.asarray(among, dtype=bool))
