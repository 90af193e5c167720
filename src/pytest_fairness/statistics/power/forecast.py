"""The chance that an interval settles its limit on the next set, if the truth is the value seen."""

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from pytest_fairness.statistics.arrays import ROUNDING, Floats
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.power.margins import Margins, Settled

__all__ = ["chance_settled"]


def chance_settled(
    value: Floats | float,
    interval: Interval,
    *,
    margins: Margins,
    confidence: ArrayLike,
    settled: Settled,
) -> Floats:
    """Return the chance that another set of that size shows the limit kept, or shows it broken.

    An interval that just reaches the limit around the true value settles in half of all sets only:
    the value of a set varies around the truth. Each end lies a critical value of standard errors
    away from the value, which tells the standard error, and so the chance.

    Args:
        value: True values (Q,), taken from a first set.
        interval: Ends of the interval around them at the planned size, (Q,) each.
        margins: The limit, low and high; infinite where nothing can break it.
        confidence: Confidence level of each interval, 0 to 1.
        settled: Whether the limit is to be shown kept or broken.

    Source: the normal approximation to the power of a test (Lachin 1981, Controlled Clinical Trials 2,
        93-113); with two ends, the sum of the chances that either fails. Held against enumeration and
        simulated in benchmarks/settling.py.

    Example:
        >>> chance_settled(0.95, Interval(np.array([0.90, 0.92]), np.array([0.98, 0.97])),
        ...     margins=Margins(0.9, np.inf), confidence=0.95, settled="kept").round(2).tolist()
        [0.5, 0.9]
    """
    z = -special.ndtri((1 - np.asarray(confidence, dtype=np.float64)) / 2)
    low, high = interval

    def chance(width: Floats, room: Floats) -> Floats:
        with np.errstate(divide="ignore", invalid="ignore"):
            errors = np.where(room > 0, room / np.maximum(width, 0.0), 0.0)
            settles = special.ndtr(z * (errors - 1))
        # The whole range settles nothing: its critical value is infinite.
        return np.where((room > 0) & ~np.isnan(settles), settles, 0.0)

    if settled == "broken":
        below = chance(np.asarray(high - value), np.asarray(margins.low - value - 2 * ROUNDING))
        above = chance(np.asarray(value - low), np.asarray(value - margins.high - 2 * ROUNDING))
        return np.maximum(below, above)
    below = chance(np.asarray(value - low), np.asarray(value - margins.low + ROUNDING))
    above = chance(np.asarray(high - value), np.asarray(margins.high - value + ROUNDING))
    return np.maximum(below + above - 1, 0.0)
