"""Are classes equal: how good is the worst one, and which are others taken for?"""

import pytest


@pytest.mark.fairness(
    "worst_class_accuracy",
    "worst_class_accuracy_difference",
    "class_accuracy_gap",
    "class_accuracy_gap_difference",
    "class_prediction_bias",
    "class_prediction_bias_difference",
)
def test_class_disparity(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
