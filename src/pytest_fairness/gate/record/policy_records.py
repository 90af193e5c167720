"""What a run record keeps of its policy beside the rules: files, waivers, required groups."""

import datetime as dt
from collections.abc import Mapping
from typing import Literal

from pytest_fairness.gate.record.details import FrozenRecord
from pytest_fairness.policy import Rule
from pytest_fairness.policy.records import LimitKind

__all__ = ["PolicyFile", "RequiredRecord", "RuleRecord", "WaiverRecord"]


class PolicyFile(FrozenRecord):
    """A file of a policy: the one that was asked for, or one that it extends."""

    source: str
    sha256: str
    text: str


class RuleRecord(FrozenRecord):
    """A rule as it was asked, after inheritance and presets."""

    id: str
    metric: str
    by: list[tuple[str, ...]]
    """Attributes and intersections."""
    evaluations: tuple[str, ...]
    limit: float | tuple[float, float]
    bound: LimitKind
    decide: Literal["interval", "estimate"]
    against: Literal["baseline"] | None
    reference: dict[str, str] | Literal["best", "all"] | None
    """The rule's own; None where it is that of the evaluation."""
    positive: str | None
    """The class that the rule asks of; None where it is that of the evaluation."""
    measures: tuple[str, ...] = ()
    """What an analysis measures: parts, labels, layers or perturbations."""
    min_samples: int
    min_share: float
    weight: float = 1.0
    """Share of the error that each of its questions has, beside the 1 of others."""
    where: str
    """File and line of the rule."""
    origins: dict[str, str]
    """Key of the rule -> file and line that it came from."""

    @classmethod
    def of(cls, rule: Rule) -> "RuleRecord":
        """Return the record of a rule."""
        reference = rule.reference
        return cls(
            id=rule.id,
            metric=rule.metric.name,
            by=list(rule.by),
            evaluations=rule.evaluations,
            limit=rule.limit.shown,
            bound=rule.limit.kind,
            decide=rule.decide,
            against=rule.against,
            reference=dict(reference) if isinstance(reference, Mapping) else reference,
            positive=rule.positive,
            measures=rule.of,
            min_samples=rule.min_samples,
            min_share=rule.min_share,
            weight=rule.weight,
            where=rule.where,
            origins=dict(rule.origins),
        )


class WaiverRecord(FrozenRecord):
    """A waiver: who accepts a failure, why, and until when."""

    reason: str
    approved_by: str
    until: dt.date
    """Last day on which it holds, UTC."""
    ticket: str | None = None
    where: str
    """File and line of the waiver."""


class RequiredRecord(FrozenRecord):
    """The answer to one `[[required]]`: whether it was judged with enough samples."""

    model: str
    evaluation: str | None
    """None where no evaluation declares the group."""
    group: dict[str, str]
    """Attribute -> level; empty where the whole evaluation is required."""
    outcome: Literal["pass", "fail"]
    n: int
    """Samples of the group."""
    min_samples: int
    reason: str
    where: str
    """File and line of the requirement."""
    max_unpredicted: float | None = None
    """Largest share of its samples without a prediction; None where any share will do."""
