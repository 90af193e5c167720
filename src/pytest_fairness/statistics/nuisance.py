"""The largest chance, over every pair of rates that a hypothesis allows, of a set of tables.

A table is (x1, x2): the successes of two groups. The sets here are "at least as extreme as the
table seen": with x1 they contain every larger x1, with x2 every smaller x2. Their chance then
rises with the first rate and falls with the second, so only the edge of a hypothesis
"parameter <= value" needs to be searched: one nuisance rate is left.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.inversion import critical_value
from pytest_fairness.statistics.rates import clopper_pearson

__all__ = ["Extreme", "Parameter", "extreme_tables"]

Floats: TypeAlias = NDArray[np.float64]
Integers: TypeAlias = NDArray[np.int64]

# Tables whose score statistic differs less than this are tied: mirrored tables must be.
_TIE = 1e-7
# Counts farther than this from all rates searched have a chance below exp(-30) = 1e-13.
_UNSEEN = 30.0
# Points of the search are a quarter of a standard deviation apart, then refined around peaks.
_STEP, _PEAKS, _ZOOMS = 0.25, 4, 2


@dataclass(frozen=True)
class Parameter:
    """A parameter of two rates that rises with the first and falls with the second.

    Attributes:
        statistic: score statistic of (x1, n1, x2, n2, value).
        first: the first rate, from the second and the value.
        second: the second rate, from the first and the value.
    """

    statistic: Callable[..., Floats]
    first: Callable[[Floats, float], Floats]
    second: Callable[[float, float], float]


class _Group(NamedTuple):
    """One group: the range of rates to search, and the counts that can be seen under them."""

    n: int
    low: float
    high: float
    counts: Integers
    log_choose: Floats

    def chances(self, rates: Floats) -> Floats:
        """Return the binomial chances: a row for each rate, a column for each count."""
        rates = np.clip(rates, 1e-300, 1 - 1e-16)
        successes = np.outer(np.log(rates), self.counts)
        failures = np.outer(np.log1p(-rates), self.n - self.counts)
        return np.asarray(np.exp(self.log_choose + successes + failures))


@dataclass(frozen=True)
class Extreme:
    """A set of tables, and the rates that are searched.

    Attributes:
        parameter: what is estimated.
        first: the first group.
        second: the second group.
        kept: with the i-th count of the first group, the first `kept[i]` of the second are in.
        missed: chance that the rates searched do not contain the true ones.
    """

    parameter: Parameter
    first: _Group
    second: _Group
    kept: Integers
    missed: float

    def largest_chance(self, value: float) -> float:
        """Return an upper bound of the set's chance wherever the parameter is at most `value`.

        The chance that the rates searched miss the true ones is added.

        Source: Chan (1998), Statist. Med. 17, 1403-1413; Berger and Boos (1994), J. Am. Stat.
            Assoc. 89, 1012-1016.
        """
        low, high = self._second_rates(value)
        if low > high:
            return self.missed

        def chance(angles: Floats) -> Floats:
            return self._chance(low + (high - low) * np.sin(angles) ** 2, value)

        # In this scale the chance changes about as fast everywhere, the ends included.
        angles = np.linspace(0, np.pi / 2, self._points(low, high, value))
        return min(1.0, _peak(chance, angles) + self.missed)

    def _second_rates(self, value: float) -> tuple[float, float]:
        """Return the range of the second rate along the edge of the hypothesis."""
        first, second = self.first, self.second
        low = max(second.low, self.parameter.second(first.low, value))
        return low, min(second.high, max(low, self.parameter.second(first.high, value)))

    def _first_rates(self, second: Floats, value: float) -> Floats:
        return np.clip(self.parameter.first(second, value), self.first.low, self.first.high)

    def _chance(self, second: Floats, value: float) -> Floats:
        """Return the chance of the set for each second rate on the edge."""
        below = np.zeros((len(second), len(self.second.counts) + 1))
        np.cumsum(self.second.chances(second), axis=1, out=below[:, 1:])
        first = self.first.chances(self._first_rates(second, value))
        return np.asarray(np.einsum("rx,rx->r", first, below[:, self.kept]))

    def _points(self, low: float, high: float, value: float) -> int:
        ends = np.array([low, high])
        deviations = [
            np.ptp(2 * np.sqrt(group.n) * np.arcsin(np.sqrt(np.clip(rates, 0, 1))))
            for group, rates in (
                (self.first, self._first_rates(ends, value)),
                (self.second, ends),
            )
        ]
        return 16 + int(max(deviations) / _STEP)


def extreme_tables(
    parameter: Parameter, table: tuple[int, int, int, int], bound: float, *, missed: float
) -> Extreme:
    """Return the tables whose lower 95 % score bound is at least that of the table seen.

    Args:
        parameter: what is estimated.
        table: x1, n1, x2, n2 as seen.
        bound: its lower 95 % score bound.
        missed: rates are searched in a region that misses the true ones with at most this chance;
            this keeps far-off rates from widening intervals, and the search short.
    """
    x1, n1, x2, n2 = table
    # Each group has half of the chance to be missed.
    first, second = _group(x1, n1, missed / 2), _group(x2, n2, missed / 2)
    least = critical_value(0.95) - _TIE
    # For each first count, halve towards the number of second counts that are in the set.
    kept, excluded = np.zeros_like(first.counts), np.full_like(first.counts, len(second.counts) + 1)
    while (excluded - kept > 1).any():
        middle = (kept + excluded) // 2
        last = second.counts[np.maximum(middle, 1) - 1]
        inside = parameter.statistic(first.counts, n1, last, n2, bound) >= least
        # The table seen is in, however its bound was rounded, and so is any more extreme one.
        inside |= (middle == 0) | ((first.counts >= x1) & (last <= x2))
        kept, excluded = np.where(inside, middle, kept), np.where(inside, excluded, middle)
    return Extreme(parameter, first, second, kept, missed)


def _group(x: int, n: int, missed: float) -> _Group:
    low, high = (float(bound) for bound in clopper_pearson(x, n, level=1 - missed))
    least, most = n * low - _reach(n, low), n * high + _reach(n, high)
    counts = np.arange(max(0, int(least)), min(n, int(most) + 1) + 1)
    log_choose = special.gammaln(n + 1) - special.gammaln(counts + 1)
    return _Group(n, low, high, counts, log_choose - special.gammaln(n - counts + 1))


def _reach(n: int, rate: float) -> float:
    """Return how far a binomial count strays from its mean but for a chance of exp(-_UNSEEN).

    Source: Bernstein's inequality.
    """
    return float(np.sqrt(2 * _UNSEEN * n * rate * (1 - rate)) + 2 * _UNSEEN / 3)


def _peak(chance: Callable[[Floats], Floats], angles: Floats) -> float:
    """Return the maximum of a smooth function: the best points of a grid, refined."""
    values = chance(angles)
    rises = np.concatenate([[True], values[1:] >= values[:-1]])
    falls = np.concatenate([values[:-1] >= values[1:], [True]])
    peaks = np.flatnonzero(rises & falls)
    centres = angles[peaks[np.argsort(values[peaks])[-_PEAKS:]]]
    step = angles[1]
    for _ in range(_ZOOMS):
        grid = np.clip(centres[:, None] + step * np.linspace(-1, 1, 9), 0, np.pi / 2)
        values = chance(grid.ravel()).reshape(grid.shape)
        centres = grid[np.arange(len(grid)), values.argmax(axis=1)]
        step /= 4
    return float(values.max())
