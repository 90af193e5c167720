"""Files that are whole or not there: what is written replaces the former file in one step."""

import errno
import hashlib
import json
import os
import re
import stat
import tempfile
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pytest_fairness.wording import counted

__all__ = [
    "cannot_write",
    "check_regular",
    "file_name",
    "of_file",
    "parse_json",
    "read_regular",
    "read_text",
    "replacing",
    "write_whole",
]

_PLAIN = re.compile("[a-z0-9_][a-z0-9_+-]*")
_RESERVED = re.compile(r"(con|prn|aux|nul|conin\$|conout\$|com[0-9¹²³]|lpt[0-9¹²³])", re.IGNORECASE)
"""Names that Windows gives to devices, with any ending."""
MOST_BYTES = 2**31
"""Largest file that is read into memory as a whole: 2 GiB."""
_LONGEST = 120
_DIGITS = 16


def file_name(*names: str, ending: str) -> str:
    """Return the name of a file for some names: others give another file, on every system.

    Names in small letters are kept as they are, and only the last of several has no `-`. All
    others get a hash: file systems may not tell `Ads` from `ads`, and `a-b` with `c` would be `a`
    with `b-c`.

    Args:
        names: What the file is for, such as a model and an evaluation.
        ending: Ending of the file, with its dot.

    Example:
        >>> file_name("ads", "faces", ending=".parquet"), file_name("m-a", "b", ending=".png")
        ('ads-faces.parquet', 'm-a-b.png')
        >>> file_name("m", "a-b", ending=".png"), file_name("../../evil", "b", ending=".png")
        ('m-a-b~85e5c5f01cad2473.png', 'evil-b~701b0fd5d79f24be.png')
    """
    whole = "-".join(names)
    plain = all(map(_PLAIN.fullmatch, names)) and "-" not in names[-1]
    if plain and len(whole) <= _LONGEST and not _RESERVED.fullmatch(whole):
        return whole + ending
    exact = "".join(f"{len(name)}:{name}" for name in names).encode("utf-8", "surrogatepass")
    readable = re.sub(r"[^\w+.-]+", "_", unicodedata.normalize("NFC", whole)).strip("_.-")
    if _RESERVED.fullmatch(readable.split(".")[0]):
        readable = f"_{readable}"
    short = readable.encode()[:_LONGEST].decode(errors="ignore")
    return f"{short}~{hashlib.sha256(exact).hexdigest()[:_DIGITS]}{ending}"


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


def check_regular(path: Path, *, most: int = MOST_BYTES) -> None:
    """Refuse a file that is no regular one, or too large: reading it may never end.

    Args:
        path: File that will be read.
        most: Largest number of bytes.

    Raises:
        OSError: It is missing, a folder, a pipe, a device, or too large.

    Example:
        >>> check_regular(Path("/dev/zero"))
        Traceback (most recent call last):
            ...
        OSError: [Errno 22] not a regular file; give a file on disk: '/dev/zero'
    """
    found = path.stat()
    if stat.S_ISDIR(found.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
    if not stat.S_ISREG(found.st_mode):
        raise OSError(errno.EINVAL, "not a regular file; give a file on disk", str(path))
    if found.st_size > most:
        problem = f"{counted(found.st_size, 'byte')}, allowed are {most:,}; give a smaller file"
        raise OSError(errno.EFBIG, problem, str(path))


def read_regular(path: Path, *, most: int = MOST_BYTES) -> bytes:
    """Return the bytes of a regular file.

    Args:
        path: The file.
        most: Largest number of bytes.

    Raises:
        OSError: It cannot be read, is no regular file, or is too large.
    """
    check_regular(path, most=most)
    return path.read_bytes()


def read_text(path: Path, *, most: int = MOST_BYTES, encoding: str = "utf-8") -> str:
    """Return the text of a regular file, its line ends as line feeds.

    Raises:
        OSError: It cannot be read, is no regular file, or is too large.
        UnicodeDecodeError: It is no text of this encoding.
    """
    check_regular(path, most=most)
    return path.read_text(encoding=encoding)


def parse_json(text: str | bytes, **how: Any) -> Any:
    """Return the value of a JSON text. `how` goes to `json.loads`.

    Raises:
        ValueError: It is no JSON, or nested too deeply.

    Example:
        >>> parse_json("[" * 100_000)
        Traceback (most recent call last):
            ...
        ValueError: nested too deeply
    """
    try:
        return json.loads(text, **how)
    except RecursionError:
        msg = "nested too deeply"
        raise ValueError(msg) from None


def of_file(error: OSError) -> str:
    """Return what an error of the system says about a file, in one line.

    Example:
        >>> of_file(OSError(28, "No space left on device", "record.json"))
        'record.json: cannot be read or written: No space left on device'
    """
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}cannot be read or written: {error.strerror or error}"
