"""Integer counts over the full cross of the attributes: all that a metric needs to know."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pytest_fairness.statistics.groups import groups_of

__all__ = ["GroupCounts", "count_groups"]


@dataclass(frozen=True, slots=True, eq=False)
class GroupCounts:
    """Counts of (group, true class, predicted class). `+` merges batches, shards and machines.

    Args:
        levels: Attribute -> its levels, in the order of the axes.
        classes: Class names, in the order of the last two axes.
        cells: int64, one axis a attribute, then true class, then predicted class.

    Raises:
        ValueError: The shape of `cells` is not that of the levels and classes.
    """

    levels: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    cells: NDArray[np.int64]
    _sums: dict[tuple[str, ...], NDArray[np.int64]] = field(
        default_factory=dict, init=False, repr=False
    )

    def __post_init__(self) -> None:
        expected = _shape(self.levels, self.classes)
        if self.cells.shape != expected:
            msg = f"cells have shape {self.cells.shape}, the declared levels need {expected}"
            raise ValueError(msg)

    def __add__(self, other: "GroupCounts") -> "GroupCounts":
        if (dict(self.levels), self.classes) != (dict(other.levels), other.classes):
            msg = "only counts of the same attributes, levels and classes can be added"
            raise ValueError(msg)
        return GroupCounts(self.levels, self.classes, self.cells + other.cells)

    def __eq__(self, other: object) -> bool:  # type: ignore[explicit-override]
        return (
            isinstance(other, GroupCounts)
            and (dict(self.levels), self.classes) == (dict(other.levels), other.classes)
            and np.array_equal(self.cells, other.cells)
        )

    __hash__ = None  # type: ignore[assignment]

    @property
    def n(self) -> int:
        """The number of samples counted."""
        return int(self.cells.sum())

    def groups(self, by: tuple[str, ...]) -> list[dict[str, str]]:
        """Return every group of some attributes, declared ones without samples included."""
        return groups_of(self.levels, by)

    def confusion(self, by: tuple[str, ...]) -> NDArray[np.int64]:
        """Return the confusion matrices (G, K, K) of the groups of `by`, in the order of `groups`.

        They are summed once and read-only: many rules ask for the same ones.
        """
        if by not in self._sums:
            self._sums[by] = self._summed(by)
            self._sums[by].flags.writeable = False
        return self._sums[by]

    def _summed(self, by: tuple[str, ...]) -> NDArray[np.int64]:
        names = list(self.levels)
        axes = tuple(i for i, name in enumerate(names) if name not in by)
        kept = [name for name in names if name in by]
        summed = self.cells.sum(axis=axes)
        order = [kept.index(name) for name in by]
        k = len(self.classes)
        moved = summed.transpose(*order, len(by), len(by) + 1)
        return np.ascontiguousarray(moved.reshape(-1, k, k))

    def shares(self, by: tuple[str, ...]) -> NDArray[np.float64]:
        """Return the share of all samples (G,) that each group of `by` has, in the order of `groups`."""
        found: NDArray[np.float64] = self.confusion(by).sum(axis=(1, 2)) / max(self.n, 1)
        return found

    def to_dict(self) -> dict[str, Any]:
        """Return JSON-ready values, with the cells that are not zero."""
        index = np.argwhere(self.cells)
        values = self.cells[tuple(index.T)]
        return {
            "levels": {name: list(levels) for name, levels in self.levels.items()},
            "classes": list(self.classes),
            "cells": np.column_stack([index, values]).tolist(),
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "GroupCounts":
        """Return the counts that `to_dict` wrote."""
        levels = {name: tuple(levels) for name, levels in values["levels"].items()}
        classes = tuple(values["classes"])
        cells = np.zeros(_shape(levels, classes), dtype=np.int64)
        if values["cells"]:
            *index, counted = np.asarray(values["cells"], dtype=np.int64).T
            cells[tuple(index)] = counted
        return cls(levels, classes, cells)


def count_groups(
    batches: Iterable[pa.RecordBatch],
    *,
    levels: Mapping[str, tuple[str, ...]],
    classes: tuple[str, ...],
    target: str = "target",
    prediction: str = "prediction",
) -> GroupCounts:
    """Count predictions by group, true class and predicted class, one batch at a time.

    Values are compared by their text, never by dictionary codes: those may be ordered
    differently from one batch of a file to the next.

    Args:
        batches: Record batches with text columns for each attribute, target and prediction.
        levels: Attribute -> its levels; every value of the column must be one of them.
        classes: The K class names.
        target: Column with the true class.
        prediction: Column with the predicted class.

    Raises:
        ValueError: A value is not declared; the rooms before this one name the sample.

    Example:
        >>> table = pa.table({"sex": ["f", "m"], "target": ["a", "b"], "prediction": ["a", "a"]})
        >>> counts = count_groups(
        ...     table.to_batches(), levels={"sex": ("f", "m", "x")}, classes=("a", "b"))
        >>> counts.confusion(("sex",)).sum(axis=(1, 2)).tolist()
        [1, 1, 0]
    """
    shape = _shape(levels, classes)
    total = np.zeros(int(np.prod(shape)), dtype=np.int64)
    axes = [*levels.items(), (target, classes), (prediction, classes)]
    for batch in batches:
        codes = [_codes(batch.column(name), values, name) for name, values in axes]
        flat = np.ravel_multi_index(codes, shape)
        total += np.bincount(flat, minlength=total.size)
    return GroupCounts(dict(levels), tuple(classes), total.reshape(shape))


def _codes(column: pa.Array, values: tuple[str, ...], name: str) -> NDArray[np.int64]:
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    found = pc.index_in(column, value_set=pa.array(values, type=pa.string()))
    if found.null_count:
        got = column.filter(pc.is_null(found))[0].as_py()
        msg = f"column {name!r} holds {got!r}, which is not one of {list(values)}"
        raise ValueError(msg)
    codes: NDArray[np.int64] = found.to_numpy(zero_copy_only=False).astype(np.int64)
    return codes


def _shape(levels: Mapping[str, tuple[str, ...]], classes: tuple[str, ...]) -> tuple[int, ...]:
    return (*(len(values) for values in levels.values()), len(classes), len(classes))
