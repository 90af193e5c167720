"""The policy after validation: frozen records that the later rooms read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pytest_fairness.errors import PolicyError
from pytest_fairness.statistics.names import Metric

__all__ = [
    "Decide",
    "Decision",
    "Evaluation",
    "Inconclusive",
    "Limit",
    "Policy",
    "Reference",
    "Rule",
]

Decide = Literal["interval", "estimate"]
Inconclusive = Literal["fail", "warn"]
# One level per attribute, or how to find the reference: the best group, or all groups (max v min).
Reference = Mapping[str, str] | Literal["best", "all"]


@dataclass(frozen=True, slots=True)
class Decision:
    """How an interval becomes a verdict, and what an undecided question does to the release."""

    inconclusive: Inconclusive
    decide: Decide = "interval"
    level: float = 0.95


@dataclass(frozen=True, slots=True)
class Evaluation:
    """One evaluation set of the policy: where it is, and how its columns are to be read."""

    name: str
    manifest: Path | None = None
    image: str = "image"
    id: str = "id"
    target: str = "target"
    prediction: str = "prediction"
    score: str | None = None
    threshold: float | None = None
    positive: str | None = None
    classes: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Limit:
    """The range that a value must keep: `low <= value <= high`, as the policy wrote it.

    `max` of a difference bounds its absolute value: a gap harms whichever group it is against.
    """

    kind: Literal["min", "max", "between"]
    low: float
    high: float

    @property
    def shown(self) -> float | tuple[float, float]:
        """The limit as the policy wrote it: one number, or two for `between`."""
        if self.kind == "between":
            return (self.low, self.high)
        return self.low if self.kind == "min" else self.high


@dataclass(frozen=True, slots=True)
class Rule:
    """One `[[rule]]`: a metric, the attributes it is asked by, and the limit it must keep."""

    id: str
    metric: Metric
    by: tuple[tuple[str, ...], ...]
    limit: Limit
    decide: Decide
    min_samples: int = 1
    reference: Reference | None = None
    evaluations: tuple[str, ...] = ()
    where: str = ""

    def reference_for(self, by: tuple[str, ...], evaluation: Evaluation) -> Reference:
        """The reference of one `by`: the rule's own, else the evaluation's, else all groups."""
        chosen = evaluation.reference if self.reference is None else self.reference
        if isinstance(chosen, str):
            return chosen
        if any(attribute not in chosen for attribute in by):
            return "all"
        return {attribute: chosen[attribute] for attribute in by}


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy: its decision, its evaluations, its rules, and its text."""

    decision: Decision
    evaluations: Mapping[str, Evaluation]
    rules: tuple[Rule, ...]
    source: str
    text: str
    sha256: str

    def evaluation_named(self, name: str | None) -> Evaluation:
        """Return the evaluation of this name; without a name, the only one.

        Raises:
            PolicyError: There is none of this name, or no name was given and there are several.
        """
        names = ", ".join(self.evaluations)
        if name is None and len(self.evaluations) > 1:
            msg = f"{self.source}: the policy has several evaluations, name one of: {names}"
            raise PolicyError(msg)
        if name is not None and name not in self.evaluations:
            msg = f"{self.source}: no [evaluation.{name}]; allowed: {names}"
            raise PolicyError(msg)
        return self.evaluations[next(iter(self.evaluations)) if name is None else name]
