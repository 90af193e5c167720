"""The shape of a policy file: pydantic models, and the JSON Schema that editors complete from."""

import math
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from pytest_fairness.statistics.names import METRIC_NAMES

__all__ = ["DecisionTable", "EvaluationTable", "PolicyDocument", "RuleTable", "policy_schema"]


def _as_level(value: object) -> object:
    """Write a TOML integer or boolean as the text that data values are compared by."""
    return str(value) if isinstance(value, bool | int) else value


Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Level: TypeAlias = Annotated[
    Name,
    BeforeValidator(_as_level, json_schema_input_type=str | int | bool),
]
Limit: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]


class _Table(BaseModel):
    """Unknown keys are errors: a misspelt limit must not become no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class DecisionTable(_Table):
    """`[decision]`: how an interval becomes a verdict."""

    inconclusive: Literal["fail", "warn"] = Field(
        description="What an undecided question does to the release. Every policy must say it."
    )
    decide: Literal["interval", "estimate"] = Field(
        default="interval",
        description="interval: fail when shown to break the limit, pass when shown to keep it. "
        "estimate: compare the bare number.",
    )
    level: float = Field(default=0.95, gt=0.5, lt=1, description="Level of the intervals.")


class EvaluationTable(_Table):
    """`[evaluation.NAME]`: an evaluation set, and how its columns are read."""

    manifest: Name | None = Field(
        default=None, description="CSV or Parquet file, relative to the policy file."
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
    where: dict[Name, Annotated[list[Level], Field(min_length=1)]] = Field(
        default_factory=dict, description="Keep only rows whose column has one of these values."
    )


class RuleTable(_Table):
    """`[[rule]]`: a metric, the attributes it is asked by, and the limit it must keep."""

    id: Name | None = Field(default=None, description="Unique name; the metric's when absent.")
    metric: Literal[METRIC_NAMES] | None = Field(  # type: ignore[valid-type]
        default=None, description="Metric; may come from the preset."
    )
    preset: Name | None = Field(default=None, description="A published limit, e.g. four-fifths.")
    by: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None,
        description="Attributes and intersections, e.g. ['sex', 'sex*race']; without it, every "
        "attribute of the evaluation.",
    )
    min: Limit | None = Field(default=None, description="Smallest allowed value.")
    max: Limit | None = Field(
        default=None,
        description="Largest allowed value; for a difference, of its absolute value.",
    )
    between: tuple[Limit, Limit] | None = Field(
        default=None, description="Smallest and largest allowed value."
    )
    min_samples: int = Field(
        default=1, ge=1, description="Below this many samples a question is inconclusive."
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


class PolicyDocument(_Table):
    """A policy file."""

    version: Literal[1] = Field(alias="schema", description="Version of this format.")
    decision: DecisionTable
    evaluation: dict[Name, EvaluationTable] = Field(min_length=1)
    rule: list[RuleTable] = Field(min_length=1)


def policy_schema() -> dict[str, Any]:
    """Return the JSON Schema of a policy file.

    Example:
        >>> sorted(policy_schema()["required"])
        ['decision', 'evaluation', 'rule', 'schema']
    """
    schema = PolicyDocument.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}


def allowed_range(comparison: str) -> tuple[float, float]:
    """The values that a rate, a difference or a ratio can take."""
    return {"none": (0.0, 1.0), "difference": (-1.0, 1.0), "ratio": (0.0, math.inf)}[comparison]
