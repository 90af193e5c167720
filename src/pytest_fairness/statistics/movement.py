"""How a rate moved between two releases: image by image, or from the counts of each alone."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.defaults import difference_interval
from pytest_fairness.statistics.metrics import RateCounts
from pytest_fairness.statistics.paired import tango
from pytest_fairness.statistics.rates import Interval

__all__ = ["Movement", "PairTables", "pair_tables"]


class PairTables(NamedTuple):
    """The 2 x 2 tables of G groups: samples by whether the event was seen now and then."""

    both: NDArray[np.float64]
    now_only: NDArray[np.float64]
    then_only: NDArray[np.float64]
    neither: NDArray[np.float64]

    @property
    def n(self) -> NDArray[np.float64]:
        """Samples of each group."""
        return self.both + self.now_only + self.then_only + self.neither

    def grown(self, size: float) -> "PairTables":
        """The tables if every group had at least `size` samples with the same shares."""
        factor = np.maximum(size / np.maximum(self.n, 1), 1.0)
        return PairTables(*(cell * factor for cell in self))


def pair_tables(
    now: NDArray[np.bool_], then: NDArray[np.bool_], groups: NDArray[np.int64], *, size: int
) -> PairTables:
    """Count what was seen of each sample now and then, in each group.

    Args:
        now: (N,) whether the event is seen now.
        then: (N,) whether it was seen then.
        groups: (N,) position of the sample's group, 0 to `size` - 1.
        size: Number G of groups; one without samples has a table of zeros.

    Example:
        >>> now, then = np.array([True, True, False]), np.array([True, False, True])
        >>> tables = pair_tables(now, then, np.array([0, 0, 0]), size=2)
        >>> tables.now_only.tolist(), tables.n.tolist()
        ([1.0, 0.0], [3.0, 0.0])
    """
    cells = (now & then, now & ~then, ~now & then, ~now & ~then)
    return PairTables(
        *(np.bincount(groups[cell], minlength=size).astype(np.float64) for cell in cells)
    )


@dataclass(frozen=True, slots=True)
class Movement:
    """The rates of G groups now and then.

    Args:
        now: Successes and n of each group now.
        then: The same then.
        pairs: The tables of the same samples; None where the samples are not the same.
    """

    now: RateCounts
    then: RateCounts
    pairs: PairTables | None = None

    @classmethod
    def paired(cls, tables: PairTables) -> "Movement":
        """The movement of samples that were seen now and then."""
        now = RateCounts(tables.both + tables.now_only, tables.n)
        return cls(now, RateCounts(tables.both + tables.then_only, tables.n), tables)

    @property
    def change(self) -> NDArray[np.float64]:
        """Rate now minus rate then (G,); nan where one of them is undefined."""
        return _rate(self.now) - _rate(self.then)

    @property
    def total(self) -> NDArray[np.float64]:
        """Rate now plus rate then (G,)."""
        return _rate(self.now) + _rate(self.then)

    def change_interval(self, level: float) -> Interval:
        """Interval of the change: Tango's for pairs, else that of independent rates."""
        if self.pairs is not None:
            return tango(self.pairs.now_only, self.pairs.then_only, self.pairs.n, level=level)
        return difference_interval(*self.now, *self.then, level=level)

    def total_interval(self, level: float) -> Interval:
        """Interval of the total: 1 + the rate now - the share without the event then."""
        if self.pairs is not None:
            bounds = tango(self.pairs.both, self.pairs.neither, self.pairs.n, level=level)
        else:
            misses = self.then.n - self.then.successes
            bounds = difference_interval(*self.now, misses, self.then.n, level=level)
        return Interval(1 + bounds.low, 1 + bounds.high)

    def at(self, group: int) -> "Movement":
        """The movement of one group, as arrays of length 1."""
        one = slice(group, group + 1)
        pairs = None if self.pairs is None else PairTables(*(cell[one] for cell in self.pairs))
        return Movement(_slice(self.now, one), _slice(self.then, one), pairs)

    def grown(self, size: float) -> "Movement":
        """The movement if every group had at least `size` samples, now and then."""
        if self.pairs is not None:
            return Movement.paired(self.pairs.grown(size))
        return Movement(self.now.grown(size), self.then.grown(size))


def _rate(counts: RateCounts) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.asarray(counts.successes / counts.n, dtype=np.float64)


def _slice(counts: RateCounts, one: slice) -> RateCounts:
    return RateCounts(counts.successes[one], counts.n[one])
