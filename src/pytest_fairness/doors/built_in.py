"""What this package declares itself, through the same door as every other package.

Pure data: no code of a reader, a model or an analysis is imported here.
"""

from typing import Any

from pytest_fairness.doors.declarations import ModelKind, Reader, Report

__all__ = ["DECLARATIONS"]

_IN = "pytest_fairness.data.readers"
_READERS = (
    Reader("manifest", f"{_IN}.manifest:read"),
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

_REPORTS = (Report("text", "pytest_fairness.report.text:render_text", ".txt"),)

DECLARATIONS: tuple[Any, ...] = (*_READERS, *_MODELS, *_REPORTS)
"""Declarations of readers, kinds of models, analyses and reports."""
