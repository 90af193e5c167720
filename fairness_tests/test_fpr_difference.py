"""Is a woman called a man, or the other way round, as often in one group as in another?"""

import pytest


@pytest.mark.fairness("false_positive_rate", "false_positive_rate_difference")
def test_fpr_difference(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
