"""Whether a gap between two groups became wider: |gap now| - |gap then|, with its interval."""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.clusters.apart import BoundCounts, apart_interval
from pytest_fairness.statistics.comparisons.movement import Movement
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["widening", "widening_interval"]

# Share of the error that is spent on which signs the two gaps may have.
_FOR_THE_SIGNS = 0.1


def widening(group: Movement, reference: Movement) -> Floats:
    """Return |gap now| - |gap then| (G,), where a gap is the group's rate minus the reference's.

    Args:
        group: Movements of G groups.
        reference: Movements of their references, broadcast.
    """
    change, total = group.change - reference.change, group.total - reference.total
    return np.asarray((np.abs(total + change) - np.abs(total - change)) / 2)


def widening_interval(
    group: Movement,
    reference: Movement,
    *,
    confidence: float,
    deepen: Callable[[float], float] = float,
) -> Interval:
    """Return the interval of |gap now| - |gap then|.

    It lies between plus and minus the change of the gap, whatever the signs, and MOVER makes
    the interval of that change from those of the two groups. Where the gap then is shown to
    have a sign, the upper bound uses it, and where the gap now is, the lower one does: the value
    is then one of two fixed numbers, plus or minus the change or the sum of both gaps, so the
    outer of their bounds holds (intersection-union). A tenth of the error pays for showing the
    signs.

    Args:
        group: Movements of G groups; the samples are others than those of the reference.
        reference: Movements of their references, broadcast.
        confidence: Confidence level of the interval, 0 to 1.
        deepen: From the level of each part of the error to the one that a look asks for; the
            signs are not used where that is 1.

    Source: Zou and Donner (2008), Statist. Med. 27, 1693-1702 (MOVER); Berger (1982) for
    intersection-union; Berger and Boos (1994) for paying a share of the error. Coverage is
    simulated in the tests.
    """
    spent = (1 - confidence) * _FOR_THE_SIGNS
    inner, sure = deepen(confidence + spent), deepen(1 - spent)
    change = _mover(
        group.change,
        group.change_interval(inner),
        reference.change,
        reference.change_interval(inner),
    )
    total = _mover(
        group.total, group.total_interval(inner), reference.total, reference.total_interval(inner)
    )
    if sure == 1:
        high = np.maximum(change.high, -change.low)
        return Interval(np.maximum(-high, -1.0), np.minimum(high, 1.0))
    lower = np.select(
        _signs(group.counts_now(sure), reference.counts_now(sure), confidence=sure),
        [np.minimum(change.low, total.low), -np.maximum(change.high, total.high)],
        np.minimum(change.low, -change.high),
    )
    upper = np.select(
        _signs(group.counts_then(sure), reference.counts_then(sure), confidence=sure),
        [np.maximum(change.high, -total.low), np.maximum(-change.low, total.high)],
        np.maximum(change.high, -change.low),
    )
    return Interval(np.maximum(lower, -1.0), np.minimum(upper, 1.0))


def _mover(value: Floats, bounds: Interval, minus: Floats, minus_bounds: Interval) -> Interval:
    """Return the interval of value - minus from the intervals of the two."""
    below = np.hypot(value - bounds.low, minus_bounds.high - minus)
    above = np.hypot(bounds.high - value, minus - minus_bounds.low)
    return Interval(value - minus - below, value - minus + above)


def _signs(
    group: BoundCounts, reference: BoundCounts, *, confidence: float
) -> list[NDArray[np.bool_]]:
    """Return whether the gap is shown to be positive, and whether it is shown to be negative."""
    # Each reference is compared with all groups.
    reference = (
        reference.at(np.zeros(len(group.n), dtype=np.int64)) if len(reference.n) == 1 else reference
    )
    bounds = apart_interval(
        group, reference, kind="difference", confidence=confidence, guessed=True
    )
    return [bounds.low > 0, bounds.high < 0]
