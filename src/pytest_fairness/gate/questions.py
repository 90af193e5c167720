"""What a policy asks: one question a rule, model, evaluation and group, known before any data."""

import functools
import hashlib
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from pytest_fairness.policy import OVERALL, Evaluation, Policy, Reference, Rule
from pytest_fairness.statistics.groups import groups_of
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition

__all__ = ["Question", "asked_of", "questions", "rules_by", "slug"]

_DIGITS = 8


@dataclass(frozen=True, slots=True)
class Question:
    """A question of a policy, and so one test of the gate.

    Args:
        rule: The rule that asks.
        model: Name of the model under test.
        evaluation: Name of the evaluation set.
        by: The attributes that are crossed.
        group: Attribute -> level; empty when all groups are compared with each other.
        reference: The reference group, `best` or `all`; None where nothing is compared.
        positive: The class that the rule asks of; None where it is the evaluation's.
        of: What an analysis measures; None where the rule names nothing.
    """

    rule: Rule
    model: str
    evaluation: str
    by: tuple[str, ...]
    group: Mapping[str, str]
    reference: Reference | None = None
    positive: str | None = None
    of: str | None = None

    @property
    def name(self) -> str:
        """The id without the rule: `ads-emoji_people-skin_tone-dark_v_light`."""
        groups = self._groups if self.rule.against is None else f"{self._groups}_v_baseline"
        asked = () if self.positive is None else (f"class_{slug(self.positive, '-class_')}",)
        of = () if self.of is None else (slug(self.of, "-"),)
        by = ("_x_".join(slug(one, "-") for one in self.by), groups) if self.by else (OVERALL,)
        return "-".join((slug(self.model, "-"), slug(self.evaluation, "-"), *by, *asked, *of))

    @property
    def key(self) -> str:
        """The name that no other question of the policy has."""
        return f"{self.rule.id}[{self.name}]"

    @property
    def test_id(self) -> str:
        """The id of its test within brackets: `floor:ads-faces-skin_tone-dark`.

        A promise: it follows from this question alone, and no other rule, level or class of the
        policy changes it. A colon is in no other part of it, and `-k` allows one.
        """
        return f"{slug(self.rule.id, ':')}:{self.name}"

    @property
    def words(self) -> set[str]:
        """The names that it is about, as the policy writes them, to choose it by."""
        reference = self.reference.values() if isinstance(self.reference, Mapping) else ()
        asked = {self.positive, self.of} - {None}
        names = {self.rule.id, self.rule.metric.name, self.model, self.evaluation}
        return {*names, *self.by, *self.group.values(), *reference, *map(str, asked)}

    @property
    def batch(self) -> tuple[str, tuple[str, ...], str | None, str | None]:
        """The key that all questions share that are answered together."""
        return self.rule.id, self.by, self.positive, self.of

    @property
    def value_range(self) -> tuple[float, float]:
        """The smallest and the largest value that the answer can have."""
        metric = self.rule.metric
        compared = replace(metric, comparison="difference") if self.rule.against else metric
        low, high = compared.allowed_range
        equal = 1.0 if compared.comparison == "ratio" else 0.0
        if self.without_sign:
            return (0.0, equal or high)
        if self.reference == "best":
            return (low, equal) if metric.measure.higher_is_better else (equal, high)
        return low, high

    @property
    def without_sign(self) -> bool:
        """Whether the value is the largest of several gaps, whichever group they are against."""
        measure = self.rule.metric.measure
        odds = isinstance(measure, CompositeDefinition) and measure.formula == "largest gap"
        return odds or self.reference == "all"

    @property
    def _groups(self) -> str:
        group = "_x_".join(map(slug, self.group.values())) or "all"
        match self.reference:
            case None:
                return group
            case "all":
                return "all"
            case "best":
                return f"{group}_v_best"
            case reference:
                return f"{group}_v_{'_x_'.join(map(slug, reference.values()))}"


def questions(
    policy: Policy, models: Sequence[str], *, evaluations: Sequence[str] | None = None
) -> list[Question]:
    """Return every question that a policy asks of the models, over the declared groups.

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
        for model, name in product(models, names)
        for question in asked_of(policy, policy.evaluations[name], model=model)
    ]


def asked_of(
    policy: Policy,
    evaluation: Evaluation,
    *,
    model: str,
    levels: Mapping[str, tuple[str, ...]] | None = None,
) -> list[Question]:
    """Return every question that a policy asks of one model on one evaluation set.

    Args:
        policy: The policy.
        evaluation: The evaluation set.
        model: Name of the model.
        levels: Attribute -> its values; those that the evaluation declares when absent. Data may
            have more of them: missing values.
    """
    levels = evaluation.attributes if levels is None else levels
    return [
        question
        for rule, by in rules_by(policy, evaluation)
        for question in _ask(rule, evaluation, by, model, levels)
    ]


def rules_by(policy: Policy, evaluation: Evaluation) -> Iterator[tuple[Rule, tuple[str, ...]]]:
    """Return the rules that are asked of an evaluation set, each with one `by` at a time."""
    for rule in policy.rules:
        if evaluation.name in rule.evaluations:
            for by in rule.by:
                yield rule, by


def _ask(
    rule: Rule,
    evaluation: Evaluation,
    by: tuple[str, ...],
    model: str,
    levels: Mapping[str, tuple[str, ...]],
) -> Iterator[Question]:
    reference = rule.reference_for(by, evaluation) if rule.metric.compares else None
    groups = groups_of(levels, by)
    observed = rule.metric.observed
    whole = reference == "all" or (observed is not None and observed.shape == "whole")
    for positive, of in product(rule.asked_of(evaluation), rule.of or (None,)):
        for group in [{}] if whole else groups:
            if group != reference:
                yield Question(rule, model, evaluation.name, by, group, reference, positive, of)


@functools.lru_cache(maxsize=4_096)
def slug(name: str, separator: str = "") -> str:
    """Return a name as part of a test id: no blanks, brackets, slashes or colons.

    A name that could be read as another one gets a hash: other names give another text, whatever
    else the policy declares.

    Args:
        name: A model, an evaluation, an attribute, a level or a class.
        separator: What follows it in the id, beside `_x_` and `_v_`.
    """
    plain = re.sub(r"[^\w.+()-]+", "_", name)
    unclear = re.search("(^|_)[xv]_|_[xv]$", name) or (separator and separator in name)
    if name and plain == name and not unclear:
        return name
    exact = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return f"{plain}~{exact[:_DIGITS]}"
