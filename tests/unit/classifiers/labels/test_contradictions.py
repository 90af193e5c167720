"""Scores that contradict what is declared of them are told."""

import numpy as np
import pytest

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.classifiers.labels.contradictions import contradictions

CASES = {
    "probabilities": ("probability", "softmax", [[0.2, 0.8]], ""),
    "sigmoids": ("probability", None, [[0.9, 0.8]], ""),
    "logits as probabilities": ("probability", None, [[3.0, -1.0]], "outside 0 to 1, e.g. 3"),
    "sums": ("probability", "softmax", [[0.9, 0.8]], "do not add up to 1, e.g. 1.7"),
    "logs": ("log_probability", "softmax", np.log([[0.25, 0.75]]), ""),
    "the logarithm of 0": ("log_probability", None, [[-np.inf, 0.0]], ""),
    "positive logs": (
        "log_probability",
        None,
        [[2.0, -1.0]],
        "outside minus infinity to 0, e.g. 2",
    ),
    "logits": ("logit", None, [[3.0, -1.0]], ""),
    "probabilities as logits": ("logit", None, [[0.2, 0.8], [1.0, 0.0]], "as probabilities do"),
    "small logits": ("logit", None, [[0.2, 0.8], [0.9, 0.9]], ""),
}


@pytest.mark.parametrize(("score", "activation", "scores", "told"), CASES.values(), ids=CASES)
def test_what_scores_contradict_is_told(score, activation, scores, told):
    model = Classifier(
        "m", abs, ("a", "b"), Preprocessing(size=2), score=score, activation=activation
    )
    found = contradictions(np.asarray(scores, dtype=np.float32), model)
    assert len(found) == bool(told)
    assert told in "".join(found)
