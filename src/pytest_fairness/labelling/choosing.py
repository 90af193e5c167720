"""Which images to label next: half and more of the choice is even, the rest goes where doubt is."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["EVEN", "draw", "weights_of"]

EVEN = 0.65
"""Share of the choice that does not ask the model: no image weighs less than this beside the mean."""


def weights_of(aims: Sequence[tuple[NDArray[np.bool_], Floats]]) -> Floats:
    """Return what the chance of each of N images to be chosen is proportional to.

    Each aim has an equal part. Within it, the share `EVEN` is even, and the rest is proportional to
    how far the label may be from what the model expects.

    Args:
        aims: For each group and rate that is to be known: its images without a label (N,), and
            their doubt (N,).

    Source: Zrnic and Candes (2024), Active Statistical Inference, ICML (proportional to the square
        root of the expected squared error, mixed with an even choice).

    Example:
        >>> everyone = np.array([True, True, True])
        >>> weights_of([(everyone, np.array([0.0, 0.1, 0.3]))]).round(3).tolist()
        [0.217, 0.304, 0.479]
    """
    total = np.zeros(len(aims[0][0])) if aims else np.zeros(0)
    for there, doubt in aims:
        if not there.any():
            continue
        own = np.where(there, doubt, 0.0)
        even = there / there.sum()
        sure = own.sum() <= 0
        total += even if sure else EVEN * even + (1 - EVEN) * own / own.sum()
    return total / max(float(total.sum()), np.finfo(np.float64).tiny)


def draw(weights: Floats, count: int, rng: np.random.Generator) -> tuple[Integers, Floats]:
    """Draw images one after another, each with a chance proportional to its weight.

    Args:
        weights: Of each image (N,), 0 where it cannot be chosen.
        count: How many to draw; fewer where fewer can be.
        rng: Source of the draws.

    Returns:
        Positions in the order drawn, and the probability of each among those that were left.

    Source: Efraimidis and Spirakis (2006), Inf. Process. Lett. 97, 181 (order of exponential times).
    """
    with np.errstate(divide="ignore"):
        times = rng.exponential(size=len(weights)) / weights
    order = np.argsort(times, kind="stable")[: min(count, int((weights > 0).sum()))]
    own = weights[order]
    left = weights.sum() - (np.cumsum(own) - own)
    return order.astype(np.int64), own / left
