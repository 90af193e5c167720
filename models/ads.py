"""The audited system in small: an SE-ResNet over many labels, gender read from four of them."""

import json
from pathlib import Path

import pytest

from models.preprocessing import PREPROCESSING
from pytest_fairness.classifiers import Classifier, load_weights

__all__ = ["ads", "load_ads"]

WEIGHTS = Path(__file__).with_name("ads.safetensors")
LABELS = Path(__file__).with_name("ads_labels.json")
CLASSES = {"man": ("man", "boy"), "woman": ("woman", "girl")}


@pytest.fixture(scope="session")
def ads() -> Classifier:
    """Multi-label SE-ResNet, trained on people of every skin tone; it has no gender head."""
    return load_ads()


def load_ads() -> Classifier:
    """Read the committed weights and labels.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    from models.mirrored import Mirrored
    from models.se_resnet import SEResNet

    labels = tuple(json.loads(LABELS.read_text(encoding="utf-8")))
    network = load_weights(SEResNet(len(labels)), WEIGHTS)
    return Classifier(
        name="ads",
        module=Mirrored(network).eval(),
        labels=labels,
        preprocess=PREPROCESSING,
        score="logit",
        classes=CLASSES,
    )
