"""The table to profile: nothing is refused that a profile can report."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.images import Images, Slice
from pytest_fairness.data.levels import MISSING, as_levels
from pytest_fairness.data.profile.request import ProfileRequest, ProfileUsageError
from pytest_fairness.data.readers import list_samples
from pytest_fairness.data.rows import Rows
from pytest_fairness.policy.records import Evaluation
from pytest_fairness.statistics.clusters.columns import cell_name, cluster_text, columns_of
from pytest_fairness.wording import listed, suggest

__all__ = ["Coded", "Table", "codes_of", "read_table", "text_of"]

Codes: TypeAlias = NDArray[np.int64]
Entry: TypeAlias = Path | bytes | Slice


@dataclass(frozen=True, slots=True, eq=False)
class Coded:
    """A column as codes.

    Args:
        name: Its name.
        levels: Declared levels, `(missing)` where values are, then undeclared values.
        declared: How many of the levels are declared.
        codes: (N,) position of each row's level.
    """

    name: str
    levels: tuple[str, ...]
    declared: int
    codes: Codes

    def counts(self) -> Codes:
        """Return the rows of each level."""
        return np.bincount(self.codes, minlength=len(self.levels)).astype(np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class Table:
    """A table whose columns are known.

    Args:
        evaluation: Names the columns.
        rows: Its rows, after `where`.
        left_out: Rows that `where` removed.
        ids: Name of each row (N,).
        has_ids: Whether the ids are more than row numbers.
        attributes: The attributes.
        target: The classes; None without such a column.
        clusters: What several images show: one column, two, or none.
        images: The images, None where there is no such column. A missing one is `b""`.
    """

    evaluation: Evaluation
    rows: Rows
    left_out: int
    ids: Sequence[str]
    has_ids: bool
    attributes: tuple[Coded, ...]
    target: Coded | None
    clusters: tuple[Coded, ...]
    images: Images | None

    def __len__(self) -> int:
        return len(self.rows.frame)

    @property
    def cluster(self) -> Coded | None:
        """The column of what several images show, None without one. Of two columns, both values together."""
        if len(self.clusters) < 2:
            return self.clusters[0] if self.clusters else None
        first, second = self.clusters
        cells, codes = np.unique(
            first.codes * len(second.levels) + second.codes, return_inverse=True
        )
        pairs = zip(*np.divmod(cells, len(second.levels)), strict=True)
        levels = tuple(cell_name(first.levels[one], second.levels[other]) for one, other in pairs)
        name = cluster_text((first.name, second.name))
        return Coded(name, levels, len(levels), codes.astype(np.int64))

    def attribute(self, name: str) -> Coded:
        """Return the attribute of this name."""
        return next(one for one in self.attributes if one.name == name)


def read_table(request: ProfileRequest) -> Table:
    """Read the table of a request.

    Raises:
        ProfileUsageError: A column that somebody named is not there.
        DataError: The file cannot be read, or no row is left.
    """
    evaluation = request.evaluation
    if evaluation.source is None:
        msg = (
            f"evaluation {evaluation.name!r} has no manifest and no reader with a root, so there "
            "is nothing to profile"
        )
        raise ProfileUsageError(msg)
    listing = list_samples(evaluation)
    found = listing.rows
    columns = dict.fromkeys(evaluation.where, "where")
    columns |= dict.fromkeys(evaluation.attributes, "attributes")
    columns |= dict.fromkeys(request.required, "a named column")
    if request.from_policy:
        columns[evaluation.target] = "target"
    if request.from_policy:
        columns |= dict.fromkeys(columns_of(evaluation.cluster), "cluster")
    for name, asked in columns.items():
        check_column(found, name, asked)
    rows = found.keep(evaluation.where)
    left_out = len(found.frame) - len(rows.frame)
    return _table(evaluation, rows, folder=listing.folder, left_out=left_out)


def check_column(rows: Rows, name: str, asked: str) -> None:
    """Raise when a column is not there exactly once."""
    columns = [str(column) for column in rows.frame.columns]
    if columns.count(name) != 1:
        found = "more than one column" if name in columns else "no column"
        hint = suggest(name, columns) if name not in columns else ""
        msg = f"{rows.source}: {found} {name!r} ({asked}); the columns are {listed(columns)}{hint}"
        raise ProfileUsageError(msg)


def text_of(rows: Rows, name: str) -> pd.Series:
    """Return a column as text, missing values as `(missing)`."""
    return as_levels(rows.frame[name]).fillna(MISSING)


def codes_of(values: pd.Series, *, name: str, declared: tuple[str, ...] = ()) -> Coded:
    """Return text values (N,) as codes of levels. Values found are declared when none are."""
    codes, found = pd.factorize(values)
    names = [str(value) for value in found]
    if not declared:
        declared = tuple(sorted(value for value in names if value != MISSING))
    others = sorted(set(names) - set(declared) - {MISSING})
    missing = [MISSING] if MISSING in names and MISSING not in declared else []
    levels = (*declared, *missing, *others)
    place = {level: position for position, level in enumerate(levels)}
    moved = np.array([place[value] for value in names], dtype=np.int64)
    return Coded(name, levels, len(declared), moved[codes])


def _table(evaluation: Evaluation, rows: Rows, *, folder: Path, left_out: int) -> Table:
    columns = set(rows.frame.columns)
    entries = _entries(evaluation, rows, folder) if evaluation.image in columns else None
    ids, has_ids = _ids(evaluation, rows, entries)

    def coded(name: str | None, declared: tuple[str, ...] | None = None) -> Coded | None:
        if name is None or name not in columns:
            return None
        return codes_of(text_of(rows, name), name=name, declared=declared or ())

    clusters = map(coded, columns_of(evaluation.cluster))
    attributes = (coded(name, levels) for name, levels in evaluation.attributes.items())
    return Table(
        evaluation=evaluation,
        rows=rows,
        left_out=left_out,
        ids=ids,
        has_ids=has_ids,
        attributes=tuple(one for one in attributes if one is not None),
        target=coded(evaluation.target, evaluation.classes),
        clusters=tuple(one for one in clusters if one is not None),
        images=None if entries is None else Images(entries, ids, rows),
    )


def _ids(
    evaluation: Evaluation, rows: Rows, entries: Sequence[Entry] | None
) -> tuple[list[str], bool]:
    """Names of the rows: a column, else the path of the image, else the row's number."""
    numbers = [f"row-{number}" for number in rows.frame.index]
    if evaluation.id in rows.frame.columns:
        values: list[str | None] = as_levels(rows.frame[evaluation.id]).tolist()
    elif entries is not None and any(isinstance(entry, Path) for entry in entries):
        values = as_levels(rows.frame[evaluation.image]).tolist()
    else:
        return numbers, False
    filled = (
        value if isinstance(value, str) else number
        for value, number in zip(values, numbers, strict=True)
    )
    return list(filled), True


def _entries(evaluation: Evaluation, rows: Rows, folder: Path) -> list[Entry]:
    """What the image column holds; nothing (0 bytes) where a value is missing."""
    column = rows.frame[evaluation.image]
    filled = column.dropna()
    first = "" if filled.empty else filled.iloc[0]
    if isinstance(first, str):
        return [folder / path if isinstance(path, str) else b"" for path in as_levels(column)]
    if isinstance(first, bytes | Slice):
        return [value if isinstance(value, bytes | Slice) else b"" for value in column.array]
    msg = (
        f"{rows.source}: column {evaluation.image!r} must hold paths or encoded images (bytes), "
        f"got {type(first).__name__}; name another column as the image"
    )
    raise ProfileUsageError(msg)
