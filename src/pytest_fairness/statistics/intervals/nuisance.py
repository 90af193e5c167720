"""The largest chance, over every pair of rates that a hypothesis allows, of a set of tables.

A table is (x1, x2): the successes of two groups. The sets here are "at least as extreme as the
table seen": with x1 they contain every larger x1, with x2 every smaller x2. Their chance then
rises with the first rate and falls with the second, so only the edge of a hypothesis
"parameter <= value" needs to be searched: one nuisance rate is left. Many tables are searched at
once; what is found for one does not depend on the others.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.intervals.inversion import critical_value

__all__ = ["Extreme", "Parameter", "Peak", "Tables", "extreme_tables"]


# Tables whose score statistic differs less than this are tied: mirrored tables must be.
_TIE = 1e-7
# Counts farther than this from all rates searched have a chance below exp(-30) = 1e-13.
_UNSEEN = 30.0
# Points of the search are a quarter of a standard deviation apart, and at most so many of its
# peaks are refined.
_STEP, _PEAKS = 0.25, 3
# The number of points is a multiple of this, so that tables that are searched alike are many.
_POINTS = 8
# A range of counts that is wider than this is not enumerated: its chances are beta integrals.
_WIDE = 2_000
# Tables that are searched together have at most so many chances in all: they stay in the cache.
_ELEMENTS = 200_000
_RIGHT_ANGLE = np.pi / 2


@dataclass(frozen=True)
class Parameter:
    """A parameter of two rates that rises with the first and falls with the second.

    Attributes:
        statistic: score statistic of (x1, n1, x2, n2, value).
        first: the first rate, from the second and the value.
        second: the second rate, from the first and the value.
    """

    statistic: Callable[..., Floats]
    first: Callable[[Floats, Floats], Floats]
    second: Callable[[Floats, Floats], Floats]

    @property
    def turned(self) -> "Parameter":
        """The same of failures: the first rate is then 1 - the second one, and so on."""

        def statistic(x1: Floats, n1: Floats, x2: Floats, n2: Floats, value: Floats) -> Floats:
            return self.statistic(n2 - x2, n2, n1 - x1, n1, value)

        return Parameter(
            statistic,
            first=lambda second, value: 1 - self.second(1 - second, value),
            second=lambda first, value: 1 - self.first(1 - first, value),
        )


class Tables(NamedTuple):
    """T tables: successes and n of the first and of the second group, (T,) each."""

    x1: Integers
    n1: Integers
    x2: Integers
    n2: Integers

    def at(self, positions: Integers) -> "Tables":
        """Return some of the tables."""
        return Tables(*(count[positions] for count in self))

    @property
    def turned(self) -> "Tables":
        """The tables with failures instead of successes, and the groups in the other order."""
        return Tables(self.n2 - self.x2, self.n2, self.n1 - self.x1, self.n1)


class Peak(NamedTuple):
    """The largest chance of each set, and the place of the nuisance rate, (T,) each."""

    chance: Floats
    angle: Floats


class _Groups(NamedTuple):
    """T groups: the range of rates to search, and the W counts that can be seen under them.

    Columns (T, 1) and grids (T, W); counts that a group does not have are its n once more, with
    no chance at all.
    """

    n: Integers
    low: Floats
    high: Floats
    start: Integers
    width: Integers
    counts: Integers
    log_choose: Floats

    def chances(self, rates: Floats) -> Floats:
        """Return the chance of each count (T, R, W) under R rates of each group (T, R)."""
        rates = np.clip(rates, 1e-300, 1 - 1e-16)
        none = np.log1p(-rates)
        found = self.counts[:, None, :] * (np.log(rates) - none)[:, :, None]
        found += self.log_choose[:, None, :]
        found += (self.n * none)[:, :, None]
        return np.asarray(np.exp(found, out=found))

    def first_counts(self, rates: Floats, number: Integers) -> Floats:
        """Return the chance (T, R, N) of the first of the counts, for N numbers (T, N) of them."""
        if self.counts.size:
            below = np.zeros((*rates.shape, self.counts.shape[1] + 1))
            np.cumsum(self.chances(rates), axis=2, out=below[:, :, 1:])
            return np.take_along_axis(below, number[:, None, :], axis=2)
        last = (self.start + number - 1)[:, None, :]
        n, rates = self.n[:, :, None], np.clip(rates, 0, 1)[:, :, None]
        some = (number > 0)[:, None, :]
        found = special.betainc(np.maximum(n - last, 1e-300), np.maximum(last, 0) + 1, 1 - rates)
        return np.asarray(np.where(some, np.where(last >= n, 1.0, found), 0.0))

    def at(self, positions: Integers) -> "_Groups":
        """Some of the groups."""
        (n, low, high, start, width, counts, log_choose) = self
        one, two = (
            (n[positions], low[positions], high[positions]),
            (start[positions], width[positions]),
        )
        return _Groups(*one, *two, counts[positions], log_choose[positions])


@dataclass(frozen=True)
class Extreme:
    """T sets of tables, and the rates that are searched.

    Attributes:
        parameter: what is estimated.
        first: the first groups.
        second: the second groups.
        kept: with the i-th count of a first group, the first `kept[i]` of the second are in.
        missed: chance that the rates searched do not contain the true ones, (T,).
        points: number of points of each search.
    """

    parameter: Parameter
    first: _Groups
    second: _Groups
    kept: Integers
    missed: Floats
    points: int

    def at(self, positions: Integers) -> "Extreme":
        """Return some of the sets."""
        first, second = self.first.at(positions), self.second.at(positions)
        kept, missed = self.kept[positions], self.missed[positions]
        return Extreme(self.parameter, first, second, kept, missed, self.points)

    def largest_chance(self, value: Floats) -> Peak:
        """Return an upper bound of each set's chance wherever its parameter is at most `value`.

        The chance that the rates searched miss the true ones is added.

        Source: Chan (1998), Statist. Med. 17, 1403-1413; Berger and Boos (1994), J. Am. Stat.
            Assoc. 89, 1012-1016.
        """
        # In this scale the chance changes about as fast everywhere, the ends included.
        angles = np.linspace(0, _RIGHT_ANGLE, self.points)
        values = self._chance(np.broadcast_to(angles, (len(value), self.points)), value)
        outside = np.full((len(value), 1), -np.inf)
        rises = values >= np.hstack([outside, values[:, :-1]])
        falls = values >= np.hstack([values[:, 1:], outside])
        peaks = np.where(rises & falls, values, -1.0)
        chosen = np.argsort(peaks, axis=1)[:, -_PEAKS:]
        found = [self._refined(value, angles[column]) for column in chosen.T]
        best = np.argmax([peak.chance for peak in found], axis=0)
        rows = np.arange(len(value))
        chance, angle = (np.array(part)[best, rows] for part in zip(*found, strict=True))
        return Peak(np.minimum(chance + self.missed, 1.0), angle)

    def chance_near(self, value: Floats, angle: Floats) -> Peak:
        """Return the same for the peak that is near an angle (T,) at a value not far away."""
        chance, angle = self._refined(value, angle)
        return Peak(np.minimum(chance + self.missed, 1.0), angle)

    def _refined(self, value: Floats, centre: Floats) -> Peak:
        """Return the peak around an angle: that of a parabola through the best of nine points."""
        step = _RIGHT_ANGLE / (self.points - 1)
        angles = np.clip(centre[:, None] + step * np.linspace(-1, 1, 9), 0, _RIGHT_ANGLE)
        values = self._chance(angles, value)
        rows = np.arange(len(value))
        best = values.argmax(axis=1)
        middle = np.clip(best, 1, 7)
        (a, b, c), (left, centre, right) = (
            (grid[rows, middle - 1], grid[rows, middle], grid[rows, middle + 1])
            for grid in (values, angles)
        )
        even = np.isclose(right - centre, centre - left)
        with np.errstate(divide="ignore", invalid="ignore"):
            shift = (a - c) / (2 * (a - 2 * b + c))
        inside = even & (np.abs(shift) <= 1)
        shift = np.where(inside, shift, 0.0)
        top = b - (a - c) * shift / 4
        rounded = inside & (top >= values[rows, best])
        chance = np.where(rounded, top, values[rows, best])
        angle = np.where(rounded, centre + shift * (right - left) / 2, angles[rows, best])
        return Peak(chance, angle)

    def _chance(self, angles: Floats, value: Floats) -> Floats:
        """Return the chance of each set at R places (T, R) along the edge of its hypothesis."""
        value = value[:, None]
        low, high = self._second_rates(value)
        second = low + (high - low) * np.sin(angles) ** 2
        first = np.clip(self.parameter.first(second, value), self.first.low, self.first.high)
        below = self.second.first_counts(second, self.kept)
        found = np.einsum("trx,trx->tr", self.first.chances(first), below)
        return np.asarray(np.where(low > high, 0.0, found))

    def _second_rates(self, value: Floats) -> tuple[Floats, Floats]:
        """Return the range of the second rate along the edge of the hypothesis."""
        first, second = self.first, self.second
        low = np.maximum(second.low, self.parameter.second(first.low, value))
        most = np.maximum(low, self.parameter.second(first.high, value))
        return low, np.minimum(second.high, most)


def extreme_tables(
    parameter: Parameter, tables: Tables, bound: Floats, *, missed: Floats
) -> list[tuple[Integers, Extreme]]:
    """Return the tables whose lower 95 % score bound is at least that of the tables seen.

    Args:
        parameter: what is estimated.
        tables: what was seen.
        bound: their lower 95 % score bounds, (T,).
        missed: rates are searched in a region that misses the true ones with at most this chance
            (T,); this keeps far-off rates from widening intervals, and the search short.

    Returns:
        Parts that are searched alike: the positions of their tables, and the sets.
    """
    # Each group has half of the chance to be missed.
    first, second = (
        _ranges(x, n, missed / 2) for x, n in ((tables.x1, tables.n1), (tables.x2, tables.n2))
    )
    spans = np.maximum(first.deviations, second.deviations)
    points = 16 + _POINTS * (spans / _STEP // _POINTS + 1).astype(np.int64)
    # The wider of two groups is the second one where its counts are too many to enumerate.
    wide = np.maximum(first.width, second.width) > _WIDE
    turn = wide & (first.width > second.width)
    widths = np.where(wide, np.minimum(first.width, second.width), first.width + second.width)
    parts: list[tuple[Integers, Extreme]] = []
    for positions in _alike(points, widths, turn, wide):
        one = positions[0]
        parameter_here, tables_here = parameter, tables.at(positions)
        ranges = first.at(positions), second.at(positions)
        if turn[one]:
            parameter_here, tables_here = parameter.turned, tables_here.turned
            ranges = ranges[1].turned, ranges[0].turned
        groups = _groups(ranges[0]), _groups(ranges[1], enumerated=not wide[one])
        kept = _kept(parameter_here, tables_here, bound[positions, None], groups)
        extreme = Extreme(parameter_here, *groups, kept, missed[positions], int(points[one]))
        parts.append((positions, extreme))
    return parts


class _Ranges(NamedTuple):
    """Rates to be searched of T groups, and the counts that can be seen under them, (T,) each."""

    n: Integers
    low: Floats
    high: Floats
    start: Integers
    width: Integers

    @property
    def deviations(self) -> Floats:
        """How many standard deviations the rates span."""
        least, most = np.arcsin(np.sqrt(np.clip([self.low, self.high], 0, 1)))
        return np.asarray(2 * np.sqrt(self.n) * (most - least))

    @property
    def turned(self) -> "_Ranges":
        """The same of failures."""
        return _Ranges(
            self.n, 1 - self.high, 1 - self.low, self.n - self.start - self.width + 1, self.width
        )

    def at(self, positions: Integers) -> "_Ranges":
        """Those of some groups."""
        n, low, high, start, width = self
        ends = low[positions], high[positions]
        return _Ranges(n[positions], *ends, start[positions], width[positions])


def _ranges(x: Integers, n: Integers, missed: Floats) -> _Ranges:
    least = special.betaincinv(np.maximum(x, 1), n - x + 1, missed / 2)
    most = special.betainccinv(x + 1, np.maximum(n - x, 1), missed / 2)
    low = np.where(x == 0, 0.0, least).astype(np.float64)
    high = np.where(x == n, 1.0, most).astype(np.float64)
    start = np.maximum(0, (n * low - _reach(n, low)).astype(np.int64))
    last = np.minimum(n, (n * high + _reach(n, high)).astype(np.int64) + 1)
    return _Ranges(n, low, high, start, last - start + 1)


def _reach(n: Integers, rate: Floats) -> Floats:
    """Return how far a binomial count strays from its mean but for a chance of exp(-_UNSEEN).

    Source: Bernstein's inequality.
    """
    return np.asarray(np.sqrt(2 * _UNSEEN * n * rate * (1 - rate)) + 2 * _UNSEEN / 3)


def _groups(ranges: _Ranges, *, enumerated: bool = True) -> _Groups:
    n, start, width = (values[:, None] for values in (ranges.n, ranges.start, ranges.width))
    low, high = ranges.low[:, None], ranges.high[:, None]
    counts = start + np.arange(width.max() if enumerated else 0)
    known = np.minimum(counts, n)
    log_choose: Floats = special.gammaln(n + 1.0) - special.gammaln(known + 1.0)
    log_choose = np.where(
        counts < start + width, log_choose - special.gammaln(n - known + 1), -np.inf
    )
    return _Groups(n, low, high, start, width, known, log_choose)


def _kept(
    parameter: Parameter, tables: Tables, bound: Floats, groups: tuple[_Groups, _Groups]
) -> Integers:
    """For each first count, halve towards the number of second counts that are in the set."""
    x1, n1, x2, n2 = (count[:, None] for count in tables)
    first, second = groups
    least = critical_value(0.95) - _TIE
    kept = np.zeros_like(first.counts)
    excluded = np.broadcast_to(second.width + 1, first.counts.shape)
    while (excluded - kept > 1).any():
        middle = (kept + excluded) // 2
        last = second.start + np.maximum(middle, 1) - 1
        inside = parameter.statistic(first.counts, n1, last, n2, bound) >= least
        # The table seen is in, however its bound was rounded, and so is any more extreme one.
        inside |= (middle == 0) | ((first.counts >= x1) & (last <= x2))
        kept, excluded = np.where(inside, middle, kept), np.where(inside, excluded, middle)
    return np.asarray(kept)


def _alike(points: Integers, widths: Integers, *flags: NDArray[np.bool_]) -> Iterator[Integers]:
    """Positions of tables with the same points and flags, about as wide, few enough to be quick."""
    keys = np.stack([points, *flags])
    order = np.lexsort((widths, *keys))
    start = 0
    for end in range(1, len(order) + 1):
        some = order[start:end]
        if end < len(order):
            following = order[end]
            elements = (len(some) + 1) * points[following] * widths[following]
            if (keys[:, following] == keys[:, some[0]]).all() and elements <= _ELEMENTS:
                continue
        yield some
        start = end
