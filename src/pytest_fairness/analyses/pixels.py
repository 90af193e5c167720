"""A classifier as a function of pixels: what explanations by perturbation need."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from pytest_fairness.classifiers.labels.label_groups import class_scores
from pytest_fairness.classifiers.preprocessing.casts import as_pixels
from pytest_fairness.classifiers.scores import score_columns
from pytest_fairness.inference.as_found import left_as_found
from pytest_fairness.inference.device import choose_device

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier

__all__ = ["class_probabilities", "pixels_to_probabilities"]

# Images (B, H, W, 3) uint8 -> probabilities (B, C) of the classes of the target.
FromPixels: TypeAlias = Callable[[NDArray[np.generic]], NDArray[np.float64]]


@contextmanager
def pixels_to_probabilities(
    classifier: "Classifier", *, device: str = "auto"
) -> Iterator[FromPixels]:
    """Give a function of pixels that runs a classifier, and leave the classifier as it was found.

    Args:
        classifier: The model; probabilities are those of `classifier.class_labels`, in order.
        device: As for `predict`.

    Raises:
        ModelError: The device is not available.
    """
    chosen = choose_device(
        "cpu" if device == "auto" and not isinstance(classifier.module, torch.nn.Module) else device
    )
    classes = tuple(classifier.class_labels)

    def predict(pixels: NDArray[np.generic]) -> NDArray[np.float64]:
        if pixels.dtype != np.uint8:
            msg = f"a classifier takes 8-bit pixels, 0 to 255, got {pixels.dtype}"
            raise ValueError(msg)
        prepared = [classifier.preprocess(Image.fromarray(one)) for one in pixels]
        images = torch.stack(
            [as_pixels(one, model=classifier.name, sample="of an explanation") for one in prepared]
        )
        scores = score_columns(classifier, classifier.module(images.to(chosen)), n=len(images))
        return class_probabilities(scores.cpu().numpy(), classifier, classes)

    with left_as_found(classifier.module, chosen):
        yield predict


def class_probabilities(
    scores: NDArray[np.floating], classifier: "Classifier", classes: tuple[str, ...]
) -> NDArray[np.float64]:
    """Return the probability (N, C) of each class among the classes, from scores (N, K) of labels."""
    found = class_scores(scores, classifier, classes).astype(np.float64)
    if classifier.score == "probability":
        return np.asarray(found / found.sum(axis=1, keepdims=True))
    shifted = np.exp(found - found.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))
