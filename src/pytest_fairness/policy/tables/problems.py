"""A mistake in a policy in words: where, what was got, what is allowed, what to write instead."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

from pydantic import ValidationError

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.tables.declared import UNDECLARED
from pytest_fairness.policy.tables.model_tables import LabelsTable, PreprocessingTable
from pytest_fairness.policy.tables.tables import DeriveTable, PolicyDocument
from pytest_fairness.policy.text.document import KeyPath
from pytest_fairness.policy.text.toml_text import toml_header
from pytest_fairness.wording import allowed_names

__all__ = ["check_shape", "explain_model", "validate"]

Place: TypeAlias = Callable[[KeyPath], str]

_HINTS = {
    "inconclusive": '; write inconclusive = "fail" to block a release that cannot be judged, '
    'or "warn" to let it through with a warning (there is no default)',
    "decision": '; write [decision] with inconclusive = "fail" or "warn"',
    "schema": "; write schema = 1",
    "attributes": '; write attributes = { sex = ["female", "male"] }',
    "evaluation": "; write [evaluation.NAME] with manifest, target and attributes",
    "rule": "; write at least one [[rule]]",
    "reason": "; a waiver says why the failure is accepted",
    "approved_by": "; a waiver says who answers for it",
    "until": "; a waiver ends on a day, such as until = 2027-01-31",
}
# What to write instead of a value that may be of several kinds.
_ADVICE: dict[tuple[str | int, ...], str] = {
    ("decision", "looks"): 'write a whole number of looks such as 1 or 5, or "any"',
    ("rule", "reference"): 'write levels such as { sex = "male" }, "best" or "all"',
}
_INNER_TABLES: dict[str | int, Any] = {
    "labels": LabelsTable,
    "preprocessing": PreprocessingTable,
}
_UNION_BRANCHES = ("dict[", "literal[", "constrained")
# What another file of the same policy may say.
_INHERITED = ("decision", "evaluation", "rule")


def validate(raw: Mapping[str, Any], *, place: Place) -> PolicyDocument:
    """Check a whole policy.

    Args:
        raw: Tables and keys in the shape of a policy file.
        place: Path of a key -> `file:line`.

    Raises:
        PolicyError: A key is unknown or missing, or a value is not allowed.
    """
    try:
        return PolicyDocument.model_validate(raw)
    except ValidationError as error:
        raise _error(error.errors(), raw, place) from error


def check_shape(raw: Mapping[str, Any], *, place: Place) -> None:
    """Check one file of a policy, which may leave out what another file says.

    Raises:
        PolicyError: A key is unknown, or a value is not allowed.
    """
    try:
        PolicyDocument.model_validate(raw)
    except ValidationError as error:
        wrong = [
            problem
            for problem in error.errors()
            if problem["type"] != "missing" or problem["loc"][0] not in _INHERITED
        ]
        if wrong:
            raise _error(wrong, raw, place) from error


def explain_model(
    error: ValidationError, table: Mapping[str, Any], *, name: str, where: str
) -> PolicyError:
    """Return the error of a `[model.NAME]` table that is not in a policy."""
    problems = [problem | {"loc": ("model", name, *problem["loc"])} for problem in error.errors()]
    return _error(problems, {"model": {name: table}}, lambda _: where)


def _error(problems: Iterable[Any], raw: Mapping[str, Any], place: Place) -> PolicyError:
    messages = [_explain(problem, raw, place) for problem in problems]
    return PolicyError("\n".join(dict.fromkeys(messages)))


def _explain(problem: Any, raw: Mapping[str, Any], place: Place) -> str:
    path = _written(problem["loc"], raw)
    return f"{place(path)}: {_rule_name(path, raw)}{_message(problem, path)}"


def _message(problem: Any, path: KeyPath) -> str:
    key, got = path[-1], problem["input"]
    if problem["type"] == "extra_forbidden":
        return f"unknown key {key!r}{allowed_names(str(key), _allowed_keys(path[:-1]))}"
    if problem["type"] == "missing" and isinstance(key, int):
        return f"{path[-2]} = {list(got)} must be two numbers, the smaller first"
    if problem["type"] == "missing":
        return f"{_table_name(path[:-1])} needs the key {key!r}{_HINTS.get(str(key), '')}"
    if problem["type"] == UNDECLARED:
        return str(problem["msg"])
    if (advice := _ADVICE.get((path[0], key))) is not None:
        return f"{key} = {got!r}; {advice}"
    return f"{toml_header(*map(str, path))[1:-1]} = {got!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"


def _written(location: Sequence[str | int], raw: Any) -> KeyPath:
    """Return the path of an error without the tried branches of unions, which pydantic adds."""
    path: list[str | int] = []
    for part in location:
        items = dict(enumerate(raw)) if isinstance(raw, list) else raw
        if isinstance(items, dict) and part in items:
            raw = items[part]
        elif str(part).startswith(_UNION_BRANCHES):
            continue
        path.append(part)
    return tuple(path)


def _rule_name(path: KeyPath, raw: Mapping[str, Any]) -> str:
    if len(path) > 1 and path[0] == "rule" and isinstance(path[1], int):
        rule = raw["rule"][path[1]]
        name = rule.get("id") or rule.get("metric") if isinstance(rule, dict) else None
        return f"rule {name!r}: " if name else ""
    return ""


def _allowed_keys(path: KeyPath) -> list[str]:
    model: Any = PolicyDocument
    if path and path[0] in PolicyDocument.model_fields:
        annotation = PolicyDocument.model_fields[str(path[0])].annotation
        model = getattr(annotation, "__args__", (annotation,))[-1]
    if path and path[0] == "model" and path[-1] in _INNER_TABLES:
        model = _INNER_TABLES[path[-1]]
    if len(path) == 4 and path[0] == "evaluation" and path[2] == "derive":
        model = DeriveTable
    return [info.alias or name for name, info in model.model_fields.items()]


def _table_name(path: KeyPath) -> str:
    if not path:
        return "the policy"
    if path[0] in ("rule", "waiver", "required"):
        return f"[[{path[0]}]]"
    return toml_header(*map(str, path))
