"""What one policy changes in another; a policy may only tighten what it extends."""

from collections.abc import Iterator, Mapping
from typing import Any

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.tables.model_tables import ModelTable
from pytest_fairness.policy.tables.tables import EvaluationTable, RequiredTable, defaults_of
from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.text.toml_text import toml_header, toml_value
from pytest_fairness.policy.tightening.change import DEFAULTS, Change, Kind, Pair, direction
from pytest_fairness.policy.tightening.compare_reading import READING_KEYS, compare_reading
from pytest_fairness.policy.tightening.compare_rules import compare_rules
from pytest_fairness.policy.tightening.waiver_caps import compare_caps

__all__ = ["compare", "refuse_loosening"]

_ADVICE: dict[str, str] = {
    "loosened": "a policy may only tighten what it extends: keep it, or accept a failure for a "
    "time with a [[waiver]]",
    "changed": "what is inherited keeps its meaning: write a rule or an evaluation of your own "
    "beside it",
    "removed": "what is inherited cannot be dropped",
}
_MODEL, _REQUIRED = defaults_of(ModelTable), defaults_of(RequiredTable)
_VERBS = {"loosened": "loosens", "changed": "changes", "removed": "drops"}


def refuse_loosening(parent: Document, child: Document) -> None:
    """Check a policy against the one that it extends.

    Raises:
        PolicyError: It loosens or drops something; the message shows both lines.
    """
    refused = [_refusal(change) for change in compare(parent, child) if change.kind in _ADVICE]
    if refused:
        raise PolicyError("\n".join(refused))


def _refusal(change: Change) -> str:
    after, before = change.after or "nothing", change.before or "what is inherited"
    advice = change.why or _ADVICE[change.kind]
    return (
        f"{change.where_after or change.where_before}: {change.subject}: {after} "
        f"{_VERBS[change.kind]} {before} of {change.where_before}; {advice}"
    )


def compare(before: Document, after: Document) -> list[Change]:
    """Return every difference, in the order of a policy file."""
    pair = Pair(before, after)
    return [
        *_decision(pair),
        *_evaluations(pair),
        *_models(pair),
        *compare_rules(pair),
        *_lists(pair, "required"),
        *compare_caps(pair),
        *_lists(pair, "waiver"),
    ]


def _decision(pair: Pair) -> Iterator[Change]:
    old, new = pair.before.table("decision"), pair.after.table("decision")
    for key in dict.fromkeys([*old, *new]):
        if key == "pass_level":
            change = _pass_level(pair, old, new)
        else:
            path = ("decision", key)
            change = pair.changed_key(
                "[decision]", (path, path), old.get(key), new.get(key), default=DEFAULTS.get(key)
            )
        if change is not None:
            yield change


def _pass_level(pair: Pair, old: Mapping[str, Any], new: Mapping[str, Any]) -> Change | None:
    """The level of a pass, which is `level` where a policy does not write it."""
    levels = [table.get("level", DEFAULTS["level"]) for table in (old, new)]
    was, now = (
        table.get("pass_level", level) for table, level in zip((old, new), levels, strict=True)
    )
    if was == now:
        return None
    texts = [
        f"pass_level = {toml_value(value)}" + ("" if "pass_level" in table else " (that of level)")
        for table, value in ((old, was), (new, now))
    ]
    before, after = (
        ("decision", "pass_level" if "pass_level" in table else "level") for table in (old, new)
    )
    kind = direction("pass_level", was, now)
    return pair.change(kind, "[decision]", (before, after), (texts[0], texts[1]))


def _evaluations(pair: Pair) -> Iterator[Change]:
    old, new = pair.before.table("evaluation"), pair.after.table("evaluation")
    for name in dict.fromkeys([*old, *new]):
        path: KeyPath = ("evaluation", name)
        subject = toml_header("evaluation", name)
        if name not in old or name not in new:
            yield pair.change("removed" if name in old else "added", subject, (path, path))
            continue
        was, now = (_filled(table[name]) for table in (old, new))
        yield from _attributes(pair, name, was["attributes"], now["attributes"])
        yield from _references(pair, name, was, now)
        yield from compare_reading(pair, name, was, now)
        yield from _clusters(pair, name, was, now)
        yield from _columns(pair, name, was, now)


def _models(pair: Pair) -> Iterator[Change]:
    """A `[model.NAME]` that is inherited names the same model, read in the same way."""
    old, new = pair.before.table("model"), pair.after.table("model")
    for name in dict.fromkeys([*old, *new]):
        path: KeyPath = ("model", name)
        subject = toml_header("model", name)
        if name not in old or name not in new:
            yield pair.change("removed" if name in old else "added", subject, (path, path))
            continue
        for key in dict.fromkeys([*old[name], *new[name]]):
            was, now = (table[name].get(key, _MODEL.get(key)) for table in (old, new))
            if was != now:
                texts = _written(key, was), _written(key, now)
                kind: Kind = "changed"
                if key == "nondeterministic":
                    kind = "tightened" if now == "refuse" else "loosened"
                yield pair.change(kind, subject, ((*path, key), (*path, key)), texts)


def _filled(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    return {"attributes": {}, "reference": {}, **evaluation}


def _effective(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """What each key means, whether or not it is written; the attributes are compared elsewhere."""
    table = EvaluationTable.model_validate({**evaluation, "attributes": {"any": ["any"]}})
    return table.model_dump(by_alias=True)


def _attributes(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    subject = toml_header("evaluation", name)
    for attribute in dict.fromkeys([*old, *new]):
        was, now = (list(map(str, levels.get(attribute, []))) for levels in (old, new))
        if set(was) == set(now):
            continue
        kind: Kind = "tightened" if set(was) <= set(now) else "loosened"
        if not was or not now:
            kind = "removed" if was else "added"
        path = ("evaluation", name, "attributes", attribute)
        texts = _written(f"attributes.{attribute}", was), _written(f"attributes.{attribute}", now)
        yield pair.change(kind, subject, (path, path), texts)


def _references(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    for attribute in dict.fromkeys([*old["reference"], *new["reference"]]):
        was, now = (table["reference"].get(attribute) for table in (old, new))
        if str(was) == str(now) or attribute not in new["attributes"]:
            continue
        kind: Kind = "changed"
        if was is None and attribute not in old["attributes"]:
            kind = "added"
        key = f"reference.{attribute}"
        before = _written(key, was) or f"comparing all groups of {attribute}"
        after = _written(key, now) or f"comparing all groups of {attribute}"
        path = ("evaluation", name, "reference", attribute)
        texts = ("" if kind == "added" else before, after)
        yield pair.change(kind, toml_header("evaluation", name), (path, path), texts)


def _clusters(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """The columns of dependent images: with one more, failures may become inconclusive."""
    was, now = (set(_effective(evaluation)["cluster"] or ()) for evaluation in (old, new))
    if was != now:
        looser = now < was
        why = "intervals would be narrower" if looser else ""
        yield _of_key(
            pair, name, "cluster", (old, new), why=why, kind="loosened" if looser else "changed"
        )


def _columns(
    pair: Pair, name: str, old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[Change]:
    """Each key that says which data are judged or how they are read."""
    elsewhere = ("attributes", "reference", "cluster", *READING_KEYS)
    was, now = _effective(old), _effective(new)
    for key in was:
        if key not in elsewhere and was[key] != now[key]:
            why = "other samples would be judged" if key == "where" else ""
            filled = {key: was[key]} | dict(old), {key: now[key]} | dict(new)
            yield _of_key(pair, name, key, filled, why=why)


def _of_key(
    pair: Pair,
    name: str,
    key: str,
    evaluations: tuple[Mapping[str, Any], Mapping[str, Any]],
    *,
    why: str,
    kind: Kind = "changed",
) -> Change:
    path = ("evaluation", name, key)
    before, after = (
        _written(key, table.get(key)) or f"an evaluation without {key}" for table in evaluations
    )
    return pair.change(kind, toml_header("evaluation", name), (path, path), (before, after), why)


def _lists(pair: Pair, key: str) -> Iterator[Change]:
    """`[[required]]` or `[[waiver]]`: tables without a name, so each is there or is not."""
    old, new = pair.before.tables(key), pair.after.tables(key)
    defaults = _REQUIRED if key == "required" else {}
    before, after = ([defaults | table for table in tables] for tables in (old, new))
    for index, table in enumerate(old):
        if before[index] not in after:
            yield pair.change("removed", f"[[{key}]]", ((key, index), ()), (toml_value(table), ""))
    for index, table in enumerate(new):
        if after[index] not in before:
            yield pair.change("added", f"[[{key}]]", ((), (key, index)), ("", toml_value(table)))


def _written(key: str, value: Any) -> str:
    return f"{key} = {toml_value(value)}" if value not in (None, [], {}, ()) else ""
