"""Counts of samples that come in clusters, such as several images of one person."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.columns import Cluster, values_of

__all__ = ["ClusterCounts", "SampleClusters", "Ways", "clusters_of", "ways_of"]


class Ways(NamedTuple):
    """The values of two columns, such as a person and a camera, in each of C cells.

    A cell is the samples that have the same value in both columns.

    Args:
        first: (C,) position of the value of the first column, from 0.
        second: (C,) position of the value of the second column, from 0.
        alike: Whether both columns hold the same things (both people of a pair): positions are shared.
    """

    first: Integers
    second: Integers
    alike: bool = False


class ClusterCounts(NamedTuple):
    """Successes, or sums of another outcome, out of n of G groups in C clusters, both (G, C).

    Args:
        successes: (G, C).
        n: (G, C).
        ways: Where two columns make the clusters: what each of C cells is in both; else None.
    """

    successes: Integers | Floats
    n: Integers
    ways: Ways | None = None

    def at(self, groups: Integers | slice) -> "ClusterCounts":
        """Return the counts of some groups."""
        return ClusterCounts(self.successes[groups], self.n[groups], self.ways)

    def beside(self, *others: "ClusterCounts") -> "ClusterCounts":
        """Return these groups, then those of others in the same clusters."""
        all_of = (self, *others)
        successes = np.concatenate([counts.successes for counts in all_of])
        return ClusterCounts(successes, np.concatenate([counts.n for counts in all_of]), self.ways)

    @property
    def flawless(self) -> "ClusterCounts":
        """The same as if no sample were a failure."""
        return self._replace(successes=self.n)

    @property
    def failures(self) -> "ClusterCounts":
        """The same of the samples that are no successes."""
        return self._replace(successes=self.n - self.successes)

    @property
    def each_way(self) -> tuple["ClusterCounts", ...]:
        """The counts by each column alone. Of both people of a pair: by person, each image in two clusters."""
        if self.ways is None:
            return (self,)
        first, second, alike = self.ways
        if alike:
            places = np.concatenate([first, second])
            x, n = (np.concatenate([part, part], axis=1) for part in (self.successes, self.n))
            return (ClusterCounts(_gathered(x, places), _gathered(n, places)),)
        return tuple(
            ClusterCounts(_gathered(self.successes, places), _gathered(self.n, places))
            for places in (first, second)
        )

    @property
    def single(self) -> NDArray[np.bool_]:
        """Whether every cluster of a group (G,) is one sample, in both columns where there are two."""
        each = [way.n.max(axis=1, initial=0) <= 1 for way in self.each_way]
        return np.asarray(np.all(each, axis=0))

    @property
    def dominant(self) -> Floats:
        """The share of a group's samples in its largest cluster, nan where that decides little, (W, G).

        W is 2 where two columns make the clusters, unless they hold the same things, else 1. How far a rate can be off by its clusters goes with the sum of their squared shares. A
        cluster that makes up more than half of that sum decides how wide the interval is.

        Example:
            >>> n = np.array([[60, 20, 20], [34, 33, 33], [0, 0, 0]])
            >>> ClusterCounts(n, n).dominant.tolist()
            [[0.6, nan, nan]]
        """
        total = np.maximum(self.n.sum(axis=1), 1)
        shares = []
        for way in self.each_way:
            n = np.asarray(way.n, dtype=np.float64)
            largest = n.max(axis=1, initial=0.0)
            # Of whole numbers, so that half is half.
            shares.append(np.where(2 * largest**2 > (n**2).sum(axis=1), largest / total, np.nan))
        return np.stack(shares)


def _gathered(counts: NDArray[Any], places: Integers) -> NDArray[Any]:
    """Sum the columns that have the same place, (G, number of different places)."""
    if not len(places):
        return counts
    order = np.argsort(places, kind="stable")
    starts = np.flatnonzero(np.diff(places[order], prepend=-1))
    return np.asarray(np.add.reduceat(counts[:, order], starts, axis=1))


@dataclass(frozen=True, slots=True, eq=False)
class SampleClusters:
    """The cluster of each of N samples.

    Args:
        cells: (N,) position of its cluster, from 0; of the values of both columns where there are two.
        ways: Where two columns make the clusters: what each cell is in both; else None.
    """

    cells: Integers
    ways: Ways | None = None

    @property
    def number(self) -> int:
        """The number of clusters, or of cells."""
        return int(self.cells.max(initial=-1)) + 1 if self.ways is None else len(self.ways.first)

    def at(self, samples: NDArray[np.bool_] | Integers) -> "SampleClusters":
        """Return the clusters of some samples."""
        return SampleClusters(self.cells[samples], self.ways)

    def counted(self, groups: Integers, size: int) -> Integers:
        """Return the samples of each group and cluster, (size, C)."""
        return self.summed(groups, size, np.ones(len(groups))).astype(np.int64)

    def summed(self, groups: Integers, size: int, weights: Floats | NDArray[np.bool_]) -> Floats:
        """Return the sum of the weights of the samples of each group and cluster, (size, C)."""
        number = max(self.number, 1)
        flat = np.bincount(groups * number + self.cells, weights=weights, minlength=size * number)
        return flat.astype(np.float64).reshape(size, number)


@functools.lru_cache(maxsize=64)
def ways_of(cluster: Cluster, levels: tuple[str, ...]) -> Ways | None:
    """Return what the levels of an axis of clusters are in both columns, or None for one column.

    Args:
        cluster: The columns.
        levels: Levels of the axis, as `cell_name` writes them.

    Example:
        >>> ways = ways_of(("person", "camera"), ('["ann", "c1"]', '["ann", "c2"]'))
        >>> ways.first.tolist(), ways.second.tolist(), ways.alike
        ([0, 0], [0, 1], False)
    """
    if isinstance(cluster, str):
        return None
    return _ways(np.array([values_of(level) for level in levels], dtype=object).reshape(-1, 2).T)


def _ways(columns: NDArray[np.object_]) -> Ways:
    """Positions of the values of two columns, which they share where they have a value in common."""
    names = columns.astype(str)
    alike = bool(np.intersect1d(*names).size)
    if alike:
        codes = np.unique(names, return_inverse=True)[1].reshape(names.shape)
    else:
        codes = np.stack([np.unique(name, return_inverse=True)[1] for name in names])
    first, second = codes.astype(np.int64)
    return Ways(first, second, alike)


def clusters_of(columns: Sequence[ArrayLike]) -> SampleClusters:
    """Return the clusters of samples that have the same value in one column, or in either of two.

    Args:
        columns: One or two columns (N,). Where a value is in both, they are both people of a pair.

    Example:
        >>> pairs = clusters_of([["ann", "bob", "ann"], ["bob", "cy", "cy"]])
        >>> pairs.cells.tolist(), pairs.ways.first.tolist(), pairs.ways.second.tolist()
        ([0, 2, 1], [0, 0, 1], [1, 2, 2])
    """
    names = np.array([np.asarray(column, dtype=object) for column in columns])
    if len(names) == 1:
        codes = np.unique(names[0].astype(str), return_inverse=True)[1]
        return SampleClusters(codes.astype(np.int64))
    first, second, alike = _ways(names)
    size = int(second.max(initial=0)) + 1
    pairs, cells = np.unique(first * size + second, return_inverse=True)
    return SampleClusters(cells.astype(np.int64), Ways(pairs // size, pairs % size, alike))
