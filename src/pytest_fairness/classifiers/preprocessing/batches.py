"""Models that take batches of one size only: the last batch is filled up."""

from collections.abc import Callable

import torch

__all__ = ["in_fixed_batches"]


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
