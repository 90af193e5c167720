"""The shape of a policy file: pydantic models, and the JSON Schema that editors complete from."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from pytest_fairness.policy.derive import Scale
from pytest_fairness.policy.tables.caps import PrecisionTable, WaiversTable
from pytest_fairness.policy.tables.declared import METRIC, READER
from pytest_fairness.policy.tables.model_tables import ModelTable
from pytest_fairness.policy.tables.values import (
    Columns,
    CorrectionMethod,
    Day,
    Group,
    Level,
    Limit,
    Name,
    Names,
    Table,
)

__all__ = [
    "CorrectionMethod",
    "DecisionTable",
    "DeriveTable",
    "EvaluationTable",
    "PolicyDocument",
    "RequiredTable",
    "RuleTable",
    "WaiverTable",
    "defaults_of",
    "policy_schema",
]


class DecisionTable(Table):
    """`[decision]`: how an interval becomes a verdict."""

    inconclusive: Literal["fail", "warn"] = Field(
        description="What an undecided question does to the release. Every policy must say it."
    )
    decide: Literal["interval", "estimate"] = Field(
        default="interval",
        description="interval: fail when shown to break the limit, pass when shown to keep it. "
        "estimate: compare the bare number.",
    )
    confidence: float = Field(
        alias="level",
        default=0.95,
        gt=0.5,
        lt=1,
        strict=True,
        description="Level of the intervals.",
    )
    pass_confidence: float | None = Field(
        alias="pass_level",
        default=None,
        gt=0.5,
        lt=1,
        strict=True,
        description="Level of the interval that must keep the limit for a pass; that of level when "
        "absent. 0.9 leaves 5 % at each end, as tests of equivalence do.",
    )
    correction: CorrectionMethod = Field(
        default="holm",
        description="How failures are corrected for the number of questions that a policy asks. "
        "gatekeeping: an intersection may fail once one of its attributes has.",
    )
    looks: Annotated[int, Field(ge=1, strict=True)] | Literal["any"] = Field(
        default=1,
        description="How often the verdicts of an evaluation set that grows may be looked at: a "
        "number of times, or any. Every interval is wider by as much.",
    )
    cache: Literal["allow", "refuse"] = Field(
        default="allow",
        description="Whether scores of former runs may be taken from the user's cache; refuse: every run "
        "computes its own.",
    )


class DeriveTable(Table):
    """`[evaluation.NAME.derive.COLUMN]`: how a column is made of others."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    from_: Columns = Field(
        alias="from", description="Column that it is made of; L* and b* for scale = ita."
    )
    bins: list[Annotated[float, Field(strict=True)]] = Field(
        default_factory=list,
        description="Lower edges of bins of a number, rising; a last edge without label closes.",
    )
    labels: list[Level] = Field(default_factory=list, description="Level of each bin.")
    scale: Scale | None = Field(
        default=None,
        description="Read values as skin types: fitzpatrick (I to VI), or ita (an angle in "
        "degrees, six classes from very light to dark).",
    )
    merge: dict[Name, Annotated[list[Level], Field(min_length=1)]] = Field(
        default_factory=dict, description="New level -> the values that it takes in."
    )
    rest: Level | None = Field(
        default=None, description="Level of all values that merge does not name; else an error."
    )
    missing: list[Level] = Field(
        default_factory=list, description="Values that stand for a missing one, such as -1."
    )


class EvaluationTable(Table):
    """`[evaluation.NAME]`: an evaluation set, and how its columns are read."""

    manifest: Name | None = Field(
        default=None, description="CSV or Parquet file, relative to the policy file."
    )
    reader: Annotated[str, *READER] = Field(
        default="manifest",
        description="What reads the data set: a manifest, or a published set in its own format.",
    )
    root: Name | None = Field(
        default=None,
        description="Folder (or file) that the reader reads, relative to the policy file.",
    )
    split: Columns = Field(default=(), description="Parts of the data set to read; all if absent.")
    options: dict[Name, Any] = Field(
        default_factory=dict, description="What else the reader needs to know; docs/datasets.md."
    )
    masks: Name | None = Field(
        default=None,
        description="Masks of the parts of each image, relative to the manifest or the root: a "
        "Parquet file, or what the reader says.",
    )
    derive: dict[Name, DeriveTable] = Field(
        default_factory=dict, description="Columns that are made of other columns: bins, levels."
    )
    on_error: Literal["fail", "count"] = Field(
        default="fail",
        description="What an image that cannot be read does: fail stops the run, count lists it "
        "as unpredicted, up to max_errors.",
    )
    max_errors: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        lt=1,
        description="With on_error = count: the largest share of unreadable images, of all and of "
        "each level of each attribute.",
    )
    max_unpredicted: float | None = Field(
        default=None,
        strict=True,
        gt=0,
        lt=1,
        description="Largest share of the samples that a file of predictions may lack; none if absent.",
    )
    image: Name = Field(
        default="image",
        description="Column with the image: a path relative to the manifest, or the file's bytes.",
    )
    id: Name = Field(default="id", description="Column with the sample's unique id.")
    target: Name = Field(default="target", description="Column with the true class.")
    prediction: Name = Field(default="prediction", description="Column with the predicted class.")
    score: Name | None = Field(
        default=None, description="Column with the score of the positive class."
    )
    threshold: Limit | None = Field(
        default=None,
        description="Score from which a sample is called positive; without it, scores must be "
        "probabilities and 0.5 is used.",
    )
    labels: Name | None = Field(
        default=None,
        description="Column with all true labels of a sample: a list, or text with | between them.",
    )
    predicted_labels: Name = Field(
        default="predicted_labels", description="Column with the predicted labels, likewise."
    )
    positive: Level | None = Field(default=None, description="The class that counts as positive.")
    classes: Annotated[list[Level], Field(min_length=2)] | None = Field(
        default=None, description="All classes; without it, those of the target column."
    )
    attributes: dict[Name, Annotated[list[Level], Field(min_length=1)]] = Field(
        min_length=1, description="Protected attributes and their declared levels."
    )
    reference: dict[Name, Level] = Field(
        default_factory=dict, description="Reference (privileged) level of each attribute."
    )
    cluster: Columns | None = Field(
        default=None,
        description="Column of what several images show (a person, a design): such images are "
        "not independent, and intervals account for it. Two columns for a person and a camera, or "
        "for both people of a pair.",
    )
    counterfactual: Columns = Field(
        default=(),
        description="Columns that, with the other attributes, name a set of images which differ "
        "only in one attribute, e.g. one design in several skin tones.",
    )
    where: dict[Name, Annotated[list[Level], Field(min_length=1)]] = Field(
        default_factory=dict, description="Keep only rows whose column has one of these values."
    )


class RuleTable(Table):
    """`[[rule]]`: a metric, the attributes it is asked by, and the limit it must keep."""

    id: Name | None = Field(default=None, description="Unique name; the metric's when absent.")
    metric: Annotated[str, *METRIC] | None = Field(
        default=None, description="Metric; may come from the preset."
    )
    preset: Name | None = Field(default=None, description="A published limit, e.g. four-fifths.")
    by: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None,
        description="Attributes and intersections, e.g. ['sex', 'sex*race']; 'overall' for all "
        "samples together; without it, every attribute of the evaluation.",
    )
    column: Name | None = Field(
        default=None,
        description="With metric = mean or mean_difference: the column of numbers, one a sample.",
    )
    bounds: tuple[Limit, Limit] | None = Field(
        default=None, description="With column: the smallest and largest number that is possible."
    )
    higher_is_better: bool | None = Field(
        default=None, strict=True, description='With column: which end reference = "best" means.'
    )
    min: Limit | None = Field(default=None, description="Smallest allowed value.")
    max: Limit | None = Field(
        default=None,
        description="Largest allowed value; for a difference, of its absolute value.",
    )
    between: tuple[Limit, Limit] | None = Field(
        default=None, description="Smallest and largest allowed value."
    )
    against: Literal["baseline"] | None = Field(
        default=None,
        description="Compare with the last accepted release, given by --fairness-baseline.",
    )
    max_drop: Limit | None = Field(
        default=None,
        description="With against: how much worse a rate may get (selection_rate: how much it may "
        "change either way).",
    )
    max_widening: Limit | None = Field(
        default=None,
        description="With against: how much the absolute value of a difference may grow.",
    )
    min_samples: int = Field(
        default=1,
        ge=1,
        strict=True,
        description="Below this many samples a question is inconclusive.",
    )
    weight: float = Field(
        default=1.0,
        ge=0.01,
        le=100,
        strict=True,
        description="Share of the error that each of its questions has, beside the 1 of others.",
    )
    min_share: float = Field(
        default=0.0,
        strict=True,
        ge=0,
        lt=1,
        description="Below this share of all samples a group is inconclusive, and never the best.",
    )
    reference: dict[Name, Level] | Literal["best", "all"] | None = Field(
        default=None,
        description="Reference group of a difference or ratio: levels, the best group, or all "
        "groups (largest against smallest).",
    )
    decide: Literal["interval", "estimate"] | None = Field(
        default=None, description="Overrides [decision] decide for this rule."
    )
    evaluations: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="Evaluations that this rule is asked of; all when absent."
    )
    positive: Level | None = Field(
        default=None,
        description="Class that counts as positive, instead of the evaluation's; each: one "
        "question for each class.",
    )
    of: Names = Field(
        default=(),
        description="What an analysis measures, one question each: parts of the image for an "
        "attention mask score, a label for a heatmap score, layers for a probe, perturbations.",
    )


class RequiredTable(Table):
    """`[[required]]`: what must be judged with samples, whatever the rules ask."""

    evaluation: Name | None = Field(
        default=None,
        description="Evaluation that must be judged; without it, each that declares the group.",
    )
    group: Group | None = Field(default=None, description="Group that must be judged.")
    min_samples: int = Field(
        default=1, ge=1, strict=True, description="Samples that it needs at least."
    )
    max_unpredicted: float | None = Field(
        default=None, strict=True, ge=0, lt=1, description="Share of it without a prediction."
    )


class WaiverTable(Table):
    """`[[waiver]]`: a failure that somebody answers for until a day."""

    rule: Name = Field(description="Id of the rule.")
    group: Group | None = Field(
        default=None, description="Exactly this group; without it, every question of the rule."
    )
    model: Name | None = Field(default=None, description="Model under test; any when absent.")
    evaluation: Name | None = Field(default=None, description="Evaluation; any when absent.")
    reason: Name = Field(description="Why the failure is accepted for now.")
    approved_by: Name = Field(description="Who answers for it.")
    until: Day = Field(description="Last day (UTC) on which it holds, e.g. 2027-01-31.")
    ticket: Name | None = Field(default=None, description="Where the repair is tracked.")


class PolicyDocument(Table):
    """A policy file."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    extends: Name | None = Field(
        default=None, description="Policy that this one tightens, relative to this file."
    )
    decision: DecisionTable
    evaluation: dict[Name, EvaluationTable] = Field(min_length=1)
    rule: list[RuleTable] = Field(min_length=1)
    model: dict[Name, ModelTable] = Field(default_factory=dict)
    required: list[RequiredTable] = Field(default_factory=list)
    precision: PrecisionTable = Field(default_factory=PrecisionTable)
    waivers: WaiversTable = Field(default_factory=WaiversTable)
    waiver: list[WaiverTable] = Field(default_factory=list)


def defaults_of(table: type[BaseModel]) -> dict[str, Any]:
    """Return the value of each key of a table that the policy may leave out.

    Keys whose absence means "none" are left out, as are lists and tables that are then empty.

    Args:
        table: The shape of the table, such as `DecisionTable`.

    Example:
        >>> defaults_of(DecisionTable)
        {'decide': 'interval', 'level': 0.95, 'correction': 'holm', 'looks': 1, 'cache': 'allow'}
    """
    return {
        field.alias or name: field.default
        for name, field in table.model_fields.items()
        if not field.is_required() and field.default not in (None, ())
        if field.default_factory is None
    }


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file.

    A file that extends another may leave out what it inherits, and one that others extend may
    leave the evaluations to them; whether nothing is missing in the end is checked when a policy
    is loaded.

    Example:
        >>> schema = policy_schema()
        >>> schema["required"], [sorted(way["required"]) for way in schema["anyOf"]]
        (['schema'], [['extends'], ['decision', 'rule']])
    """
    schema = PolicyDocument.model_json_schema(by_alias=True)
    tables = schema["$defs"]
    inherited = {
        "decision": {"required": tables["DecisionTable"].pop("required")},
        "evaluation": {
            "additionalProperties": {"required": tables["EvaluationTable"].pop("required")}
        },
    }
    whole = {"required": ["decision", "rule"], "properties": inherited}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **schema,
        "required": ["schema"],
        "anyOf": [{"required": ["extends"]}, whole],
    }
