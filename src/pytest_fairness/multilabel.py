"""Multi-label learning: the softmax generalised to several right labels per image."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

__all__ = ["generalised_softmax_loss"]


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
