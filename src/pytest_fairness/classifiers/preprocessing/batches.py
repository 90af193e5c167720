"""Batches of images of one shape, and of one size where a model takes no other."""

from collections.abc import Callable, Sequence

import torch

from pytest_fairness.errors import ModelError

__all__ = ["check_one_shape", "in_fixed_batches"]


def in_fixed_batches(
    run: Callable[[torch.Tensor], torch.Tensor], images: torch.Tensor, *, size: int
) -> torch.Tensor:
    """Return `run(images)` put together from batches of exactly `size` images.

    Args:
        run: From (size, ...) to (size, K).
        images: (N, ...), N at least 1; the last batch is filled up with its own last image.
        size: Images in a batch, at least 1.

    Example:
        >>> in_fixed_batches(lambda x: x * len(x), torch.ones(3, 1), size=2).flatten().tolist()
        [2.0, 2.0, 2.0]
    """
    scores = []
    for batch in torch.split(images, size):
        missing = size - len(batch)
        full = torch.cat([batch, batch[-1:].expand(missing, *batch.shape[1:])])
        scores.append(run(full if missing else batch)[: len(batch)])
    return torch.cat(scores)


def check_one_shape(images: Sequence[torch.Tensor], ids: Sequence[str], *, model: str) -> None:
    """Refuse images that cannot be stacked.

    Args:
        images: Each (C, H, W), or with views before that.
        ids: Ids of the samples.
        model: Name of the model.

    Raises:
        ModelError: An image has another shape than the first.
    """
    for image, name in zip(images, ids, strict=True):
        if image.shape != images[0].shape:
            msg = (
                f"model {model!r}: preprocessing gives {tuple(image.shape)} for "
                f"sample {name!r}, but {tuple(images[0].shape)} for sample {ids[0]!r}; resize or "
                "crop every image to one shape"
            )
            raise ModelError(msg)
