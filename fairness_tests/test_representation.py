"""Do the layers of the model hold a protected attribute, and group by group the same?"""

import pytest


@pytest.mark.fairness("probe_accuracy", "topographic_similarity")
def test_representation(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
