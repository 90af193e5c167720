"""What a reader is asked for, and the list of samples that it gives back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn, TypeAlias

import numpy as np
import pandas as pd

from pytest_fairness.data.masks import Masks, read_masks
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError
from pytest_fairness.wording import counted, listed, suggest

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["Listing", "ReadMasks", "Source"]

ReadMasks: TypeAlias = Callable[[pd.DataFrame, Sequence[str]], Masks]
"""Rows and ids of samples -> their masks."""


@dataclass(frozen=True, slots=True, eq=False)
class Listing:
    """The samples of a data set, none of them checked yet, no image opened.

    Args:
        rows: One row a sample: its id, its image, and every column that the set has.
        folder: What paths of images are relative to.
        masks: Makes the masks of some of the samples from their rows and ids; None where the
            evaluation asks for none.
    """

    rows: Rows
    folder: Path
    masks: ReadMasks | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """A request to a reader: a folder, parts of the set, and options.

    Args:
        evaluation: The evaluation of the policy.
        root: Folder or file of the data set.
        options: The options of the policy, each of a kind that the reader takes.
    """

    evaluation: "Evaluation"
    root: Path
    options: Mapping[str, Any]

    def error(self, message: str) -> NoReturn:
        """Raise an error that names the evaluation."""
        msg = f"{message} (evaluation {self.evaluation.name!r})"
        raise DataError(msg)

    def find(self, what: str, *names: str) -> Path:
        """Return the first of some paths below the root that is there.

        Args:
            what: What is looked for, for the message.
            names: Paths relative to the root, the usual one first.

        Raises:
            DataError: None is there.
        """
        found = self.look_for(*names)
        if found is None:
            self.error(
                f"{self.root}: {what} is missing, looked for {listed(names)}; put it there, or "
                "correct root, which a policy gives relative to its own folder"
            )
        return found

    def look_for(self, *names: str) -> Path | None:
        """Return the first path below the root that exists, or None where none does."""
        return next((path for name in names if (path := self.root / name).exists()), None)

    def masks_in(self, *folders: Path) -> ReadMasks:
        """Return what reads the masks of the Parquet file that the evaluation names.

        Args:
            folders: Where a file of that name lies; together they have the mask of every sample.

        Raises:
            DataError: The evaluation names a file of another kind.
        """
        paths = [folder / str(self.evaluation.masks) for folder in folders]
        if paths[0].suffix.lower() != ".parquet":
            self.error(
                f"{paths[0]}: reader {self.evaluation.reader!r} reads masks of a .parquet file only"
            )
        return lambda _, ids: read_masks(paths, ids)

    def rows(self, frame: pd.DataFrame, origin: Path, *, first_line: int | None = None) -> Rows:
        """Return rows that errors can name.

        Args:
            frame: One row a sample, indexed from 0 in the order of the file.
            origin: File or folder that they came from.
            first_line: Line of the file that the first row stood on; None where rows are no lines.
        """
        if first_line is None:
            return Rows(frame, str(origin), self.evaluation.name, DataError)
        frame = frame.set_axis(frame.index + (first_line - 2), axis=0)
        return Rows(frame, str(origin), self.evaluation.name, DataError, "line")

    def of_split(self, rows: Rows, column: str = "split") -> Rows:
        """Return the rows of the wanted parts of the set, or all where the policy names none.

        Raises:
            DataError: The set has no such part.
        """
        asked = self.evaluation.split
        if not asked:
            return rows
        there = rows.frame[column].dropna().unique().tolist()
        for name in asked:
            if name not in there:
                self.error(
                    f"{rows.source}: split {name!r} has no samples; there are "
                    f"{listed(sorted(map(str, there)))}{suggest(name, map(str, there))}"
                )
        return rows.part(rows.frame[column].isin(asked).to_numpy(dtype=np.bool_))

    def check_count(self, rows: Rows, expected: int, *, where: str) -> None:
        """Raise when a set has another number of samples than it says itself."""
        if len(rows.frame) != expected:
            self.error(
                f"{rows.source}: {counted(len(rows.frame), 'sample')}, but {where} says {expected}; the file "
                "is cut off or was edited: get it again"
            )
