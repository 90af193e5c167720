"""What this package declares itself, through the same door as every other package.

Pure data: no code of a reader, a model or an analysis is imported here.
"""

from typing import Any

from pytest_fairness.doors.declarations import Analysis, ModelKind, Reader, Report
from pytest_fairness.statistics.metrics.names import CLASS_MEASURES
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, OfKind

__all__ = ["DECLARATIONS"]

_IN = "pytest_fairness.data.readers"
_READERS = (
    Reader("manifest", f"{_IN}.manifest:read", {"more_files": list}),
    Reader("celeba", f"{_IN}.celeba:read", {"images": str}),
    Reader("celebamask_hq", f"{_IN}.celebamask_hq:read", {"images": str}),
    Reader("fairface", f"{_IN}.fairface:read", {"images": str}),
    Reader("huggingface", f"{_IN}.huggingface:read"),
    Reader("imagefolder", f"{_IN}.imagefolder:read", {"attributes": str, "folders": list}),
    Reader(
        "imagenet",
        f"{_IN}.imagenet:read",
        {"attributes": str, "devkit": str, "images": str, "synsets": str},
    ),
    Reader(
        "mr2",
        f"{_IN}.mr2:read",
        {"column": str, "images": str, "sheet": str, "spreadsheet": str},
    ),
    Reader(
        "openimages",
        f"{_IN}.openimages:read",
        {
            "attributes": str,
            "columns": dict,
            "descriptions": str,
            "every_row": bool,
            "groups": dict,
            "image_ids": str,
            "images": str,
            "labels": str,
        },
    ),
    Reader("utkface", f"{_IN}.utkface:read", {"ignore": list}),
    Reader("waterbirds", f"{_IN}.waterbirds:read"),
    Reader("webdataset", f"{_IN}.webdataset:read", {"pattern": str}),
)

_FROM = "pytest_fairness.classifiers.sources"
_WEIGHTS = ("weights", "weights_key", "sha256")
_NETWORK = ("architecture", "arguments", *_WEIGHTS, "output")
_FILE = ("path", "sha256", "layout", "output")
_READING = ("path", "labels", "score", "preprocessing")
_MODELS = (
    ModelKind(
        "factory",
        f"{_FROM}.factory:load_factory",
        ("factory", "arguments", *_WEIGHTS, "layout", "output"),
        ("factory",),
    ),
    ModelKind("fixture", "", ("layout", "output")),
    ModelKind(
        "torchvision",
        f"{_FROM}.architecture:load_torchvision",
        _NETWORK,
        ("architecture", "weights"),
    ),
    ModelKind(
        "timm",
        f"{_FROM}.architecture:load_timm",
        _NETWORK,
        ("architecture", "weights", "labels"),
        extra="timm",
    ),
    ModelKind("exported", f"{_FROM}.exported:load_exported", _FILE, _READING, (".pt2",)),
    ModelKind("torchscript", f"{_FROM}.torchscript:load_torchscript", _FILE, _READING, (".ts",)),
    ModelKind(
        "onnx", f"{_FROM}.onnx:load_onnx", (*_FILE, "providers"), _READING, (".onnx",), "onnx"
    ),
    ModelKind(
        "huggingface",
        f"{_FROM}.huggingface:load_huggingface",
        needed=("path",),
        extra="transformers",
    ),
    ModelKind(
        "zero_shot",
        f"{_FROM}.zero_shot:load_zero_shot",
        ("path", "sha256", "prompts"),
        ("path", "prompts"),
        extra="transformers",
    ),
    ModelKind(
        "pickle",
        f"{_FROM}.pickled:load_pickle",
        _FILE,
        ("path", "preprocessing"),
        (".pkl", ".pickle", ".joblib"),
    ),
    # A file that torch wrote: TorchScript, a pickled module, or weights. Its content tells, once
    # it is loaded: a policy that a record kept is read where no file is.
    ModelKind(
        "torch file",
        f"{_FROM}.pickled:load_torch_file",
        _FILE,
        ("path", "preprocessing"),
        (".pt", ".pth", ".bin", ".tar", ".ckpt"),
        by_ending_only=True,
    ),
)

_BY = "pytest_fairness.analyses.observers"
_DERIVED = "pytest_fairness.gate.estimates.derived"
_PART = OfKind("part", '["background"]')
_ANALYSES = (
    Analysis(
        "attention",
        "where the model looks",
        (
            ObservedDefinition("attention_mask_score", "attention mask score", of=_PART),
            ObservedDefinition(
                "attention_mask_excess", "attention mask excess", of=_PART, floor=-1.0
            ),
            ObservedDefinition(
                "attention_heatmap_score",
                "attention heatmap score",
                of=OfKind("label", '["Male"], a label of the model'),
            ),
        ),
        f"{_BY}.attention:observe_attention_rules",
        facts={"uniform": "uniform attention would score"},
    ),
    Analysis(
        "class_disparity",
        "how unequal classes are",
        (
            *CLASS_MEASURES,
            ObservedDefinition(
                "class_prediction_bias",
                "prediction bias",
                higher_is_better=False,
                needs_positive=True,
                derive=f"{_DERIVED}:prediction_bias_values",
            ),
        ),
    ),
    Analysis(
        "multilabel",
        "sets of labels",
        (
            ObservedDefinition(
                "mean_f2",
                "mean F2",
                higher_is_better=True,
                derive=f"{_DERIVED}:f2_values",
                needs_labels=True,
            ),
        ),
    ),
    Analysis(
        "perturbation",
        "what changes of the image do to groups",
        (
            ObservedDefinition(
                "perturbation_flip_rate", "flip rate", higher_is_better=False, binary=True
            ),
            ObservedDefinition(
                "perturbation_accuracy_drop", "accuracy drop", floor=-1.0, higher_is_better=False
            ),
        ),
        f"{_BY}.perturbation:observe_perturbations",
        OfKind("perturbation", '["blur", "darker"]'),
    ),
    Analysis(
        "representation",
        "what the layers of the model hold",
        (
            ObservedDefinition(
                "probe_accuracy",
                "probe accuracy above its null",
                "whole",
                floor=-1.0,
                higher_is_better=False,
                counted_among="held-out samples",
                binary=True,
            ),
            ObservedDefinition(
                "topographic_similarity",
                "topographic similarity",
                "pairs",
                floor=-1.0,
                higher_is_better=True,
            ),
        ),
        f"{_BY}.representation:observe_representation",
        OfKind("layer", '["last"], or "first", "middle", or names of layers'),
        {"null": "its null is", "chance": "chance is"},
    ),
)

_REPORTS = (Report("text", "pytest_fairness.report.declared:render_text", ".txt"),)

DECLARATIONS: tuple[Any, ...] = (*_READERS, *_MODELS, *_ANALYSES, *_REPORTS)
"""Declarations of readers, kinds of models, analyses and reports."""
