"""Files that are whole or not there: what is written replaces the former file in one step."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["cannot_write", "replacing", "write_whole"]


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a temporary file that takes the place of `path` at the end, when nothing was raised.

    A process that is killed, or a disk that is full, leaves the former file as it was.

    Args:
        path: File to write; its folder is made when it is missing.

    Raises:
        OSError: The file cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    number, name = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".part", dir=path.parent)
    os.close(number)
    part = Path(name)
    try:
        yield part
        with part.open("rb") as written:
            os.fsync(written.fileno())  # before the name points to it: a crash leaves no empty file
        part.chmod(path.stat().st_mode if path.exists() else 0o666 & ~_umask())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def write_whole(path: Path, text: str) -> None:
    """Write a text in UTF-8, in one step.

    Raises:
        OSError: The file cannot be written.

    Example:
        >>> folder = Path(tempfile.mkdtemp())
        >>> write_whole(folder / "record.json", "{}")
        >>> [file.name for file in folder.iterdir()]
        ['record.json']
    """
    with replacing(path) as part:
        part.write_text(text, encoding="utf-8")


def cannot_write(path: Path) -> str:
    """Return why a file cannot be written, or nothing. The folder is made when it is missing.

    Args:
        path: File that will be written.

    Example:
        >>> cannot_write(Path(tempfile.mkdtemp()) / "record.json")
        ''
    """
    if path.is_dir():
        return f"{path}: a folder; give a file"
    if path.exists() and not path.is_file():
        return f"{path}: not a regular file; give another file"
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=path.parent) as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as error:
        return f"{path}: cannot be written: {error.strerror}; give a file in another folder"
    return ""


def _umask() -> int:
    """The permissions that new files lack; it can only be read by setting it."""
    mask = os.umask(0)
    os.umask(mask)
    return mask
