"""The files of a policy: the one that was asked for, and those that it extends."""

import json
import os
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from pytest_fairness.errors import PolicyError
from pytest_fairness.files import parse_json, read_text
from pytest_fairness.policy.text.document import KeyPath
from pytest_fairness.policy.text.lines import TomlLines

__all__ = ["Layer", "read_layers", "restore_layers"]

_DEEPEST = 30
_MOST_BYTES = 2**24


@dataclass(frozen=True, slots=True)
class Layer:
    """A policy file: its name for messages, its text, and the folder its paths start from."""

    name: str
    text: str
    lines: TomlLines
    folder: Path
    raw: dict[str, Any]

    def place(self, path: KeyPath) -> str:
        """Return `file.toml:23`, or `policy, rule 2` for a mapping."""
        if line := self.lines.of(path):
            return f"{self.name}:{line}"
        tables = [f"{key} {number + 1}" for key, number in pairwise(path) if type(number) is int]
        return ", ".join([self.name, *tables])


def read_layers(source: str | Path | Mapping[str, Any]) -> list[Layer]:
    """Return the files of a policy, the one that extends nothing first.

    Raises:
        PolicyError: A file is missing or is not TOML, or a policy extends itself.
    """
    layers = [_from_mapping(source) if isinstance(source, Mapping) else _from_file(source)]
    seen = [] if isinstance(source, Mapping) else [Path(source).resolve()]
    while isinstance(extends := layers[-1].raw.get("extends"), str):
        child = layers[-1]
        path = child.folder / extends
        if path.resolve() in seen:
            chain = " -> ".join([layer.name for layer in layers] + [_shown(path)])
            msg = f"{child.place(('extends',))}: extends goes round in a circle: {chain}"
            raise PolicyError(msg)
        seen.append(path.resolve())
        layers.append(_parent(child, extends, path))
    return layers[::-1]


def restore_layers(texts: Iterable[tuple[str, str]]) -> list[Layer]:
    """Return the files of a policy from their names and texts, as a record keeps them.

    Raises:
        PolicyError: A text is neither TOML nor that of a mapping.
    """
    return [_from_text(name, text) for name, text in texts]


def _from_mapping(source: Mapping[str, Any]) -> Layer:
    text = json.dumps(source, indent=2, sort_keys=True, default=str)
    return Layer("policy", text, TomlLines(""), Path(), dict(source))


def _parent(child: Layer, extends: str, path: Path) -> Layer:
    if not path.is_file():
        msg = (
            f"{child.place(('extends',))}: extends = {extends!r}: no such policy file (looked for "
            f"{path.absolute()}); write its path relative to this file"
        )
        raise PolicyError(msg)
    return _from_file(_shown(path))


def _shown(path: Path) -> str:
    """The path without `..`, where that leads to the same file."""
    short = os.path.normpath(path)
    return short if Path(short).resolve() == path.resolve() else str(path)


def _from_file(source: str | Path) -> Layer:
    return _from_text(str(source), _read_text(Path(source)))


def _from_text(name: str, text: str) -> Layer:
    try:
        if text.startswith("{"):  # a mapping; no TOML file starts so
            return Layer(name, text, TomlLines(""), Path(), parse_json(text))
        raw = tomllib.loads(text)
        _check_depth(raw)
        return Layer(name, text, TomlLines(text), Path(name).parent, raw)
    except (ValueError, RecursionError) as error:
        deep = "nested too deeply" if isinstance(error, RecursionError) else str(error)
        msg = f"{Path(name)}: not valid TOML: {deep}"
        raise PolicyError(msg) from error


def _check_depth(raw: dict[str, Any]) -> None:
    """Refuse tables in tables beyond any policy: what walks through them would not come back."""
    level: list[object] = [raw]
    for _ in range(_DEEPEST):
        tables = [one.values() for one in level if isinstance(one, dict)]
        level = [one for found in tables for one in found]
        level += [one for values in level if isinstance(values, list) for one in values]
    if any(isinstance(one, dict | list) for one in level):
        raise RecursionError


def _read_text(path: Path) -> str:
    try:
        return read_text(path, most=_MOST_BYTES)
    except FileNotFoundError as error:
        msg = (
            f"{path}: no such policy file (looked for {path.absolute()}); give the path with "
            "--fairness-policy or the ini key fairness_policy"
        )
        raise PolicyError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: the policy file cannot be read: {error}"
        raise PolicyError(msg) from error
