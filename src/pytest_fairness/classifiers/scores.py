"""From what a model returns to the scores (N, K) of its labels."""

from typing import TYPE_CHECKING, Any

import torch

from pytest_fairness.classifiers.found import pick_output
from pytest_fairness.classifiers.preprocessing.casts import as_tensor, exact_cast
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.wording import counted

__all__ = ["evidence_columns", "score_columns"]


def score_columns(classifier: "Classifier", outputs: Any, *, n: int) -> torch.Tensor:
    """Return the scores (N, K) of a batch, float32, or float64 where the model computes so.

    A tensor, a NumPy array, or the only entry of a tuple, list, dict or `ModelOutput` is read. With two
    labels, one score an image, (N,) or (N, 1), is that of the second label: its logit, probability or
    log-probability. The first label gets the rest.

    Args:
        classifier: The model, which knows its labels and what a score means.
        outputs: What its module returned for the batch.
        n: Images in the batch.

    Raises:
        ModelError: The scores have another shape, or are no real numbers.

    Example:
        >>> from pytest_fairness.classifiers import Classifier, Preprocessing
        >>> binary = Classifier(
        ...     "m", torch.nn.Identity(), ("no", "yes"), Preprocessing(size=2), score="probability")
        >>> score_columns(binary, {"p": torch.tensor([0.25])}, n=1).tolist()
        [[0.75, 0.25]]
    """
    title = f"model {classifier.name!r}: its scores"
    picked = pick_output(outputs, None, name=classifier.name)
    expected = (n, len(classifier.labels))
    if not hasattr(picked, "shape"):
        raise _wrong(classifier, expected, type(picked).__name__)
    scores = as_tensor(picked, title=title)
    if scores.is_complex() or scores.is_quantized:
        raise _wrong(classifier, expected, f"numbers of type {scores.dtype}")
    shape = tuple(scores.shape)
    single = expected[1] == 2 and shape in ((n,), (n, 1))
    if shape != expected and not single:
        raise _wrong(classifier, expected, f"a tensor of shape {shape}")
    scores = _floating(scores, title=title)
    return _both(scores.reshape(n), classifier) if single else scores


def evidence_columns(classifier: "Classifier", outputs: Any, *, n: int) -> Any:
    """Return what a model returned with a column for each label, for explanations of its scores.

    Two labels may have one score an image, (N,) or (N, 1), that of the second label. What speaks
    against the second label then speaks for the first. Gradients are kept, and anything else is
    returned as it is.

    Args:
        classifier: The model, which knows its labels and what a score means.
        outputs: What its module returned for the batch.
        n: Images in the batch.

    Example:
        >>> from pytest_fairness.classifiers import Classifier, Preprocessing
        >>> binary = Classifier("m", torch.nn.Identity(), ("no", "yes"), Preprocessing(size=2))
        >>> evidence_columns(binary, torch.tensor([2.0]), n=1).tolist()
        [[-2.0, 2.0]]
    """
    picked = pick_output(outputs, None, name=classifier.name)
    shape = tuple(getattr(picked, "shape", ()))
    if len(classifier.labels) != 2 or shape not in ((n,), (n, 1)):
        return picked
    second = picked.reshape(n)
    if classifier.score == "probability":
        first = 1 - second
    elif classifier.score == "log_probability":
        first = torch.log1p(-second.exp())
    else:
        first = -second
    return torch.stack([first, second], dim=1)


def _floating(scores: torch.Tensor, *, title: str) -> torch.Tensor:
    """Scores without loss: 64-bit ones stay, though they must lie in the range of the kept ones."""
    if scores.dtype == torch.float64 or not scores.is_floating_point():
        scores = scores.cpu()
        exact_cast(scores, torch.float32, title=title)
        return scores.double()
    return scores.float()


def _both(second: torch.Tensor, classifier: "Classifier") -> torch.Tensor:
    """Return the scores (N, 2) of both labels from those (N,) of the second one."""
    if classifier.score == "probability":
        first = 1 - second
    elif classifier.score == "log_probability":
        first = torch.log1p(-second.exp())
    elif classifier.activation == "sigmoid":
        first = -second
    else:  # the softmax of 0 and z is the sigmoid of z
        first = torch.zeros_like(second)
    return torch.stack([first, second], dim=1)


def _wrong(classifier: "Classifier", expected: tuple[int, int], got: str) -> ModelError:
    one = ", or one score an image, that of the second label" if expected[1] == 2 else ""
    return ModelError(
        f"model {classifier.name!r}: expected scores of shape {expected}, one for "
        f"each of its {counted(expected[1], 'label')}{one}, got {got}; correct the module or its labels"
    )
