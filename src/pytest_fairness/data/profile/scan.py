"""Every image is read once, by several threads: hashes, size, mode, and what an audit measures."""

import hashlib
import io
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Generic, NamedTuple, TypeAlias, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image

from pytest_fairness.data.images import Images, decode
from pytest_fairness.errors import DataError

__all__ = ["ImageFacts", "Pixels", "Scan", "scan_images"]

Pixels: TypeAlias = NDArray[np.uint8]
Found = TypeVar("Found")

_BATCH = 32


class ImageFacts(NamedTuple):
    """Size, mode, hash and other facts of one image.

    Args:
        problem: Why it cannot be read; None when it can.
        content: Hash of the encoded file; None when there is no file.
        pixels: Hash of the upright RGB pixels; None when it cannot be read.
        size: Width and height as stored; None when it cannot be read.
        mode: Pixel mode as stored.
        format: Format of the file.
        turned: Whether an EXIF tag turns it.
        file_bytes: Size of the file.
    """

    problem: str | None
    content: bytes | None = None
    pixels: bytes | None = None
    size: tuple[int, int] | None = None
    mode: str = ""
    format: str = ""
    turned: bool = False
    file_bytes: int = 0


@dataclass(frozen=True, slots=True)
class Scan(Generic[Found]):
    """The facts of all images (N,), and what was measured in each set of images."""

    facts: Sequence[ImageFacts]
    measured: Sequence[Found]


def scan_images(
    images: Images,
    *,
    sets: Sequence[Sequence[int]] = (),
    measure: Callable[[int, dict[int, Pixels]], Found] | None = None,
    sets_only: bool = False,
    workers: int | None = None,
) -> Scan[Found]:
    """Read every image once.

    Args:
        images: The images.
        sets: Positions of images that are looked at together; no position is in two sets.
        measure: Takes the number of a set and the pixels (H, W, 3) of its readable images.
        sets_only: Whether to leave out the images of no set; there are no facts then.
        workers: Threads; some more than there are processors when None.
    """
    together = set(chain.from_iterable(sets))
    alone = [position for position in range(len(images)) if position not in together]
    facts: list[ImageFacts | None] = [None] * len(images)
    measured: list[Found | None] = [None] * len(sets)

    def read_set(number: int) -> None:
        held = {}
        for position in sets[number]:
            facts[position], pixels = _read(images, position)
            if pixels is not None:
                held[position] = pixels
        if measure is not None:
            measured[number] = measure(number, held)

    def read_batch(positions: Sequence[int]) -> None:
        for position in positions:
            facts[position], _ = _read(images, position)

    batches = [alone[start : start + _BATCH] for start in range(0, len(alone), _BATCH)]
    with ThreadPoolExecutor(workers) as pool:  # a list: an error of a thread is raised here
        list(pool.map(read_set, range(len(sets))))
        if not sets_only:
            list(pool.map(read_batch, batches))
    return Scan(
        [one for one in facts if one is not None], [one for one in measured if one is not None]
    )


def _read(images: Images, position: int) -> tuple[ImageFacts, Pixels | None]:
    try:
        content = images.content(position)
    except DataError as problem:
        return ImageFacts(str(problem)), None
    digest = _hash(content) if content else None
    try:
        upright = decode(content, name=_place(images, position))
    except DataError as problem:
        return ImageFacts(str(problem), digest, file_bytes=len(content)), None
    with Image.open(io.BytesIO(content)) as stored:  # what was decoded can be opened
        size, mode, kind = stored.size, stored.mode, stored.format or "unknown"
        turned = stored.getexif().get(ExifTags.Base.Orientation, 1) != 1
    raw = upright.tobytes()
    pixels = np.frombuffer(raw, dtype=np.uint8).reshape(upright.height, upright.width, 3)
    own = _hash(raw, repr(upright.size).encode())
    return ImageFacts(None, digest, own, size, mode, kind, turned, len(content)), pixels


def _place(images: Images, position: int) -> str:
    rows, entry = images.rows, images.entries[position]
    where = f"{rows.source}, {rows.place(position)}, sample {images.ids[position]!r}"
    return f"{where}, {entry}" if isinstance(entry, Path) else where


def _hash(content: bytes, size: bytes = b"") -> bytes:
    """Half of SHA-256, which processors compute in hardware."""
    held = hashlib.sha256(size)
    held.update(content)
    return held.digest()[:16]
