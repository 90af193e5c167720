"""Masks of the parts of an image: hair, mouth, background, ..."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from pytest_fairness.data.images import opened
from pytest_fairness.data.levels import as_levels
from pytest_fairness.data.parquet import read_parquet
from pytest_fairness.errors import DataError
from pytest_fairness.wording import counted, listed

__all__ = ["IndexMasks", "Masks", "read_index", "read_masks"]

_KEY = b"parts"
_ONE_CHANNEL = ("1", "L", "P", "I;16")


class Masks(Protocol):
    """Masks of the parts of each image."""

    @property
    def parts(self) -> tuple[str, ...]:
        """The names of all parts, in the order of the source."""
        ...

    def read(self, position: int) -> Mapping[str, NDArray[np.bool_]]:
        """Return part -> mask (H, W) of the sample at a position. A part may be empty.

        The mask covers the whole image, but H and W may differ from the image's own.

        Raises:
            DataError: The mask is missing, corrupt, or holds a part without a name.
        """
        ...


@dataclass(frozen=True, slots=True, eq=False)
class IndexMasks:
    """Masks stored as one picture a sample, whose pixel values are the numbers of parts.

    Args:
        parts: Names of the parts: the first is that of pixel value 0.
        pictures: Encoded picture of each sample, in the order of the samples; None where it is
            known that there is none: then all parts are empty.
        ids: Ids of the samples.
        source: Where the pictures came from.
    """

    parts: tuple[str, ...]
    pictures: Sequence[bytes | None]
    ids: Sequence[str]
    source: str

    def read(self, position: int) -> dict[str, NDArray[np.bool_]]:
        """Return part -> mask (H, W) of the sample at a position.

        Raises:
            DataError: The picture is corrupt, or holds a part without a name.
        """
        name = f"{self.source}, mask of sample {self.ids[position]!r}"
        picture = self.pictures[position]
        if not isinstance(picture, bytes):  # None, or what pandas has for it
            return {part: np.zeros((1, 1), dtype=np.bool_) for part in self.parts}
        index = read_index(picture, name=name)
        if (largest := int(index.max())) >= len(self.parts):
            msg = (
                f"{name}: pixel value {largest}, but there are {counted(len(self.parts), 'part')}: "
                f"{listed(self.parts)}; values count from 0"
            )
            raise DataError(msg)
        return {part: index == number for number, part in enumerate(self.parts)}


def read_index(content: bytes, *, name: str) -> NDArray[np.int32]:
    """Return the pixel values (H, W) of a picture with one channel. A palette is ignored.

    Raises:
        DataError: The picture is corrupt, or has several channels.
    """
    with opened(content, name=name) as picture:
        if picture.mode in _ONE_CHANNEL:
            return np.asarray(picture).astype(np.int32)
        mode = picture.mode
    msg = f"{name}: a mask has one channel (modes {listed(_ONE_CHANNEL)}), got mode {mode!r}"
    raise DataError(msg)


def read_masks(paths: Sequence[Path], ids: Sequence[str]) -> IndexMasks:
    """Read the masks of samples from Parquet files.

    A file has a column `id`, a column `mask` with PNG files whose pixel value is the number of
    the part, and the names of the parts as a JSON list in its schema metadata, key `parts`. A null
    says that a sample is known to have no mask; a sample without a row is an error.

    Args:
        paths: The Parquet files; they may hold masks of other samples too.
        ids: Ids of the samples.

    Raises:
        DataError: A file is missing or malformed, names other parts than the first, or the mask of
            a sample is missing.
    """
    tables = [_table(path) for path in paths]
    parts = _parts(tables[0].schema, paths[0])
    for path, table in zip(paths[1:], tables[1:], strict=True):
        if (other := _parts(table.schema, path)) != parts:
            msg = (
                f"{path}: the parts are {listed(other)}, those of {paths[0]} are {listed(parts)}; "
                "the files of one evaluation name the same parts in the same order"
            )
            raise DataError(msg)
    source = " + ".join(map(str, paths))
    names = pd.concat([as_levels(table.column("id").to_pandas()) for table in tables])
    places = _places(pd.Index(names), ids, source)
    column = pa.chunked_array(
        [chunk for table in tables for chunk in table.column("mask").chunks], pa.large_binary()
    )
    held: Any = pd.Series(column.take(pa.array(places)), dtype=pd.ArrowDtype(column.type)).array
    pictures: Sequence[bytes | None] = held
    return IndexMasks(parts, pictures, list(ids), source)


def _table(path: Path) -> pa.Table:
    """Ids and encoded pictures of one file, with offsets of 64 bits: a large set's need them."""
    try:
        table = read_parquet(path, columns=["id", "mask"])
    except (pa.ArrowException, OSError, ValueError) as problem:
        msg = (
            f"{path}: masks cannot be read: {problem}; give a Parquet file with columns 'id' and "
            "'mask' (PNG), relative to the manifest"
        )
        raise DataError(msg) from problem
    kind = table.schema.field("mask").type
    if not (pa.types.is_binary(kind) or pa.types.is_large_binary(kind)):
        msg = f"{path}: column 'mask' must hold the bytes of PNG files, got {kind}"
        raise DataError(msg)
    return table.set_column(
        table.schema.get_field_index("mask"), "mask", table.column("mask").cast(pa.large_binary())
    )


def _places(found: "pd.Index[str]", ids: Sequence[str], source: str) -> NDArray[np.intp]:
    """Rows (N,) of the masks of the samples."""
    if repeated := found[found.duplicated()].tolist():
        msg = f"{source}: sample id {repeated[0]!r} has more than one mask; ids must be unique"
        raise DataError(msg)
    places: NDArray[np.intp] = found.get_indexer(pd.Index(ids))
    if (places < 0).any():
        first, count = int(np.argmax(places < 0)), int((places < 0).sum())
        msg = (
            f"{source}: sample {ids[first]!r} has no mask ({count} of {counted(len(ids), 'sample')} have "
            "none); add it, with null where there is none, or leave such samples out with `where`"
        )
        raise DataError(msg)
    return places


def _parts(schema: pa.Schema, path: Path) -> tuple[str, ...]:
    try:
        parts = json.loads((schema.metadata or {}).get(_KEY, b"null"))
    except ValueError:
        parts = None
    named = isinstance(parts, list) and parts and all(isinstance(part, str) for part in parts)
    if not named or len(set(parts)) != len(parts):
        msg = (
            f"{path}: the schema metadata must name the parts: key 'parts', a JSON list of "
            f'different names, the one of pixel value 0 first, such as ["background", "hair"]; '
            f"got {parts!r}"
        )
        raise DataError(msg)
    return tuple(parts)
