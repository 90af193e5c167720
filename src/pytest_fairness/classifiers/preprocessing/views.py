"""Several views of an image whose scores are averaged: its mirror image, or ten crops."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.classifiers.found import pick_output
from pytest_fairness.classifiers.preprocessing.casts import as_tensor
from pytest_fairness.classifiers.preprocessing.pixels import Crops
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from PIL.Image import Image

__all__ = ["flip_averaged", "ten_crop_averaged"]


def flip_averaged(classifier: Classifier) -> Classifier:
    """Return the classifier that averages the scores of an image and of its mirror image.

    What is averaged is what the module gives: logits where the scores are logits.

    Example:
        >>> from pytest_fairness.classifiers import Preprocessing
        >>> left = Classifier(
        ...     "left", lambda images: images[:, :, 0, 0], ("r", "g", "b"), Preprocessing(size=2))
        >>> flip_averaged(left).module(torch.eye(2).expand(1, 2, 3, 2, 2)).tolist()
        [[1.0, 1.0, 1.0]]
    """
    return _averaged(classifier, Flipped(classifier.preprocess))


def ten_crop_averaged(classifier: Classifier) -> Classifier:
    """Return the classifier that averages the scores of the ten crops of an image.

    Raises:
        ModelError: The preprocessing does not resize and crop, so that there is nothing to cut from.
    """
    crops = classifier.preprocess
    if not isinstance(crops, Crops):
        msg = (
            f"model {classifier.name!r}: ten crops need a preprocessing with resize and crop, got "
            f"{type(crops).__name__}; write preprocessing = {{ resize = 256, crop = 224, ... }}"
        )
        raise ModelError(msg)
    return _averaged(classifier, replace(crops, ten=True))


@dataclass(frozen=True, slots=True)
class Flipped:
    """An image and its mirror image, stacked as (2, C, H, W)."""

    preprocess: "Callable[[Image], torch.Tensor]"

    def __call__(self, image: "Image") -> torch.Tensor:
        """Return both views, float32."""
        upright = as_tensor(self.preprocess(image), title="what preprocessing gives")
        return torch.stack([upright, upright.flip(-1)])


def _averaged(classifier: Classifier, preprocess: "Callable[[Image], torch.Tensor]") -> Classifier:
    module = classifier.module
    if not isinstance(module, nn.Module):
        return replace(classifier, module=_average(module), preprocess=preprocess)
    # The weights keep the hash that they have without views: the preprocessing tells the views.
    sha256 = classifier.weights_sha256 or hash_weights(module)
    return replace(
        classifier, module=_Average(module), preprocess=preprocess, weights_sha256=sha256
    )


def _average(call: Callable[[torch.Tensor], Any]) -> Callable[[torch.Tensor], torch.Tensor]:
    """Return a function from (N, V, C, H, W) to the mean (N, K) over the V views."""

    def averaged(views: torch.Tensor) -> torch.Tensor:
        # One view after the other: ten times the batch would need ten times the memory.
        return torch.stack([_scores(call(images)) for images in views.unbind(1)]).mean(dim=0)

    return averaged


def _scores(outputs: Any) -> torch.Tensor:
    scores = as_tensor(pick_output(outputs, None, name="with views"), title="scores of a view")
    return scores if scores.is_floating_point() else scores.double()


class _Average(nn.Module):
    """The mean over the views as a module."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    @override
    def forward(self, views: torch.Tensor) -> torch.Tensor:
        return _average(self.module)(views)
