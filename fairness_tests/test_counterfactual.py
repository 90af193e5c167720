"""Does the same image get the same answer when only a protected attribute differs?"""

import pytest


@pytest.mark.fairness("counterfactual_flip_rate", "counterfactual_accuracy_difference")
def test_counterfactual(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
