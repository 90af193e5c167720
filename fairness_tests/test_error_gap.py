"""Is one group answered wrongly more often than another?"""

import pytest


@pytest.mark.fairness("error_rate_difference", "accuracy_ratio")
def test_error_gap(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
