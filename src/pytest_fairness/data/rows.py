"""Rows of a manifest or of predictions, and the words that name one of them in an error."""

import csv
import warnings
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from pytest_fairness.data.levels import MISSING, as_levels
from pytest_fairness.data.parquet import MOST_ROWS, check_size, read_parquet
from pytest_fairness.errors import FairnessError
from pytest_fairness.files import check_regular
from pytest_fairness.wording import counted, listed, suggest

__all__ = ["Rows", "arrow_rows", "read_rows"]

# Encoded images stay in Arrow's memory; as Python objects they would be held twice.
_IN_ARROW = {kind: pd.ArrowDtype(kind) for kind in (pa.binary(), pa.large_binary())}
_MALFORMED = (
    pa.ArrowException,
    pd.errors.ParserWarning,
    csv.Error,
    OSError,
    ValueError,
    MemoryError,
    OverflowError,
)
_NAN = {"nan", "NaN"}
# A file that takes more would not be judged by hand-made groups, and may be a bomb.
_MOST_BYTES = 2**36


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Rows as they were read, none of them checked yet.

    Args:
        frame: The rows, indexed by their number in the source, counted from 0.
        source: File name, or the type of the object that held the rows.
        evaluation: Name of the evaluation of the policy that they are read for.
        error: What to raise when they cannot be used.
        unit: `line` when the rows are lines of a text file.
        header: Lines before the first row: 1 in a CSV file, 0 in JSON Lines.
    """

    frame: pd.DataFrame
    source: str
    evaluation: str
    error: type[FairnessError]
    unit: Literal["line", "row"] = "row"
    header: int = 1

    def __post_init__(self) -> None:
        """Refuse two columns of one name: nothing says which of them is meant."""
        columns = [str(name) for name in self.frame.columns]
        if len(set(columns)) < len(columns):
            doubled = next(name for name in columns if columns.count(name) > 1)
            msg = (
                f"{self.source}: more than one column {doubled!r} (evaluation {self.evaluation!r}); the "
                f"columns are {listed(columns)}; rename or remove one"
            )
            raise self.error(msg)

    def place(self, position: int) -> str:
        """Return where in the source the row at a position stands, e.g. `line 3`."""
        number = int(self.frame.index[position])
        return f"line {number + self.header + 1}" if self.unit == "line" else f"row {number}"

    def column(self, name: str, *, key: str) -> pd.Series:
        """Return the column that a key of the evaluation names, or raise when there is none."""
        columns = list(self.frame.columns)
        if name not in columns:
            msg = (
                f"{self.source}: no column {name!r}, which `{key}` of evaluation "
                f"{self.evaluation!r} reads; the columns are {listed(columns)}{suggest(name, columns)}"
            )
            raise self.error(msg)
        return self.frame[name]

    def text(self, name: str, *, key: str) -> pd.Series:
        """Return a column as text, missing values as missing."""
        return as_levels(self.column(name, key=key))

    def required(self, name: str, *, key: str, ids: pd.Series) -> pd.Series:
        """Return a column as text, or raise when a value is missing."""
        values = self.text(name, key=key)
        self.reject(
            values.isna().to_numpy(),
            ids,
            lambda _: f"`{key}` is missing in column {name!r}",
            remedy="fill it in, or remove the row",
        )
        return values

    def reject(
        self,
        bad: NDArray[np.bool_],
        ids: pd.Series,
        problem: Callable[[int], str],
        *,
        remedy: str,
    ) -> None:
        """Raise for the first bad row, naming its place and sample, and how many there are."""
        if not bad.any():
            return
        first, count = int(np.argmax(bad)), int(np.count_nonzero(bad))
        more = f" ({count} such samples)" if count > 1 else ""
        msg = (
            f"{self.source}, {self.place(first)}, sample {ids.iloc[first]!r}: "
            f"{problem(first)}{more}; {remedy}"
        )
        raise self.error(msg)

    def part(self, kept: NDArray[np.bool_]) -> "Rows":
        """Return some of the rows, which keep their places."""
        return replace(self, frame=self.frame[kept])

    def matches(
        self, where: Mapping[str, tuple[str, ...]], *, every: "Rows | None" = None
    ) -> NDArray[np.bool_]:
        """Return which rows (N,) hold, in each column, one of the values.

        Args:
            where: Column -> values.
            every: Rows that must hold each of the values somewhere; these rows when absent.

        Raises:
            FairnessError: No row holds one of the values: it is misspelt, or selects nothing.
        """
        kept = np.ones(len(self.frame), dtype=bool)
        for name, values in where.items():
            key = f"where.{name}"
            there = (self if every is None else every).text(name, key=key).fillna(MISSING).unique()
            lacking = [value for value in values if value not in there]
            if lacking and len(there):
                msg = (
                    f"{self.source}: no row has {name} = {lacking[0]!r}, which `{key}` of evaluation "
                    f"{self.evaluation!r} selects{suggest(lacking[0], there)}; there are "
                    f"{listed(sorted(there))}; correct the value, or remove it"
                )
                raise self.error(msg)
            kept &= self.text(name, key=key).fillna(MISSING).isin(values).to_numpy()
        return kept

    def keep(self, where: Mapping[str, tuple[str, ...]]) -> "Rows":
        """Return the rows whose columns hold one of the values, or raise when none are left."""
        kept, removed = self, []
        for name, values in where.items():
            found = kept.matches({name: values}, every=self)
            removed.append(f"{name} in [{listed(values)}] removed {int((~found).sum())}")
            kept = kept.part(found)
        if kept.frame.empty:
            msg = (
                f"{self.source}: no sample is left for evaluation {self.evaluation!r}: of "
                f"{counted(len(self.frame), 'row')}, `where` {', then '.join(removed)}"
                if len(self.frame)
                else f"{self.source}: no rows, so evaluation {self.evaluation!r} has no samples; "
                "give at least one"
            )
            raise self.error(msg)
        return kept


def read_rows(
    path: Path,
    *,
    evaluation: str,
    error: type[FairnessError],
    levels: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
) -> Rows:
    """Read a CSV or Parquet file.

    Args:
        path: The file.
        evaluation: Name of the evaluation that it is read for.
        error: What to raise.
        levels: Attribute -> its declared levels: `nan` of a CSV file is one only where it is declared,
            and else a missing value.

    Raises:
        FairnessError: `error`, when the file is missing, of another kind, or malformed.
    """
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        msg = (
            f"{path}: files of kind {''.join(path.suffixes[-2:])!r} are not read (evaluation "
            f"{evaluation!r}); write the rows as .csv (separated by commas, not compressed) or .parquet"
        )
        raise error(msg)
    if not path.exists():
        msg = (
            f"{path}: no such file (evaluation {evaluation!r}); correct the path, which a policy "
            "gives relative to its own folder"
        )
        raise error(msg)
    try:
        check_regular(path, most=_MOST_BYTES)
        frame = _read_csv(path, levels) if kind == ".csv" else _read_parquet(path)
    except _MALFORMED as problem:
        msg = f"{path}: cannot be read as {kind[1:]}: {problem}; write the file anew"
        raise error(msg) from problem
    unit: Literal["line", "row"] = "line" if kind == ".csv" else "row"
    return Rows(frame, str(path), evaluation, error, unit)


def arrow_rows(table: pa.Table) -> pd.DataFrame:
    """Return an Arrow table as a frame. A saved pandas index comes back as a column."""
    frame: pd.DataFrame = table.to_pandas(ignore_metadata=True, types_mapper=_IN_ARROW.get)
    return frame


def _read_parquet(path: Path) -> pd.DataFrame:
    return arrow_rows(_without_structs(read_parquet(path)))


def _without_structs(table: pa.Table) -> pa.Table:
    """Return a table with images of Hugging Face, {bytes, path}, as their bytes, or else their paths."""
    for place, field in enumerate(table.schema):
        if not pa.types.is_struct(field.type) or {one.name for one in field.type} != {
            "bytes",
            "path",
        }:
            continue
        content, paths = (pc.struct_field(table.column(place), one) for one in ("bytes", "path"))
        if 0 < content.null_count < len(content) or (
            len(content) and content.null_count and paths.null_count
        ):
            msg = (
                f"column {field.name!r} lacks bytes of {content.null_count} of {counted(len(content), 'image')}; "
                "embed all of them, or give all as paths"
            )
            raise ValueError(msg)
        table = table.set_column(place, field.name, paths if content.null_count else content)
    return table


def _read_csv(path: Path, levels: Mapping[str, tuple[str, ...]]) -> pd.DataFrame:
    """Read every value as text: a level `01` or `NA` must stay what it is.

    Lines without any value are no rows; those after them keep their line numbers.
    """
    names = _header(path)
    with warnings.catch_warnings():
        # Without both, a line with one field too many shifts every column unseen.
        warnings.simplefilter("error", pd.errors.ParserWarning)
        frame = pd.read_csv(
            path,
            dtype=str,
            index_col=False,
            keep_default_na=False,
            na_values={
                name or f"Unnamed: {place}": ["", *(_NAN - set(levels.get(name, ())))]
                for place, name in enumerate(names)
            },
            skip_blank_lines=False,
            encoding="utf-8-sig",
            nrows=MOST_ROWS + 1,
        )
    check_size(len(frame), len(names))
    return frame.dropna(how="all")


def _header(path: Path) -> list[str]:
    """Return the names of the columns, which must be different: pandas would rename the second."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = next(csv.reader(file), [])
    check_size(0, len(header))
    for separator, word in ((";", "semicolons"), ("\t", "tabs")):
        if len(header) == 1 and separator in header[0]:
            msg = f"its columns are separated by {word}; separate them by commas"
            raise ValueError(msg)
    names = [name for name in header if name]
    doubled = [name for name in names if names.count(name) > 1]
    if doubled:
        msg = f"more than one column {doubled[0]!r}; rename or remove one"
        raise ValueError(msg)
    return header
