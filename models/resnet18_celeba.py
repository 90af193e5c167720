"""The paper's baseline: a ResNet-18 that was tuned on the gender labels of CelebA.

No weights come with this repository, since CelebA is for research only. `models/train_celeba.py` makes them
from your copy, at the place where this fixture looks; `FAIRNESS_RESNET18_CELEBA` names another.
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_fairness.classifiers import Classifier, Crops, Pixels, load_weights
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from torch import nn

__all__ = ["LABELS", "PREPROCESSING", "load_resnet18_celeba", "resnet18", "resnet18_celeba"]

LABELS = ("Female", "Male")
WEIGHTS = Path(__file__).with_name("resnet18_celeba.safetensors")
ENVIRONMENT = "FAIRNESS_RESNET18_CELEBA"
IMAGENET = Pixels(mean=(0.485, 0.456, 0.406), std=(0.229, 0.224, 0.225))
PREPROCESSING = Crops(resize=256, crop=224, pixels=IMAGENET)


@pytest.fixture(scope="session")
def resnet18_celeba() -> Classifier:
    """ResNet-18 tuned on CelebA gender, from weights that you trained."""
    weights = Path(os.environ.get(ENVIRONMENT) or WEIGHTS)
    if not weights.is_file():
        msg = (
            f"model 'resnet18_celeba': no weights at {weights}; train them with python -m "
            f"models.train_celeba FOLDER_OF_CELEBA, or set {ENVIRONMENT} to a file of yours; none "
            "come with this repository"
        )
        raise ModelError(msg)
    return load_resnet18_celeba(weights)


def load_resnet18_celeba(weights: str | Path = WEIGHTS) -> Classifier:
    """Read the weights that `models/train_celeba.py` wrote, and the size of its images beside them.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    network = load_weights(resnet18(len(LABELS)), weights)
    return Classifier(
        name="resnet18_celeba",
        module=network,
        labels=LABELS,
        preprocess=_as_trained(Path(weights)),
        score="logit",
    )


def _as_trained(weights: Path) -> Crops:
    """Return the preprocessing of the training; the usual one where the file does not tell."""
    from safetensors import safe_open

    if weights.suffix != ".safetensors":
        return PREPROCESSING
    with safe_open(weights, "pt") as file:
        said = file.metadata() or {}
    resize, crop = (
        int(said.get(name, getattr(PREPROCESSING, name))) for name in ("resize", "crop")
    )
    return replace(PREPROCESSING, resize=resize, crop=crop)


def resnet18(outputs: int) -> "nn.Module":
    """Return a ResNet-18 with random weights; nothing is downloaded.

    Args:
        outputs: Number of scores: 2 here, 1000 for ImageNet.
    """
    from torchvision import models

    network: nn.Module = models.resnet18(weights=None, num_classes=outputs)
    return network
