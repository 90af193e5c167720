"""Names of score columns from files; one name may stand for several columns."""

import csv
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pytest_fairness.errors import ModelError
from pytest_fairness.files import parse_json, read_text
from pytest_fairness.policy.model_specs import LabelFile
from pytest_fairness.wording import counted, suggest

__all__ = ["Labels", "named_labels", "read_labels"]

_HEADER = "LabelName"
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Labels:
    """Unique names of the K score columns, and what else each may be called.

    Args:
        names: The K names, in order.
        ids: Id of each column, where the file gives some.
        called: Name as the file writes it; where it stands for several columns, their `names`
            carry the id too: `crane (n02012849)`.
    """

    names: tuple[str, ...]
    ids: tuple[str, ...] = ()
    called: tuple[str, ...] = field(default=())

    def meant_by(self, word: str) -> tuple[str, ...]:
        """Return the labels that a word means, or none where it means none.

        A label's own name comes first, then its id, then a name that several labels share; after
        that, upper and lower case count alike.

        Example:
            >>> labels = Labels(("Man", "crane (a)", "crane (b)"), called=("Man", "crane", "crane"))
            >>> labels.meant_by("crane"), labels.meant_by("man")
            (('crane (a)', 'crane (b)'), ('Man',))
        """
        columns = (self.names, self.ids, self.called)
        for column in columns:
            if found := self._at(column, word):
                return found
        folded = word.casefold()
        for column in columns:
            if found := self._at(tuple(name.casefold() for name in column), folded):
                return found
        return ()

    def _at(self, column: tuple[str, ...], word: str) -> tuple[str, ...]:
        return tuple(self.names[i] for i, name in enumerate(column) if name == word)

    def grouped(
        self, groups: Mapping[str, tuple[str, ...]], *, where: str
    ) -> dict[str, tuple[str, ...]]:
        """Return class -> labels for groups of words.

        Raises:
            ModelError: A word means no label, or a label is in two groups.
        """
        found: dict[str, tuple[str, ...]] = {}
        owners: dict[str, str] = {}
        for group, words in groups.items():
            meant = [label for word in words for label in self._known(word, group, where=where)]
            for label in meant:
                if owners.setdefault(label, group) != group:
                    msg = (
                        f"{where}: label {label!r} is in two groups, {owners[label]!r} and "
                        f"{group!r}: remove it from one"
                    )
                    raise ModelError(msg)
            found[group] = tuple(dict.fromkeys(meant))
        return found

    def _known(self, word: str, group: str, *, where: str) -> tuple[str, ...]:
        if meant := self.meant_by(word):
            return meant
        allowed = list(dict.fromkeys((*self.called, *self.names)))
        hint = suggest(word, allowed) or f"; it has {allowed[:_SHOWN]}"
        msg = (
            f"{where}: label_groups.{group} names {word!r}, which is none of the model's "
            f"{counted(len(self.names), 'label')}{hint}"
        )
        raise ModelError(msg)


def named_labels(called: list[str], ids: list[str] | None = None) -> Labels:
    """Return labels with unique names: a name that is used again gets its id, or its column.

    Example:
        >>> named_labels(["crane", "dog", "crane"]).names
        ('crane (0)', 'dog', 'crane (2)')
    """
    counts = Counter(called)
    marks = ids or [str(column) for column in range(len(called))]
    names = [
        f"{name} ({mark})" if counts[name] > 1 else name
        for name, mark in zip(called, marks, strict=True)
    ]
    return Labels(tuple(names), tuple(ids or ()), tuple(called))


def read_labels(source: LabelFile) -> Labels:
    """Read labels from a file.

    Formats: `lines` (.txt, one label a line), `json` (a list, or an object of label -> column or
    column -> label), `imagenet-index` (an object of column -> [id, label]), `open-images` (CSV of id
    and name; V3 has no header, V6 has one). `order` gives the ids in the order of the columns.

    Raises:
        ModelError: A file is missing, malformed, empty, or does not name every id of `order`.
    """
    found = _read(source)
    if not found.names:
        msg = f"{source.file}: no labels; write one for each score column"
        raise ModelError(msg)
    return found if source.order is None else _in_order(found, source.order, file=source.file)


def _read(source: LabelFile) -> Labels:
    path = source.file
    kind = source.format or {".txt": "lines", ".json": "json", ".csv": "open-images"}.get(
        path.suffix.lower()
    )
    if kind is None:
        msg = (
            f'{path}: labels are read from .txt, .json and .csv; write format = "lines", "json", '
            '"imagenet-index" or "open-images"'
        )
        raise ModelError(msg)
    text = _text(path)
    if kind == "lines":
        return named_labels([line.strip() for line in text.splitlines() if line.strip()])
    if kind == "open-images":
        return _open_images(text, path)
    try:
        content = parse_json(text)
    except json.JSONDecodeError as error:
        msg = f"{path}:{error.lineno}: not JSON: {error.msg}"
        raise ModelError(msg) from error
    except ValueError as error:
        msg = f"{path}: not JSON: {error}"
        raise ModelError(msg) from error
    return _from_json(content, path)


def _text(path: Path) -> str:
    try:
        return read_text(path, encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"{path}: no such file of labels; correct the path, which a policy gives from its folder"
        raise ModelError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: the file of labels cannot be read: {error}"
        raise ModelError(msg) from error


def _open_images(text: str, path: Path) -> Labels:
    """Class descriptions of Open Images: quoted as CSV is, with a header from V6 on."""
    ids, names = [], []
    reader = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        for row in reader:
            if not row or (reader.line_num == 1 and row[0] == _HEADER):
                continue
            if len(row) != 2:
                msg = (
                    f"{path}:{reader.line_num}: expected an id and a name, got {len(row)} fields; quote "
                    "a name that holds a comma"
                )
                raise ModelError(msg)
            ids.append(row[0])
            names.append(row[1])
    except csv.Error as error:
        msg = f"{path}:{reader.line_num}: not CSV: {error}"
        raise ModelError(msg) from error
    repeated = [name for name, count in Counter(ids).items() if count > 1]
    if repeated:
        msg = f"{path}: id {repeated[0]!r} appears twice. Each id must be unique: remove or rename one"
        raise ModelError(msg)
    return named_labels(names, ids)


def _from_json(content: Any, path: Path) -> Labels:
    if isinstance(content, list) and all(isinstance(name, str) for name in content):
        return named_labels(content)
    if isinstance(content, dict) and content:
        if all(isinstance(value, int) for value in content.values()):
            content = {str(column): name for name, column in content.items()}
        columns = [str(column) for column in range(len(content))]
        if sorted(content) != sorted(columns):
            msg = (
                f"{path}: its {counted(len(content), 'label')} must have the columns 0 to {len(content) - 1}, each "
                "once"
            )
            raise ModelError(msg)
        values = [content[column] for column in columns]
        if all(isinstance(value, str) for value in values):
            return named_labels(values)
        if all(isinstance(value, list) and len(value) == 2 for value in values):  # ImageNet index
            return named_labels([str(v[1]) for v in values], [str(v[0]) for v in values])
    msg = (
        f"{path}: expected a list of labels, an object of label and column, or the ImageNet index "
        '{"0": ["n01440764", "tench"], …}'
    )
    raise ModelError(msg)


def _in_order(found: Labels, order: Path, *, file: Path) -> Labels:
    """Put labels into the order of a file of ids; ids that it leaves out are no columns."""
    called = dict(zip(found.ids, found.called, strict=True)) if found.ids else {}
    ids = [line.strip() for line in _text(order).splitlines() if line.strip()]
    unknown = [name for name in ids if name not in called]
    if unknown or not ids:
        what = f"id {unknown[0]!r} has no name in {file}" if unknown else "no ids"
        msg = f"{order}: {what}; give the descriptions that belong to these ids, one id a line"
        raise ModelError(msg)
    return named_labels([called[name] for name in ids], ids)
