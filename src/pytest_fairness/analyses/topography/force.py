"""The force model that spreads channels over the plane, as sums of matrices."""

import torch
from torch import Tensor

from pytest_fairness.errors import DataError

__all__ = ["attraction", "local_force", "move_apart"]

_SMALLEST = 0.01


def local_force(distance: Tensor) -> Tensor:
    """Force along the line to a point in the plane: below 0 it repels, up to 23.89.

    Args:
        distance: Distance of two points, at least 0.01 is used.

    Source: Krug and Stober (2023), arXiv 2204.03528, code.

    Example:
        >>> (local_force(torch.tensor([1.0, 23.8, 24.0])) > 0).tolist()
        [False, False, True]
    """
    distance = distance.clamp(min=_SMALLEST)
    return 1.5 / (distance + 1) ** 3 - 15 * torch.exp(-distance / 2)


def attraction(dissimilarity: Tensor) -> Tensor:
    """Force between channels of a dissimilarity (C, C): similar ones attract."""
    apart = dissimilarity.clamp(min=_SMALLEST)
    return 1.5 * (1 - (apart / apart.max()) ** 3) - 0.5 * torch.exp(-apart / 2)


def move_apart(
    positions: Tensor,
    *,
    steps: int = 1000,
    dissimilarity: Tensor | None = None,
    noise: float = 0.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Move all points together, first by similarity and then locally.

    Without similarities they move only locally.

    Each step costs O(C^2): the sum of w_ij (p_j - p_i) over j is W p - p * rowsum(W).

    Args:
        positions: (C, 2), within [0, 1] as the model was tuned for.
        steps: Steps T; 1000 in ANN-topomaps, 100 in iNNtrospect.
        dissimilarity: (C, C) of the channels; None where a layout is given and only spread.
        noise: SD of what is added after each step (iNNtrospect: 1e-6); needs a generator.
        generator: Where the noise comes from.

    Returns:
        (C, 2), not scaled.

    Raises:
        DataError: Shapes do not fit, or there is noise without a generator.

    Source: Krug and Stober (2023), arXiv 2204.03528, code.
    """
    count = len(positions)
    fits = dissimilarity is None or dissimilarity.shape == (count, count)
    if positions.ndim != 2 or steps < 0 or not fits or (noise and generator is None):
        msg = (
            f"positions must be (C, 2), dissimilarity (C, C), steps at least 0, and noise needs a "
            f"generator; got {tuple(positions.shape)} and {steps} steps"
        )
        raise DataError(msg)
    pull = None if dissimilarity is None else attraction(dissimilarity)
    points = positions.clone()
    for time in torch.linspace(-3, 6, steps, dtype=points.dtype).tolist():
        local = (1 + torch.tanh(torch.tensor(time)).item()) / 2
        weights = local_force(_distances(points)).mul_(local / 2)
        if pull is not None:
            weights += (1 - local) / 2 * pull
        points = points + (weights @ points - points * weights.sum(dim=1, keepdim=True)) / count
        if noise:
            drawn = torch.randn(points.shape, generator=generator, dtype=points.dtype)
            points = points + noise * drawn.to(points.device)
    return points


def _distances(points: Tensor) -> Tensor:
    across = points[:, None, :] - points[None, :, :]
    return across.square().sum(dim=2).sqrt()
