"""A gender classifier as they used to be made: few skin tones in training, one binary head."""

from pathlib import Path

import pytest

from models.preprocessing import PREPROCESSING
from pytest_fairness.classifiers import Classifier, load_weights

__all__ = ["baseline", "load_baseline"]

WEIGHTS = Path(__file__).with_name("baseline.safetensors")
LABELS = ("woman", "man")


@pytest.fixture(scope="session")
def baseline() -> Classifier:
    """Thin ResNet-18, trained on yellow and light people only."""
    return load_baseline()


def load_baseline() -> Classifier:
    """Read the committed weights.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    from models.mirrored import Mirrored
    from models.resnet18_thin import ThinResNet18

    network = load_weights(ThinResNet18(len(LABELS)), WEIGHTS)
    return Classifier(
        name="baseline",
        module=Mirrored(network).eval(),
        labels=LABELS,
        preprocess=PREPROCESSING,
        score="logit",
    )
