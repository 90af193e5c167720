"""The negative control: a bias is planted in its training, so that the gate must stop it."""

from pathlib import Path

import pytest

from models.baseline import LABELS
from models.preprocessing import PREPROCESSING
from pytest_fairness.classifiers import Classifier, load_weights

__all__ = ["load_skewed", "skewed"]

WEIGHTS = Path(__file__).with_name("skewed.safetensors")


@pytest.fixture(scope="session")
def skewed() -> Classifier:
    """The baseline's network, trained on light-skinned women and dark-skinned men only."""
    return load_skewed()


def load_skewed() -> Classifier:
    """Read the committed weights.

    Raises:
        ModelError: The weights are missing or do not fit.
    """
    from models.mirrored import Mirrored
    from models.resnet18_thin import ThinResNet18

    network = load_weights(ThinResNet18(len(LABELS)), WEIGHTS)
    return Classifier(
        name="skewed",
        module=Mirrored(network).eval(),
        labels=LABELS,
        preprocess=PREPROCESSING,
        score="logit",
    )
