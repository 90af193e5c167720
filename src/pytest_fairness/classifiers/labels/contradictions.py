"""What a model says of its scores, beside the scores themselves: contradictions in words."""

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.wording import counted

__all__ = ["contradictions"]

# Rounding of half precision: probabilities of many labels add up to 1 within this.
_NEAR = 1e-2


def contradictions(scores: NDArray[np.floating], classifier: "Classifier") -> list[str]:
    """Return what scores contradict of what is declared about them, one sentence each.

    Args:
        scores: (N, K) scores of the labels, finite but for the logarithm of 0.
        classifier: Declares `score` and `activation`.

    Example:
        >>> from pytest_fairness.classifiers import Classifier, Preprocessing
        >>> model = Classifier("m", abs, ("a", "b"), Preprocessing(size=2), score="probability")
        >>> contradictions(np.array([[3.0, -2.0], [0.5, 0.5]]), model)
        ["score = 'probability', but 1 of 2 images have a score outside 0 to 1, e.g. 3"]
    """
    if classifier.score == "logit":
        return _of_logits(scores, classifier)
    shares = scores if classifier.score == "probability" else np.exp(scores)
    return [*_outside(scores, shares, classifier), *_sums(shares, classifier)]


def _outside(
    scores: NDArray[np.floating], shares: NDArray[np.floating], classifier: "Classifier"
) -> list[str]:
    outside = (shares < -_NEAR) | (shares > 1 + _NEAR)
    count = int(outside.any(axis=1).sum())
    if not count:
        return []
    allowed = "0 to 1" if classifier.score == "probability" else "minus infinity to 0"
    text = (
        f"score = {classifier.score!r}, but {count:,} of {counted(len(scores), 'image')} have a score outside "
        f"{allowed}, e.g. {scores[outside][0]:g}"
    )
    return [text]


def _sums(shares: NDArray[np.floating], classifier: "Classifier") -> list[str]:
    sums = shares.sum(axis=1)
    wrong = np.abs(sums - 1) > _NEAR
    if classifier.activation != "softmax" or not wrong.any():
        return []
    text = (
        f"activation = 'softmax', but the probabilities of {int(wrong.sum()):,} of {counted(len(shares), 'image')} "
        f"do not add up to 1, e.g. {sums[wrong][0]:g}"
    )
    return [text]


def _of_logits(scores: NDArray[np.floating], classifier: "Classifier") -> list[str]:
    in_range = ((scores >= 0) & (scores <= 1)).all()
    if len(classifier.labels) < 2 or not in_range or (np.abs(scores.sum(axis=1) - 1) > 1e-4).any():
        return []
    text = (
        "score = 'logit', but all scores lie from 0 to 1 and add up to 1 for every image, as "
        "probabilities do"
    )
    return [text]
