"""Sets of labels: as they stand in a column, and as samples and predictions keep them."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pytest_fairness.data.levels import as_level

if TYPE_CHECKING:
    from pytest_fairness.data.rows import Rows
    from pytest_fairness.policy.records import Evaluation

__all__ = [
    "EXACT",
    "LABELS",
    "PREDICTED",
    "SEPARATOR",
    "joined",
    "label_set",
    "only_label_sets",
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


def label_set(text: str) -> frozenset[str]:
    """Return the labels of `joined`.

    Example:
        >>> sorted(label_set("man|tree")), label_set("")
        (['man', 'tree'], frozenset())
    """
    return frozenset(text.split(SEPARATOR)) if text else frozenset()


def only_label_sets(rows: "Rows", evaluation: "Evaluation") -> bool:
    """Whether samples have label sets, and neither a column nor a declaration of a class."""
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
