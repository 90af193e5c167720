"""Text tables of data sets: every value is text, every mistake names the file."""

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from pytest_fairness.data.levels import as_levels
from pytest_fairness.data.rows import read_rows
from pytest_fairness.errors import DataError
from pytest_fairness.wording import counted, listed, suggest

if TYPE_CHECKING:
    from pytest_fairness.data.listing import Source

__all__ = ["expect_columns", "join_attributes", "matched", "named_values", "read_table"]


def read_table(source: "Source", path: Path, **how: Any) -> pd.DataFrame:
    """Read a text table. `how` goes to `pandas.read_csv`.

    Raises:
        DataError: The file cannot be read as such a table.
    """
    options: dict[str, Any] = {
        "dtype": str,
        "keep_default_na": False,
        "na_values": [""],
        "index_col": False,
        "encoding": "utf-8-sig",
    }
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame: pd.DataFrame = pd.read_csv(path, **(options | how))
            return frame
    except (OSError, ValueError, OverflowError, pd.errors.ParserWarning) as problem:
        source.error(f"{path}: cannot be read: {problem}; get the file again")


def expect_columns(
    source: "Source", frame: pd.DataFrame, columns: Sequence[str], path: Path
) -> None:
    """Raise when a table lacks a column that its format has."""
    for name in columns:
        if name not in frame.columns:
            source.error(
                f"{path}: no column {name!r}; a file of this kind has {listed(columns)}, this one "
                f"has {listed(map(str, frame.columns))}"
            )


def named_values(
    source: "Source", codes: pd.Series, names: dict[str, str], path: Path, *, first_line: int
) -> pd.Series:
    """Return the words (N,) that codes stand for.

    Args:
        source: For errors.
        codes: (N,) text.
        names: Code -> word.
        path: Their file.
        first_line: Line of the first of them.

    Raises:
        DataError: A value is no such code, or is missing.
    """
    words = codes.map(names)
    if (unknown := words.isna().to_numpy()).any():
        first = int(np.argmax(unknown))
        source.error(
            f"{path}, line {first + first_line}: {codes.name} is {_shown(codes.iloc[first])}; "
            f"allowed: {listed(names)}"
        )
    return words


def refuse_repeated(
    source: "Source", ids: pd.Series, path: Path, *, place: Callable[[int], str]
) -> None:
    """Raise when an id appears twice in a column.

    Args:
        source: For errors.
        ids: (N,) ids, named like their column.
        path: File of the column.
        place: Position of a row -> where it is, such as `line 7`.

    Raises:
        DataError: An id appears twice.
    """
    if not (repeated := ids.duplicated(keep=False).to_numpy()).any():
        return
    first = ids.iloc[int(np.argmax(repeated))]
    places = " and ".join(place(int(row)) for row in np.flatnonzero(ids == first)[:2])
    source.error(
        f"{path}: {first!r} appears twice in column {ids.name!r} ({places}). Each id must be "
        "unique: remove or rename one"
    )


def _shown(value: object) -> str:
    return repr(value) if isinstance(value, str) else "missing"


def matched(
    source: "Source", keys: pd.Series, table: pd.DataFrame, *, on: str, path: Path
) -> pd.DataFrame:
    """Return the rows of a table (N, columns) that belong to keys, one each.

    Args:
        source: For errors.
        keys: (N,) text.
        table: Has one row for each key, in any order.
        on: Its column with the keys.
        path: Its file.

    Raises:
        DataError: A key has no row, or two; or the table has another number of rows.
    """
    if len(table) == len(keys) and (table[on].to_numpy() == keys.to_numpy()).all():
        return table
    refuse_repeated(source, table[on], path, place=lambda row: f"row {row + 1}")
    places = pd.Index(table[on]).get_indexer(pd.Index(keys))
    if (places < 0).any():
        first = keys.iloc[int(np.argmax(places < 0))]
        source.error(
            f"{path}: no row for {first!r} ({int((places < 0).sum())} of {counted(len(keys), 'sample')} have "
            f"none; it has {counted(len(table), 'row')}); the files are of different versions"
        )
    found: pd.DataFrame = table.iloc[places]
    return found


def join_attributes(source: "Source", frame: pd.DataFrame) -> pd.DataFrame:
    """Add the columns of the table that the option `attributes` names, by sample id.

    The table (CSV or Parquet, relative to the root) has a column `id`, else its first column
    holds the ids. Samples without a row have missing values.

    Raises:
        DataError: No sample has a row, an id appears twice, or a column exists already.
    """
    name = source.options.get("attributes")
    if name is None:
        return frame
    path = (source.root if source.root.is_dir() else source.root.parent) / name
    rows = read_rows(
        path,
        evaluation=source.evaluation.name,
        error=DataError,
        levels=source.evaluation.attributes,
    )
    table = rows.frame
    key = "id" if "id" in table.columns else table.columns[0]
    ids = as_levels(table[key]).rename(key)
    others = table.drop(columns=key)
    if both := [column for column in others if column in frame.columns]:
        source.error(
            f"{path}: column {both[0]!r} is also a column of the data set; rename it in this file"
        )
    refuse_repeated(source, ids, path, place=rows.place)
    places = pd.Index(ids).get_indexer(pd.Index(frame["id"]))
    if (places < 0).all():
        known = suggest(str(ids.iloc[0]), frame["id"].head(50)) if len(ids) else ""
        source.error(
            f"{path}: no row belongs to a sample; its ids are like {listed(ids.head(2))}, the "
            f"samples' like {listed(frame['id'].head(2))}{known}"
        )
    found = others.reset_index(drop=True).reindex(places).set_axis(frame.index)
    joined: pd.DataFrame = pd.concat([frame, found], axis=1)
    return joined
