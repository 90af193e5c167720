"""Are the labels given to an image as good in one group as in another?"""

import pytest


@pytest.mark.fairness("mean_f2", "mean_f2_difference")
def test_label_sets(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
