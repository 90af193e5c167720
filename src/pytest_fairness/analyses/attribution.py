"""Integrated gradients and occlusion, for models without a map of features to look at."""

from typing import TYPE_CHECKING, Any, Literal

import torch
from torch import nn

from pytest_fairness.classifiers.scores import evidence_columns
from pytest_fairness.errors import ModelError
from pytest_fairness.inference.as_found import left_as_found
from pytest_fairness.inference.device import choose_device

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["Method", "attribute"]

Method = Literal["integrated_gradients", "occlusion"]


def attribute(
    classifier: "Classifier",
    images: torch.Tensor,
    columns: torch.Tensor,
    *,
    method: Method = "integrated_gradients",
    baseline: float = 0.0,
    steps: int = 50,
    window: int = 8,
    stride: int = 4,
    batch_size: int = 32,
    device: str = "auto",
) -> torch.Tensor:
    """Return the attribution of each pixel to a score, summed over its channels.

    Args:
        classifier: The model; it is left as it was found.
        images: (N, C, H, W) float32, preprocessed.
        columns: (N,) the score column of each image that is explained.
        method: `integrated_gradients` needs gradients of the module; `occlusion` needs none.
        baseline: Value of an absent pixel, after preprocessing.
        steps: Steps of the path from the baseline.
        window: Side of the hidden square.
        stride: Distance between hidden squares.
        batch_size: Images run at a time.
        device: As for `predict`.

    Returns:
        (N, H, W) float32 on the CPU; positive pixels speak for the score.

    Raises:
        ModelError: The module has no gradients, and the method needs them.
        ModuleNotFoundError: captum is not installed.

    Source: Sundararajan, Taly and Yan (2017), Axiomatic Attribution for Deep Networks, ICML; Zeiler
    and Fergus (2014), Visualizing and Understanding Convolutional Networks, ECCV.
    """
    module = classifier.module
    if method == "integrated_gradients" and not isinstance(module, nn.Module):
        msg = (
            f"model {classifier.name!r}: integrated gradients need an nn.Module, got "
            f'{type(module).__name__}; use method="occlusion"'
        )
        raise ModelError(msg)
    make = _method(method)
    chosen = choose_device("cpu" if not isinstance(module, nn.Module) else device)
    settings = _settings(method, images, baseline, steps=steps, window=window, stride=stride)
    found = []
    # Tensors made in inference mode can take no part in a backward pass.
    with left_as_found(module, chosen), torch.inference_mode(mode=False), torch.enable_grad():
        explainer = make(lambda pixels: evidence_columns(classifier, module(pixels), n=len(pixels)))
        for first in range(0, len(images), batch_size):
            part = slice(first, first + batch_size)
            batch, wanted = images[part], columns[part]
            pixels = batch.to(chosen)
            maps = explainer.attribute(pixels, target=wanted.to(chosen), **settings)
            found.append(maps.sum(dim=1).detach().float().cpu())
    return torch.cat(found)


def _method(method: Method) -> Any:
    try:
        from captum.attr import IntegratedGradients, Occlusion  # noqa: PLC0415  (an extra)
    except ImportError as error:
        msg = f'{method} needs captum: pip install "pytest-fairness[analyses]"'
        raise ModuleNotFoundError(msg) from error
    return {"integrated_gradients": IntegratedGradients, "occlusion": Occlusion}[method]


def _settings(
    method: Method, images: torch.Tensor, baseline: float, *, steps: int, window: int, stride: int
) -> dict[str, Any]:
    if method == "integrated_gradients":
        return {"baselines": baseline, "n_steps": steps}
    channels = images.shape[1]
    return {
        "baselines": baseline,
        "sliding_window_shapes": (channels, window, window),
        "strides": (channels, stride, stride),
    }
