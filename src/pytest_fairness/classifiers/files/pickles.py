"""What a pickle would import when it is loaded, read off its opcodes without running any."""

import pickletools
import zipfile
from collections.abc import Iterator
from pathlib import Path

from pytest_fairness.errors import ModelError

__all__ = ["globals_of", "refuse_pickle"]

# A pickle stream may stand anywhere in a file that torch wrote before it wrote archives.
_MOST_STREAMS = 64
_TEXTS = ("SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8", "UNICODE")
_SHOWN = 4
_MOST_BYTES = 2**26


def globals_of(path: Path) -> tuple[str, ...]:
    """Return `module.name` of all that the pickles in a file would import, sorted.

    Reads plain pickles and those inside zip archives (which is what `torch.save` writes).
    Nothing is imported or called.
    """
    found: set[str] = set()
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                if name.endswith((".pkl", ".pickle", ".pt", ".pth")):
                    with archive.open(
                        name
                    ) as member:  # a small member may stand for any number of bytes
                        found |= set(_globals(member.read(_MOST_BYTES)))
    else:
        with path.open("rb") as file:
            found |= set(_globals(file.read(_MOST_BYTES)))
    return tuple(sorted(found))


def refuse_pickle(path: Path, *, what: str, convert: str) -> ModelError:
    """Return the error for a file that could run code when it is read.

    Args:
        path: The file.
        what: What it is, and why it is not read.
        convert: Commands that turn it into a file that is read.
    """
    names = globals_of(path)
    shown = ", ".join(names[:_SHOWN]) + (", …" if len(names) > _SHOWN else "")
    calls = f" (it names {shown})" if names else ""
    return ModelError(
        f"{path}: {what}{calls}; reading it could run any code that its writer put there. Where "
        f"you trust it, convert it once:\n{convert}\nor allow it for one run with "
        "--fairness-allow-pickle, which the record then says"
    )


def _globals(content: bytes) -> Iterator[str]:
    """Yield the names of one pickle after the other; what is no pickle ends the search."""
    start = 0
    for _ in range(_MOST_STREAMS):
        texts: list[str] = []
        end = None
        try:
            for opcode, argument, position in pickletools.genops(content[start:]):
                if opcode.name in _TEXTS:
                    texts.append(str(argument))
                elif opcode.name in ("GLOBAL", "INST"):
                    yield str(argument).replace(" ", ".")
                elif opcode.name == "STACK_GLOBAL":
                    yield ".".join(texts[-2:])
                elif opcode.name == "STOP":
                    end = (position or 0) + 1
        except (ValueError, UnicodeDecodeError, IndexError, OverflowError):
            return
        if end is None or start + end >= len(content):
            return
        start += end
