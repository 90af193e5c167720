"""Classes are not equal: accuracy by class, prediction bias, and whether the classifier is to blame."""

from pytest_fairness.analyses.classes.accuracy import (
    ClassAccuracies,
    Thirds,
    class_disparity,
    thirds_of,
)
from pytest_fairness.analyses.classes.bias import PredictionBias, prediction_bias
from pytest_fairness.analyses.classes.heads import HeadComparison, compare_heads

__all__ = [
    "ClassAccuracies",
    "HeadComparison",
    "PredictionBias",
    "Thirds",
    "class_disparity",
    "compare_heads",
    "prediction_bias",
    "thirds_of",
]
