"""Where the cache is on this machine, and how large it may grow."""

import os
import sys
from pathlib import Path

from pytest_fairness.errors import CacheError

__all__ = ["DEFAULT_SIZE", "cache_file", "cache_folder", "parse_size", "size_limit"]

FOLDER_VARIABLE = "FAIRNESS_CACHE_DIR"
SIZE_VARIABLE = "FAIRNESS_CACHE_SIZE"
DEFAULT_SIZE = 1_000_000_000
_VERSION = 1
_UNITS = {"": 1, "b": 1, "kb": 1_000, "mb": 1_000_000, "gb": 1_000_000_000, "tb": 1_000_000_000_000}


def cache_folder() -> Path:
    """Return the folder of the cache: `FAIRNESS_CACHE_DIR`, else one in the user's cache folder.

    Source: XDG Base Directory Specification, `XDG_CACHE_HOME`.
    """
    if own := os.environ.get(FOLDER_VARIABLE):
        return Path(own)
    xdg = os.environ.get("XDG_CACHE_HOME", "")
    if os.path.isabs(xdg):  # noqa: PTH117  (the specification ignores relative paths)
        return Path(xdg) / "pytest-fairness"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "pytest-fairness"
    if sys.platform == "win32" and (local := os.environ.get("LOCALAPPDATA")):
        return Path(local) / "pytest-fairness" / "cache"
    return Path.home() / ".cache" / "pytest-fairness"


def cache_file() -> Path:
    """Return the file of the cache. Its name holds the version of its tables."""
    return cache_folder() / f"scores-v{_VERSION}.sqlite"


def size_limit(text: str = "") -> int:
    """Return the most bytes of the cache: `FAIRNESS_CACHE_SIZE`, else the given text, else 1 GB.

    Raises:
        CacheError: The text is no size.
    """
    from_environment = os.environ.get(SIZE_VARIABLE, "")
    if from_environment:
        return parse_size(from_environment, where=SIZE_VARIABLE)
    return parse_size(text, where="fairness_cache_size") if text else DEFAULT_SIZE


def parse_size(text: str, *, where: str) -> int:
    """Return the number of bytes that a text such as `500 MB` means.

    Args:
        text: A number, with or without a unit: B, KB, MB, GB, TB (powers of 1000).
        where: Option or variable that it comes from, for the message.

    Raises:
        CacheError: It is no size.

    Example:
        >>> parse_size("1.5 GB", where="fairness_cache_size")
        1500000000
    """
    number = text.strip().rstrip("bBkKmMgGtT").strip()
    unit = text.strip()[len(number) :].strip().lower()
    try:
        size = float(number) * _UNITS[unit]
    except (ValueError, KeyError):
        size = -1.0
    if not 0 <= size < float("inf"):
        msg = f'{where}: {text!r} is no size; write a number with a unit, e.g. "500 MB" or "2 GB"'
        raise CacheError(msg)
    return int(size)
