"""Sets of labels: as they stand in a column, and as samples and predictions keep them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pytest_fairness.data.levels import as_level
from pytest_fairness.statistics.arrays import Integers

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_fairness.data.rows import Rows
    from pytest_fairness.policy.records import Evaluation

__all__ = [
    "EXACT",
    "LABELS",
    "PREDICTED",
    "SEPARATOR",
    "joined",
    "only_label_sets",
    "overlaps",
    "read_label_sets",
]

SEPARATOR = "|"
LABELS, PREDICTED = "labels", "predicted_labels"
# The classes where label sets are all that is known of a sample: is its set exactly right?
EXACT = ("right", "wrong")


def joined(labels: Iterable[str]) -> str:
    """Return a set of labels as text, each once, in alphabetical order.

    Raises:
        ValueError: A label is empty, or holds what separates labels.

    Example:
        >>> joined(["tree", "man", "tree"]), joined([])
        ('man|tree', '')
    """
    unique = sorted(set(labels))
    for label in unique:
        if not label or SEPARATOR in label:
            msg = f"{label!r} is no label: it must have a name without {SEPARATOR!r}"
            raise ValueError(msg)
    return SEPARATOR.join(unique)


def overlaps(
    first: "pa.Array | pa.ChunkedArray", second: "pa.Array | pa.ChunkedArray"
) -> tuple[Integers, Integers, Integers]:
    """Return how many labels each row has in both columns, in the first, and in the second, (N,).

    Args:
        first: (N,) text as `joined` writes it.
        second: (N,) the same.

    Example:
        >>> both, one, other = overlaps(pa.array(["a|b", ""]), pa.array(["b|c|d", "a"]))
        >>> both.tolist(), one.tolist(), other.tolist()
        ([1, 0], [2, 0], [3, 1])
    """
    rows1, labels1 = _long(first)
    rows2, labels2 = _long(second)
    codes, words = pd.factorize(np.concatenate([labels1, labels2]))
    keys1 = rows1 * len(words) + codes[: len(rows1)]
    keys2 = rows2 * len(words) + codes[len(rows1) :]
    shared = rows1[np.isin(keys1, keys2, assume_unique=True)]
    counted = (np.bincount(rows, minlength=len(first)) for rows in (shared, rows1, rows2))
    both, one, other = counted
    return both, one, other


def _long(column: "pa.Array | pa.ChunkedArray") -> "tuple[Integers, NDArray[np.object_]]":
    """Return one row and label for each label of each row."""
    lists = pc.split_pattern(column, SEPARATOR)
    rows = np.repeat(np.arange(len(column)), pc.list_value_length(lists).to_numpy())
    labels = pc.list_flatten(lists).to_numpy(zero_copy_only=False)
    some = labels != ""  # an empty set is split into one empty text
    return rows[some], labels[some]


def only_label_sets(rows: "Rows", evaluation: "Evaluation") -> bool:
    """Return whether samples have label sets, and neither a column nor a declaration of a class."""
    declared = evaluation.target != "target" or evaluation.classes or evaluation.positive
    return not declared and evaluation.labels is not None and "target" not in rows.frame.columns


def read_label_sets(rows: "Rows", name: str, *, key: str, ids: pd.Series) -> pd.Series:
    """Return a column of lists, or of text with `|` between labels, as `joined` writes it (N,).

    An empty list or text is an empty set. So is an empty field of a CSV file, which cannot say
    whether a value is missing; elsewhere a missing value is an error.

    Raises:
        FairnessError: A value is missing, or is no set of labels.
    """
    column = rows.column(name, key=key)
    values = column.tolist()
    missing = np.array([_is_missing(value) for value in values], dtype=np.bool_)
    if rows.unit != "line":
        rows.reject(
            missing,
            ids,
            lambda _: f"`{key}` is missing in column {name!r}",
            remedy="write an empty list for a sample without labels, or remove the row",
        )
    found, problems = [], {}
    for position, value in enumerate(values):
        try:
            found.append("" if missing[position] else joined(_labels(value)))
        except ValueError as problem:
            problems[position] = str(problem)
            found.append("")
    bad = np.zeros(len(values), dtype=np.bool_)
    bad[list(problems)] = True
    rows.reject(
        bad,
        ids,
        lambda first: f"`{key}` is {str(values[first])!r} in column {name!r}: {problems[first]}",
        remedy=f"write a list of labels, or text with {SEPARATOR!r} between them",
    )
    return pd.Series(found, index=column.index)


def _is_missing(value: Any) -> bool:
    return bool(pd.api.types.is_scalar(value) and pd.isna(value))


def _labels(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(SEPARATOR)] if value else []
    if not isinstance(value, list | tuple | set | frozenset | np.ndarray):
        msg = f"a {type(value).__name__} is no list of labels"
        raise ValueError(msg)  # noqa: TRY004  (a value of the data)
    return [as_level(label) or "" for label in value]
