"""Architectures of torchvision and timm by name, filled with local weights; nothing is downloaded."""

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pytest_fairness.classifiers.found import Found, Loading, import_extra, unknown_name
from pytest_fairness.classifiers.labels.labels import named_labels
from pytest_fairness.classifiers.preprocessing.pixels import Crops, Pixels
from pytest_fairness.classifiers.sources.factory import found_in, load_weights_of
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    import torch
    from PIL.Image import Image

    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["load_timm", "load_torchvision"]


def load_torchvision(spec: "ModelSpec", loading: Loading) -> Found:
    """Build an architecture of torchvision and fill it with local weights.

    `preprocessing = "IMAGENET1K_V1"` takes the transforms of those published weights, and their
    categories where the policy names no labels; the weights themselves are never downloaded.

    Raises:
        ModelError: The architecture, or the weights that preprocessing names, are unknown; the local
            weights do not fit.
    """
    from torchvision import models  # noqa: PLC0415  (seconds to import)

    known = models.list_models(module=models)
    if spec.architecture not in known:
        what = unknown_name("architecture", str(spec.architecture), known)
        msg = f"{spec.title}: {what} of torchvision's classification models"
        raise ModelError(msg)
    published = _published(spec, models) if isinstance(spec.preprocessing, str) else None
    labels = loading.labels
    if labels is None and published is not None:
        labels = named_labels(list(published.meta["categories"]))
    if labels is None:
        msg = (
            f"{spec.title}: kind 'torchvision' needs labels; name the score columns "
            'in order, or write preprocessing = "IMAGENET1K_V1" for those of published weights'
        )
        raise ModelError(msg)
    arguments = {"num_classes": len(labels.names), **dict(spec.arguments)}
    if spec.architecture in ("googlenet", "inception_v3"):  # slow, warns, and is overwritten
        arguments.setdefault("init_weights", False)
    module = _build(lambda: models.get_model(spec.architecture, weights=None, **arguments), spec)
    preprocess = None if published is None else _preset(published.transforms())
    loading = Loading(labels, allow_pickle=loading.allow_pickle)
    return _filled(module, spec, loading, preprocess)


def load_timm(spec: "ModelSpec", loading: Loading) -> Found:
    """Build an architecture of timm and fill it with local weights. Its data config comes along.

    Raises:
        ModelError: timm is missing, the architecture is unknown, or the weights do not fit.
    """
    timm = import_extra("timm", spec)
    known = timm.list_models()  # a name of a hub, which would be downloaded, is none of them
    if str(spec.architecture).split(".")[0] not in known:
        what = unknown_name("architecture", str(spec.architecture), known)
        msg = f"{spec.title}: {what} of timm"
        raise ModelError(msg)
    names = () if loading.labels is None else loading.labels.names
    arguments = {"num_classes": len(names), **dict(spec.arguments), "pretrained": False}
    module = _build(lambda: timm.create_model(spec.architecture, **arguments), spec)
    config = timm.data.resolve_data_config({}, model=module)
    return _filled(module, spec, loading, _timm_crops(config))


def _build(build: Callable[[], Any], spec: "ModelSpec") -> Any:
    try:
        return build()
    except (TypeError, ValueError, RuntimeError) as error:
        msg = (
            f"{spec.title}: {spec.architecture} cannot be built with arguments = "
            f"{dict(spec.arguments)!r}: {error}"
        )
        raise ModelError(msg) from error


def _filled(
    module: Any,
    spec: "ModelSpec",
    loading: Loading,
    preprocess: "Callable[[Image], torch.Tensor] | None",
) -> Found:
    notes = {"architecture": f"{spec.kind} {spec.architecture}"}
    notes |= load_weights_of(module, spec, loading)
    found = found_in(module, spec, notes=notes)
    if not isinstance(found, Found):  # an nn.Module never is
        msg = f"model {spec.name!r}: {spec.architecture} is no module"
        raise ModelError(msg)
    return Found(found.module, loading.labels, preprocess, score="logit", notes=notes)


def _published(spec: "ModelSpec", models: Any) -> Any:
    """The published weights that preprocessing names: `IMAGENET1K_V1` of ResNet18_Weights."""
    weights = models.get_model_weights(spec.architecture)
    name = str(spec.preprocessing).rpartition(".")[2]
    if name not in weights.__members__:
        msg = (
            f"{spec.title}: preprocessing = {spec.preprocessing!r}; the weights of "
            f"{spec.architecture} are {', '.join(weights.__members__)}; name one, or write a table"
        )
        raise ModelError(msg)
    return weights[name]


def _preset(transforms: Any) -> "Callable[[Image], torch.Tensor]":
    """Torchvision's transforms for classification as crops of ours, so that ten can be cut."""
    known = {"crop_size", "resize_size", "mean", "std", "interpolation", "antialias"}
    if not known <= set(vars(transforms)):
        return transforms  # type: ignore[no-any-return]
    (resize,), (crop,) = transforms.resize_size, transforms.crop_size
    pixels = Pixels(tuple(transforms.mean), tuple(transforms.std))
    return Crops(resize, crop, pixels, transforms.interpolation.value)


def _timm_crops(config: dict[str, Any]) -> Crops:
    """Timm's data config as crops: an image is resized to `size / crop_pct`, then cropped."""
    size = int(config["input_size"][-1])
    resize = math.floor(size / config["crop_pct"])
    pixels = Pixels(tuple(config["mean"]), tuple(config["std"]))
    return Crops(resize, size, pixels, config["interpolation"])
