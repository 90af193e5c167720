"""How many samples may turn out to be mislabelled before a statement about rates falls.

A statement is "the value is at least an edge" or "at most an edge", shown by an interval. The
worst that a mislabelled sample can do to it is to turn a success of its group into a failure, or
the other way round. Taking the sample out of the group changes the rate by less, so the same
number holds for wrong group labels.
"""

from collections.abc import Callable
from typing import Literal, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.intervals.chosen import FEW, rate_interval
from pytest_fairness.statistics.intervals.differences import score_statistic
from pytest_fairness.statistics.intervals.exact import exact_is_above
from pytest_fairness.statistics.intervals.inversion import critical_value
from pytest_fairness.statistics.intervals.ratios import ratio_score_statistic

__all__ = ["PairRows", "RateRows", "Statements", "pairs_withstand", "rates_withstand"]

Flags: TypeAlias = NDArray[np.bool_]

# Where the gate is exact, the search takes off a quarter of a success and is then corrected.
_CAUTION = 0.25


class Statements(NamedTuple):
    """Statements about R values.

    Args:
        edge: (R,) the value that is compared with.
        upward: (R,) whether the value is shown to be at least the edge; else at most.
        confidence: Confidence level of the interval that shows it, 0 to 1; None for the bare value.
        strict: Whether the value must be beyond the edge and not on it.
    """

    edge: Floats
    upward: Flags
    confidence: float | None
    strict: bool

    def hold(self, low: Floats, high: Floats) -> Flags:
        """Return whether intervals (R,) show them."""
        shift = ROUNDING if self.strict else -ROUNDING
        shown = np.where(self.upward, low >= self.edge + shift, high <= self.edge - shift)
        return np.asarray(shown, dtype=bool)


class RateRows(NamedTuple):
    """R rates: successes out of n, and what a sample is worth, (R,) each."""

    x: Integers
    n: Integers
    worth: Floats

    def at(self, rows: Integers) -> "RateRows":
        """Return some of the rates."""
        return RateRows(self.x[rows], self.n[rows], self.worth[rows])


class PairRows(NamedTuple):
    """R pairs of rates, of which samples of the first may be mislabelled, (R,) each."""

    first: RateRows
    second: RateRows


def rates_withstand(rows: RateRows, statements: Statements) -> Integers:
    """Return the largest number (R,) of mislabelled samples with which each statement still holds.

    Args:
        rows: The rates.
        statements: What is shown of them.

    Returns:
        -1 where a statement does not hold as it is; n + 1 where nothing can make it fall.

    Example:
        >>> rows = RateRows(np.array([95]), np.array([100]), np.array([1.0]))
        >>> floor = Statements(np.array([0.8]), np.array([True]), confidence=0.95, strict=False)
        >>> rates_withstand(rows, floor).tolist()
        [6]
    """

    def hold(k: Integers) -> Flags:
        x = np.where(statements.upward, rows.x - k, rows.x + k)
        if statements.confidence is None:
            value = x / rows.n
            return statements.hold(value, value)
        interval = rate_interval(
            x * rows.worth, rows.n * rows.worth, confidence=statements.confidence
        )
        return statements.hold(*interval)

    available = np.where(statements.upward, rows.x, rows.n - rows.x)
    return _withstood(hold, available, rows.n)


def pairs_withstand(
    rows: PairRows,
    statements: Statements,
    *,
    kind: Literal["difference", "ratio"],
    first_to_fall: Integers | None = None,
) -> Integers:
    """Return the same for differences or ratios, when samples of the first group are mislabelled.

    Args:
        rows: The pairs.
        statements: What is shown of the first rate minus, or divided by, the second.
        kind: Whether the rates are subtracted or divided.
        first_to_fall: (R,) of statements with the same number only the one that falls first is
            asked for; the others may then be off by one. All are exact when absent.

    Example:
        >>> first, second = (RateRows(np.array([x]), np.array([158]), np.ones(1)) for x in (49, 20))
        >>> gap = Statements(np.array([0.0]), np.array([True]), confidence=0.95, strict=True)
        >>> pairs_withstand(PairRows(first, second), gap, kind="difference").tolist()
        [15]
    """
    pairs = _Pairs(rows, statements, kind)
    found = _withstood(pairs.seem_shown, pairs.available, rows.first.n)
    if statements.confidence is None:
        return found
    exact = pairs.are_exact(found)
    if first_to_fall is not None:
        smallest = np.full(first_to_fall.max(initial=0) + 1, found.max(initial=0))
        np.minimum.at(smallest, first_to_fall, found)
        exact &= found <= smallest[first_to_fall] + 1
    positions = np.flatnonzero(exact)
    found[positions] = pairs.at(positions).searched(found[positions])
    return found


class _Pairs(NamedTuple):
    """Pairs with k mislabelled samples, which harm the statement."""

    rows: PairRows
    statements: Statements
    kind: Literal["difference", "ratio"]

    @property
    def available(self) -> Integers:
        """Samples that can be mislabelled so."""
        first = self.rows.first
        return np.where(self.statements.upward, first.x, first.n - first.x)

    def at(self, rows: Integers) -> "_Pairs":
        """Some of the pairs."""
        edge, upward, confidence, strict = self.statements
        statements = Statements(edge[rows], upward[rows], confidence, strict)
        return _Pairs(PairRows(*(group.at(rows) for group in self.rows)), statements, self.kind)

    def seem_shown(self, k: Integers) -> Flags:
        """Whether the statements hold, by the score statistic."""
        x1, n1, x2, n2 = self._tables(k)
        edge, upward, confidence, strict = self.statements
        if confidence is None:
            with np.errstate(divide="ignore", invalid="ignore"):
                rates = x1 / n1, x2 / n2
                value = rates[0] - rates[1] if self.kind == "difference" else rates[0] / rates[1]
            return self.statements.hold(value, value)
        x1 = np.where(self._are_few(k), x1 + np.where(upward, -_CAUTION, _CAUTION), x1)
        statistic = score_statistic if self.kind == "difference" else ratio_score_statistic
        found = statistic(np.clip(x1, 0, n1), n1, x2, n2, edge, corrected=True)
        z = critical_value(confidence) + (ROUNDING if strict else -ROUNDING)
        return np.asarray(np.where(upward, found, -found) >= z)

    def are_exact(self, found: Integers) -> Flags:
        """Whether the gate decides on exact intervals near what was found."""
        following = np.minimum(found + 1, self.available)
        near = self._are_few(np.maximum(found, 0)) | self._are_few(following)
        return np.asarray((found <= self.rows.first.n) & near)

    def searched(self, guess: Integers) -> Integers:
        """What the intervals of the gate itself withstand, looked for around a guess.

        Steps away from the guess double until they have gone too far, and then halve: the number
        of steps hardly grows with the number of samples.
        """
        held, fell = np.full_like(guess, -1), self.available + 1
        step = np.ones_like(guess)
        while len(open_ := np.flatnonzero(fell - held > 1)):
            some, least, most = self.at(open_), held[open_], fell[open_]
            middle = (least + most) // 2
            middle = np.where(most == some.available + 1, least + step[open_], middle)
            middle = np.where(least < 0, most - step[open_], middle)
            middle = np.where((least < 0) & (most == some.available + 1), guess[open_], middle)
            middle = np.clip(middle, least + 1, most - 1)
            shown = some.are_shown(middle)
            held[open_] = np.where(shown, middle, least)
            fell[open_] = np.where(shown, most, middle)
            step[open_] *= 2
        return held

    def are_shown(self, k: Integers) -> Flags:
        """Whether the statements hold, by the intervals that the gate decides on."""
        edge, upward, confidence, strict = self.statements
        x1, n1, x2, n2 = self._tables(k)
        # "At most" of the first against the second is "at least" of the second against the first.
        counts = (
            np.where(upward, x1, x2),
            np.where(upward, n1, n2),
            np.where(upward, x2, x1),
            np.where(upward, n2, n1),
        )
        shift = ROUNDING if strict else -ROUNDING
        turned = shift - edge if self.kind == "difference" else 1 / (edge - shift)
        edges = np.where(upward, edge + shift, turned)
        shown = self.seem_shown(k)
        few = np.flatnonzero(self._are_few(k))
        some = (counts[0][few], counts[1][few], counts[2][few], counts[3][few])
        shown[few] = exact_is_above(self.kind, some, edges[few], confidence=confidence or 0.0)
        return shown

    def _are_few(self, k: Integers) -> Flags:
        x1, n1, x2, n2 = self._tables(k)
        return np.asarray(np.minimum.reduce([x1, n1 - x1, x2, n2 - x2]) < FEW)

    def _tables(self, k: Integers) -> tuple[Floats, Floats, Floats, Floats]:
        """Effective counts of both groups."""
        (x1, n1, worth1), (x2, n2, worth2) = self.rows
        x1 = np.where(self.statements.upward, x1 - k, x1 + k)
        return x1 * worth1, n1 * worth1, x2 * worth2, n2 * worth2


def _withstood(
    hold: Callable[[Integers], Flags], available: Integers, beyond: Integers
) -> Integers:
    """Return the largest k up to `available` with which something that falls once holds.

    -1 where it does not hold at 0; `beyond` + 1 where it holds with all that is available.
    """
    least, most = np.full_like(available, -1), available + 1
    while (most - least > 1).any():
        middle = (least + most) // 2
        stands = hold(np.clip(middle, 0, available))
        searching = most - least > 1
        least = np.where(searching & stands, middle, least)
        most = np.where(searching & ~stands, middle, most)
    return np.where(least == available, beyond + 1, least)
