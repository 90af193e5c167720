"""Do the changes that the policy names harm one group more than another?"""

import pytest


@pytest.mark.fairness(
    "perturbation_flip_rate",
    "perturbation_flip_rate_difference",
    "perturbation_accuracy_drop",
    "perturbation_accuracy_drop_difference",
)
def test_perturbation(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
