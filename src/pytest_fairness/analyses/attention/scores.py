"""The two scores of the paper: attention against a mask, and two labels' attention on one image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch.nn.functional import interpolate
from torchvision.transforms.v2 import functional as transforms

from pytest_fairness.analyses.attention.iou import attention_iou, checked_maps
from pytest_fairness.wording import counted

__all__ = [
    "HeatmapScores",
    "MaskScores",
    "ModelSummary",
    "heatmap_score",
    "mask_score",
    "over_models",
]

_EPSILON = 1e-7
_PAPER_SIZE = 224


@dataclass(frozen=True, slots=True, eq=False)
class MaskScores:
    """Attention-IoU of maps and masks, over their broadcast leading axes.

    Args:
        values: Scores, 0 to 1; 0 where the map or the mask is 0 everywhere, as in the paper.
        uniform: Score of a map without preference against the same mask at the map's size. For
            a binary mask of whole cells it is 4f / (1 + 3f) of its area f; a small mask that
            is spread over several cells by shrinking has a larger one. 0 for an empty mask.
        area: Share of the image that each mask covers, at its own size.
        zero_map: Where the map is 0 everywhere.
        empty_mask: Where the mask is 0 everywhere: the image has no such part.
    """

    values: torch.Tensor
    uniform: torch.Tensor
    area: torch.Tensor
    zero_map: torch.Tensor
    empty_mask: torch.Tensor

    @property
    def zero_maps(self) -> int:
        """The number of scores that are 0 because the map is 0 everywhere."""
        return int(self.zero_map.sum())


@dataclass(frozen=True, slots=True, eq=False)
class HeatmapScores:
    """Attention-IoU of all pairs of the maps of an image.

    Args:
        values: Scores (..., T, T), 0 to 1, symmetric; nan where a map is 0 everywhere.
        zero_map: (..., T), where the map is 0 everywhere.
    """

    values: torch.Tensor
    zero_map: torch.Tensor

    @property
    def zero_maps(self) -> int:
        """The number of maps that are 0 everywhere."""
        return int(self.zero_map.sum())

    @property
    def mean(self) -> torch.Tensor:
        """The mean score (T, T) over all images whose two maps are not 0 everywhere."""
        return torch.nanmean(self.values.flatten(0, -3), dim=0)


class ModelSummary(NamedTuple):
    """Mean over models of their means over images, and the population SD over models."""

    mean: float
    deviation: float
    models: int
    undefined: int


def mask_score(maps: torch.Tensor, masks: torch.Tensor) -> MaskScores:
    """Return the mask scores of attention maps, at the native size of the maps.

    A mask is shrunk by bilinear resizing with antialiasing and divided by its maximum + 1e-7.

    Args:
        maps: Non-negative maps (..., h, w).
        masks: Masks (..., H, W) of the whole image, 0 to 1 or boolean; leading axes broadcast
            against those of `maps`.

    Raises:
        ValueError: A map or mask holds a negative or non-finite value, or a mask one above 1.

    Source: Serianni et al. (CVPR 2025), mask score.

    Example:
        >>> maps = torch.tensor([[1.0, 0.0], [0.0, 0.0]])
        >>> scores = mask_score(maps, torch.tensor([[1.0, 0.0], [1.0, 0.0]]))
        >>> round(scores.values.item(), 4), round(scores.uniform.item(), 4)
        (0.8, 0.8)
    """
    attention, full = checked_maps(maps, name="maps"), checked_maps(masks, name="masks").float()
    if (full > 1).any():
        msg = f"masks must hold values of 0 to 1, got {full.max():g}; give one mask a part"
        raise ValueError(msg)
    size = attention.shape[-2:]
    small = _shrunk(full.to(attention.device), size=(size[0], size[1]))
    small = small / (small.amax(dim=(-2, -1), keepdim=True) + _EPSILON)
    scores = attention_iou(attention, small)
    empty = (small == 0).all(dim=-1).all(dim=-1)
    zero = (attention == 0).all(dim=-1).all(dim=-1)
    uniform = attention_iou(torch.ones_like(small), small)
    area = full.mean(dim=(-2, -1)).to(attention.device)
    return MaskScores(
        values=torch.where(empty | zero, 0.0, scores),
        uniform=torch.where(empty, 0.0, uniform).expand(scores.shape),
        area=area.expand(scores.shape),
        zero_map=zero.expand(scores.shape),
        empty_mask=empty.expand(scores.shape),
    )


def heatmap_score(maps: torch.Tensor, *, size: int | None = _PAPER_SIZE) -> HeatmapScores:
    """Return the scores of all pairs of an image's maps, as if they were enlarged first.

    Bilinear enlargement is linear, so sums of products of enlarged maps follow from the small
    ones and from one Gram matrix of the enlargement; no large map is ever made.

    Args:
        maps: Non-negative maps (..., T, h, w) of T labels.
        size: Side in pixels to which maps are enlarged; None for their native size.

    Raises:
        ValueError: A map holds a negative or non-finite value, or the size is below the map's.

    Source: Serianni et al. (CVPR 2025), heatmap score; with sums 1, AIoU = 4 G_ts / (G_tt + G_ss +
        2 G_ts) of the Gram matrix G.

    Example:
        >>> maps = torch.tensor([[[1.0, 1.0], [0.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]]])
        >>> heatmap_score(maps, size=None).values
        tensor([[1.0000, 0.6667],
                [0.6667, 1.0000]])
    """
    attention = checked_maps(maps, name="maps")
    if attention.ndim < 3:
        msg = f"maps must be (..., labels, height, width), got shape {tuple(maps.shape)}"
        raise ValueError(msg)
    rows = _enlargement(attention.shape[-2], size, like=attention)
    columns = _enlargement(attention.shape[-1], size, like=attention)
    sums = torch.einsum("...ij,i,j->...", attention, rows.sum(dim=0), columns.sum(dim=0))
    attention = attention / sums[..., None, None]
    spread = (rows.T @ rows) @ attention @ (columns.T @ columns)
    gram = torch.einsum("...tij,...sij->...ts", spread, attention)
    own = gram.diagonal(dim1=-2, dim2=-1)
    scores = 4 * gram / (own[..., :, None] + own[..., None, :] + 2 * gram)
    return HeatmapScores(values=scores, zero_map=sums == 0)


def over_models(scores: Sequence[torch.Tensor]) -> ModelSummary:
    """Return the mean and the population SD, over models, of their mean scores over images.

    Args:
        scores: One tensor of scores per model; nan is left out of its mean and counted.

    Raises:
        ValueError: There is no model, or a model has no score.

    Source: Serianni et al. (CVPR 2025): mean and SD with ddof 0 over 20 models.

    Example:
        >>> over_models([torch.tensor([0.25, 0.75]), torch.tensor([0.25, float("nan")])])
        ModelSummary(mean=0.375, deviation=0.125, models=2, undefined=1)
    """
    if not scores or any(bool(torch.isnan(one).all()) for one in scores):
        msg = f"each model needs a score that is a number, got {counted(len(scores), 'model')}"
        raise ValueError(msg)
    means = torch.stack([one.double().nanmean().cpu() for one in scores])
    undefined = sum(int(torch.isnan(one).sum()) for one in scores)
    deviation = means.std(correction=0).item()
    return ModelSummary(means.mean().item(), deviation, len(scores), undefined)


def _shrunk(masks: torch.Tensor, *, size: tuple[int, int]) -> torch.Tensor:
    if masks.shape[-2:] == size:
        return masks
    flat = masks.reshape(-1, 1, *masks.shape[-2:])
    small: torch.Tensor = transforms.resize(flat, list(size), antialias=True)
    return small.reshape(*masks.shape[:-2], *size)


def _enlargement(small: int, size: int | None, *, like: torch.Tensor) -> torch.Tensor:
    """Return the matrix (size, small) of linear enlargement along one axis."""
    identity = torch.eye(small, dtype=like.dtype, device=like.device)
    if size is None:
        return identity
    if size < small:
        msg = f"maps of {small} cells cannot be enlarged to {size} pixels; give a larger size"
        raise ValueError(msg)
    return interpolate(identity[None], size=size, mode="linear", align_corners=False)[0].T
