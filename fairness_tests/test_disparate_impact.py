"""Is the positive class given as often to one group as to another?"""

import pytest


@pytest.mark.fairness("disparate_impact", "statistical_parity_difference")
def test_disparate_impact(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
