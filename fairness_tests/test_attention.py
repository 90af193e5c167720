"""Does the model look at the person, and at the same parts of every group?"""

import pytest


@pytest.mark.fairness(
    "attention_mask_score",
    "attention_mask_score_difference",
    "attention_mask_excess",
    "attention_mask_excess_difference",
    "attention_heatmap_score",
    "attention_heatmap_score_difference",
)
def test_attention(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
