"""Is the model right often enough in every group?"""

import pytest


@pytest.mark.fairness("accuracy")
def test_group_accuracy(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
