"""What the interval formulas share: checked counts, critical values, and a test turned into a bound."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from pytest_fairness.errors import FairnessError

__all__ = [
    "as_counts",
    "check_alternative",
    "critical_value",
    "crossing",
    "without_skewness",
]

# Halving alone needs as many steps as a double has bits.
_MOST_STEPS = 100


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


def critical_value(confidence: float) -> float:
    """Return the normal quantile z such that the middle `confidence` of the distribution is within +-z.

    Raises:
        FairnessError: the level is not strictly between 0 and 1.
    """
    if not 0 < confidence < 1:
        msg = f"confidence: got {confidence}; allowed is a number between 0 and 1; write 0.95 for 95 %"
        raise FairnessError(msg)
    return -float(special.ndtri((1 - confidence) / 2))


def check_alternative(alternative: str, *more: str) -> None:
    """Refuse what is neither "greater" nor "less" nor one of `more`.

    Raises:
        FairnessError: the alternative is unknown.
    """
    allowed = ("greater", "less", *more)
    if alternative not in allowed:
        msg = f"alternative: got {alternative!r}; allowed is one of {', '.join(allowed)}"
        raise FairnessError(msg)


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


def crossing(
    excess: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    low: ArrayLike,
    high: ArrayLike,
    *,
    close: float = 1e-15,
    near: tuple[ArrayLike, ArrayLike] | None = None,
) -> NDArray[np.float64]:
    """Find where a function crosses zero from above, elementwise.

    It may jump, and may be infinite. Where it is not positive at `low`, that is the answer.

    Args:
        excess: function of an array of parameter values, e.g. a test statistic minus its critical
            value; positive below the crossing that is sought.
        low: values below the crossing.
        high: values at or above the crossing, broadcast against `low`; nan where there is none.
        close: how near the answer must be; by default, to the last bits of a double.
        near: values between which the crossing probably is; it is sought there first.

    Source: Chandrupatla (1997), Adv. Eng. Softw. 28, 145-149: inverse quadratic interpolation
        where it is safe, halving elsewhere.
    """
    # (a, b) brackets the crossing, c is the point before; each with its function value.
    a, b = (np.array(end, dtype=np.float64) for end in np.broadcast_arrays(low, high))
    with np.errstate(divide="ignore", invalid="ignore"):
        nowhere = np.isnan(b)
        (a, fa), (b, fb) = _bracket(excess, a, b, near)
        done = (fa <= 0) | nowhere
        found = np.where(nowhere, np.nan, a)
        fa = np.where(np.isnan(fa), np.inf, fa)
        share: NDArray[np.float64] = np.full(a.shape, 0.5)
        for _ in range(_MOST_STEPS):
            point = a + share * (b - a)
            value = excess(point)
            same = (value > 0) == (fa > 0)
            c, fc = np.where(same, a, b), np.where(same, fa, fb)
            b, fb = np.where(same, b, a), np.where(same, fb, fa)
            a, fa = point, value
            best = np.where(np.abs(fa) < np.abs(fb), a, b)
            least = np.minimum(close / np.abs(b - a), 0.5)
            ended = ~done & ((least == 0.5) | (fa == 0))
            found = np.where(ended, best, found)
            done |= ended
            if done.all():
                break
            step = _interpolated(a, b, c, fa, fb, fc)
            share = np.minimum(np.maximum(step, least), 1 - least)
    return np.where(done, found, (a + b) / 2)


def _bracket(
    excess: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    near: tuple[ArrayLike, ArrayLike] | None,
) -> tuple[tuple[NDArray[np.float64], NDArray[np.float64]], ...]:
    """Return both ends of a bracket with their function values, narrow where `near` is right."""
    if near is None:
        return (low, excess(low)), (high, excess(high))
    # Where a guess is no number, or is outside, the wide end takes its place.
    least, most = (np.fmin(np.fmax(end, low), high) for end in near)
    left, right = excess(least), excess(most)
    before, beyond = ~(left > 0), ~(right <= 0)
    a, fa = np.where(beyond, most, least), np.where(beyond, right, left)
    b, fb = np.where(before, least, most), np.where(before, left, right)
    if before.any():
        a, fa = np.where(before, low, a), np.where(before, excess(low), fa)
    if (after := beyond & ~before).any():
        b, fb = np.where(after, high, b), np.where(after, excess(high), fb)
    return (a, fa), (b, fb)


def _interpolated(*points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Share of the way from a to b at which to look next."""
    a, b, c, fa, fb, fc = points
    place, height = (a - b) / (c - b), (fa - fb) / (fc - fb)
    safe = (height**2 < place) & ((1 - height) ** 2 < 1 - place)
    quadratic = fa / (fb - fa) * fc / (fb - fc) + (c - a) / (b - a) * fa / (fc - fa) * fb / (
        fc - fb
    )
    return np.where(safe & np.isfinite(quadratic), quadratic, 0.5)
