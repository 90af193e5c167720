"""Which interval is shown and decided on, by default: exact where approximations fail.

- One rate: Clopper-Pearson. The Wilson interval's one-sided error reaches 0.16 instead of 0.025
  near rates of 0 and 1, however many samples there are.
- A difference or a ratio: the exact unconditional interval where a group has fewer than five
  successes or fewer than five failures, elsewhere the score interval corrected for skewness.
- A difference or a ratio of two answers about the same samples: the score interval corrected for
  skewness and for its steps, which needs no other method where few samples differ.

So the worst one-sided error is at most 1.4 times the nominal one for any pair of rates, at any
level; `benchmarks/interval_coverage.py` enumerates it.
"""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Final, Literal, TypeAlias, TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.differences import miettinen_nurminen
from pytest_fairness.statistics.intervals.exact import (
    exact_difference,
    exact_ratio,
)
from pytest_fairness.statistics.intervals.inversion import as_counts
from pytest_fairness.statistics.intervals.paired import tango
from pytest_fairness.statistics.intervals.paired_ratios import paired_ratio_score
from pytest_fairness.statistics.intervals.rates import (
    Interval,
    clopper_pearson,
    wilson,
)
from pytest_fairness.statistics.intervals.ratios import score_ratio

__all__ = [
    "FEW",
    "Method",
    "difference_interval",
    "paired_interval",
    "paired_ratio_interval",
    "rate_interval",
    "ratio_interval",
]

Method: TypeAlias = Literal["auto", "exact", "corrected", "score"]
Intervals: TypeAlias = Mapping[str, Callable[..., Interval]]
Function = TypeVar("Function")

# Below this many successes or failures in a group the exact method is used.
FEW = 5

_RATE_INTERVALS: Final[Intervals] = MappingProxyType(
    {"auto": clopper_pearson, "exact": clopper_pearson, "score": wilson}
)
_DIFFERENCE_INTERVALS: Final[Intervals] = MappingProxyType(
    {
        "exact": exact_difference,
        "corrected": partial(miettinen_nurminen, corrected=True),
        "score": miettinen_nurminen,
    }
)
_RATIO_INTERVALS: Final[Intervals] = MappingProxyType(
    {
        "exact": exact_ratio,
        "corrected": partial(score_ratio, corrected=True),
        "score": score_ratio,
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
            (Miettinen-Nurminen).

    Raises:
        FairnessError: counts or confidence are out of range, or the method is unknown.

    >>> low, high = difference_interval(49, 158, 20, 158)
    >>> print(f"{low:.3f} {high:.3f}")
    0.094 0.273
    """
    return _interval(_DIFFERENCE_INTERVALS, method, as_counts(x1, n1, x2, n2), confidence)


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

    Arguments as in `difference_interval`.

    Raises:
        FairnessError: counts or confidence are out of range, or the method is unknown.

    >>> low, high = ratio_interval(20, 158, 49, 158)
    >>> print(f"{low:.3f} {high:.3f}")
    0.249 0.644
    """
    return _interval(_RATIO_INTERVALS, method, as_counts(x1, n1, x2, n2), confidence)


def paired_interval(
    first_only: ArrayLike, second_only: ArrayLike, n: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Return the interval of a difference p1 - p2 of two answers about the same samples.

    Args:
        first_only: successes of the first answer alone, any shape; need not be integers (an
            effective count).
        second_only: successes of the second answer alone.
        n: all samples; all arguments are broadcast against each other.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    >>> low, high = paired_interval(1, 7, 21)
    >>> print(f"{low:.3f} {high:.3f}")
    -0.551 0.017
    """
    return tango(first_only, second_only, n, confidence=confidence, corrected=True)


def paired_ratio_interval(
    both: ArrayLike, first_only: ArrayLike, second_only: ArrayLike, *, confidence: float = 0.95
) -> Interval:
    """Return the interval of a ratio p1 / p2 of two answers about the same samples, within [0, inf].

    Args:
        both: successes of both answers, any shape; need not be integers (an effective count).
        first_only: successes of the first answer alone.
        second_only: successes of the second answer alone; all arguments are broadcast.
        confidence: two-sided confidence level, between 0 and 1.

    Raises:
        FairnessError: counts or confidence are out of range.

    >>> low, high = paired_ratio_interval(43, 0, 1)
    >>> print(f"{low:.3f} {high:.3f}")
    0.880 1.074
    """
    return paired_ratio_score(both, first_only, second_only, confidence=confidence, corrected=True)


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


def _few(x1: Floats, n1: Floats, x2: Floats, n2: Floats) -> NDArray[np.bool_]:
    return np.asarray(np.minimum.reduce([x1, n1 - x1, x2, n2 - x2]) < FEW)


def _named(methods: Mapping[str, Function], method: str) -> Function:
    if method not in methods:
        allowed = ", ".join(sorted({"auto", *methods}))
        msg = f"method: got {method!r}; allowed is one of {allowed}"
        raise FairnessError(msg)
    return methods[method]
