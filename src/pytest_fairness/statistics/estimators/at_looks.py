"""From a measure to one whose intervals hold however often the samples are looked at."""

from dataclasses import replace

from pytest_fairness.statistics.estimators.extremes import ExtremeRates
from pytest_fairness.statistics.estimators.largest_gap import LargestGap
from pytest_fairness.statistics.estimators.looked import Looked
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.looks import Look, Looks

__all__ = ["at_looks", "look_of"]


def at_looks(measured: Measured, looks: Looks, *, whole: tuple[float, float]) -> Measured:
    """Return a measure whose intervals hold at every look.

    An error that is split over the parts of a measure is split first, so such a measure deepens
    the level of each part itself.

    Args:
        measured: The measure of G groups.
        looks: How often the set may be looked at.
        whole: Smallest and largest value of its intervals.

    Example:
        >>> import numpy as np
        >>> from pytest_fairness.statistics.estimators.group_rates import GroupRates
        >>> from pytest_fairness.statistics.estimators.rate_counts import RateCounts
        >>> rates = GroupRates(RateCounts(np.array([180]), np.array([200])))
        >>> low, high = at_looks(rates, "any", whole=(0.0, 1.0)).alone(0.95)
        >>> low.round(3).tolist(), high.round(3).tolist()
        ([0.82], [0.953])
    """
    if looks == 1:
        return measured
    if isinstance(measured, LargestGap | ExtremeRates):
        return replace(measured, looks=looks)
    return Looked(measured, looks, whole)


def look_of(measured: Measured, looks: Looks, groups: list[int]) -> Look:
    """Return the look at an interval of some groups, with the smallest n among them and their parts."""
    return Look(looks, float(measured.smallest_n[groups].min()))
