"""Exact unconditional intervals and tests of two independent rates.

Their errors hold for every pair of rates, also near 0 and 1 and in groups of five. A bound is
found as by Buehler (1957): tables are ordered once, by the lower bound of the 95 % score
interval; the exact lower bound is the smallest value under which a table at least as extreme as
the one seen has chance (1 - level)/2, at the worst nuisance rate. As one ordering serves every
level and margin, intervals are nested and agree with the p-values.
"""

from collections.abc import Callable
from functools import cache, lru_cache
from typing import TypeAlias

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import optimize, special

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.differences import miettinen_nurminen, score_statistic
from pytest_fairness.statistics.inversion import as_counts, check_alternative, critical_value
from pytest_fairness.statistics.nuisance import Parameter, extreme_tables
from pytest_fairness.statistics.rates import Interval
from pytest_fairness.statistics.ratios import ratio_score_statistic, score_ratio

__all__ = ["exact_difference", "exact_difference_p_value", "exact_ratio", "exact_ratio_p_value"]

Floats: TypeAlias = NDArray[np.float64]
Table: TypeAlias = tuple[int, int, int, int]
# (table, its lower 95 % score bound, a level or a margin) -> an exact bound or p-value.
ForTable: TypeAlias = Callable[[Table, float, float], float]

_CACHED = 100_000
# Share of each one-sided error that is spent on searching only rates near those seen.
_MISSED = 1 / 250
_LEAST_P_VALUE = 1e-9
_DIFFERENCE = Parameter(
    score_statistic,
    first=lambda second, value: second + value,
    second=lambda first, value: first - value,
)
_RATIO = Parameter(
    ratio_score_statistic,
    first=lambda second, value: second * value,
    second=lambda first, value: first / value,
)
# A ratio is sought as a share p1 / (p1 + p2), within these ends.
_LEAST_SHARE, _MOST_SHARE = 1e-12, 1 - 1e-12


def exact_difference(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> Interval:
    """Return the exact unconditional interval of p1 - p2: each error is at most (1 - level)/2.

    Takes some 15 ms a table, more for thousands of samples; tables seen before are remembered.

    Args:
        x1: successes of the first group, any shape; a count that is no integer (an effective
            count) is rounded so that the interval can only grow.
        n1: total of the first group; all arguments are broadcast against each other.
        x2: successes of the second group.
        n2: total of the second group.
        level: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or level are out of range.

    Source: Chan and Zhang (1999), Biometrics 55, 1202-1209; Buehler (1957), J. Am. Stat. Assoc.
        52, 482-493; nuisance rates restricted as by Berger and Boos (1994).

    >>> low, high = exact_difference(3, 5, 0, 5)
    >>> print(f"{low:.3f} {high:.3f}")
    -0.030 0.947
    """
    low = _each(_difference_bound, _score_difference, (x1, n1, x2, n2), level)
    return Interval(low, -_each(_difference_bound, _score_difference, (x2, n2, x1, n1), level))


def exact_ratio(
    x1: ArrayLike, n1: ArrayLike, x2: ArrayLike, n2: ArrayLike, *, level: float = 0.95
) -> Interval:
    """Return the exact unconditional interval of p1 / p2, within [0, inf].

    Each error is at most (1 - level)/2. Arguments, errors and source as in `exact_difference`.

    >>> low, high = exact_ratio(9, 10, 3, 10)
    >>> print(f"{low:.3f} {high:.3f}")
    1.254 13.163
    """
    low = _each(_ratio_bound, _score_ratio, (x1, n1, x2, n2), level)
    with np.errstate(divide="ignore"):
        return Interval(low, 1 / _each(_ratio_bound, _score_ratio, (x2, n2, x1, n1), level))


def exact_difference_p_value(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    margin: ArrayLike,
    alternative: str = "greater",
) -> Floats:
    """Return the exact one-sided p-value that p1 - p2 is beyond a margin.

    It is below (1 - level)/2 just where `exact_difference` at that level leaves the margin out,
    and never below 1e-9.

    Args:
        x1: successes of the first group, and so on as in `exact_difference`.
        n1: total of the first group.
        x2: successes of the second group.
        n2: total of the second group.
        margin: difference under test, in [-1, 1].
        alternative: "greater" to show p1 - p2 > margin, "less" to show p1 - p2 < margin.

    Raises:
        FairnessError: counts are out of range, or the alternative is unknown.

    >>> print(f"{exact_difference_p_value(9, 10, 3, 10, margin=0.0):.4f}")
    0.0040
    """
    check_alternative(alternative)
    margin = np.asarray(margin, dtype=np.float64)
    if alternative == "greater":
        return _each(_difference_p_value, _score_difference, (x1, n1, x2, n2), margin)
    return _each(_difference_p_value, _score_difference, (x2, n2, x1, n1), -margin)


def exact_ratio_p_value(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    margin: ArrayLike,
    alternative: str = "greater",
) -> Floats:
    """Return the exact one-sided p-value that p1 / p2 is beyond a margin, which is above 0.

    It is below (1 - level)/2 just where `exact_ratio` at that level leaves the margin out, and
    never below 1e-9. Arguments as in `exact_difference_p_value`.

    Raises:
        FairnessError: counts or margin are out of range, or the alternative is unknown.

    >>> print(f"{exact_ratio_p_value(9, 10, 3, 10, margin=0.8):.4f}")
    0.0023
    """
    check_alternative(alternative)
    margin = np.asarray(margin, dtype=np.float64)
    if not (margin > 0).all():
        msg = f"margin: got a ratio of {margin.min():g}; allowed is above 0; write 0.8 for 4/5"
        raise FairnessError(msg)
    if alternative == "greater":
        return _each(_ratio_p_value, _score_ratio, (x1, n1, x2, n2), margin)
    return _each(_ratio_p_value, _score_ratio, (x2, n2, x1, n1), 1 / margin)


def _score_difference(*counts: Floats) -> Floats:
    return miettinen_nurminen(*counts).low


def _score_ratio(*counts: Floats) -> Floats:
    return score_ratio(*counts).low


def _each(
    function: ForTable,
    score_bound: Callable[..., Floats],
    counts: tuple[ArrayLike, ArrayLike, ArrayLike, ArrayLike],
    argument: ArrayLike,
) -> Floats:
    """Apply a function to each table, its lower score bound and its level or margin."""
    x1, n1, x2, n2 = as_counts(*counts)
    rounded = _rounded_down(x1, n1, x2, n2)
    undefined = (n1 == 0) | (n2 == 0)
    rows = np.broadcast(*rounded, score_bound(*rounded), argument, undefined)
    values = [
        np.nan if skip else function((int(a), int(b), int(c), int(d)), float(bound), float(value))
        for a, b, c, d, bound, value, skip in rows
    ]
    return np.array(values, dtype=np.float64).reshape(rows.shape)


def _rounded_down(x1: Floats, n1: Floats, x2: Floats, n2: Floats) -> tuple[Floats, ...]:
    """Round effective counts to integers in favour of the second group: bounds only fall."""
    successes1 = np.floor(np.round(x1, 9))
    failures1 = np.maximum(np.ceil(np.round(n1 - x1, 9)), 1 - successes1)
    failures2 = np.floor(np.round(n2 - x2, 9))
    successes2 = np.maximum(np.ceil(np.round(x2, 9)), 1 - failures2)
    return successes1, successes1 + failures1, successes2, successes2 + failures2


@lru_cache(_CACHED)
def _difference_bound(table: Table, score_bound: float, level: float) -> float:
    if score_bound == -1:  # no success against nothing but successes
        return -1.0
    x1, n1, x2, n2 = table
    extreme = extreme_tables(_DIFFERENCE, table, score_bound, missed=_MISSED * (1 - level) / 2)
    return _solve(extreme.largest_chance, (-1.0, score_bound, x1 / n1 - x2 / n2, 1.0), level)


@lru_cache(_CACHED)
def _ratio_bound(table: Table, score_bound: float, level: float) -> float:
    x1, n1, x2, n2 = table
    if x1 == 0:
        return 0.0
    extreme = extreme_tables(_RATIO, table, score_bound, missed=_MISSED * (1 - level) / 2)
    # Sought as a share p1 / (p1 + p2), which stays finite when the second group has no success.
    estimate = x1 * n2 / (x1 * n2 + x2 * n1)
    share = _solve(
        lambda share: extreme.largest_chance(share / (1 - share)),
        (_LEAST_SHARE, score_bound / (1 + score_bound), estimate, _MOST_SHARE),
        level,
    )
    return share / (1 - share)


@lru_cache(_CACHED)
def _difference_p_value(table: Table, score_bound: float, margin: float) -> float:
    if score_bound == -1:
        return 1.0
    return _attained(_DIFFERENCE, table, score_bound, margin)


@lru_cache(_CACHED)
def _ratio_p_value(table: Table, score_bound: float, margin: float) -> float:
    if table[0] == 0:
        return 1.0
    return _attained(_RATIO, table, score_bound, margin)


def _solve(
    chance: Callable[[float], float], marks: tuple[float, float, float, float], level: float
) -> float:
    """Return where a rising chance reaches (1 - level)/2.

    Args:
        chance: largest chance of the tables, by value.
        marks: the least value, the score bound, the estimate and the largest value.
        level: two-sided level.
    """
    least, score_bound, estimate, most = marks
    target = -critical_value(level)

    @cache
    def excess(value: float) -> float:
        # As a normal quantile the chance is almost a straight line: few steps are needed.
        return float(special.ndtri(np.clip(chance(value), 1e-300, 1 - 1e-16))) - target

    # The exact bound is near the score bound: bracket it by a step half as long again as needed.
    step = 1.5 * excess(score_bound) * (estimate - score_bound) / critical_value(0.95)
    end = min(max(score_bound - step, least), most)
    if (excess(end) > 0) == (step > 0):
        end = least if step > 0 else most
    if excess(end) > 0 and end == least:
        return least
    return float(optimize.brentq(excess, score_bound, end, xtol=1e-9))


def _attained(parameter: Parameter, table: Table, score_bound: float, margin: float) -> float:
    """Return the least one-sided error at which the margin is left out of the interval."""

    @cache
    def excess(log_error: float) -> float:
        missed = _MISSED * np.exp(log_error)
        extreme = extreme_tables(parameter, table, score_bound, missed=missed)
        return float(np.log(extreme.largest_chance(margin)) - log_error)

    least = float(np.log(_LEAST_P_VALUE))
    if excess(least) <= 0:
        return _LEAST_P_VALUE
    if excess(0.0) >= 0:
        return 1.0
    return float(np.exp(optimize.brentq(excess, least, 0.0, xtol=1e-9)))
