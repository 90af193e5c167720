"""Whether any rates of two independent groups pass, along the edges of all that a model can answer.

A question about a rate of a group and of its reference depends on two counts. Along an edge one of
them stays as an extreme model has it, and the other goes from its least to its most. Both ends of the
interval then move the same way, so the first count that brings one end within the limit decides. The
edges of many questions are searched together.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.policy import Limit
from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Kind
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Looks

__all__ = ["Edges", "PairLimit"]

# Where the score interval reaches over the limit by more than this part of its width, so does the one
# that decides: tests/unit/gate/decision/answerable/test_edges.py compares them.
_BY_FAR = 0.3


class Edges(NamedTuple):
    """Edges along which the value of a pair rises: E starts, directions and lengths, (E,) each.

    Args:
        x1: Successes of the first group at the start.
        n1: Its samples.
        x2: Successes of the second group at the start.
        n2: Its samples.
        step1: 1 where the successes of the first group rise, else 0.
        span: Number of steps. Where the first group stays, successes of the second one fall.
    """

    x1: Integers
    n1: Integers
    x2: Integers
    n2: Integers
    step1: Integers
    span: Integers

    @classmethod
    def between(cls, first: Sequence[int], n1: int, second: Sequence[int], n2: int) -> "Edges":
        """Return the edges of two groups.

        Args:
            first: Successes of the first group by each of the extreme models.
            n1: Its samples.
            second: Successes of the second group by the same models.
            n2: Its samples.

        Example:
            >>> Edges.between([20, 0], 20, [30, 0], 30).span.tolist()
            [20, 20, 30, 30]
        """
        rises = [(min(first), x2, 1, max(first) - min(first)) for x2 in sorted({*second})]
        falls = [(x1, max(second), 0, max(second) - min(second)) for x1 in sorted({*first})]
        x1, x2, step1, span = np.array([*rises, *falls], dtype=np.int64).T
        return cls(x1, np.full_like(x1, n1), x2, np.full_like(x2, n2), step1, span)

    @classmethod
    def together(cls, parts: Sequence["Edges"]) -> "Edges":
        """Return the edges of several pairs, one pair after the other."""
        return cls(*(np.concatenate(each) for each in zip(*parts, strict=True)))

    def at(self, rows: Integers) -> "Edges":
        """Return some of the edges."""
        return Edges(*(each[rows] for each in self))

    def rates(self, steps: Integers) -> GroupRates:
        """Return the rates of the first groups and of the second groups after some steps, (2 E,)."""
        x1, x2 = self.x1 + steps * self.step1, self.x2 - steps * (1 - self.step1)
        return GroupRates(RateCounts(np.concatenate([x1, x2]), np.concatenate([self.n1, self.n2])))


@dataclass(frozen=True, slots=True)
class PairLimit:
    """The limit on a difference or ratio of two rates, and the interval that must keep it.

    Args:
        limit: The limit.
        kind: Whether rates are subtracted or divided.
        confidence: Confidence level of the interval that must keep the limit, 0 to 1.
        looks: How often the set may be looked at.
        whole: Smallest and largest value of the interval.
    """

    limit: Limit
    kind: Kind
    confidence: float
    looks: Looks
    whole: tuple[float, float]

    def may_pass(self, edges: Edges) -> NDArray[np.bool_]:
        """Return whether the interval of some counts along each edge keeps the limit, (E,).

        Args:
            edges: The edges, with samples in both groups.

        Example:
            >>> limit = PairLimit(Limit("max", -0.1, 0.1), "difference", 0.95, 1, (-1.0, 1.0))
            >>> edges = [Edges.between([n, 0], n, [n, 0], n) for n in (20, 200)]
            >>> limit.may_pass(Edges.together(edges)).tolist()
            [False, False, False, False, True, True, True, True]
        """
        passes = np.zeros(len(edges.span), dtype=bool)
        start = np.minimum(self._guess(edges), edges.span)
        left = np.flatnonzero(~self._is_over_by_far(self._interval(edges, start, guessed=True)))
        below, above, tried = np.full(len(start), -1), edges.span + 1, start.copy()
        rounds = 0
        while len(left):
            steps = tried[left]
            low, high = self._interval(edges.at(left), steps)
            within = low >= self.limit.low
            passes[left] = (low >= self.limit.low - ROUNDING) & (high <= self.limit.high + ROUNDING)
            above[left] = np.where(within, steps, above[left])
            below[left] = np.where(within, below[left], steps)
            # The guess is nearly right: look beside it before halving.
            beside = np.where(within, steps - 1, steps + 1)
            tried[left] = beside if rounds < 2 else (below[left] + above[left]) // 2
            left = left[~passes[left] & (above[left] - below[left] > 1)]
            rounds += 1
        return passes

    def _guess(self, edges: Edges) -> Integers:
        """Return after how many steps the score interval comes within the lower limit.

        Where it never does, one more than there are.
        """
        below, above = np.full(len(edges.span), -1), edges.span + 1
        while (open_ := above - below > 1).any():
            middle = np.where(open_, (below + above) // 2, 0)
            within = self._interval(edges, middle, guessed=True).low >= self.limit.low
            above = np.where(open_ & within, middle, above)
            below = np.where(open_ & ~within, middle, below)
        return above

    def _is_over_by_far(self, interval: Interval) -> NDArray[np.bool_]:
        low, high, least, most = (
            self._place(end) for end in (*interval, self.limit.low, self.limit.high)
        )
        with np.errstate(invalid="ignore"):
            return np.asarray(np.maximum(least - low, high - most) > _BY_FAR * (high - low))

    def _place(self, end: Floats | float) -> Floats:
        """An end of an interval on a scale on which distances are alike; of ratios, a logarithm."""
        if self.kind == "difference":
            return np.asarray(end, dtype=np.float64)
        with np.errstate(divide="ignore"):
            return np.asarray(np.log(end))

    def _interval(self, edges: Edges, steps: Integers, *, guessed: bool = False) -> Interval:
        first = np.arange(len(steps))
        return at_looks(edges.rates(steps), self.looks, whole=self.whole).pairs(
            first,
            first + len(steps),
            kind=self.kind,
            confidence=self.confidence,
            # Each group has one sample at least: this changes no counts, and asks for a guess.
            size=float(guessed),
        )
