"""Read a policy and check all that can be checked without data; every error says where."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pytest_fairness.errors import PolicyError
from pytest_fairness.hashing import sha256_of_text
from pytest_fairness.policy.inherit import merge
from pytest_fairness.policy.model_specs import model_spec
from pytest_fairness.policy.reading import problem_with_reading, reading_of
from pytest_fairness.policy.records import (
    Decision,
    Evaluation,
    Policy,
    PolicyText,
    PrecisionRule,
    Required,
    Rule,
    Waiver,
)
from pytest_fairness.policy.rules.means import with_numbers
from pytest_fairness.policy.rules.resolve import RuleProblem, resolve_rules
from pytest_fairness.policy.tables.problems import check_shape, validate
from pytest_fairness.policy.tables.tables import EvaluationTable, PolicyDocument
from pytest_fairness.policy.text.document import Document, KeyPath
from pytest_fairness.policy.text.layers import Layer, read_layers, restore_layers
from pytest_fairness.policy.text.toml_text import toml_value
from pytest_fairness.policy.tightening.alone import alone
from pytest_fairness.policy.tightening.compare import refuse_loosening
from pytest_fairness.policy.tightening.waiver_caps import beyond_the_caps
from pytest_fairness.policy.unused import key_without_effect
from pytest_fairness.wording import allowed_names

__all__ = ["load_policy", "read_document", "restore_policy"]


def load_policy(source: str | Path | Mapping[str, Any] | Policy) -> Policy:
    """Return the validated policy of a TOML file, or of a mapping of the same shape.

    Raises:
        PolicyError: A file is missing or malformed, a key, metric, attribute or limit is not
            allowed, or the policy loosens what it extends; the message names file, line and rule.

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
    return _resolved(read_layers(source))


def read_document(source: str | Path | Mapping[str, Any]) -> Document:
    """Return the effective text of a policy. One that others extend need not be complete.

    Raises:
        PolicyError: As for `load_policy`, but for what only a complete policy can break.
    """
    return _documents(read_layers(source))[-1]


def restore_policy(texts: Sequence[PolicyText], *, today: dt.date | None = None) -> Policy:
    """Return the policy of texts that a record kept, the one that extends nothing first.

    Args:
        texts: Its files.
        today: Day from which waivers may be so long as `[waivers]` allows; today when absent.

    Raises:
        PolicyError: As for `load_policy`; also when a text is missing.
    """
    layers = restore_layers((file.source, file.text) for file in texts)
    if "extends" in layers[0].raw:
        msg = f"{layers[0].name}: the text of the policy that it extends is missing"
        raise PolicyError(msg)
    return _resolved(layers, today)


def _resolved(layers: list[Layer], today: dt.date | None = None) -> Policy:
    documents = _documents(layers)
    asked = _Resolution(documents[-1])
    policy = asked.policy(layers)
    if unused := key_without_effect(policy):
        raise asked.error(*unused)
    today = today or dt.datetime.now(dt.UTC).date()
    if problems := beyond_the_caps(documents[-1], today=today):
        raise PolicyError("\n".join(problems))

    def resolve(position: int, document: Document) -> Policy:
        return _Resolution(document).policy(layers[: position + 1])

    return replace(policy, alone=tuple(alone(documents, resolve)))


def _documents(layers: list[Layer]) -> list[Document]:
    """What each file makes of those before it; the last one is the effective policy."""
    for layer in layers:
        check_shape(layer.raw, place=layer.place)
    documents: list[Document] = []
    for layer in layers:
        document = merge(documents[-1] if documents else None, layer)
        if documents:
            refuse_loosening(documents[-1], document)
        documents.append(document)
    return documents


class _Resolution:
    """A document being turned into records."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def policy(self, layers: list[Layer]) -> Policy:
        tables = validate(self.document.raw, place=self.document.place)
        read = {name: self.evaluation(name, table) for name, table in tables.evaluation.items()}
        decision = Decision(**tables.decision.model_dump())
        rules = self.rules(tables, read, decision)
        self.check_looks(decision, rules)
        self.check_pass_level(decision, rules)
        evaluations = {name: with_numbers(evaluation, rules) for name, evaluation in read.items()}
        texts = tuple(
            PolicyText(layer.name, layer.text, sha256_of_text(layer.text)) for layer in layers
        )
        return Policy(
            decision=decision,
            evaluations=evaluations,
            rules=rules,
            source=layers[-1].name,
            text=layers[-1].text,
            sha256=texts[0].sha256
            if len(texts) == 1
            else sha256_of_text("".join(t.sha256 for t in texts)),
            models={
                name: model_spec(name, table, place=self.document.place)
                for name, table in tables.model.items()
            },
            required=self.required(tables),
            precision=self.precision(tables),
            waivers=self.waivers(tables),
            texts=texts,
            document=self.document,
        )

    def rules(
        self, tables: PolicyDocument, evaluations: Mapping[str, Evaluation], decision: Decision
    ) -> tuple[Rule, ...]:
        place = self.document.place
        try:
            rules = resolve_rules(tables.rule, evaluations, decide=decision.decide, where=place)
        except RuleProblem as problem:
            raise self.error(problem.path, problem.message) from problem
        self.check_weights(decision, rules)
        return tuple(
            replace(rule, origins={key: place(("rule", number, key)) for key in written})
            for number, (rule, written) in enumerate(
                zip(rules, self.document.tables("rule"), strict=True)
            )
        )

    def check_looks(self, decision: Decision, rules: Sequence[Rule]) -> None:
        """Refuse several looks at a bare number: no interval pays for them."""
        bare = [number for number, rule in enumerate(rules) if rule.decide == "estimate"]
        if decision.looks == 1 or not bare:
            return
        path: KeyPath = ("decision", "decide")
        if decision.decide != "estimate":
            path = ("rule", bare[0], "decide")
        raise self.error(
            path,
            f'decide = "estimate" compares the measured value, which no number of looks makes '
            f"safer; remove looks = {toml_value(decision.looks)} of "
            f'{self.document.place(("decision", "looks"))}, or write decide = "interval"',
        )

    def required(self, tables: PolicyDocument) -> tuple[Required, ...]:
        found = []
        for number, table in enumerate(tables.required):
            where = self.document.place(("required", number))
            if table.evaluation is None and table.group is None:
                msg = f"{where}: [[required]] needs evaluation, group, or both"
                raise PolicyError(msg)
            share = table.max_unpredicted
            asked = Required(table.evaluation, table.group or {}, table.min_samples, where, share)
            found.append(asked)
        return tuple(found)

    def check_pass_level(self, decision: Decision, rules: Sequence[Rule]) -> None:
        """Refuse a level of passes where every rule compares the measured value."""
        level = decision.pass_confidence
        if level is None or not rules or any(rule.decide == "interval" for rule in rules):
            return
        raise self.error(
            ("decision", "pass_level"),
            f"pass_level = {level:g} is the level of an interval, and every rule decides by the "
            'estimate; remove pass_level, or write decide = "interval"',
        )

    def precision(self, tables: PolicyDocument) -> PrecisionRule:
        table = tables.precision
        allowed = None if table.allowed is None else tuple(table.allowed)
        if table.max_flips is not None and allowed == ("strict",):
            raise self.error(
                ("precision", "max_flips"),
                'max_flips has no effect, because allowed = ["strict"] lets no other precision be '
                "judged; remove max_flips, or allow another precision",
            )
        return PrecisionRule(allowed, table.max_flips)

    def waivers(self, tables: PolicyDocument) -> tuple[Waiver, ...]:
        return tuple(
            Waiver(**table.model_dump(), where=self.document.place(("waiver", number)))
            for number, table in enumerate(tables.waiver)
        )

    def check_weights(self, decision: Decision, rules: Sequence[Rule]) -> None:
        """Refuse weights of questions that spend no share of the error."""
        for number, rule in enumerate(rules):
            if rule.weight == 1:
                continue
            if decision.correction == "none":
                why = 'correction = "none" gives each of them all of it; remove weight, or choose a correction'
            elif rule.decide == "estimate":
                why = (
                    'decide = "estimate" compares the measured value, which spends none; remove '
                    'weight, or write decide = "interval"'
                )
            else:
                continue
            what = f"rule {rule.id!r}: weight = {rule.weight:g} shares the error among questions, and {why}"
            raise self.error(("rule", number, "weight"), what)

    def evaluation(self, name: str, table: EvaluationTable) -> Evaluation:
        path = ("evaluation", name)
        self.check_attributes(name, table)
        self.check_clusters(name, table)
        if table.positive and table.classes and table.positive not in table.classes:
            raise self.error(
                (*path, "positive"),
                f"evaluation {name!r}: positive = {table.positive!r} is not one of "
                f"classes{allowed_names(table.positive, table.classes)}",
            )
        if problem := problem_with_reading(table):
            raise self.error((*path, *problem.path), f"evaluation {name!r}: {problem.message}")
        values = table.model_dump()
        values |= reading_of(table)
        for key in ("attributes", "where"):
            values[key] = {column: tuple(levels) for column, levels in values[key].items()}
        values["classes"] = tuple(table.classes) if table.classes else None
        if len(table.cluster or ()) == 1:
            (values["cluster"],) = values["cluster"]
        return Evaluation(name=name, **values)

    def check_attributes(self, name: str, table: EvaluationTable) -> None:
        """Refuse a reference that is not declared, and a level said twice."""
        path = ("evaluation", name)
        for attribute, level in table.reference.items():
            levels = table.attributes.get(attribute)
            if levels is None:
                raise self.error(
                    (*path, "reference"),
                    f"evaluation {name!r}: reference names attribute {attribute!r}, which "
                    f"attributes does not declare{allowed_names(attribute, table.attributes)}",
                )
            if level not in levels:
                raise self.error(
                    (*path, "reference"),
                    f"evaluation {name!r}: reference {attribute} = {level!r} is not a declared "
                    f"level{allowed_names(level, levels)}",
                )
        for attribute, levels in table.attributes.items():
            if len(set(levels)) != len(levels):
                raise self.error(
                    (*path, "attributes"),
                    f"evaluation {name!r}: attribute {attribute!r} lists a group value twice: {levels}",
                )

    def check_clusters(self, name: str, table: EvaluationTable) -> None:
        """Refuse a cluster that is a group, and columns that are not one or two different ones."""
        path = ("evaluation", name)
        for column in table.cluster or ():
            if column in table.attributes:
                raise self.error(
                    (*path, "cluster"),
                    f"evaluation {name!r}: cluster = {column!r} is also an attribute; a cluster "
                    "is what several images show, a person or a design",
                )
        if table.cluster is not None and (
            len(table.cluster) not in (1, 2) or len(set(table.cluster)) < len(table.cluster)
        ):
            got = toml_value(list(table.cluster))
            raise self.error(
                (*path, "cluster"),
                f"evaluation {name!r}: cluster = {got}; write one column, or two different ones such "
                'as ["person", "camera"]',
            )

    def error(self, path: KeyPath, message: str) -> PolicyError:
        return PolicyError(f"{self.document.place(path)}: {message}")
