"""The labels of a network's scores, in order, from the file that its training left behind."""

import json
import pickle
from pathlib import Path

from typing_extensions import override

from pytest_fairness.errors import ModelError

__all__ = ["read_label_list"]


def read_label_list(path: str | Path) -> tuple[str, ...]:
    """Return the K labels in the order of the scores.

    Args:
        path: `.txt` with one label a line; `.json` with a list of labels, or a mapping of label to
            index; `.pkl` with such a mapping (`name_to_label.pkl` of the audited system), of
            which only built-in types are read, so that nothing in the file can run.

    Raises:
        ModelError: The file is missing or unreadable, or its indices are not 0 … K - 1.
    """
    path = Path(path)
    readers = {".txt": _read_text, ".json": _read_json, ".pkl": _read_pickle}
    if path.suffix not in readers:
        msg = f"{path}: label lists are read from {', '.join(readers)}, got {path.suffix!r}"
        raise ModelError(msg)
    try:
        found = readers[path.suffix](path)
    except FileNotFoundError as error:
        msg = f"{path}: no such label list; correct the path"
        raise ModelError(msg) from error
    except (ValueError, pickle.UnpicklingError, EOFError) as error:
        msg = f"{path}: not a label list ({error}); write one label a line into a .txt file"
        raise ModelError(msg) from error
    labels = _in_order(path, found) if isinstance(found, dict) else found
    if not labels or not isinstance(labels, list) or not all(isinstance(x, str) for x in labels):
        msg = (
            f"{path}: expected a list of labels, or a mapping of label to index; got {_kind(found)}"
        )
        raise ModelError(msg)
    return tuple(labels)


def _in_order(path: Path, index_of: dict[object, object]) -> list[object]:
    if sorted(map(repr, index_of.values())) != sorted(map(repr, range(len(index_of)))):
        msg = (
            f"{path}: the {len(index_of)} labels must have the indices 0 to {len(index_of) - 1}, "
            "each once; write the mapping that the network was trained with"
        )
        raise ModelError(msg)
    by_index = {index: label for label, index in index_of.items()}
    return [by_index[index] for index in range(len(by_index))]


def _kind(found: object) -> str:
    return f"{type(found).__name__} {str(found)[:60]!r}"


def _read_text(path: Path) -> object:
    return [line for line in path.read_text(encoding="utf-8-sig").splitlines() if line]


def _read_json(path: Path) -> object:
    return json.loads(path.read_text(encoding="utf-8"))


class _BuiltIn(pickle.Unpickler):
    """Reads dicts, lists, texts and numbers; whatever names a class or function is refused."""

    @override
    def find_class(self, module: str, name: str, /) -> object:
        msg = f"it names {module}.{name}, which could run code"
        raise pickle.UnpicklingError(msg)


def _read_pickle(path: Path) -> object:
    with path.open("rb") as file:
        return _BuiltIn(file).load()
