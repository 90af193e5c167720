"""Which interval is shown and decided on, by default: exact where approximations fail.

- One rate: Clopper-Pearson. The Wilson interval's one-sided error reaches 0.16 instead of 0.025
  near rates of 0 and 1, however many samples there are.
- A difference or a ratio: the exact unconditional interval where a group has fewer than five
  successes or fewer than five failures, elsewhere the score interval corrected for skewness.

So the worst one-sided error is at most 1.4 times the nominal one for any pair of rates, at any
level; `benchmarks/interval_coverage.py` enumerates it. Each p-value agrees with the interval of its
method: it is below (1 - confidence)/2 just where the interval leaves the margin out.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.differences import (
    miettinen_nurminen,
    newcombe,
    score_difference_p_value,
)
from pytest_fairness.statistics.intervals.exact import (
    exact_difference,
    exact_difference_p_value,
    exact_ratio,
    exact_ratio_p_value,
)
from pytest_fairness.statistics.intervals.inversion import as_counts
from pytest_fairness.statistics.intervals.rates import (
    Interval,
    binomial_p_value,
    clopper_pearson,
    wilson,
    wilson_p_value,
)
from pytest_fairness.statistics.intervals.ratios import score_ratio, score_ratio_p_value

__all__ = [
    "FEW",
    "Method",
    "difference_interval",
    "difference_p_value",
    "rate_interval",
    "rate_p_value",
    "ratio_interval",
    "ratio_p_value",
]

Method: TypeAlias = Literal["auto", "exact", "corrected", "score", "newcombe"]
Intervals: TypeAlias = Mapping[str, Callable[..., Interval]]
PValues: TypeAlias = Mapping[str, Callable[..., Floats]]
Function = TypeVar("Function")

# Below this many successes or failures in a group the exact method is used.
FEW = 5

_RATE_INTERVALS: Final[Intervals] = MappingProxyType(
    {"auto": clopper_pearson, "exact": clopper_pearson, "score": wilson}
)
_RATE_P_VALUES: Final[PValues] = MappingProxyType(
    {"auto": binomial_p_value, "exact": binomial_p_value, "score": wilson_p_value}
)
_DIFFERENCE_INTERVALS: Final[Intervals] = MappingProxyType(
    {
        "exact": exact_difference,
        "corrected": partial(miettinen_nurminen, corrected=True),
        "score": miettinen_nurminen,
        "newcombe": newcombe,
    }
)
_DIFFERENCE_P_VALUES: Final[PValues] = MappingProxyType(
    {
        "exact": exact_difference_p_value,
        "corrected": partial(score_difference_p_value, corrected=True),
        "score": score_difference_p_value,
    }
)
_RATIO_INTERVALS: Final[Intervals] = MappingProxyType(
    {
        "exact": exact_ratio,
        "corrected": partial(score_ratio, corrected=True),
        "score": score_ratio,
    }
)
_RATIO_P_VALUES: Final[PValues] = MappingProxyType(
    {
        "exact": exact_ratio_p_value,
        "corrected": partial(score_ratio_p_value, corrected=True),
        "score": score_ratio_p_value,
    }
)


def rate_interval(
    successes: ArrayLike, n: ArrayLike, *, confidence: float = 0.95, method: Method = "auto"
) -> Interval:
    """Return the interval of a rate.

    Args:
        successes: counts, any shape; need not be integers (an effective count).
        n: totals, broadcast against `successes`.
        confidence: two-sided confidence level, between 0 and 1.
        method: "auto" or "exact" (Clopper-Pearson), or "score" (Wilson).

    Raises:
        FairnessError: counts or confidence are out of range, or the method is unknown.

    >>> low, high = rate_interval(0, 20)
    >>> print(f"{low:.4f} {high:.4f}")
    0.0000 0.1684
    """
    return _named(_RATE_INTERVALS, method)(successes, n, confidence=confidence)


def rate_p_value(
    successes: ArrayLike,
    n: ArrayLike,
    *,
    margin: ArrayLike,
    alternative: str = "greater",
    method: Method = "auto",
) -> Floats:
    """Return the one-sided p-value that a rate is beyond a margin.

    Args:
        successes: counts, any shape.
        n: totals, broadcast.
        margin: rate under test, between 0 and 1.
        alternative: "greater" to show a rate above the margin, "less" to show one below it.
        method: as in `rate_interval`.

    Raises:
        FairnessError: counts are out of range, or alternative or method are unknown.

    >>> print(f"{rate_p_value(95, 100, margin=0.9):.4f}")
    0.0576
    """
    p_value = _named(_RATE_P_VALUES, method)
    return p_value(successes, n, margin=margin, alternative=alternative)


def difference_interval(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    confidence: float = 0.95,
    method: Method = "auto",
) -> Interval:
    """Return the interval of a difference p1 - p2 of two independent rates.

    Args:
        x1: successes of the first group, any shape; need not be integers (an effective count).
        n1: total of the first group; all arguments are broadcast against each other.
        x2: successes of the second group.
        n2: total of the second group.
        confidence: two-sided confidence level, between 0 and 1.
        method: "auto" (see the module), "exact", "corrected" (score, skewness taken out), "score"
            (Miettinen-Nurminen) or "newcombe".

    Raises:
        FairnessError: counts or confidence are out of range, or the method is unknown.

    >>> low, high = difference_interval(49, 158, 20, 158)
    >>> print(f"{low:.3f} {high:.3f}")
    0.094 0.273
    """
    return _interval(_DIFFERENCE_INTERVALS, method, as_counts(x1, n1, x2, n2), confidence)


def difference_p_value(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    margin: ArrayLike,
    alternative: str = "greater",
    method: Method = "auto",
) -> Floats:
    """Return the one-sided p-value that a difference p1 - p2 is beyond a margin.

    Args:
        x1: successes of the first group, and so on as in `difference_interval`.
        n1: total of the first group.
        x2: successes of the second group.
        n2: total of the second group.
        margin: difference under test, in [-1, 1].
        alternative: "greater" to show p1 - p2 > margin, "less" to show p1 - p2 < margin.
        method: as in `difference_interval`; "newcombe" has no p-value.

    Raises:
        FairnessError: counts are out of range, or alternative or method are unknown.

    >>> print(f"{difference_p_value(49, 158, 20, 158, margin=0.1):.4f}")
    0.0336
    """
    counts = as_counts(x1, n1, x2, n2)
    return _p_value(_DIFFERENCE_P_VALUES, method, counts, margin, alternative)


def ratio_interval(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    confidence: float = 0.95,
    method: Method = "auto",
) -> Interval:
    """Return the interval of a ratio p1 / p2 of two independent rates, within [0, inf].

    Arguments as in `difference_interval`; there is no method "newcombe".

    Raises:
        FairnessError: counts or confidence are out of range, or the method is unknown.

    >>> low, high = ratio_interval(20, 158, 49, 158)
    >>> print(f"{low:.3f} {high:.3f}")
    0.249 0.644
    """
    return _interval(_RATIO_INTERVALS, method, as_counts(x1, n1, x2, n2), confidence)


def ratio_p_value(
    x1: ArrayLike,
    n1: ArrayLike,
    x2: ArrayLike,
    n2: ArrayLike,
    *,
    margin: ArrayLike,
    alternative: str = "greater",
    method: Method = "auto",
) -> Floats:
    """Return the one-sided p-value that a ratio p1 / p2 is beyond a margin, which is above 0.

    Arguments as in `difference_p_value`.

    Raises:
        FairnessError: counts or margin are out of range, or alternative or method are unknown.

    >>> print(f"{ratio_p_value(20, 158, 49, 158, margin=0.8, alternative='less'):.4f}")
    0.0017
    """
    counts = as_counts(x1, n1, x2, n2)
    return _p_value(_RATIO_P_VALUES, method, counts, margin, alternative)


def _interval(
    methods: Intervals,
    method: Method,
    counts: tuple[Floats, ...],
    confidence: float,
) -> Interval:
    if method != "auto":
        return _named(methods, method)(*counts, confidence=confidence)
    low, high = (np.array(bound) for bound in methods["corrected"](*counts, confidence=confidence))
    few = _few(*counts)
    low[few], high[few] = methods["exact"](*(count[few] for count in counts), confidence=confidence)
    return Interval(low, high)


def _p_value(
    methods: PValues,
    method: Method,
    counts: Sequence[Floats],
    margin: ArrayLike,
    alternative: str,
) -> Floats:
    if method != "auto":
        return _named(methods, method)(*counts, margin=margin, alternative=alternative)
    *counts, margins = np.broadcast_arrays(*counts, margin)
    p_value = np.array(methods["corrected"](*counts, margin=margins, alternative=alternative))
    few = _few(*counts)
    p_value[few] = methods["exact"](
        *(count[few] for count in counts), margin=margins[few], alternative=alternative
    )
    return p_value


def _few(x1: Floats, n1: Floats, x2: Floats, n2: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.minimum.reduce([x1, n1 - x1, x2, n2 - x2]) < FEW)


def _named(methods: Mapping[str, Function], method: str) -> Function:
    if method not in methods:
        allowed = ", ".join(sorted({"auto", *methods}))
        msg = f"method: got {method!r}; allowed is one of {allowed}"
        raise FairnessError(msg)
    return methods[method]
