"""Image classifiers of Hugging Face from a local folder (extra `transformers`); no network."""

import json
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.files.checkpoint import check_sha256, read_checkpoint
from pytest_fairness.classifiers.found import Found, Loading, import_extra
from pytest_fairness.classifiers.labels.labels import named_labels
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image

    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["Processor", "from_folder", "load_huggingface", "local_folder"]


def load_huggingface(spec: "ModelSpec", _: Loading) -> Found:
    """Read a folder that `save_pretrained` wrote: network, weights, labels and image processor.

    Raises:
        ModelError: transformers is missing; the folder is missing, incomplete, needs code of its own,
            or has weights that would need unpickling.
    """
    folder, sha256 = local_folder(spec)
    transformers = import_transformers(spec)
    model = from_folder(transformers.AutoModelForImageClassification, folder)
    config = model.config
    labels = [str(config.id2label[column]) for column in range(config.num_labels)]
    several = config.problem_type == "multi_label_classification"
    activation: Literal["softmax", "sigmoid"] = "sigmoid" if several else "softmax"
    preprocess = None
    if spec.preprocessing is None:
        preprocess = Processor(from_folder(transformers.AutoImageProcessor, folder))
    return Found(
        _Logits(model),
        named_labels(labels),
        preprocess,
        score="logit",
        activation=activation,
        notes={"model_file": folder.name, "model_sha256": sha256},
    )


def local_folder(spec: "ModelSpec") -> tuple[Path, str]:
    """Return the folder of a model and its hash, once it is known to hold no code.

    Raises:
        ModelError: It is no folder of `save_pretrained`, has another hash, brings code of its own, or
            holds weights that would need unpickling.
    """
    folder = spec.path or Path()
    sha256 = check_sha256(folder, spec.sha256)
    config = folder / "config.json"
    if not config.is_file():
        what = "has no config.json" if folder.is_dir() else "is no folder"
        msg = (
            f"{folder}: {what}; give a folder that save_pretrained wrote, or a file that ends in .pt2, "
            ".onnx, .pt, .pth, .pkl or .joblib"
        )
        raise ModelError(msg)
    for file in folder.glob("*.json"):
        if "auto_map" in _json(file):
            msg = (
                f"{file}: auto_map runs Python files of the folder, which is never done; write a factory "
                "that builds the model from code that you review, and give it the weights"
            )
            raise ModelError(msg)
    if not any(folder.glob("*.safetensors")):
        for file in [*folder.glob("*.bin"), *folder.glob("*.pt"), *folder.glob("*.pth")]:
            read_checkpoint(file)  # refuses what would need unpickling
    return folder, sha256


def import_transformers(spec: "ModelSpec") -> Any:
    """Import transformers, told to stay off the network.

    Raises:
        ModelError: It is not installed.
    """
    for name in ("HF_HUB_OFFLINE", "HF_HUB_DISABLE_TELEMETRY"):  # read once, at its import
        os.environ.setdefault(name, "1")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return import_extra("transformers", spec)


def from_folder(auto: Any, folder: Path) -> Any:
    """Return what an auto class reads from a local folder.

    Raises:
        ModelError: It cannot be read, or weights are missing, of another shape, or left over.
    """
    arguments: dict[str, Any] = {"local_files_only": True, "trust_remote_code": False}
    is_model = auto.__name__.startswith("AutoModel")
    if is_model:
        arguments["output_loading_info"] = True
    try:
        with _quiet():
            found = auto.from_pretrained(str(folder), **arguments)
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        msg = (
            f"{folder}: {auto.__name__} cannot read it: {error}; save it anew with save_pretrained"
        )
        raise ModelError(msg) from error
    if not is_model:
        return found
    model, info = found
    wrong = {
        key: sorted(map(str, info[key])) for key in ("missing_keys", "mismatched_keys") if info[key]
    }
    if wrong:
        msg = (
            f"{folder}: the weights do not fit {type(model).__name__}: {wrong}; save the model anew"
        )
        raise ModelError(msg)
    return model.eval()


@dataclass(frozen=True, slots=True)
class Processor:
    """An image processor of Hugging Face as a preprocessing. Its settings are its repr."""

    processor: Any

    def __call__(self, image: "Image") -> torch.Tensor:
        """Return the pixel values (C, H, W) of an RGB image."""
        found: torch.Tensor = self.processor(images=image, return_tensors="pt")["pixel_values"]
        return found[0]

    @override
    def __repr__(self) -> str:
        settings = self.processor.to_dict()
        return f"Processor({json.dumps(settings, sort_keys=True, default=str)})"


class _Logits(nn.Module):
    """A classifier of Hugging Face, called with pixel values."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.model(pixel_values=images).logits
        return logits


def _json(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text(encoding="utf-8"))
    except (ValueError, OSError) as error:
        msg = f"{file}: not JSON: {error}; save the model anew with save_pretrained"
        raise ModelError(msg) from error
    return found if isinstance(found, dict) else {}


@contextmanager
def _quiet() -> Iterator[None]:
    """Without progress bars and warnings, which would say nothing about the gate."""
    logging: Any = import_module("transformers.utils.logging")  # an extra
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()
