"""Encoded images -> upright RGB, or an error that names the sample."""

import hashlib
import io
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from PIL import Image, ImageChops, ImageOps

from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError
from pytest_fairness.files import read_regular
from pytest_fairness.wording import counted

__all__ = ["Cell", "Entry", "Images", "Paths", "Slice", "decode", "opened"]

# What Pillow raises for broken files, depending on the format and on the place of the damage.
_BROKEN = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    EOFError,
    LookupError,
    OverflowError,
    NotImplementedError,
    struct.error,
    zlib.error,
)
# Pillow names what it read from, which is our copy in memory, elsewhere in every run.
_IN_MEMORY = re.compile(r" <_io\.BytesIO object at 0x[0-9a-fA-F]+>")
_BOMB = (Image.DecompressionBombError, Image.DecompressionBombWarning)


class Slice(NamedTuple):
    """An image within a larger file.

    Args:
        file: The file.
        offset: Its first byte, counted from 0.
        size: Its number of bytes.
    """

    file: Path
    offset: int
    size: int

    def content(self) -> bytes:
        """Return its bytes.

        Raises:
            OSError: The file cannot be read, or ends too early.
        """
        with self.file.open("rb") as file:
            file.seek(self.offset)
            content = file.read(self.size)
        if len(content) < self.size:
            msg = f"it ends {counted(self.size - len(content), 'byte')} too early"
            raise OSError(msg)
        return content


class Cell(NamedTuple):
    """An image within a column of an Arrow table, which may lie in a mapped file.

    Args:
        column: A `pyarrow.ChunkedArray` of bytes.
        row: Its row, counted from 0.
        file: Where the column came from.
    """

    column: Any
    row: int
    file: Path

    def content(self) -> bytes:
        """Return its bytes."""
        found: bytes = self.column[self.row].as_py()
        return found


class Paths(Sequence[Path]):
    """Files below a folder. A path is made when it is asked for, since a set has many."""

    def __init__(self, folder: Path, names: Sequence[str]) -> None:
        self.folder = folder
        self.names = names

    # `typing.override` needs Python 3.12.
    def __len__(self) -> int:  # type: ignore[explicit-override]
        return len(self.names)

    def __getitem__(self, position: Any) -> Any:  # type: ignore[explicit-override]
        if isinstance(position, slice):
            return Paths(self.folder, self.names[position])
        return self.folder / self.names[position]


Entry: TypeAlias = Path | bytes | Slice | Cell


@dataclass(frozen=True, slots=True, eq=False)
class Images:
    """The images of an evaluation set, decoded one at a time, by any thread.

    Args:
        entries: Path or encoded bytes of every image, or where it lies within a file.
        ids: Sample ids, in the same order.
        rows: Where the images were listed.
        digests: Hash of each encoded image, empty for one that cannot be read; none where they were not
            computed.
        stamps: What the file system said of each file just before it was hashed.
    """

    entries: Sequence[Entry]
    ids: Sequence[str]
    rows: Rows
    digests: Sequence[bytes] = ()
    stamps: Sequence[int] = ()

    def __len__(self) -> int:
        return len(self.entries)

    def content(self, position: int) -> bytes:
        """Return the encoded image at a position.

        Raises:
            DataError: The file cannot be read.
        """
        entry = self.entries[position]
        if isinstance(entry, bytes):
            return entry
        try:
            return entry.content() if isinstance(entry, Slice | Cell) else read_regular(entry)
        except OSError as problem:
            msg = f"{self.name(position)}: the image file cannot be read: {problem}"
            raise DataError(msg) from problem

    def read(self, position: int) -> Image.Image:
        """Return the image at a position, upright, as RGB on white.

        Raises:
            DataError: The image is empty, truncated, corrupt, or too large.
        """
        return decode(self.content(position), name=self.name(position))

    def at(self, positions: Sequence[int]) -> "Images":
        """Return the images at some positions, in their order."""
        return replace(
            self,
            entries=[self.entries[place] for place in positions],
            ids=[self.ids[place] for place in positions],
            rows=replace(self.rows, frame=self.rows.frame.iloc[list(positions)]),
            digests=[self.digests[place] for place in positions] if self.digests else (),
            stamps=[self.stamps[place] for place in positions] if self.stamps else (),
        )

    def hashed(self, position: int) -> tuple[bytes, int]:
        """Return the hash of an encoded image, and a stamp that changes when its file does.

        Raises:
            DataError: The file cannot be read.
        """
        stamp = self._stamp(position)  # first: a change while it is read is then seen
        return hashlib.sha256(self.content(position)).digest(), stamp

    def unchanged(self, position: int) -> bool:
        """Return whether an image is what it was when it was hashed."""
        if isinstance(self.entries[position], bytes):
            return True
        try:
            if self._stamp(position) == self.stamps[position]:
                return True
            return self.hashed(position)[0] == self.digests[position]
        except DataError:
            return False

    def _stamp(self, position: int) -> int:
        entry = self.entries[position]
        if isinstance(entry, bytes):
            return 0
        try:
            found = os.stat(entry.file if isinstance(entry, Slice | Cell) else entry)  # noqa: PTH116
        except OSError:
            return 0
        return hash((found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns))

    def name(self, position: int) -> str:
        """Return what an error calls the image at a position: its source, place, id and file."""
        entry = self.entries[position]
        where = f"{self.rows.source}, {self.rows.place(position)}, sample {self.ids[position]!r}"
        if isinstance(entry, bytes):
            return where
        return f"{where}, {entry.file if isinstance(entry, Slice | Cell) else entry}"


def decode(content: bytes, *, name: str) -> Image.Image:
    """Decode an image: turned upright by its EXIF tag, transparent pixels on white, RGB.

    Args:
        content: The encoded file.
        name: What to call the image in an error.

    Raises:
        DataError: The image is empty, truncated, corrupt, or too large.
    """
    with opened(content, name=name) as image:
        return _as_rgb(ImageOps.exif_transpose(_as_printed(image)))


@contextmanager
def opened(content: bytes, *, name: str) -> Iterator[Image.Image]:
    """Open an image as it is stored. An error while it is used names the image.

    Args:
        content: The encoded file.
        name: What to call the image in an error.

    Raises:
        DataError: The image is empty, truncated, corrupt, or too large.
    """
    if not content:
        msg = f"{name}: the image is empty (0 bytes); put the file back, or remove its row"
        raise DataError(msg)
    try:
        with Image.open(io.BytesIO(content)) as image:
            _check_size(image)
            yield image
    except _BOMB as problem:
        msg = f"{name}: the image is too large to be decoded safely: {problem}; make it smaller"
        raise DataError(msg) from problem
    except UserWarning as problem:  # raised only where the user turned warnings into errors
        msg = (
            f"{name}: Pillow warns about a damaged part of the image, such as its EXIF data ({problem}), "
            "and warnings are errors in this run; save the image without that part, or allow the "
            "warning: -W ignore::UserWarning"
        )
        raise DataError(" ".join(msg.split())) from problem
    except _BROKEN as problem:
        msg = (
            f"{name}: the image is truncated, corrupt or of an unknown kind "
            f"({type(problem).__name__}: {_IN_MEMORY.sub('', str(problem))}); replace it, or remove "
            "its row"
        )
        raise DataError(msg) from problem


def _check_size(image: Image.Image) -> None:
    # Pillow only warns up to twice its limit, and warnings cannot be caught safely in threads.
    pixels = image.width * image.height
    if Image.MAX_IMAGE_PIXELS is not None and pixels > Image.MAX_IMAGE_PIXELS:
        msg = f"{pixels} pixels, the limit is {Image.MAX_IMAGE_PIXELS}"
        raise Image.DecompressionBombError(msg)


def _as_printed(image: Image.Image) -> Image.Image:
    """Undo what Pillow takes for granted: that every JPEG in CMYK is inverted, as Adobe's are."""
    if image.format == "JPEG" and image.mode == "CMYK" and "adobe" not in image.info:
        straight = ImageChops.invert(image)
        straight.info.update(image.info)
        return straight
    return image


def _as_rgb(image: Image.Image) -> Image.Image:
    if image.mode.startswith("I;16"):  # Pillow would clip 16-bit grey at 255
        values = np.asarray(image)
        clear = image.info.get("transparency")
        grey = np.where(values == clear, 255, values // 257) if clear is not None else values // 257
        image = Image.fromarray(grey.astype(np.uint8))
    if image.mode in {"I", "F"}:
        msg = f"mode {image.mode} has no agreed brightness of white; store 8 or 16 bits"
        raise ValueError(msg)
    if image.has_transparency_data:
        image = image.convert("RGBA")
        white = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(white, image)
    return image.convert("RGB")
