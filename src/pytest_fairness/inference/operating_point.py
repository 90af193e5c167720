"""From scores to classes: the highest score, or a threshold on the probability of one class."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray
from scipy.special import softmax

from pytest_fairness.classifiers.labels.label_groups import class_scores, probabilities
from pytest_fairness.errors import ModelError
from pytest_fairness.wording import listed

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["check_threshold", "decided", "threshold_metadata"]


def check_threshold(
    classifier: "Classifier", evaluation_set: "EvaluationSet", classes: tuple[str, ...]
) -> None:
    """Refuse a threshold of an evaluation that cannot be applied to the scores of a model.

    Raises:
        ModelError: There is a threshold, and not exactly two classes with one that is positive; it is no
            probability; or the table of the model does not say how scores become probabilities.
    """
    threshold, positive = evaluation_set.threshold, evaluation_set.positive
    if threshold is None:
        return
    problem = ""
    if positive not in classes or len(classes) != 2:
        problem = (
            f"needs `positive` and exactly two classes; positive is {positive!r}, the classes are "
            f"{listed(classes)}"
        )
    elif not 0 <= threshold <= 1:
        problem = "is compared with a probability; write a number from 0 to 1"
    elif _adds_up(classifier, classes) and classifier.reduce != "sum":
        problem = (
            f"needs the probability of a class, and reduce = {classifier.reduce!r} gives none for several "
            'labels; write reduce = "sum" in the table of the model'
        )
    if problem:
        msg = (
            f"model {classifier.name!r}: threshold = {threshold:g} of evaluation "
            f"{evaluation_set.name!r} {problem}; or remove threshold"
        )
        raise ModelError(msg)


def _adds_up(classifier: "Classifier", classes: tuple[str, ...]) -> bool:
    return any(len(classifier.class_labels[name]) > 1 for name in classes)


def decided(
    scores: NDArray[np.floating],
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    classes: tuple[str, ...],
    *,
    single: bool,
) -> NDArray[np.str_]:
    """Return the class (N,) of each image.

    Args:
        scores: (N, K) scores of the labels.
        classifier: The model.
        evaluation_set: Its `threshold` and `positive`, where it has some, decide.
        classes: The classes.
        single: Whether the model gave one score an image, whose probability is its sigmoid.

    Raises:
        ModelError: Two logits and no `activation`: their probability is not known.
    """
    if evaluation_set.threshold is None:
        best = class_scores(scores, classifier, classes).argmax(axis=1)
        return np.asarray(np.array(classes)[best])
    if classifier.score == "logit" and classifier.activation is None and not single:
        msg = (
            f"model {classifier.name!r}: threshold = {evaluation_set.threshold:g} of evaluation "
            f"{evaluation_set.name!r} is compared with a probability, and the scores are logits; write "
            'activation = "softmax" or "sigmoid" in the table of the model, or remove threshold'
        )
        raise ModelError(msg)
    column = {label: place for place, label in enumerate(classifier.labels)}
    speaking = classifier.class_labels[str(evaluation_set.positive)]
    shares = _shares(scores, classifier, single=single)
    positive = shares[:, [column[label] for label in speaking]].sum(axis=1)
    other = next(name for name in classes if name != evaluation_set.positive)
    chosen = np.array([other, str(evaluation_set.positive)])
    return np.asarray(chosen[(positive >= evaluation_set.threshold).astype(np.intp)])


def _shares(
    scores: NDArray[np.floating], classifier: "Classifier", *, single: bool
) -> NDArray[np.floating]:
    """Return the probability (N, K) of each label; one logit an image stands beside 0."""
    if single and classifier.score == "logit" and classifier.activation is None:
        return np.asarray(softmax(scores.astype(np.float64), axis=1))
    return probabilities(scores, classifier)


def threshold_metadata(
    classifier: "Classifier", evaluation_set: "EvaluationSet", *, single: bool
) -> dict[str, str]:
    """Return what the record says: the threshold, and the label that a single score belongs to."""
    found = {"single_score": f"of label {classifier.labels[1]!r}"} if single else {}
    if evaluation_set.threshold is None:
        return found
    return found | {
        "threshold": f"{evaluation_set.threshold:g}",
        "threshold_of": f"probability of {evaluation_set.positive!r}",
    }
