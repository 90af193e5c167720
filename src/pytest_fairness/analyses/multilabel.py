"""Several right labels per image: the softmax generalised to them, and the score of the answers."""

from collections.abc import Hashable, Sequence, Set as AbstractSet
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import torch
    from numpy.typing import NDArray
from pytest_fairness.wording import counted

__all__ = ["generalised_softmax_loss", "mean_fbeta"]

LabelSets: TypeAlias = "NDArray[Any] | torch.Tensor | Sequence[AbstractSet[Hashable]]"


def generalised_softmax_loss(scores: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    """Return the mean, over all positives of the batch, of one softmax loss per positive.

    Each positive competes with the negatives of its image only, never with its other positives.
    An image without negatives adds 0; a batch without positives costs 0, still differentiable.

    Args:
        scores: (B, K) floating-point logits.
        targets: (B, K) booleans or zeros and ones; true where the label applies.

    Returns:
        A scalar of the dtype of `scores`, at least 0.

    Raises:
        ValueError: Shapes or types are not as above.

    Source: 4th place of the Inclusive Images Challenge (NeurIPS 2018), audited in arXiv 2107.09211.

    Example:
        >>> import torch
        >>> scores = torch.tensor([[2.0, 1.0, 0.0, -1.0]])
        >>> generalised_softmax_loss(scores, torch.tensor([[1, 0, 1, 0]])).item()  # doctest: +ELLIPSIS
        0.87830...
    """
    import torch  # noqa: PLC0415  (importing the package must not import torch)

    positive = _checked_targets(scores, targets)
    # Softplus of (log-sum-exp over the negatives - own score) is -log softmax without its overflow.
    against = torch.logsumexp(scores.masked_fill(positive, -torch.inf), dim=1, keepdim=True)
    losses = torch.nn.functional.softplus(against - scores)[positive]
    return losses.sum() / max(losses.numel(), 1)


def _checked_targets(scores: "torch.Tensor", targets: "torch.Tensor") -> "torch.Tensor":
    if scores.ndim != 2 or scores.shape != targets.shape:
        msg = (
            f"scores and targets must both be (images, labels), got {tuple(scores.shape)} and "
            f"{tuple(targets.shape)}; give one row per image and one column per label"
        )
        raise ValueError(msg)
    if not scores.is_floating_point():
        msg = f"scores must be floating-point logits, got {scores.dtype}; convert them first"
        raise ValueError(msg)
    positive = targets.bool()
    if (targets != positive).any():
        row, column = (targets != positive).nonzero()[0].tolist()
        msg = (
            f"targets must be 0 or 1 (or bool), got {targets[row, column].item()} at row {row}, "
            f"column {column}; list each label of an image once"
        )
        raise ValueError(msg)
    return positive


def mean_fbeta(targets: LabelSets, predictions: LabelSets, beta: float = 2.0) -> float:
    """Return the mean over images of the F-beta of the labels predicted for each.

    An image without true and without predicted labels counts 1; one that lacks only one of them 0.

    Args:
        targets: The true labels: (N, K) booleans or zeros and ones, of numpy or torch, or a
            sequence of N sets.
        predictions: The predicted labels, likewise.
        beta: How many times as much recall counts as precision, greater than 0.

    Returns:
        A number between 0 and 1; nan where there are no images.

    Raises:
        ValueError: The shapes differ, a value is neither 0 nor 1, or beta is not positive.

    Source: the score of the Inclusive Images Challenge (mean F2), see `fbeta_of_samples`.

    Example:
        >>> round(mean_fbeta([{2, 3, 4, 5}], [{1, 2, 3}]), 6)
        0.526316
    """
    import numpy as np  # noqa: PLC0415  (importing the package must not import numpy)

    from pytest_fairness.statistics.estimators.label_sets import fbeta_of_samples  # noqa: PLC0415

    if not beta > 0:
        msg = f"beta must be greater than 0, got {beta}"
        raise ValueError(msg)
    right, given, wanted = (
        _sizes_of_sets(targets, predictions)
        if _are_sets(targets) and _are_sets(predictions)
        else _sizes_of_rows(
            _indicators(targets, "targets"), _indicators(predictions, "predictions")
        )
    )
    if not len(right):
        return float("nan")
    return float(np.mean(fbeta_of_samples(right, given, wanted, beta=beta)))


def _are_sets(labels: object) -> bool:
    return isinstance(labels, Sequence) and all(isinstance(one, AbstractSet) for one in labels)


def _sizes_of_sets(targets: Any, predictions: Any) -> "NDArray[np.int64]":
    """Return (3, N): labels that are in both sets, predicted ones, true ones."""
    import numpy as np  # noqa: PLC0415

    if len(targets) != len(predictions):
        msg = f"targets and predictions must be of the same images, got {len(targets)} and "
        msg += f"{counted(len(predictions), 'set')}"
        raise ValueError(msg)
    pairs = zip(targets, predictions, strict=True)
    sizes = [(len(true & found), len(found), len(true)) for true, found in pairs]
    return np.array(sizes, dtype=np.int64).reshape(-1, 3).T


def _indicators(labels: Any, name: str) -> "NDArray[np.bool_]":
    import numpy as np  # noqa: PLC0415

    values = np.asarray(labels.detach().cpu() if hasattr(labels, "detach") else labels)
    if values.ndim != 2 or values.dtype == object:
        msg = (
            f"{name} must be (images, labels) of 0 and 1, or a sequence of sets; got an array of "
            f"shape {values.shape} and type {values.dtype}"
        )
        raise ValueError(msg)
    found: NDArray[np.bool_] = values.astype(bool)
    if (values != found).any():
        row, column = (int(place[0]) for place in (values != found).nonzero())
        msg = (
            f"{name} must be 0 or 1, got {values[row, column]} at row {row}, column {column}; apply "
            "a threshold to scores first"
        )
        raise ValueError(msg)
    return found


def _sizes_of_rows(
    targets: "NDArray[np.bool_]", predictions: "NDArray[np.bool_]"
) -> "NDArray[np.int64]":
    import numpy as np  # noqa: PLC0415

    if targets.shape != predictions.shape:
        msg = (
            f"targets and predictions must have the same shape, got {targets.shape} and "
            f"{predictions.shape}; give one row per image and one column per label"
        )
        raise ValueError(msg)
    return np.stack([(targets & predictions).sum(1), predictions.sum(1), targets.sum(1)])
