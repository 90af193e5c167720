"""Rows per group and intersection, with the numbers of Table 1: n, mean and SD."""

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.profile.record import GroupCount, Grouping, NumberSummary
from pytest_fairness.data.profile.source import Coded, Table

__all__ = ["count_groups", "default_groupings"]

# Where more groups are possible, only those with rows are listed.
_MOST_LISTED = 400


def default_groupings(
    attributes: Sequence[str], asked: Sequence[tuple[str, ...]] = ()
) -> list[tuple[str, ...]]:
    """Return all rows, each attribute, each pair, and what else is asked, without repetition.

    Example:
        >>> default_groupings(["sex", "race"], [("race", "sex"), ("sex",)])
        [(), ('sex',), ('race',), ('sex', 'race')]
    """
    wanted = [(), *((name,) for name in attributes), *combinations(attributes, 2), *asked]
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for by in wanted:
        found.setdefault(frozenset(by), by)
    return list(found.values())


def count_groups(
    table: Table, by: tuple[str, ...], numbers: Mapping[str, NDArray[np.float64]]
) -> Grouping:
    """Count the rows of every group by some attributes.

    Args:
        table: The table.
        by: Attributes that are crossed; none for all rows together.
        numbers: Numeric columns, (N,) each, nan where a value is missing.
    """
    attributes = [table.attribute(name) for name in by]
    shape = tuple(len(one.levels) for one in attributes)
    cells = math.prod(shape)
    codes = np.zeros(len(table), dtype=np.int64)
    for one in attributes:
        codes = codes * len(one.levels) + one.codes
    found = pd.Series(codes).value_counts()
    listed = range(cells) if cells <= _MOST_LISTED else sorted(found.index)
    summaries = {name: _summaries(values, codes) for name, values in numbers.items()}
    clusters = None if table.cluster is None else _different(table.cluster, codes)
    groups = tuple(
        GroupCount(
            group=_names(attributes, places),
            n=int(found.get(cell, 0)),
            share=int(found.get(cell, 0)) / len(table),
            declared=all(p < one.declared for one, p in zip(attributes, places, strict=True)),
            clusters=None if clusters is None else int(clusters.get(cell, 0)),
            numbers={name: some.get(cell, _NONE) for name, some in summaries.items()},
        )
        for cell, places in _places(listed, shape)
    )
    declared = math.prod(one.declared for one in attributes)
    return Grouping(
        by=by, groups=groups, empty=declared - sum(one.declared and one.n > 0 for one in groups)
    )


_NONE = NumberSummary(n=0, missing=0, mean=None, sd=None, low=None, median=None, high=None)


def _places(
    cells: Sequence[int] | range, shape: tuple[int, ...]
) -> Iterator[tuple[int, tuple[int, ...]]]:
    for cell in cells:
        places, rest = [], int(cell)
        for size in reversed(shape):
            rest, place = divmod(rest, size)
            places.append(place)
        yield int(cell), tuple(reversed(places))


def _names(attributes: Sequence[Coded], places: Sequence[int]) -> dict[str, str]:
    return {one.name: one.levels[place] for one, place in zip(attributes, places, strict=True)}


def _different(cluster: Coded, codes: NDArray[np.int64]) -> "pd.Series[int]":
    return pd.Series(cluster.codes).groupby(codes).nunique()


def _summaries(values: NDArray[np.float64], codes: NDArray[np.int64]) -> dict[int, NumberSummary]:
    """Cell -> summary of the column among its rows."""
    grouped = pd.Series(values).groupby(codes)
    found = grouped.agg(["size", "count", "mean", "std", "min", "median", "max"])
    return {
        int(cell): NumberSummary(
            n=int(row[1]),
            missing=int(row[0] - row[1]),
            mean=_number(row[2]),
            sd=_number(row[3]),
            low=_number(row[4]),
            median=_number(row[5]),
            high=_number(row[6]),
        )
        for cell, row in zip(found.index, found.to_numpy(dtype=float), strict=True)
    }


def _number(value: float) -> float | None:
    return None if math.isnan(value) else float(value)
