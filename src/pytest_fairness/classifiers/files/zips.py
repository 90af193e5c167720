"""Zip archives whose members are checked before torch reads them.

Torch reads zip files with a parser of its own, which may see other members in a crafted file than
Python does. So a file is read once, and torch gets an archive of what was checked.
"""

import io
import zipfile
from collections.abc import Mapping
from pathlib import Path

from pytest_fairness.wording import counted

__all__ = ["check_zip", "is_torchscript", "read_zip", "written_zip"]

_MOST_TIMES = 10
_ALWAYS = 2**20


def is_torchscript(path: Path) -> bool:
    """Return whether a file is an archive with TorchScript code."""
    if not path.is_file() or not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.split("/", 1)[-1] == "constants.pkl" for name in archive.namelist())


def read_zip(path: Path) -> dict[str, bytes]:
    """Return the members of a zip archive by name.

    Raises:
        ValueError: It is no zip archive, is damaged, or names a member twice.
    """
    if not zipfile.is_zipfile(path):
        msg = "no zip archive"
        raise ValueError(msg)
    try:
        with zipfile.ZipFile(path) as archive:
            _check_unpacked(archive, path.stat().st_size)
            names = archive.namelist()
            if len(set(names)) != len(names):
                msg = "it names a member twice"
                raise ValueError(msg)
            return {name: archive.read(name) for name in names}
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        msg = f"a damaged zip archive: {error}"
        raise ValueError(msg) from error


def _check_unpacked(archive: zipfile.ZipFile, size: int) -> None:
    """Refuse an archive that unpacks to more than ten times its size.

    Torch stores members as they are, so an honest archive unpacks to about its own size.
    """
    unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > _MOST_TIMES * size + _ALWAYS:
        msg = (
            f"{counted(size, 'byte')} that unpack to {unpacked:,}; an archive of torch holds its members as "
            "they are: save it anew"
        )
        raise ValueError(msg)


def check_zip(source: Path | io.BytesIO) -> None:
    """Refuse a file that is an archive which unpacks to many more bytes than it has.

    Args:
        source: The file, or its bytes.

    Raises:
        ValueError: It does, or is a damaged archive.
    """
    if not zipfile.is_zipfile(source):
        return
    size = source.stat().st_size if isinstance(source, Path) else len(source.getbuffer())
    try:
        with zipfile.ZipFile(source) as archive:
            _check_unpacked(archive, size)
    except (zipfile.BadZipFile, EOFError, NotImplementedError, RuntimeError) as error:
        msg = f"a damaged zip archive: {error}"
        raise ValueError(msg) from error
    if not isinstance(source, Path):
        source.seek(0)


def written_zip(members: Mapping[str, bytes]) -> io.BytesIO:
    """Return an uncompressed archive of exactly these members, to be read from its start.

    Example:
        >>> zipfile.ZipFile(written_zip({"a/b": b"1"})).read("a/b")
        b'1'
    """
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    buffer.seek(0)
    return buffer
