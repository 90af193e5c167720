"""The effective policy as a policy file, with the file and line that each line came from."""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from pytest_fairness.policy.presets import preset_names, read_preset
from pytest_fairness.policy.tables.tables import DecisionTable, defaults_of
from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.text.toml_text import toml_header, toml_key, toml_value

__all__ = ["effective_lines"]

# Longer lines have their origin after two blanks, so that one long line does not move the rest.
_WIDEST = 60


class _Line(NamedTuple):
    text: str
    origin: str = ""


def effective_lines(document: Document) -> list[str]:
    """Return the lines of the effective policy. They are a policy file themselves.

    Example:
        >>> from pytest_fairness.policy import load_policy
        >>> policy = load_policy({
        ...     "schema": 1,
        ...     "decision": {"inconclusive": "fail"},
        ...     "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        ...     "rule": [{"metric": "accuracy", "min": 0.8}],
        ... })
        >>> print(effective_lines(policy.document)[3])
        inconclusive = "fail"                # policy
    """
    lines = list(_lines(document))
    width = max((len(line.text) for line in lines if len(line.text) <= _WIDEST), default=0)
    return [
        f"{line.text:<{width}}  # {line.origin}" if line.origin else line.text for line in lines
    ]


def _lines(document: Document) -> Iterator[_Line]:
    yield _key(document, ("schema",), document.raw["schema"])
    yield from _decision(document)
    for name, table in document.table("evaluation").items():
        yield _Line("")
        path: KeyPath = ("evaluation", name)
        yield _Line(toml_header("evaluation", name), document.place(path))
        yield from _keys(document, path, table)
    for name, table in document.table("model").items():
        yield _Line("")
        yield _Line(toml_header("model", name), document.place(("model", name)))
        yield from _keys(document, ("model", name), table)
    for key in ("rule", "required", "waiver"):
        if key == "waiver":
            yield from _caps(document, "precision")
            yield from _caps(document, "waivers")
        for number, table in enumerate(document.tables(key)):
            yield _Line("")
            yield from _preset(table)
            yield _Line(f"[[{key}]]", document.place((key, number)))
            yield from _keys(document, (key, number), table)


def _caps(document: Document, name: str) -> Iterator[_Line]:
    if caps := document.table(name):
        yield _Line("")
        yield _Line(f"[{name}]", document.place((name,)))
        yield from _keys(document, (name,), caps)


def _decision(document: Document) -> Iterator[_Line]:
    yield _Line("")
    yield _Line("[decision]", document.place(("decision",)))
    written = document.table("decision")
    yield from _keys(document, ("decision",), written)
    defaults = defaults_of(DecisionTable)
    for key, value in defaults.items():
        if key not in written:
            yield _Line(f"{key} = {toml_value(value)}", "default")
    if "pass_level" not in written:
        level = written.get("level", defaults["level"])
        yield _Line(f"# pass_level = {toml_value(level)}", "that of level")


def _preset(table: Mapping[str, Any]) -> Iterator[_Line]:
    """Where a preset was published, above the rule that uses it."""
    if (name := table.get("preset")) in preset_names():
        preset = read_preset(str(name))
        how = "quoted" if preset.quoted else "paraphrased"
        yield _Line(f"# {preset.name}: {preset.source} ({how})")


def _keys(document: Document, path: KeyPath, table: Mapping[str, Any]) -> Iterator[_Line]:
    """One line a key; a table within an evaluation is written key by key, each with its line."""
    for key, value in table.items():
        if path[0] in ("evaluation", "model") and isinstance(value, Mapping):
            for inner, levels in value.items():
                shown = f"{toml_key(key)}.{toml_key(inner)} = {toml_value(levels)}"
                yield _Line(shown, document.place((*path, key, inner)))
        elif not (path[0] == "rule" and key == "preset"):
            yield _key(document, (*path, key), value)


def _key(document: Document, path: KeyPath, value: Any) -> _Line:
    return _Line(f"{toml_key(str(path[-1]))} = {toml_value(value)}", document.place(path))
