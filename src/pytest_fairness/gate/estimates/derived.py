"""Numbers of every sample that follow from its prediction: no model is needed for them."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from pytest_fairness.data.label_sets import LABELS, PREDICTED, overlaps
from pytest_fairness.inference import Predictions
from pytest_fairness.inference.predictions import SCORE_PREFIX
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.estimators.label_sets import fbeta_of_samples

__all__ = ["Derive", "f2_values", "prediction_bias_values"]


def prediction_bias_values(
    predictions: Predictions, evaluation: Evaluation, positive: str | None
) -> Floats | str:
    """Return the probability (N,) that each sample of another class gives to a class.

    It is 0 for samples of the class itself.

    Their mean is the class's prediction bias. Scores that are no probabilities go through the
    softmax over the classes; without scores, the predicted class has all of the probability.

    Source: Cui et al. (2024), Classes Are Not Equal, CVPR (model prediction bias).
    """
    table = predictions.table
    own = np.array(table.column("target").to_pylist()) == positive
    names = [f"{SCORE_PREFIX}{name}" for name in predictions.classes]
    if not all(name in table.column_names for name in names):
        called = np.array(table.column("prediction").to_pylist()) == positive
        return np.where(own, 0.0, called.astype(np.float64))
    scores = np.stack([np.asarray(table.column(name), dtype=np.float64) for name in names], axis=1)
    if predictions.metadata.get("score") == "probability":
        shares = scores / scores.sum(axis=1, keepdims=True)
    else:
        shifted = np.exp(scores - scores.max(axis=1, keepdims=True))
        shares = shifted / shifted.sum(axis=1, keepdims=True)
    place = predictions.classes.index(positive) if positive in predictions.classes else None
    if place is None:
        return f"no class {positive!r} among the predictions of {evaluation.name}"
    return np.where(own, 0.0, shares[:, place])


def f2_values(predictions: Predictions, evaluation: Evaluation, _: str | None) -> Floats | str:
    """Return the F2 (N,) of the labels predicted for each sample.

    The mean of F2 is the score of the challenge.
    """
    table = predictions.table
    for column, remedy in (
        (LABELS, f"{evaluation.table} names them by `labels`: read them anew"),
        (PREDICTED, "give a column of them, or `Classifier.tagging` to the model"),
    ):
        if column not in table.column_names:
            return f"the predictions have no {column.replace('_', ' ')}; {remedy}"
    right, wanted, given = overlaps(table.column(LABELS), table.column(PREDICTED))
    return fbeta_of_samples(right, given, wanted)


Derive: TypeAlias = Callable[[Predictions, Evaluation, str | None], Floats | str]
