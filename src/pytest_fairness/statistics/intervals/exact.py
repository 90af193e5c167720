"""Exact unconditional intervals of two independent rates.

Their errors hold for every pair of rates, also near 0 and 1 and in groups of five. A bound is
found as by Buehler (1957): tables are ordered once, by the lower bound of the 95 % score
interval; the exact lower bound is the smallest value under which a table at least as extreme as
the one seen has chance (1 - confidence)/2, at the worst nuisance rate. As one ordering serves every
confidence, intervals are nested.
"""

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.inversion import (
    as_counts,
    critical_value,
)
from pytest_fairness.statistics.intervals.nuisance import Tables, extreme_tables
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.unconditional import (
    DIFFERENCE,
    RATIO,
    Kind,
    Search,
)

__all__ = [
    "exact_difference",
    "exact_is_above",
    "exact_ratio",
]


_REMEMBERED = 200_000
# Share of each one-sided error that is spent on searching only rates near those seen.
_MISSED = 1 / 250


def exact_difference(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Return the exact unconditional interval of p1 - p2: each error is at most (1 - confidence)/2.

    Takes a few ms a table, alone up to 20; tables seen before are remembered.

    Args:
        x1: successes of the first group, any shape; a count that is no integer (an effective
            count) is rounded so that the interval can only grow.
        n1: total of the first group; all arguments are broadcast against each other.
        x2: successes of the second group.
        n2: total of the second group.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    Source: Chan and Zhang (1999), Biometrics 55, 1202-1209; Buehler (1957), J. Am. Stat. Assoc.
        52, 482-493; nuisance rates restricted as by Berger and Boos (1994).

    >>> low, high = exact_difference(3, 5, 0, 5)
    >>> print(f"{low:.3f} {high:.3f}")
    -0.030 0.947
    """
    low = _lower(DIFFERENCE, (x1, n1, x2, n2), confidence)
    return Interval(low, -_lower(DIFFERENCE, (x2, n2, x1, n1), confidence))


def exact_ratio(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Return the exact unconditional interval of p1 / p2, within [0, inf].

    Each error is at most (1 - confidence)/2. Arguments, errors and source as in `exact_difference`.

    >>> low, high = exact_ratio(9, 10, 3, 10)
    >>> print(f"{low:.3f} {high:.3f}")
    1.254 13.163
    """
    low = _lower(RATIO, (x1, n1, x2, n2), confidence)
    with np.errstate(divide="ignore"):
        return Interval(low, 1 / _lower(RATIO, (x2, n2, x1, n1), confidence))


def _lower(
    kind: Kind, counts: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike], confidence: float
) -> Floats:
    """Return the exact lower bound of each table."""
    tables, shape, undefined = _rounded_down(*counts)
    keys = [
        (*table, confidence) for table in zip(*(count.tolist() for count in tables), strict=True)
    ]
    bounds = np.array([kind.known.get(key, np.nan) for key in keys])
    new = np.flatnonzero(np.isnan(bounds) & ~undefined)
    if len(new):
        # Each table once, in an order that does not depend on where it stands.
        first, back = np.unique(np.stack(tables.at(new)), axis=1, return_inverse=True)
        found = _solve(kind, Tables(*first), confidence)
        bounds[new] = found[back]
        if len(kind.known) > _REMEMBERED:
            kind.known.clear()
        kind.known.update((keys[i], float(bounds[i])) for i in new.tolist())
    return np.where(undefined, np.nan, bounds).reshape(shape)


def exact_is_above(
    kind: Literal["difference", "ratio"],
    counts: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    edge: ArrayLike,
    *,
    confidence: float,
) -> NDArray[np.bool_]:
    """Return whether the lower exact bound is at least an edge, without looking for the bound.

    Args:
        kind: whether p1 - p2 or p1 / p2 is bounded.
        counts: x1, n1, x2 and n2, as in `exact_difference`.
        edge: what the bound is compared with, broadcast against the counts.
        confidence: two-sided confidence level of the interval that the bound is of.
    """
    of = DIFFERENCE if kind == "difference" else RATIO
    *counts4, edge = np.broadcast_arrays(*counts, edge)
    tables, shape, undefined = _rounded_down(*counts4)
    edges = np.asarray(edge, dtype=np.float64).ravel()
    score_bound = of.score_bound(tables)
    asked = np.flatnonzero((score_bound > of.nothing) & ~undefined)
    missed = np.full(len(asked), _MISSED * (1 - confidence) / 2)
    above = (edges <= of.nothing) & ~undefined
    parts = extreme_tables(of.parameter, tables.at(asked), score_bound[asked], missed=missed)
    for part, extreme in parts:
        some = asked[part]
        above[some] = extreme.largest_chance(edges[some]).chance <= (1 - confidence) / 2
    return above.reshape(shape)


def _rounded_down(
    *counts: ArrayLike,
) -> tuple[Tables, tuple[int, ...], NDArray[np.bool_]]:
    """Round effective counts to integers in favour of the second group: bounds only fall."""
    x1, n1, x2, n2 = as_counts(*counts)
    successes1 = np.floor(np.round(x1, 9))
    failures1 = np.maximum(np.ceil(np.round(n1 - x1, 9)), 1 - successes1)
    failures2 = np.floor(np.round(n2 - x2, 9))
    successes2 = np.maximum(np.ceil(np.round(x2, 9)), 1 - failures2)
    rounded = (successes1, successes1 + failures1, successes2, successes2 + failures2)
    tables = Tables(*(count.astype(np.int64).ravel() for count in rounded))
    return tables, x1.shape, ((n1 == 0) | (n2 == 0)).ravel()


def _solve(kind: Kind, tables: Tables, confidence: float) -> Floats:
    """Return the exact lower bounds of some tables."""
    critical_value(confidence)  # refuses a confidence that is out of range
    score_bound = kind.score_bound(tables)
    bounds = np.full(len(score_bound), kind.nothing)
    asked = np.flatnonzero(score_bound > kind.nothing)
    missed = np.full(len(asked), _MISSED * (1 - confidence) / 2)
    some, bound = tables.at(asked), score_bound[asked]
    estimate = kind.estimate(some)
    start = kind.place(kind.score_bound(some, confidence=confidence, corrected=True))
    start = np.clip(start, kind.least, estimate)
    for part, extreme in extreme_tables(kind.parameter, some, bound, missed=missed):
        search = Search(kind, extreme, confidence)
        bounds[asked[part]] = kind.value(search.place(start[part], estimate[part]))
    return bounds
