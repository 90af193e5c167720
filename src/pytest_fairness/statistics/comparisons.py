"""Differences and ratios between groups: against one reference, the best group, or all of them."""

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.group_rates import GroupRates, Kind

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Compared", "against_best", "against_reference", "between_all"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]


class Compared(NamedTuple):
    """Compared groups: values with intervals, and the positions of group and reference."""

    value: Floats
    low: Floats
    high: Floats
    group: Integers
    reference: Integers


def against_reference(rates: GroupRates, reference: int, *, kind: Kind, level: float) -> Compared:
    """Compare every other group with one reference group.

    Args:
        rates: The G groups.
        reference: Position of the reference group.
        kind: `difference` (p - p_reference) or `ratio` (p / p_reference).
        level: Level of each interval, 0 to 1.
    """
    others = np.flatnonzero(np.arange(len(rates.counts.n)) != reference)
    against = np.full_like(others, reference)
    bounds = rates.pairs(others, against, kind=kind, level=level)
    return Compared(_values(rates, others, against, kind), *bounds, others, against)


def against_best(
    rates: GroupRates,
    *,
    kind: Kind,
    level: float,
    higher_is_better: bool,
    eligible: NDArray[np.bool_] | None = None,
) -> Compared:
    """Compare every group with the best one, which the data choose.

    A group's distance to the best is the smallest (largest, when lower is better) of its
    distances to all groups. The bound towards the best is that of a fixed pair and needs no
    correction; the other is taken over pairs that the data choose, so it is simultaneous
    (Bonferroni over the G - 1 pairs). Groups with n = 0 are left out and stay undefined.

    Args:
        rates: The G groups.
        kind: `difference` or `ratio`.
        level: Level of each interval, 0 to 1.
        higher_is_better: Which end of the rates is the best.
        eligible: Which groups (G,) may be the best; all when absent.

    Source: Hsu (1996), Multiple Comparisons, ch. 4 (comparison with the best), on score intervals.
    """
    defined = rates.counts.n > 0
    size = len(defined)
    candidates = defined if eligible is None else defined & eligible
    usable = candidates & defined[:, None] & ~np.eye(size, dtype=bool)
    rivals = int(usable.sum(axis=1).max(initial=0))
    best = np.full(size, _extreme_position(rates, largest=higher_is_better, among=candidates))
    if rivals < 1:
        undefined = np.full(size, np.nan)
        return Compared(undefined, undefined, undefined, np.arange(size), best)
    first, second = np.divmod(np.arange(size * size), size)
    plain = rates.pairs(first, second, kind=kind, level=level)
    wide = rates.pairs(first, second, kind=kind, level=1 - (1 - level) / rivals)
    values = _values(rates, first, second, kind)
    same = 0.0 if kind == "difference" else 1.0
    extreme: Callable[..., Floats] = np.min if higher_is_better else np.max

    def nearest(pairs: Floats) -> Floats:
        grid = np.where(usable, pairs.reshape(size, size), np.nan)
        found = extreme(grid, axis=1, initial=same, where=~np.isnan(grid))
        return np.where(defined, found, np.nan)

    inner, outer = nearest(plain[0 if higher_is_better else 1]), nearest(wide[higher_is_better])
    low, high = (inner, outer) if higher_is_better else (outer, inner)
    return Compared(nearest(values), low, high, np.arange(size), best)


def between_all(rates: GroupRates, *, kind: Kind, level: float) -> Compared:
    """Compare the largest rate with the smallest (ratio: the smallest with the largest).

    The outer bound of a gap is the largest upper bound over all ordered pairs: the true extreme
    pair is fixed, so no correction is needed (intersection-union). The inner bound is taken
    over pairs that the data choose, so it is simultaneous (Bonferroni over the pairs). Unlike a
    percentile bootstrap of max - min, the interval contains 0 for a fair model. Groups with
    n = 0 are left out.

    Source: Berger (1982), intersection-union tests; Bonferroni-corrected score intervals.

    Returns:
        One comparison; `group` and `reference` are the extreme groups of the data.
    """
    defined = np.flatnonzero(rates.counts.n > 0)
    top, bottom = (_extreme_position(rates, largest=largest) for largest in (True, False))
    group, reference = (top, bottom) if kind == "difference" else (bottom, top)
    positions = np.array([group]), np.array([reference])
    if len(defined) < 2:
        undefined = np.array([np.nan])
        return Compared(undefined, undefined, undefined, *positions)
    first, second = (grid.ravel() for grid in np.meshgrid(defined, defined, indexing="ij"))
    first, second = first[first != second], second[first != second]
    pairs = len(defined) * (len(defined) - 1) // 2
    plain = rates.pairs(first, second, kind=kind, level=level)
    wide = rates.pairs(first, second, kind=kind, level=1 - (1 - level) / pairs)
    value = _values(rates, *positions, kind)
    if kind == "difference":
        low, high = max(0.0, float(wide.low.max())), float(plain.high.max())
    else:
        low, high = float(plain.low.min()), min(1.0, float(wide.high.min()))
    return Compared(value, np.array([low]), np.array([high]), *positions)


def _extreme_position(
    rates: GroupRates, *, largest: bool, among: NDArray[np.bool_] | None = None
) -> int:
    fill = -np.inf if largest else np.inf
    known = ~np.isnan(rates.values) if among is None else among & ~np.isnan(rates.values)
    filled = np.where(known, rates.values, fill)
    return int(filled.argmax() if largest else filled.argmin())


def _values(rates: GroupRates, first: Integers, second: Integers, kind: Kind) -> Floats:
    values = rates.values
    if kind == "difference":
        return values[first] - values[second]
    with np.errstate(divide="ignore", invalid="ignore"):
        return values[first] / values[second]
