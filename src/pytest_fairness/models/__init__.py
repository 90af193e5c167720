"""Models under test: a file or a module -> `Classifier` (labels, preprocessing, score meaning)."""

from pytest_fairness.models.classifier import Classifier, Preprocessing, ScoreMeaning
from pytest_fairness.models.tagging import LabelRule
from pytest_fairness.models.weights import load_weights

__all__ = ["Classifier", "LabelRule", "Preprocessing", "ScoreMeaning", "load_weights"]
