"""The label sets that a multi-label model gives, put beside the samples."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.label_sets import EXACT, LABELS, PREDICTED, joined
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["check_tagging", "exactly_right", "only_tags", "with_tags"]


def only_tags(evaluation_set: "EvaluationSet") -> bool:
    """Return whether the samples have label sets and no class of their own."""
    return LABELS in evaluation_set.samples and evaluation_set.classes == EXACT


def check_tagging(classifier: "Classifier", evaluation_set: "EvaluationSet") -> None:
    """Refuse a model that gives no label sets where nothing else is asked for.

    Raises:
        ModelError: The model has no rule by which it gives labels.
    """
    if only_tags(evaluation_set) and classifier.tagging is None:
        msg = (
            f"model {classifier.name!r} gives no sets of labels, which is all that evaluation "
            f"{evaluation_set.name!r} asks for; give `Classifier.tagging`, e.g. "
            "LabelRule(threshold=0.5), or name a `target` in the evaluation"
        )
        raise ModelError(msg)


def with_tags(
    samples: pd.DataFrame, scores: NDArray[np.float32], classifier: "Classifier"
) -> pd.DataFrame:
    """Return samples (N, ...) with the labels that scores (N, K) give them, where a rule says so.

    Raises:
        ModelError: A label of the model cannot stand in a set.
    """
    if classifier.tagging is None:
        return samples
    try:
        tags = [joined(labels) for labels in classifier.tagging.tags(scores, classifier.labels)]
    except ValueError as problem:
        msg = f"model {classifier.name!r}: {problem}; rename the label"
        raise ModelError(msg) from problem
    return samples.assign(**{PREDICTED: tags})


def exactly_right(samples: pd.DataFrame) -> pd.Series:
    """Return whether the predicted labels of each sample are its labels, as a class (N,)."""
    right = (samples[LABELS] == samples[PREDICTED]).to_numpy()
    return pd.Series(np.where(right, *EXACT).tolist())
