"""Columns of a table: missing values, and which of them hold numbers."""

from typing import Literal, NamedTuple, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pytest_fairness.data.levels import as_levels
from pytest_fairness.data.profile.record import ColumnRecord
from pytest_fairness.data.profile.request import ProfileRequest
from pytest_fairness.data.profile.source import Table, check_column

__all__ = ["NumberColumns", "describe_columns", "read_numbers"]


_Kind: TypeAlias = Literal["number", "text", "image", "other"]


class NumberColumns(NamedTuple):
    """Numeric columns.

    Args:
        columns: Column -> (N,) values, nan where missing or not a number.
        refused: Column -> what stands first where no number is, and how often that is so.
    """

    columns: dict[str, NDArray[np.float64]]
    refused: dict[str, str]


def read_numbers(table: Table, request: ProfileRequest) -> NumberColumns:
    """Return the numeric columns: those that were named, else all that hold numbers only.

    A column of integers that are all different is taken for the number of the row or an id.

    Raises:
        ProfileUsageError: A named column is not there.
    """
    frame = table.rows.frame
    if request.numeric is None:
        known = _known(table, request)
        names = [str(name) for name in dict.fromkeys(frame.columns) if name not in known]
        names = [name for name in names if list(frame.columns).count(name) == 1]
        found = {name: _numbers(frame[name]) for name in names if _may_be_number(frame[name])}
        kept = {
            name: values
            for name, values in found.items()
            if _is_full(frame[name], values) and not _is_count(values)
        }
        return NumberColumns(kept, {})
    values, refused = {}, {}
    for name in request.numeric:
        check_column(table.rows, name, "a numeric column")
        values[name] = _numbers(frame[name])
        bad = (~_missing(frame[name]) & np.isnan(values[name])).nonzero()[0]
        if len(bad):
            first = f"{table.rows.place(int(bad[0]))}: {frame[name].iloc[bad[0]]!r}"
            refused[name] = f"{first} is not a number ({len(bad):,} such values)"
    return NumberColumns(values, refused)


def describe_columns(table: Table, numbers: NumberColumns) -> tuple[ColumnRecord, ...]:
    """Return one record a column, in the order of the table."""
    frame, found = table.rows.frame, []
    for position, name in enumerate(frame.columns):
        column = frame.iloc[:, position]
        image = table.images is not None and name == table.evaluation.image
        distinct = None if _is_binary(column) else _distinct(column)
        kind: _Kind = "image" if image else "text" if distinct is not None else "other"
        found.append(
            ColumnRecord(
                name=str(name),
                kind="number" if name in numbers.columns else kind,
                missing=int(_missing(column).sum()),
                distinct=distinct,
            )
        )
    return tuple(found)


def _known(table: Table, request: ProfileRequest) -> set[str]:
    evaluation = table.evaluation
    known = {evaluation.id, evaluation.image, evaluation.target, *evaluation.attributes}
    known |= {*evaluation.carried, *evaluation.where, *request.references, *request.levels}
    return known | {*request.match, *(audit.attribute for audit in request.audits)}


def _numbers(column: pd.Series) -> NDArray[np.float64]:
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    return np.where(np.isfinite(values), values, np.nan)


def _may_be_number(column: pd.Series) -> bool:
    if pd.api.types.is_bool_dtype(column) or _is_binary(column):
        return False
    return bool(pd.api.types.is_numeric_dtype(column)) or _is_text(column)


def _is_text(column: pd.Series) -> bool:
    filled = column.dropna()
    return bool(len(filled)) and isinstance(filled.iloc[0], str)


def _is_full(column: pd.Series, values: NDArray[np.float64]) -> bool:
    missing = _missing(column)
    return bool((~missing).any()) and not bool((np.isnan(values) & ~missing).any())


def _is_count(values: NDArray[np.float64]) -> bool:
    filled = values[~np.isnan(values)]
    whole = bool((filled == np.round(filled)).all())
    return whole and len(filled) > 20 and len(np.unique(filled)) == len(filled)


def _missing(column: pd.Series) -> NDArray[np.bool_]:
    missing = column.isna().to_numpy(dtype=bool)
    if _is_text(column):
        missing = missing | (column == "").to_numpy(dtype=bool, na_value=True)
    return missing


def _is_binary(column: pd.Series) -> bool:
    dtype = column.dtype
    if isinstance(dtype, pd.ArrowDtype):
        kind = dtype.pyarrow_dtype
        return bool(pa.types.is_binary(kind) or pa.types.is_large_binary(kind))
    filled = column.dropna()
    return bool(len(filled)) and isinstance(filled.iloc[0], bytes)


def _distinct(column: pd.Series) -> int | None:
    try:
        return int(as_levels(column).nunique())
    except TypeError:  # lists and other values that cannot be compared
        return None
