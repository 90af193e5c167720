"""Has any group got worse since the last accepted release?"""

import pytest


@pytest.mark.fairness(against="baseline")
def test_regression(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
