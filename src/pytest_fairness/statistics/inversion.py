"""What the interval formulas share: checked counts, critical values, and a test turned into a bound."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.errors import FairnessError

__all__ = [
    "as_counts",
    "bisect",
    "check_alternative",
    "critical_value",
    "one_sided_p_value",
    "without_skewness",
]

# A double has 53 bits: after as many halvings an interval of length 1 cannot shrink any more.
_HALVINGS = 54


def as_counts(*counts: ArrayLike) -> tuple[NDArray[np.float64], ...]:
    """Broadcast pairs of counts (successes, n, successes, n, ...) against each other, as floats.

    Raises:
        FairnessError: a count is negative or not finite, or successes exceed their n.
    """
    arrays = np.broadcast_arrays(*(np.asarray(count, dtype=np.float64) for count in counts))
    for successes, n in zip(arrays[::2], arrays[1::2], strict=True):
        wrong = ~((successes >= 0) & (successes <= n) & np.isfinite(n))
        if wrong.any():
            at = tuple(np.argwhere(wrong)[0])
            msg = (
                f"counts: got {successes[at]:g} successes of n = {n[at]:g}; "
                "allowed is 0 <= successes <= n, both finite; count them again from the predictions"
            )
            raise FairnessError(msg)
    return tuple(arrays)


def critical_value(level: float) -> float:
    """Return the normal quantile z such that the middle `level` of the distribution is within +-z.

    Raises:
        FairnessError: the level is not strictly between 0 and 1.
    """
    if not 0 < level < 1:
        msg = f"level: got {level}; allowed is a number between 0 and 1; write 0.95 for 95 %"
        raise FairnessError(msg)
    return -float(special.ndtri((1 - level) / 2))


def check_alternative(alternative: str, *more: str) -> None:
    """Refuse what is neither "greater" nor "less" nor one of `more`.

    Raises:
        FairnessError: the alternative is unknown.
    """
    allowed = ("greater", "less", *more)
    if alternative not in allowed:
        msg = f"alternative: got {alternative!r}; allowed is one of {', '.join(allowed)}"
        raise FairnessError(msg)


def one_sided_p_value(statistic: NDArray[np.float64], alternative: str) -> NDArray[np.float64]:
    """Return the normal tail probability of a statistic, above ("greater") or below ("less").

    Raises:
        FairnessError: the alternative is neither "greater" nor "less".
    """
    check_alternative(alternative)
    return np.asarray(special.ndtr(-statistic if alternative == "greater" else statistic))


def without_skewness(
    statistic: NDArray[np.float64], skewness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the normal deviate that is as far out as a statistic with that skewness.

    Source: the Cornish-Fisher expansion, statistic = z + skewness (z^2 - 1)/6, solved for z as by
        Gart and Nam (1988), Biometrics 44, 323-338.
    """
    curve = np.where(np.isfinite(statistic) & np.isfinite(skewness), skewness / 6, 0.0)
    shifted = statistic + curve
    # Written so that nothing cancels when the skewness is near 0.
    root = np.sqrt(np.maximum(1 + 4 * curve * np.where(curve == 0, 0.0, shifted), 0.0))
    return np.asarray(2 * shifted / (1 + root))


def bisect(
    rejected: Callable[[NDArray[np.float64]], NDArray[np.bool_]],
    low: ArrayLike,
    high: ArrayLike,
) -> NDArray[np.float64]:
    """Find where a test stops rejecting, elementwise, to the last bits of a double.

    Args:
        rejected: tells for an array of parameter values whether each is rejected; true below the
            bound that is sought, false above it.
        low: values below the bound.
        high: values at or above the bound, broadcast against `low`.
    """
    below, above = (np.array(end, dtype=np.float64) for end in np.broadcast_arrays(low, high))
    for _ in range(_HALVINGS):
        middle = (below + above) / 2
        move = rejected(middle)
        below = np.where(move, middle, below)
        above = np.where(move, above, middle)
    return (below + above) / 2
