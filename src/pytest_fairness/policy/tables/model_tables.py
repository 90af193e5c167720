"""The shape of `[model.NAME]`: where a model under test is, and how its scores are read."""

from typing import Annotated, Any, Literal, TypeAlias

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
)

from pytest_fairness.policy.tables.declared import KIND

__all__ = ["LabelsTable", "ModelTable", "PreprocessingTable"]

_Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
_Names: TypeAlias = Annotated[list[_Name], Field(min_length=1)]
_Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False, strict=True)]
_Channels: TypeAlias = tuple[_Number, _Number, _Number]


def _branch(value: object) -> str:
    """Which of the allowed shapes a value has; pydantic then reports on that one only."""
    if isinstance(value, dict):
        return "constrained-table"
    return "constrained-text" if isinstance(value, str) else "constrained-list"


def _text_or_table(value: object) -> str:
    return "constrained-text" if isinstance(value, str) else "constrained-table"


def _no_truth(value: object) -> object:
    """Refuse `true`, which is 1 to Python and a slip in a policy."""
    return "true" if value is True else value


class _Table(BaseModel):
    """Unknown keys are errors: a misspelt key must not be ignored."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class LabelsTable(_Table):
    """`labels = { file = ... }`: names of the score columns from a file."""

    file: _Name = Field(description="File of labels, relative to the policy file.")
    format: Literal["lines", "json", "imagenet-index", "open-images"] | None = Field(
        default=None, description="Format of the file; by its ending and shape when absent."
    )
    order: _Name | None = Field(
        default=None,
        description="File with one id a line, in the order of the score columns; `file` then gives "
        "each id its name.",
    )


class PreprocessingTable(_Table):
    """`preprocessing = { ... }`: from an image to what the model takes."""

    size: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="Resize to a square of this side, without keeping the aspect."
    )
    resize: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="Resize the shorter side to this, keeping the aspect; with crop."
    )
    crop: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="Side of the square that is cut out of the middle; with resize."
    )
    mean: _Channels = Field(default=(0.0, 0.0, 0.0), description="Subtracted from each channel.")
    std: _Channels = Field(default=(1.0, 1.0, 1.0), description="Each channel is divided by it.")
    interpolation: Literal["nearest", "bilinear", "bicubic"] = Field(
        default="bilinear", description="How pixels are resized."
    )
    channels: Literal["rgb", "bgr", "grey"] = Field(
        default="rgb", description="Order of the channels; grey is one channel, of mean[0], std[0]."
    )
    white: Annotated[Literal[1, 255], BeforeValidator(_no_truth)] = Field(
        default=1, description="Value of a white pixel before mean and std."
    )


_Labels: TypeAlias = Annotated[
    Annotated[_Names, Tag("constrained-list")]
    | Annotated[_Name, Tag("constrained-text")]
    | Annotated[LabelsTable, Tag("constrained-table")],
    Discriminator(_branch),
]
_Preprocessing: TypeAlias = Annotated[
    Annotated[_Name, Tag("constrained-text")]
    | Annotated[PreprocessingTable, Tag("constrained-table")],
    Discriminator(_text_or_table),
]
_Prompts: TypeAlias = Annotated[
    Annotated[_Names, Tag("constrained-list")] | Annotated[_Name, Tag("constrained-text")],
    Discriminator(_branch),
]


class TaggingTable(_Table):
    """`tagging` of a model: which of its many labels an image is given."""

    threshold: _Number = Field(
        ge=0, le=1, description="A label is given when its score is greater than this."
    )
    least: Annotated[int, Field(ge=0, strict=True)] = Field(
        default=0, description="So many labels are given at least, the best ones."
    )
    most: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None, description="So many labels are given at most; all when absent."
    )
    top: Annotated[int, Field(ge=1, strict=True)] | None = Field(
        default=None,
        description="Score each of the best so many labels against the labels outside them; the "
        "sigmoid of its logit when absent.",
    )


class ModelTable(_Table):
    """`[model.NAME]`: a model under test."""

    kind: Annotated[str, *KIND] | None = Field(
        default=None, description="What it is; by `factory` or the ending of `path` when absent."
    )
    factory: _Name | None = Field(
        default=None,
        description="package.module:function or file.py:function, which returns the model.",
    )
    architecture: _Name | None = Field(
        default=None, description="Name of an architecture of torchvision or timm."
    )
    arguments: dict[_Name, Any] = Field(
        default_factory=dict, description="Arguments of the factory or architecture."
    )
    path: _Name | None = Field(
        default=None, description="File or folder of the model, relative to the policy file."
    )
    weights: _Name | None = Field(
        default=None, description="Weights for a factory or architecture, best as safetensors."
    )
    weights_key: _Name | None = Field(
        default=None, description="Where in a checkpoint the weights are, e.g. state_dict."
    )
    sha256: Annotated[str, StringConstraints(pattern="^[0-9a-fA-F]{64}$")] | None = Field(
        default=None, description="Hash that the file of the model or its weights must have."
    )
    labels: _Labels | None = Field(
        default=None, description="Names of the score columns, in order: a list, or a file."
    )
    label_groups: dict[_Name, _Names] = Field(
        default_factory=dict,
        description="Class of the target -> the labels that speak for it.",
    )
    reduce: Literal["max", "sum", "logsumexp"] = Field(
        default="max", description="How the scores of a group's labels become one."
    )
    score: Literal["logit", "probability", "log_probability"] | None = Field(
        default=None, description="What a score means; it is never guessed."
    )
    activation: Literal["softmax", "sigmoid"] | None = Field(
        default=None,
        description="What turns logits into probabilities: softmax (one label an image) or sigmoid "
        "(several).",
    )
    tagging: TaggingTable | None = Field(
        default=None, description="Which labels an image is given, for sets of labels."
    )
    preprocessing: _Preprocessing | None = Field(
        default=None,
        description="A table, or the name of torchvision weights whose transforms are used.",
    )
    views: Literal["one", "flip", "ten-crop"] = Field(
        default="one", description="Views of an image whose scores are averaged."
    )
    nondeterministic: Literal["refuse", "tell"] = Field(
        default="refuse",
        description="What happens when an image gets another answer when it is asked again, or in "
        "another batch: refuse the model, or judge it and tell.",
    )
    layout: Literal["nchw", "nhwc", "flat"] | None = Field(
        default=None,
        description="How arrays lie: nchw, nhwc, or flat (rows, columns, channels in one row).",
    )
    output: _Name | Annotated[int, Field(ge=0, strict=True)] | None = Field(
        default=None, description="Which output holds the scores, where there are several."
    )
    providers: _Names | None = Field(
        default=None, description="Execution providers of onnxruntime, the first choice first."
    )
    prompts: dict[_Name, _Prompts] = Field(
        default_factory=dict, description="Class -> sentence or sentences that describe it."
    )
