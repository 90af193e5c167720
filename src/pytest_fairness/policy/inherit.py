"""Lay the files of a policy over each other, key by key, and keep the line of each key."""

from copy import deepcopy
from typing import Any

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.model_specs import is_path
from pytest_fairness.policy.presets import Preset, preset_names, read_preset
from pytest_fairness.policy.text.document import LIMIT_KEYS, Document, KeyPath
from pytest_fairness.policy.text.layers import Layer
from pytest_fairness.wording import allowed_names

__all__ = ["merge"]

_Values = dict[str, Any]


def merge(parent: Document | None, layer: Layer) -> Document:
    """Return the document that a file makes of the one it extends.

    Tables are merged key by key, `[[rule]]` by `id`; `[[required]]` and `[[waiver]]` add up.

    Raises:
        PolicyError: A rule names an unknown preset, contradicts its preset, or names an
            inherited rule that is not there.
    """
    document = Document(layer.name, inherits=parent is not None)
    if parent is not None:
        document.raw, document.origins = deepcopy(parent.raw), dict(parent.origins)
    for key, value in layer.raw.items():
        if key == "rule":
            _Rules(document, layer).merge(value, inherits=parent is not None)
        elif key in ("required", "waiver"):
            _append(document, layer, key, value)
        elif key != "extends":
            _lay_over(document, layer, (key,), value)
    return document


def _lay_over(document: Document, layer: Layer, path: KeyPath, value: Any) -> None:
    """Set a key; a table is merged with the one below it."""
    holder: _Values = document.raw
    for part in path[:-1]:
        holder = holder[str(part)]
    if not isinstance(value, dict):
        if (path[0] == "evaluation" and path[2:] in (("manifest",), ("root",))) or (
            isinstance(value, str) and is_path(path, value)
        ):
            value = str(layer.folder / value)
        holder[str(path[-1])] = value
        document.origins[path] = layer.place(path)
        return
    holder.setdefault(str(path[-1]), {})
    document.origins.setdefault(path, layer.place(path))
    for key, inner in value.items():
        _lay_over(document, layer, (*path, key), inner)


def _append(document: Document, layer: Layer, key: str, tables: list[_Values]) -> None:
    there = document.raw.setdefault(key, [])
    for position, table in enumerate(tables):
        document.origins[key, len(there)] = layer.place((key, position))
        for name in table:
            document.origins[key, len(there), name] = layer.place((key, position, name))
        there.append(dict(table))


class _Rules:
    """The `[[rule]]` tables of one file on their way into a document."""

    def __init__(self, document: Document, layer: Layer) -> None:
        self.document = document
        self.layer = layer
        self.rules: list[_Values] = document.raw.setdefault("rule", [])

    def merge(self, tables: list[_Values], *, inherits: bool) -> None:
        inherited = {rule.get("id"): position for position, rule in enumerate(self.rules)}
        for position, written in enumerate(tables):
            table = {**written, "id": written["id"].strip()} if "id" in written else written
            name = table.get("id")
            if inherits and name in inherited:
                self.change(inherited.pop(name), position, table)
                continue
            if inherits and not {"metric", "preset"} & set(table):
                known = allowed_names(str(name), [rule for rule in inherited if rule])
                raise self.error(
                    (position,), f"[[rule]] has no metric, and no inherited rule has its id{known}"
                )
            self.add(position, table)

    def change(self, index: int, position: int, table: _Values) -> None:
        """Write the keys of a table over those of the inherited rule."""
        rule = self.rules[index]
        if set(LIMIT_KEYS) & set(table):
            for key in LIMIT_KEYS:
                rule.pop(key, None)
                self.document.origins.pop(("rule", index, key), None)
        rule.update(table)
        self.document.origins["rule", index] = self.place(position)
        for key in table:
            self.document.origins["rule", index, key] = self.place(position, key)

    def add(self, position: int, table: _Values) -> None:
        if "preset" not in table:
            self.append(position, table, {})
            return
        name = table["preset"]
        if name not in preset_names():
            what = f"unknown preset {name!r}{allowed_names(str(name), preset_names())}"
            raise self.error((position, "preset"), what)
        preset = read_preset(name)
        for number, brought in enumerate(preset.rules):
            self.check(position, table, preset, brought)
            own = dict(table)
            if part := brought.get("id"):
                own["id"] = f"{table.get('id', name)}-{part}"
            places = {
                key: f"preset {name}.toml:{preset.lines.of(('rule', number, key))}"
                for key in brought
                if key not in own
            }
            self.append(position, {**brought, **own}, places)

    def append(self, position: int, table: _Values, places: dict[str, str]) -> None:
        index = len(self.rules)
        rule = {"id": table["metric"], **table} if "metric" in table else dict(table)
        self.refuse_twin(position, rule.get("id"))
        self.document.origins["rule", index] = self.place(position)
        for key in rule:
            self.document.origins["rule", index, key] = places.get(key, self.place(position, key))
        self.rules.append(rule)

    def refuse_twin(self, position: int, name: str | None) -> None:
        """Refuse a second rule of one name; a rule that means the inherited one says its id."""
        for index, other in enumerate(self.rules):
            if name is not None and other.get("id") == name:
                there = self.document.place(("rule", index))
                what = f"rule {name!r} appears twice, here and at {there}: give each its own id"
                if self.document.inherits:
                    what += f', or write id = "{name}" to tighten the inherited one'
                raise self.error((position,), what)

    def check(self, position: int, table: _Values, preset: Preset, brought: _Values) -> None:
        """Refuse a rule that contradicts its preset."""
        limits = [key for key in LIMIT_KEYS if key in table]
        if limits and set(LIMIT_KEYS) & set(brought):
            what = (
                f"rule with preset {preset.name!r} also writes {', '.join(limits)}; a preset "
                "has its own limit: remove one of them"
            )
            raise self.error((position, "preset"), what)
        if table.get("metric", brought["metric"]) != brought["metric"]:
            what = (
                f"rule with preset {preset.name!r} also writes metric = {table['metric']!r}; the "
                f"preset has {brought['metric']!r}: remove one of them"
            )
            raise self.error((position, "metric"), what)

    def place(self, position: int, *key: str) -> str:
        return self.layer.place(("rule", position, *key))

    def error(self, path: KeyPath, message: str) -> PolicyError:
        return PolicyError(f"{self.layer.place(('rule', *path))}: {message}")
