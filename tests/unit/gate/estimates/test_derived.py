"""Numbers of every sample that follow from its prediction, by hand."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from pytest_fairness.gate.estimates.derived import prediction_bias_values
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import load_policy

CLASSES = ("cat", "dog", "hen")
EVALUATION = load_policy(
    {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {"pets": {"classes": list(CLASSES), "attributes": {"fur": ["y"]}}},
        "rule": [{"metric": "accuracy", "by": ["fur"], "min": 0.5}],
    }
).evaluations["pets"]
SHARES = np.array([[0.7, 0.2, 0.1], [0.5, 0.3, 0.2], [0.1, 0.1, 0.8]])
TARGETS = ["cat", "dog", "dog"]


def predictions_of(scores, score: str | None) -> Predictions:
    frame = pd.DataFrame(
        {"id": list("abc"), "target": TARGETS, "prediction": ["cat", "cat", "hen"]}
    )
    for name, column in zip(CLASSES, () if scores is None else scores.T, strict=False):
        frame[f"score:{name}"] = column
    metadata = {} if score is None else {"score": score}
    return Predictions(
        pa.Table.from_pandas(frame), "net", "pets", CLASSES, {"fur": ("y",)}, metadata
    )


@pytest.mark.parametrize(
    ("scores", "score"),
    [(SHARES, "probability"), (np.log(SHARES) + 3, "logit"), (np.log(SHARES), "log_probability")],
    ids=["probability", "logit", "log_probability"],
)
def test_prediction_bias_is_the_probability_given_to_a_class_whatever_the_scores(scores, score):
    predictions = predictions_of(scores, score)
    expected = {"cat": [0.0, 0.5, 0.1], "dog": [0.2, 0.0, 0.0], "hen": [0.1, 0.2, 0.8]}
    for name, values in expected.items():
        assert prediction_bias_values(predictions, EVALUATION, name) == pytest.approx(values)


def test_probabilities_that_do_not_sum_to_1_are_taken_as_shares_of_their_sum():
    predictions = predictions_of(SHARES / 2, "probability")
    assert prediction_bias_values(predictions, EVALUATION, "cat") == pytest.approx([0, 0.5, 0.1])


def test_large_logits_do_not_overflow():
    predictions = predictions_of(np.log(SHARES) + 1000.0, "logit")
    assert prediction_bias_values(predictions, EVALUATION, "cat") == pytest.approx([0, 0.5, 0.1])


def test_without_scores_the_predicted_class_has_all_of_the_probability():
    predictions = predictions_of(None, None)
    assert prediction_bias_values(predictions, EVALUATION, "cat").tolist() == [0.0, 1.0, 0.0]
    assert prediction_bias_values(predictions, EVALUATION, "hen").tolist() == [0.0, 0.0, 1.0]


def test_a_class_that_is_none_of_the_predictions_is_named():
    reason = prediction_bias_values(predictions_of(SHARES, "probability"), EVALUATION, "cow")
    assert reason == "no class 'cow' among the predictions of pets"
