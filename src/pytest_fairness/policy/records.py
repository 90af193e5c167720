"""The policy after validation: frozen records that the later rooms read."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.derive import Derivation
from pytest_fairness.policy.model_specs import ModelSpec
from pytest_fairness.policy.tables.tables import CorrectionMethod, EvaluationTable, defaults_of
from pytest_fairness.policy.text.document import Document
from pytest_fairness.policy.text.toml_text import toml_header
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.statistics.metrics.names import Metric
from pytest_fairness.wording import allowed_names

if TYPE_CHECKING:
    from pytest_fairness.statistics.looks import Looks

__all__ = [
    "EACH",
    "OVERALL",
    "Decide",
    "Decision",
    "Evaluation",
    "Inconclusive",
    "Limit",
    "LimitKind",
    "Policy",
    "PolicyText",
    "Reference",
    "Required",
    "Rule",
    "Waiver",
]

Decide = Literal["interval", "estimate"]
Inconclusive = Literal["fail", "warn"]
# The positive class of a rule that asks of each class in turn.
EACH = "each"
# What `by` says for all samples together.
OVERALL = "overall"
_DEFAULTS = defaults_of(EvaluationTable)
LimitKind = Literal["min", "max", "between", "max_drop", "max_widening"]
# One level per attribute, or how to find the reference: the best group, or all groups (max v min).
Reference = Mapping[str, str] | Literal["best", "all"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The `[decision]` table: how an interval becomes a verdict, and what an inconclusive question does."""

    inconclusive: Inconclusive
    decide: Decide
    confidence: float
    correction: CorrectionMethod
    pass_confidence: float | None = None
    """Confidence at which a limit is shown to be kept; None where it is `confidence`."""
    looks: "Looks" = 1
    cache: Literal["allow", "refuse"] = "allow"
    """Whether scores of former runs may be taken from the cache."""

    @property
    def confidence_to_pass(self) -> float:
        """The confidence of the interval that must keep the limit for a pass."""
        return self.confidence if self.pass_confidence is None else self.pass_confidence


@dataclass(frozen=True, slots=True)
class Evaluation:
    """An evaluation set of the policy: where it is, and how its columns are to be read."""

    name: str
    manifest: Path | None = None
    image: str = _DEFAULTS["image"]
    id: str = _DEFAULTS["id"]
    target: str = _DEFAULTS["target"]
    prediction: str = _DEFAULTS["prediction"]
    score: str | None = None
    threshold: float | None = None
    positive: str | None = None
    classes: tuple[str, ...] | None = None
    attributes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reference: Mapping[str, str] = field(default_factory=dict)
    where: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    cluster: Cluster | None = None
    counterfactual: tuple[str, ...] = ()
    labels: str | None = None
    predicted_labels: str = _DEFAULTS["predicted_labels"]
    reader: str = _DEFAULTS["reader"]
    root: Path | None = None
    split: tuple[str, ...] = ()
    options: Mapping[str, Any] = field(default_factory=dict)
    numbers: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    """Columns of numbers that rules ask the mean of, each with its bounds."""
    masks: str | None = None
    derive: Mapping[str, Derivation] = field(default_factory=dict)
    on_error: Literal["fail", "count"] = _DEFAULTS["on_error"]
    max_errors: float = 0.0
    """Share of unreadable images that `on_error = "count"` bears, 0 to 1."""
    max_unpredicted: float = 0.0
    """Share of the samples of the manifest that a file of predictions may lack, 0 to 1."""

    @property
    def table(self) -> str:
        """The header of its table: `[evaluation.faces]`."""
        return toml_header("evaluation", self.name)

    @property
    def source(self) -> Path | None:
        """The manifest or the root of a data set, or None where there are no images."""
        return self.manifest if self.reader == "manifest" else self.root

    @property
    def carried(self) -> tuple[str, ...]:
        """The columns that samples and predictions keep beside the attributes."""
        clusters = columns_of(self.cluster)
        return tuple(dict.fromkeys((*clusters, *self.counterfactual, *self.numbers)))


@dataclass(frozen=True, slots=True)
class Limit:
    """The range that a value must keep: `low <= value <= high`, as the policy wrote it.

    `max` of a difference bounds its absolute value: a gap harms whichever group it is against.
    `max_drop` and `max_widening` bound how much worse a rate or gap is than in the baseline.
    """

    kind: LimitKind
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
    """A `[[rule]]`: a metric, the attributes it is asked by, and the limit it must keep."""

    id: str
    metric: Metric
    by: tuple[tuple[str, ...], ...]
    limit: Limit
    decide: Decide
    against: Literal["baseline"] | None
    min_samples: int
    min_share: float
    reference: Reference | None
    evaluations: tuple[str, ...]
    positive: str | None
    """Class that is asked of instead of the evaluation's positive one; `each` asks of all."""
    of: tuple[str, ...]
    """What an analysis measures: parts, labels, layers or perturbations, one question each."""
    where: str
    weight: float = 1.0
    """Share of the error that each of its questions has, beside the 1 of others."""
    origins: Mapping[str, str] = field(default_factory=dict)
    """Key -> file and line that it came from."""

    @property
    def from_counts(self) -> bool:
        """Whether counts answer the rule.

        Otherwise it needs a baseline, matched images or an analysis.
        """
        plain = not self.metric.matched and self.metric.observed is None
        return self.against is None and plain

    def asked_of(self, evaluation: Evaluation) -> tuple[str | None, ...]:
        """Return the classes that the rule asks about, one question each.

        None is the positive class of the evaluation.
        """
        return evaluation.classes or () if self.positive == EACH else (self.positive,)

    def reference_for(self, by: tuple[str, ...], evaluation: Evaluation) -> Reference:
        """Return the reference of one `by`: the rule's own, else the evaluation's, else all groups."""
        chosen = evaluation.reference if self.reference is None else self.reference
        if isinstance(chosen, str):
            return chosen
        if any(attribute not in chosen for attribute in by):
            return "all"
        return {attribute: chosen[attribute] for attribute in by}


@dataclass(frozen=True, slots=True)
class Required:
    """A `[[required]]`: an evaluation or a group that must be judged with samples."""

    evaluation: str | None
    group: Mapping[str, str]
    min_samples: int
    where: str
    max_unpredicted: float | None = None
    """Largest share of its samples without a prediction; None where any share will do."""


@dataclass(frozen=True, slots=True)
class Waiver:
    """A `[[waiver]]`: failures of a rule that somebody answers for until a day (inclusive, UTC)."""

    rule: str
    reason: str
    approved_by: str
    until: dt.date
    group: Mapping[str, str] | None
    model: str | None
    evaluation: str | None
    ticket: str | None
    where: str


@dataclass(frozen=True, slots=True)
class PolicyText:
    """A file of a policy, as it was read."""

    source: str
    text: str
    sha256: str


@dataclass(frozen=True, slots=True)
class PrecisionRule:
    """The exactness that a model must compute with.

    Args:
        allowed: Precisions that may be judged; None for any.
        max_flips: Share of answers that another precision than `strict` may change, 0 to 1; None
            for any.
    """

    allowed: tuple[str, ...] | None = None
    max_flips: float | None = None


@dataclass(frozen=True, slots=True)
class Policy:
    """A validated policy: its decision, its evaluations, its rules, and its text.

    Args:
        decision: How an interval becomes a verdict.
        evaluations: Name -> evaluation set.
        rules: What is asked, inherited rules first.
        source: File that was asked for.
        text: Its text.
        sha256: Hash of its text; where it extends others, of the hashes of all texts in order.
        models: Name -> model under test that it declares.
        required: What must be judged with samples.
        precision: How exactly a model must compute.
        waivers: Failures that somebody answers for.
        texts: Every file, the one that extends nothing first.
        document: Effective values, with the file and line of each.
        alone: The policies that it extends, each as it stands alone, the one that extends nothing
            first: what fails by one of them fails.
    """

    decision: Decision
    evaluations: Mapping[str, Evaluation]
    rules: tuple[Rule, ...]
    source: str
    text: str
    sha256: str
    models: Mapping[str, ModelSpec] = field(default_factory=dict)
    required: tuple[Required, ...] = ()
    precision: PrecisionRule = PrecisionRule()
    waivers: tuple[Waiver, ...] = ()
    texts: tuple[PolicyText, ...] = ()
    document: Document = field(default_factory=lambda: Document("policy"))
    alone: "tuple[Policy, ...]" = ()

    def evaluation_named(self, name: str | None) -> Evaluation:
        """Return the evaluation of this name. Without a name, the only one.

        Raises:
            PolicyError: There is none of this name, or no name was given and there are several.
        """
        names = ", ".join(self.evaluations)
        if name is None and len(self.evaluations) > 1:
            msg = f"{self.source}: the policy has several evaluations, name one of: {names}"
            raise PolicyError(msg)
        if name is not None and name not in self.evaluations:
            missing = f"no {toml_header('evaluation', name)}"
            msg = f"{self.source}: {missing}{allowed_names(name, self.evaluations)}"
            raise PolicyError(msg)
        return self.evaluations[next(iter(self.evaluations)) if name is None else name]
