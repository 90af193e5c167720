"""Activations of any shape -> at most a few positions a channel."""

from typing import Literal, get_args

import torch
from torch.nn.functional import adaptive_avg_pool1d, adaptive_avg_pool2d

from pytest_fairness.errors import ModelError

__all__ = ["Pooling", "pool_activations"]

Pooling = Literal["average", "subsample"]


def pool_activations(
    activations: torch.Tensor, size: int, *, pooling: Pooling = "average"
) -> torch.Tensor:
    """Reduce feature maps to at most `size` x `size` positions. The channels stay.

    Args:
        activations: (N, C, H, W), tokens (N, T, C), or (N, C).
        size: Most positions along each axis, at least 1; of tokens, `size` squared are kept.
        pooling: `average` over (nearly) equal windows, or `subsample`: evenly spaced positions.

    Returns:
        (N, C, h, w) float32 for maps, (N, C, t, 1) for tokens, (N, C) for vectors; a copy.

    Raises:
        ModelError: The shape is none of these, or `size` or `pooling` is not allowed.

    Source: Krug and Stober (2025), arXiv 2506.03664, name both variants with size 8.

    Example:
        >>> pool_activations(torch.ones(2, 3, 24, 24), 8).shape
        torch.Size([2, 3, 8, 8])
    """
    if size < 1 or pooling not in get_args(Pooling):
        msg = f"size must be at least 1 and pooling one of {get_args(Pooling)}, got {size}, {pooling!r}"
        raise ModelError(msg)
    if activations.ndim == 2:
        return activations.detach().float().clone()
    if activations.ndim not in {3, 4}:
        msg = (
            f"activations must be (N, C, H, W), (N, T, C) or (N, C), got {tuple(activations.shape)}"
        )
        raise ModelError(msg)
    maps = activations.detach().float()
    if maps.ndim == 3:
        return _pool_tokens(maps.transpose(1, 2), size * size, pooling)[..., None]
    height, width = (min(size, side) for side in maps.shape[2:])
    if pooling == "average":
        return adaptive_avg_pool2d(maps, (height, width)).clone()
    rows, columns = _spaced(maps.shape[2], height), _spaced(maps.shape[3], width)
    return maps[:, :, rows][:, :, :, columns].clone()


def _pool_tokens(tokens: torch.Tensor, most: int, pooling: Pooling) -> torch.Tensor:
    kept = min(most, tokens.shape[2])
    if pooling == "average":
        return adaptive_avg_pool1d(tokens, kept).clone()
    return tokens[:, :, _spaced(tokens.shape[2], kept)].clone()


def _spaced(length: int, kept: int) -> list[int]:
    """Middles of `kept` equal windows."""
    return [int((i + 0.5) * length / kept) for i in range(kept)]
