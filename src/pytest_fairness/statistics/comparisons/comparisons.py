"""Groups alone, against one reference, against the best one, or all with each other."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.measured import Kind, Measured
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni

__all__ = ["AgainstBest", "AgainstReference", "Alone", "BetweenAll", "GroupComparison"]


class GroupComparison(Protocol):
    """R answers about G groups, each with a value and an interval."""

    @property
    def group(self) -> Integers:
        """The position of the group of each answer (R,)."""

    @property
    def reference(self) -> Integers:
        """The position of the reference of each answer (R,), -1 where it is not compared."""

    @property
    def value(self) -> Floats:
        """The value of each answer (R,), or nan where it is undefined."""

    def bounds(self, confidence: float, rows: Integers, *, size: Floats | float = 0.0) -> Interval:
        """Return the intervals of some answers.

        Args:
            confidence: Confidence level of each interval, 0 to 1.
            rows: Positions of the answers.
            size: As if each group had at least so many samples like those seen; one a row.
        """

    def pairs_of(self, row: int) -> tuple[Integers, Integers | None]:
        """Return the positions of the pairs whose intervals an answer uses, or None where nothing is compared."""


@dataclass(frozen=True, slots=True)
class Alone:
    """The value of each group.

    Args:
        measured: The G groups.
    """

    measured: Measured

    @property
    def group(self) -> Integers:
        """The groups, all of them in order."""
        return np.arange(len(self.measured.counts.n))

    @property
    def reference(self) -> Integers:
        """The reference of each group, -1: no group is compared."""
        return np.full(len(self.measured.counts.n), -1)

    @property
    def value(self) -> Floats:
        """The value of each group."""
        return self.measured.values

    def bounds(self, confidence: float, rows: Integers, *, size: Floats | float = 0.0) -> Interval:
        """Return the interval of each value."""
        return self.measured.alone(confidence, groups=rows, size=size)

    def pairs_of(self, row: int) -> tuple[Integers, Integers | None]:
        """Return the group itself."""
        return np.array([row]), None


@dataclass(frozen=True, slots=True)
class AgainstReference:
    """A comparison of every group with one reference group.

    Args:
        measured: The G groups.
        position: Position of the reference group.
        kind: `difference` (p - p_reference) or `ratio` (p / p_reference).
    """

    measured: Measured
    position: int
    kind: Kind

    @property
    def group(self) -> Integers:
        """The others, in order."""
        return np.delete(np.arange(len(self.measured.counts.n)), self.position)

    @property
    def reference(self) -> Integers:
        """The reference of each pair, always the same group."""
        return np.full(len(self.measured.counts.n) - 1, self.position)

    @property
    def value(self) -> Floats:
        """The difference or ratio of each pair."""
        return self.measured.compare(self.group, self.reference, kind=self.kind)

    def bounds(self, confidence: float, rows: Integers, *, size: Floats | float = 0.0) -> Interval:
        """Return the interval of each pair."""
        first, second = self.group[rows], self.reference[rows]
        return self.measured.pairs(first, second, kind=self.kind, confidence=confidence, size=size)

    def pairs_of(self, row: int) -> tuple[Integers, Integers | None]:
        """Return the group and the reference."""
        return self.group[[row]], self.reference[[row]]


@dataclass(frozen=True, slots=True)
class AgainstBest:
    """A comparison of every group with the best group, which the data choose.

    A group's distance to the best is the smallest (largest, when lower is better) of its
    distances to all groups. The bound towards the best is that of a fixed pair and needs no
    correction; the other is taken over pairs that the data choose, so it is simultaneous
    (Bonferroni over the rivals). Groups that are not defined are left out.

    Args:
        measured: The G groups.
        kind: `difference` or `ratio`.
        higher_is_better: Which end is the best.
        eligible: Which groups (G,) may be the best.

    Source: Hsu (1996), Multiple Comparisons, ch. 4 (comparison with the best).
    """

    measured: Measured
    kind: Kind
    higher_is_better: bool
    eligible: NDArray[np.bool_]

    @property
    def group(self) -> Integers:
        """The groups, all of them in order."""
        return np.arange(len(self.eligible))

    @property
    def reference(self) -> Integers:
        """The best group of the data."""
        best = _extreme(self.measured, self._candidates, largest=self.higher_is_better)
        return np.full(len(self.eligible), best)

    @property
    def value(self) -> Floats:
        """The distance of each group to the best, nan for 0 divided by 0."""
        first, second = self._pairs(self.group)
        pairs = self.measured.compare(first, second, kind=self.kind)
        grid, best = pairs.reshape(len(self.eligible), -1), self.reference
        to_best = np.isnan(grid[self.group, best])  # 0 / 0, the best group with itself included
        to_rivals = (self._usable & ~np.isnan(grid)).any(axis=1) & (best == self.group)
        return np.where(to_best & ~to_rivals, np.nan, self._nearest(pairs, self.group))

    def bounds(self, confidence: float, rows: Integers, *, size: Floats | float = 0.0) -> Interval:
        """Return the interval of each distance."""
        first, second = self._pairs(rows)
        sizes = np.repeat(np.broadcast_to(size, rows.shape), len(self.eligible))
        plain, wide = (
            self.measured.pairs(first, second, kind=self.kind, confidence=one, size=sizes)
            for one in (confidence, bonferroni(confidence, self._rivals))
        )
        if self.higher_is_better:
            return Interval(self._nearest(plain.low, rows), self._nearest(wide.high, rows))
        return Interval(self._nearest(wide.low, rows), self._nearest(plain.high, rows))

    def pairs_of(self, row: int) -> tuple[Integers, Integers | None]:
        """Return the group and each of its rivals."""
        rivals = np.flatnonzero(self._usable[row])
        return np.full_like(rivals, row), rivals

    @property
    def _candidates(self) -> NDArray[np.bool_]:
        return np.asarray(self.measured.defined & self.eligible)

    @property
    def _usable(self) -> NDArray[np.bool_]:
        """Which groups (columns) each group (row) is compared with."""
        others = ~np.eye(len(self.eligible), dtype=bool)
        return np.asarray(self._candidates & self.measured.defined[:, None] & others)

    @property
    def _rivals(self) -> int:
        return int(self._usable.sum(axis=1).max(initial=0))

    def _pairs(self, rows: Integers) -> tuple[Integers, Integers]:
        size = len(self.eligible)
        return np.repeat(rows, size), np.tile(np.arange(size), len(rows))

    def _nearest(self, pairs: Floats, rows: Integers) -> Floats:
        """The smallest (largest) over the rivals of each row, itself included."""
        grid = pairs.reshape(len(rows), -1)
        same = 0.0 if self.kind == "difference" else 1.0
        extreme = np.min if self.higher_is_better else np.max
        known = self._usable[rows] & ~np.isnan(grid)
        nearest = extreme(grid, axis=1, initial=same, where=known)
        return np.where(self.measured.defined[rows] & (self._rivals > 0), nearest, np.nan)


@dataclass(frozen=True, slots=True)
class BetweenAll:
    """The two groups that are farthest apart (ratio: the smallest over the largest).

    The outer bound of a gap is the outermost over all pairs: the true extreme pair is fixed, so
    no correction is needed (intersection-union). The inner bound is taken over pairs that the
    data choose, so it is simultaneous (Bonferroni over the pairs). Unlike a percentile bootstrap
    of max - min, the interval contains 0 for a fair model. Groups that are not defined are left
    out.

    Args:
        measured: The G groups.
        kind: `difference` or `ratio`.

    Source: Berger (1982), Technometrics 24, 295-300 (intersection-union tests).
    """

    measured: Measured
    kind: Kind

    @property
    def group(self) -> Integers:
        """The group with the larger value. Of a ratio, the smaller one."""
        return self._extremes[:1]

    @property
    def reference(self) -> Integers:
        """The other one."""
        return self._extremes[1:]

    @property
    def value(self) -> Floats:
        """The largest gap, or nan with fewer than two groups."""
        if self.measured.defined.sum() < 2:
            return np.array([np.nan])
        return self.measured.compare(self.group, self.reference, kind=self.kind)

    def bounds(self, confidence: float, rows: Integers, *, size: Floats | float = 0.0) -> Interval:
        """Return the interval of the largest gap, once for each row."""
        found = [self._bounds(confidence, float(one)) for one in np.broadcast_to(size, rows.shape)]
        return Interval(*np.array(found).reshape(-1, 2).T)

    def pairs_of(self, row: int) -> tuple[Integers, Integers | None]:  # noqa: ARG002
        """Return every pair of groups."""
        return self._pairs

    def _bounds(self, confidence: float, size: float) -> tuple[float, float]:
        first, second = self._pairs
        if not len(first):
            return np.nan, np.nan
        plain, wide = (
            self.measured.pairs(first, second, kind=self.kind, confidence=one, size=size)
            for one in (confidence, bonferroni(confidence, len(first)))
        )
        if self.kind == "difference":
            low, high = (
                max(wide.low.max(), -wide.high.min()),
                max(plain.high.max(), -plain.low.min()),
            )
            return max(low, 0.0), high
        with np.errstate(divide="ignore"):
            low = min(plain.low.min(), (1 / plain.high).min())
            high = min(wide.high.min(), (1 / wide.low).min())
        return low, min(high, 1.0)

    @property
    def _pairs(self) -> tuple[Integers, Integers]:
        defined = np.flatnonzero(self.measured.defined)
        first, second = np.triu_indices(len(defined), k=1)
        return defined[first], defined[second]

    @property
    def _extremes(self) -> Integers:
        """Positions of the larger and the smaller value; of a ratio, the other way round."""
        defined = self.measured.defined
        top, bottom = (_extreme(self.measured, defined, largest=end) for end in (True, False))
        first, second = self._pairs
        if np.isnan(self.measured.values).all() and len(first):
            gaps = self.measured.compare(first, second, kind=self.kind)
            widest = _most(gaps if self.kind == "difference" else -gaps)
            top, bottom = int(first[widest]), int(second[widest])
        return np.array([top, bottom] if self.kind == "difference" else [bottom, top])


def _extreme(measured: Measured, among: NDArray[np.bool_], *, largest: bool) -> int:
    values = np.where(among, measured.values, np.nan)
    return _most(values if largest else -values)


def _most(values: Floats) -> int:
    return int(np.where(np.isnan(values), -np.inf, values).argmax())
