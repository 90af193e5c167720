"""Attention-IoU: how far two non-negative maps put their weight on the same places."""

import torch

__all__ = ["attention_iou", "checked_maps", "uniform_score"]


def attention_iou(a: torch.Tensor, m: torch.Tensor) -> torch.Tensor:
    """Return the Attention-IoU of maps: 1 where they are proportional, 0 where they are disjoint.

    Each map is divided by its sum; the score is sum(a m) / sum(((a + m) / 2)^2).

    Args:
        a: Non-negative maps (..., H, W).
        m: Non-negative maps (..., H, W); leading axes broadcast against those of `a`.

    Returns:
        Scores of the broadcast leading axes, 0 to 1; nan where a map is 0 everywhere.

    Raises:
        ValueError: The maps differ in size, or hold a negative or non-finite value.

    Source: Serianni et al. (CVPR 2025), definition of Attention-IoU.

    Example:
        >>> attention_iou(torch.tensor([[1, 2], [3, 4]]), torch.tensor([[4, 3], [2, 1]])).item()
        0.8
    """
    first, second = checked_maps(a, name="a"), checked_maps(m, name="m")
    if first.shape[-2:] != second.shape[-2:]:
        msg = (
            f"maps must be of one size, got a of {tuple(first.shape[-2:])} and m of "
            f"{tuple(second.shape[-2:])}; resize one of them, or use mask_score"
        )
        raise ValueError(msg)
    kind = torch.promote_types(first.dtype, second.dtype)
    first, second = _to_sum_one(first.to(kind)), _to_sum_one(second.to(kind))
    common = (first * second).sum(dim=(-2, -1))
    return common / ((first + second) / 2).square().sum(dim=(-2, -1))


def uniform_score(area: torch.Tensor | float) -> torch.Tensor:
    """Return what a map without any preference scores against a binary mask of an area.

    The score favours large masks, so a mask score says little without this reference.

    Args:
        area: Share of the image that the mask covers, 0 to 1.

    Source: Attention-IoU of uniform supports of t and u cells that share k: 4k / (t + u + 2k).

    Example:
        >>> [round(uniform_score(area).item(), 4) for area in (0.05, 0.12, 0.25, 0.5)]
        [0.1739, 0.3529, 0.5714, 0.8]
    """
    area = torch.as_tensor(area)
    if ((area < 0) | (area > 1)).any():
        msg = f"an area is a share of the image, 0 to 1, got {area.min():g} to {area.max():g}"
        raise ValueError(msg)
    return 4 * area / (1 + 3 * area)


def checked_maps(maps: torch.Tensor, *, name: str) -> torch.Tensor:
    """Return maps (..., H, W) in floating point, or raise for what is no map.

    Integers and booleans become float64, half precision float32.
    """
    if maps.ndim < 2 or 0 in maps.shape[-2:]:
        msg = f"{name} must be maps (..., height, width), got shape {tuple(maps.shape)}"
        raise ValueError(msg)
    if not maps.is_floating_point():
        maps = maps.double()
    elif maps.dtype in {torch.float16, torch.bfloat16}:
        maps = maps.float()
    bad = ~torch.isfinite(maps) | (maps < 0)
    if bad.any():
        where = tuple(bad.nonzero()[0].tolist())
        msg = (
            f"{name} must hold finite values of at least 0, got {maps[where].item():g} at {where} "
            f"and {int(bad.sum())} such values in all; pass attention through a ReLU first"
        )
        raise ValueError(msg)
    return maps


def _to_sum_one(maps: torch.Tensor) -> torch.Tensor:
    """Divide each map by its sum; there is no epsilon, so that a zero map becomes nan."""
    return maps / maps.sum(dim=(-2, -1), keepdim=True)
