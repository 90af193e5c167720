"""Image files below a folder."""

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_fairness.wording import counted, listed

if TYPE_CHECKING:
    from pytest_fairness.data.listing import Source

__all__ = ["IMAGE_ENDINGS", "image_files"]

IMAGE_ENDINGS = (
    ".avif", ".bmp", ".dib", ".gif", ".jfif", ".jp2", ".jpe", ".jpeg", ".jpg", ".pbm", ".pgm",
    ".png", ".pnm", ".ppm", ".tga", ".tif", ".tiff", ".webp",
)  # fmt: skip
_SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"RIFF", b"BM", b"II*\0", b"MM\0*")
_BESIDE = (
    ".bin", ".csv", ".db", ".docx", ".gz", ".htm", ".html", ".ini", ".json", ".jsonl", ".log",
    ".mat", ".md", ".npy", ".npz", ".parquet", ".pdf", ".pickle", ".pkl", ".py", ".rst", ".sha256",
    ".tar", ".tsv", ".txt", ".xls", ".xlsx", ".xml", ".yaml", ".yml", ".zip",
)  # fmt: skip
"""Endings of files that describe images, and are none."""


def image_files(
    source: "Source",
    folder: Path,
    *,
    ignore: Collection[str] = (),
    also: Callable[[str], bool] = lambda _: False,
) -> list[str]:
    """Return the images below a folder, relative to it, with `/` between folders, sorted.

    Hidden files and folders are left out: `._1.jpg` of macOS is no image.

    Args:
        source: For errors.
        folder: Where they lie.
        ignore: Names of files that are left out.
        also: Whether a file of this name is an image, whatever its ending.

    Raises:
        DataError: A file may be an image that cannot be read: a group without it is another group.
    """
    found, unread = [], []
    for path, folders, names in os.walk(folder, followlinks=True):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        below = Path(path).relative_to(folder).as_posix()
        start = "" if below == "." else f"{below}/"
        for name in names:
            if name.startswith(".") or name in ignore:
                continue
            if name.lower().endswith(IMAGE_ENDINGS) or also(name):
                found.append(start + name)
            elif _may_be_one(Path(path, name)):
                unread.append(start + name)
    if unread:
        source.error(
            f"{folder}: {counted(len(unread), 'file')} of a kind that is not read: "
            f"{listed(sorted(unread))}; convert them to .png or .jpg, or move them elsewhere "
            f"(read: {' '.join(IMAGE_ENDINGS)})"
        )
    return sorted(found)


def _may_be_one(file: Path) -> bool:
    """Whether a file may be an image: by its ending, or without one by its first bytes."""
    if file.suffix:
        return file.suffix.lower() not in _BESIDE
    if not file.is_file():
        return False
    with file.open("rb") as content:
        return content.read(4).startswith(_SIGNATURES)
