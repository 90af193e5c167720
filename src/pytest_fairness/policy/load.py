"""Read a policy and check all that can be checked without data; every error says where."""

import hashlib
import json
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from itertools import pairwise
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.lines import TomlLines
from pytest_fairness.policy.records import Decision, Evaluation, Policy
from pytest_fairness.policy.rules import RuleProblem, resolve_rules
from pytest_fairness.policy.schema import EvaluationTable, PolicyDocument

__all__ = ["load_policy"]


def load_policy(source: str | Path | Mapping[str, Any] | Policy) -> Policy:
    """Return the validated policy of a TOML file, or of a mapping of the same shape.

    Raises:
        PolicyError: The file is missing or malformed, or a key, metric, attribute or limit is
            not allowed; the message names file, line and rule.

    Example:
        >>> policy = load_policy({
        ...     "schema": 1,
        ...     "decision": {"inconclusive": "fail"},
        ...     "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        ...     "rule": [{"metric": "accuracy", "min": 0.8}],
        ... })
        >>> policy.rules[0].id, policy.rules[0].by
        ('accuracy', (('sex',),))
    """
    if isinstance(source, Policy):
        return source
    if isinstance(source, Mapping):
        text = json.dumps(source, indent=2, sort_keys=True, default=str)
        return _Reader("policy", text, TomlLines(""), Path()).read(dict(source))
    path = Path(source)
    text = _read_text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        msg = f"{path}: not valid TOML: {error}"
        raise PolicyError(msg) from error
    return _Reader(str(source), text, TomlLines(text), path.parent).read(document)


def _read_text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        msg = (
            f"{path}: no such policy file (looked for {path.absolute()}); give the path with "
            "--fairness-policy or the ini key fairness_policy"
        )
        raise PolicyError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: the policy file cannot be read: {error}"
        raise PolicyError(msg) from error


class _Reader:
    """One policy being read: its name, text, lines and folder, for values and for messages."""

    def __init__(self, name: str, text: str, lines: TomlLines, folder: Path) -> None:
        self.name = name
        self.text = text
        self.lines = lines
        self.folder = folder

    def read(self, raw: dict[str, Any]) -> Policy:
        document = self.validate(raw)
        evaluations = {
            name: self.evaluation(name, table) for name, table in document.evaluation.items()
        }
        decision = Decision(**document.decision.model_dump())
        try:
            rules = resolve_rules(
                document.rule, evaluations, decide=decision.decide, where=self.place
            )
        except RuleProblem as problem:
            raise self.error(problem.path, problem.message) from problem
        digest = hashlib.sha256(self.text.encode()).hexdigest()
        return Policy(decision, evaluations, rules, self.name, self.text, digest)

    def validate(self, raw: dict[str, Any]) -> PolicyDocument:
        try:
            return PolicyDocument.model_validate(raw)
        except ValidationError as error:
            problems = [self.explain(problem, raw) for problem in error.errors()]
            raise PolicyError("\n".join(dict.fromkeys(problems))) from error

    def evaluation(self, name: str, table: EvaluationTable) -> Evaluation:
        path = ("evaluation", name)
        for attribute, level in table.reference.items():
            levels = table.attributes.get(attribute)
            if levels is None:
                raise self.error(
                    (*path, "reference"),
                    f"evaluation {name!r}: reference names attribute {attribute!r}, which "
                    f"attributes does not declare{_suggest(attribute, table.attributes)}",
                )
            if level not in levels:
                raise self.error(
                    (*path, "reference"),
                    f"evaluation {name!r}: reference {attribute} = {level!r} is not a declared "
                    f"level{_suggest(level, levels)}",
                )
        for attribute, levels in table.attributes.items():
            if len(set(levels)) != len(levels):
                raise self.error(
                    (*path, "attributes"),
                    f"evaluation {name!r}: attribute {attribute!r} declares a level twice: {levels}",
                )
        if table.positive and table.classes and table.positive not in table.classes:
            raise self.error(
                (*path, "positive"),
                f"evaluation {name!r}: positive = {table.positive!r} is not one of "
                f"classes{_suggest(table.positive, table.classes)}",
            )
        values = table.model_dump()
        values["manifest"] = self.folder / table.manifest if table.manifest else None
        for key in ("attributes", "where"):
            values[key] = {column: tuple(levels) for column, levels in values[key].items()}
        values["classes"] = tuple(table.classes) if table.classes else None
        return Evaluation(name=name, **values)

    def place(self, path: tuple[str | int, ...]) -> str:
        """`file.toml:23`, or `policy, rule 2` for a mapping."""
        if line := self.lines.of(path):
            return f"{self.name}:{line}"
        table = [f"{key} {n + 1}" for key, n in pairwise(path) if type(n) is int]
        return ", ".join([self.name, *table])

    def error(self, path: tuple[str | int, ...], message: str) -> PolicyError:
        return PolicyError(f"{self.place(path)}: {message}")

    def explain(self, problem: Any, raw: dict[str, Any]) -> str:
        """One pydantic problem as: where, what was got, what is allowed, what to write."""
        path = tuple(part for part in problem["loc"] if not _is_union_branch(part))
        key = path[-1]
        if problem["type"] == "extra_forbidden":
            allowed = _allowed_keys(path[:-1])
            message = f"unknown key {key!r}{_suggest(str(key), allowed)}"
        elif problem["type"] == "missing":
            message = f"{_table_name(path[:-1])} needs the key {key!r}{_HINTS.get(str(key), '')}"
        elif problem["type"] == "literal_error" and key == "metric":
            allowed = problem["ctx"]["expected"].replace("'", "").replace(" or ", ", ").split(", ")
            message = (
                f"unknown metric {problem['input']!r}{_suggest(str(problem['input']), allowed)}"
            )
        elif key == "reference" and path[0] == "rule":
            message = (
                f'reference = {problem["input"]!r}; write levels such as {{ sex = "male" }}, '
                '"best" or "all"'
            )
        else:
            shown = ".".join(str(part) for part in path)
            message = (
                f"{shown} = {problem['input']!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
            )
        return f"{self.place(path)}: {_rule_name(path, raw)}{message}"


_HINTS = {
    "inconclusive": '; write inconclusive = "fail" to block a release that cannot be judged, '
    'or "warn" to let it through with a warning (there is no default)',
    "decision": '; write [decision] with inconclusive = "fail" or "warn"',
    "schema": "; write schema = 1",
    "attributes": '; write attributes = { sex = ["female", "male"] }',
    "evaluation": "; write [evaluation.NAME] with manifest, target and attributes",
    "rule": "; write at least one [[rule]]",
}


def _is_union_branch(part: str | int) -> bool:
    """Pydantic puts the tried branch of a union into the location; users did not write it."""
    return isinstance(part, str) and (part.startswith(("dict[", "literal[", "constrained")))


def _rule_name(path: tuple[str | int, ...], raw: dict[str, Any]) -> str:
    if len(path) > 1 and path[0] == "rule" and isinstance(path[1], int):
        rule = raw["rule"][path[1]]
        name = rule.get("id") or rule.get("metric") if isinstance(rule, dict) else None
        return f"rule {name!r}: " if name else ""
    return ""


def _allowed_keys(path: tuple[str | int, ...]) -> list[str]:
    model: Any = PolicyDocument
    tables = {"decision": "decision", "evaluation": "evaluation", "rule": "rule"}
    if path and path[0] in tables:
        annotation = PolicyDocument.model_fields[str(path[0])].annotation
        model = getattr(annotation, "__args__", (annotation,))[-1]
    return [info.alias or name for name, info in model.model_fields.items()]


def _table_name(path: tuple[str | int, ...]) -> str:
    if not path:
        return "the policy"
    if path[0] == "rule":
        return "[[rule]]"
    return f"[{'.'.join(map(str, path))}]"


def _suggest(name: str, allowed: Any) -> str:
    names = [str(item) for item in allowed]
    close = get_close_matches(name, names, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ""
    return f"{hint} Allowed: {', '.join(names)}" if hint else f"; allowed: {', '.join(names)}"
