"""What a policy changes in how an inherited evaluation is read: derived columns, broken images."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from pytest_fairness.policy.tables.tables import EvaluationTable, defaults_of
from pytest_fairness.policy.text.toml_text import toml_header, toml_key, toml_value
from pytest_fairness.policy.tightening.change import Change, Kind, Pair

if TYPE_CHECKING:
    from pytest_fairness.policy.text.document import KeyPath

__all__ = ["READING_KEYS", "compare_reading"]

_ON_ERROR = defaults_of(EvaluationTable)["on_error"]
READING_KEYS = ("derive", "on_error", "max_errors", "max_unpredicted")
"""Keys of an evaluation that are compared here."""


def compare_reading(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """Return every difference between two tables of one evaluation in `READING_KEYS`."""
    yield from _derived(pair, name, old, new)
    was, now = _borne(old), _borne(new)
    if was != now:
        # Each image that may go unread is one less that the model must get right.
        kind: Kind = "tightened" if now < was else "loosened"
        key = "max_errors" if "max_errors" in new else "on_error"
        path = ("evaluation", name, key)
        texts = _errors_text(old), _errors_text(new)
        yield pair.change(kind, _subject(name), (path, path), texts)
    key = "max_unpredicted"
    lacked, lacks = (float(table.get(key, 0)) for table in (old, new))
    if lacked != lacks:
        kind = "tightened" if lacks < lacked else "loosened"
        path = ("evaluation", name, key)
        texts = f"{key} = {lacked:g}", f"{key} = {lacks:g}"
        yield pair.change(kind, _subject(name), (path, path), texts)


def _derived(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    before, after = old.get("derive", {}), new.get("derive", {})
    own = set(new["attributes"]) - _columns_read(pair, old)
    for column in dict.fromkeys([*before, *after]):
        was, now = before.get(column), after.get(column)
        path: KeyPath = ("evaluation", name, "derive", column)
        kind: Kind = "changed"
        why = ""
        if was == now:
            continue
        if now is None:
            kind = "removed"
        elif was is not None:
            path = (*path, *[key for key in now if now[key] != was.get(key)][:1])
        elif column not in own or column in _sources(now):
            why = (
                "an inherited column would change its meaning; a policy may derive columns of the "
                "attributes that it adds"
            )
        else:
            kind = "added"
        texts = _text(column, was), _text(column, now)
        yield pair.change(kind, _subject(name), (path, path), texts, why)


def _columns_read(pair: Pair, evaluation: Mapping[str, Any]) -> set[str]:
    """Every column that an inherited evaluation reads, derives, or makes others of."""
    derived = evaluation.get("derive", {})
    names = {*evaluation["attributes"], *evaluation.get("where", {}), *derived}
    names |= {source for made in derived.values() for source in _sources(made)}
    names |= {str(rule["column"]) for rule in pair.before.tables("rule") if "column" in rule}
    for value in (defaults_of(EvaluationTable) | dict(evaluation)).values():
        if isinstance(value, str | list | tuple):
            names |= {value} if isinstance(value, str) else {*map(str, value)}
    return names


def _sources(derived: Mapping[str, Any]) -> list[str]:
    sources = derived.get("from", [])
    return [sources] if isinstance(sources, str) else list(sources)


def _borne(evaluation: Mapping[str, Any]) -> float:
    """The share of unreadable images that an evaluation bears."""
    counts = evaluation.get("on_error", _ON_ERROR) == "count"
    return float(evaluation.get("max_errors", 1)) if counts else 0.0


def _errors_text(evaluation: Mapping[str, Any]) -> str:
    if evaluation.get("on_error", _ON_ERROR) == "fail":
        return 'on_error = "fail"'
    return f'on_error = "count", max_errors = {toml_value(evaluation.get("max_errors"))}'


def _text(column: str, derived: Mapping[str, Any] | None) -> str:
    return "" if derived is None else f"derive.{toml_key(column)} = {toml_value(derived)}"


def _subject(name: str) -> str:
    return toml_header("evaluation", name)
