"""What a policy asks: one question a rule, model, evaluation and group, known before any data."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from pytest_fairness.policy import Evaluation, Policy, Reference, Rule

__all__ = ["Question", "ask", "questions"]


@dataclass(frozen=True, slots=True)
class Question:
    """One question of a policy, and so one test of the gate.

    Args:
        rule: The rule that asks.
        model: Name of the model under test.
        evaluation: Name of the evaluation set.
        by: The attributes that are crossed.
        group: Attribute -> level; empty when all groups are compared with each other.
        reference: The reference group, `best` or `all`; None where nothing is compared.
        positive: The class that the rule asks of; None where it is the evaluation's.
    """

    rule: Rule
    model: str
    evaluation: str
    by: tuple[str, ...]
    group: Mapping[str, str]
    reference: Reference | None = None
    positive: str | None = None

    @property
    def name(self) -> str:
        """Readable test id: `ads-emoji_people-skin_tone-dark_v_light`."""
        groups = self._groups if self.rule.against is None else f"{self._groups}_v_baseline"
        asked = () if self.positive is None else (f"class_{_slug(self.positive)}",)
        return "-".join((self.model, self.evaluation, "_x_".join(self.by), groups, *asked))

    @property
    def key(self) -> str:
        """Name that no other question of the policy has."""
        return f"{self.rule.id}[{self.name}]"

    @property
    def batch(self) -> tuple[str, tuple[str, ...], str | None]:
        """What it has in common with the questions that are answered together with it."""
        return self.rule.id, self.by, self.positive

    @property
    def _groups(self) -> str:
        group = "_x_".join(map(_slug, self.group.values()))
        match self.reference:
            case None:
                return group
            case "all":
                return "all"
            case "best":
                return f"{group}_v_best"
            case reference:
                return f"{group}_v_{'_x_'.join(map(_slug, reference.values()))}"


def questions(
    policy: Policy, models: Sequence[str], *, evaluations: Sequence[str] | None = None
) -> list[Question]:
    """Every question that a policy asks of the models, over the declared groups.

    Example:
        >>> from pytest_fairness.policy import load_policy
        >>> policy = load_policy({
        ...     "schema": 1,
        ...     "decision": {"inconclusive": "fail"},
        ...     "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        ...     "rule": [{"metric": "accuracy", "min": 0.8}],
        ... })
        >>> [question.key for question in questions(policy, ["ads"])]
        ['accuracy[ads-faces-sex-female]', 'accuracy[ads-faces-sex-male]']
    """
    names = policy.evaluations if evaluations is None else evaluations
    return [
        question
        for model, name, rule in product(models, names, policy.rules)
        if name in rule.evaluations
        for by in rule.by
        for question in ask(rule, policy.evaluations[name], by, model=model)
    ]


def ask(
    rule: Rule,
    evaluation: Evaluation,
    by: tuple[str, ...],
    *,
    model: str,
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> Iterator[Question]:
    """The questions of one rule by some attributes, over the declared or the given levels."""
    levels = evaluation.attributes if levels is None else levels
    reference = None
    if rule.metric.comparison != "none" or rule.metric.matched:
        reference = rule.reference_for(by, evaluation)
    groups = [
        dict(zip(by, crossed, strict=True)) for crossed in product(*(levels[name] for name in by))
    ]
    for positive in rule.asked_of(evaluation):
        for group in [{}] if reference == "all" else groups:
            if group != reference:
                yield Question(rule, model, evaluation.name, by, group, reference, positive)


def _slug(level: str) -> str:
    """A level as part of a test id: no blanks, brackets, slashes or colons."""
    return re.sub(r"[^\w.+()-]+", "_", level)
