"""Hashes by which a record names files, folders and texts."""

import errno
import hashlib
from pathlib import Path

__all__ = ["sha256_of", "sha256_of_text"]


def sha256_of(path: Path) -> str:
    """Return the sha256 of a file, or of the names and contents of the files of a folder.

    Raises:
        OSError: There is no such file or folder, or it is a pipe or a device, whose bytes may never end.

    Example:
        >>> import tempfile
        >>> with tempfile.NamedTemporaryFile() as file:
        ...     sha256_of(Path(file.name))[:12]
        'e3b0c44298fc'
    """
    if path.is_file():
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    if not path.is_dir():
        path.stat()  # raises where there is nothing
        raise OSError(errno.EINVAL, "not a regular file; give a file on disk", str(path))
    digest = hashlib.sha256()
    for file_path in sorted(found for found in path.rglob("*") if found.is_file()):
        name = file_path.relative_to(path).as_posix()
        digest.update(f"{name} {sha256_of(file_path)}\n".encode())
    return digest.hexdigest()


def sha256_of_text(text: str) -> str:
    """Return the sha256 of a text in UTF-8.

    Example:
        >>> sha256_of_text("")[:12]
        'e3b0c44298fc'
    """
    return hashlib.sha256(text.encode()).hexdigest()
