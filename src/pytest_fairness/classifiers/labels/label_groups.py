"""Scores of labels -> scores of classes, and on how many samples the ways to do it disagree."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logsumexp, softmax

if TYPE_CHECKING:
    from pytest_fairness.classifiers.classifier import Classifier

__all__ = ["REDUCTIONS", "class_scores", "disagreements", "probabilities"]

Reduce = Literal["max", "sum", "logsumexp"]
REDUCTIONS: tuple[Reduce, ...] = ("max", "sum", "logsumexp")


def class_scores(
    scores: NDArray[np.floating],
    classifier: "Classifier",
    classes: Sequence[str],
    *,
    reduce: Reduce | None = None,
) -> NDArray[np.floating]:
    """Return the score (N, C) of every class, from those of the labels that speak for it.

    `max` takes the largest score as it is; `sum` adds probabilities, `logsumexp` logits or
    log-probabilities: for a softmax over all labels both order classes alike.

    Args:
        scores: (N, K), of the meaning that the classifier declares.
        classifier: Knows the labels of each class, and how their scores become one.
        classes: The C classes.
        reduce: Another way than the classifier's own.
    """
    how = reduce or classifier.reduce
    column = {label: i for i, label in enumerate(classifier.labels)}
    speaking = classifier.class_labels
    if how == "max":  # of any scale
        values = scores
    else:
        values = probabilities(scores, classifier) if how == "sum" else _logs(scores, classifier)
    found = []
    for name in classes:
        part = values[:, [column[label] for label in speaking[name]]]
        match how:
            case "max":
                found.append(part.max(axis=1))
            case "sum":
                found.append(part.sum(axis=1))
            case "logsumexp":
                found.append(np.asarray(logsumexp(part, axis=1)))
    return np.stack(found, axis=1).astype(scores.dtype, copy=False)


def disagreements(
    scores: NDArray[np.floating], classifier: "Classifier", classes: Sequence[str]
) -> tuple[tuple[Reduce, ...], int] | None:
    """Return the ways to reduce that the scores allow, and on how many samples they disagree.

    Args:
        scores: (N, K).
        classifier: Knows the labels of each class.
        classes: The C classes.

    Returns:
        None where every class has one label, so that there is nothing to choose.
    """
    if all(len(classifier.class_labels[name]) == 1 for name in classes):
        return None
    ways = tuple(how for how in REDUCTIONS if how != "sum" or _has_probabilities(classifier))
    answers = np.stack(
        [class_scores(scores, classifier, classes, reduce=how).argmax(axis=1) for how in ways]
    )
    return ways, int(np.count_nonzero((answers != answers[0]).any(axis=0)))


def _has_probabilities(classifier: "Classifier") -> bool:
    return classifier.score != "logit" or classifier.activation is not None


def probabilities(scores: NDArray[np.floating], classifier: "Classifier") -> NDArray[np.floating]:
    """Return the probability (N, K) of each label.

    Logits without an `activation` are read by their sigmoid.
    """
    values = scores.astype(np.float64)
    if classifier.score == "probability":
        return values
    if classifier.score == "log_probability":
        return np.exp(values)
    found: NDArray[np.floating] = (
        softmax(values, axis=1) if classifier.activation == "softmax" else expit(values)
    )
    return found


def _logs(scores: NDArray[np.floating], classifier: "Classifier") -> NDArray[np.floating]:
    """Logits and log-probabilities as they are, probabilities as their logarithm."""
    values = scores.astype(np.float64)
    if classifier.score != "probability":
        return values
    with np.errstate(divide="ignore"):  # the logarithm of 0 is -inf
        return np.log(values)
