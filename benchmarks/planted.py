"""Figures pasted on land or water, with as much agreement of the two as is asked for."""

from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.ndimage import zoom
from scipy.optimize import minimize
from torch import nn

__all__ = ["SIZE", "Pictures", "draw", "group_sizes", "mcc_of", "small_network", "train"]

SIZE: Final = 48
_BATCH: Final = 50
_COLOURS: Final = np.array([[0.42, 0.47, 0.34], [0.36, 0.45, 0.50]])  # land, water


@dataclass(frozen=True, slots=True, eq=False)
class Pictures:
    """Pictures whose figure is a cross (0) or a ring (1), on land (0) or water (1).

    Args:
        images: (N, 3, SIZE, SIZE) float32.
        figure: (N,) class of the figure.
        ground: (N,) class of the background.
        masks: (N, SIZE, SIZE), where the figure is.
    """

    images: torch.Tensor
    figure: torch.Tensor
    ground: torch.Tensor
    masks: torch.Tensor

    @property
    def group(self) -> torch.Tensor:
        """(N,), 2 x figure + ground."""
        return 2 * self.figure + self.ground


def draw(sizes: NDArray[np.int_], rng: np.random.Generator) -> Pictures:
    """Draw pictures.

    Args:
        sizes: (2, 2), how many of each figure (row) on each ground (column).
        rng: Where colours, places, sizes and turns come from.
    """
    figure, ground = (
        np.repeat([0, 0, 1, 1], sizes.ravel()),
        np.repeat([0, 1, 0, 1], sizes.ravel()),
    )
    masks = _figures(figure, rng)
    dark = rng.random((len(figure), 1, 1, 1)) < 0.5
    colours = rng.uniform(0, 0.3, (len(figure), 3, 1, 1)) + np.where(dark, 0.0, 0.7)
    images = np.where(masks[:, None], colours, _textures(ground, rng))
    images = images + rng.normal(0, 0.04, images.shape)
    return Pictures(
        images=torch.from_numpy(((images - 0.45) / 0.25).astype(np.float32)),
        figure=torch.from_numpy(figure),
        ground=torch.from_numpy(ground),
        masks=torch.from_numpy(masks),
    )


def _textures(ground: NDArray[np.int_], rng: np.random.Generator) -> NDArray[np.float64]:
    """Streaks that run down on land and across on water, in overlapping colours."""
    n = len(ground)
    streaks = rng.normal(0, 1, (n, 6, 24))
    wide = zoom(streaks, (1, SIZE / 6, SIZE / 24), order=1)  # varies along the last axis
    turned = np.where(ground[:, None, None] == 1, wide.transpose(0, 2, 1), wide)
    tint = _COLOURS[ground] + rng.normal(0, 0.10, (n, 3))
    return np.asarray(tint[:, :, None, None] + 0.05 * turned[:, None])


def _figures(figure: NDArray[np.int_], rng: np.random.Generator) -> NDArray[np.bool_]:
    n = len(figure)
    radius = rng.uniform(9, 13, (n, 1, 1))
    centre = rng.uniform(13, SIZE - 13, (2, n, 1, 1))
    turn = rng.uniform(0, np.pi / 2, (n, 1, 1))
    y, x = np.mgrid[:SIZE, :SIZE] + 0.5
    across, down = x - centre[0], y - centre[1]
    u = np.abs(across * np.cos(turn) + down * np.sin(turn)) / radius
    v = np.abs(down * np.cos(turn) - across * np.sin(turn)) / radius
    cross = ((u < 0.35) & (v < 1)) | ((v < 0.35) & (u < 1))
    reach = np.hypot(u, v)
    ring = (reach > 0.55) & (reach < 1)
    return np.asarray(np.where(figure[:, None, None] == 1, ring, cross))


def small_network(outputs: int) -> nn.Sequential:
    """Four convolutions, a 6 x 6 map of 64 channels, its mean, one linear layer."""
    layers: list[nn.Module] = []
    for inputs, width, stride in ((3, 16, 2), (16, 32, 2), (32, 64, 2), (64, 64, 1)):
        convolution = nn.Conv2d(inputs, width, 3, stride, padding=1, bias=False)
        layers += [convolution, nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(64, outputs))


def train(
    network: nn.Module,
    images: torch.Tensor,
    targets: torch.Tensor,
    *,
    epochs: int,
    generator: torch.Generator,
) -> None:
    """Train on cross-entropy (targets (N,)) or on binary cross-entropy (targets (N, K) float)."""
    loss_of: nn.Module = nn.BCEWithLogitsLoss() if targets.ndim == 2 else nn.CrossEntropyLoss()
    optimiser = torch.optim.Adam(network.parameters(), lr=3e-3, weight_decay=1e-4)
    rate = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs)
    network.train()
    for _ in range(epochs):
        order = torch.randperm(len(images), generator=generator)
        for start in range(0, len(images), _BATCH):
            chosen = order[start : start + _BATCH]
            optimiser.zero_grad()
            loss_of(network(images[chosen]), targets[chosen]).backward()
            optimiser.step()
        rate.step()
    network.eval()


def mcc_of(counts: NDArray[np.floating]) -> float:
    """Return Matthews' correlation of a 2 x 2 table of counts."""
    (n00, n01), (n10, n11) = counts
    products = (n00 + n01) * (n10 + n11) * (n00 + n10) * (n01 + n11)
    return float((n11 * n00 - n10 * n01) / np.sqrt(products))


def group_sizes(available: NDArray[np.int_], mcc: float, total: int) -> NDArray[np.int_]:
    """Shrink four groups to a total and to a correlation of the two attributes.

    Minimises the sum of (g - g0)^2 / (g^2 + 1e-15) with the correlation and the total fixed.

    Args:
        available: (2, 2) images there are, g0.
        mcc: Target, -1 to 1.
        total: Images to keep.

    Source: Serianni et al. (CVPR 2025), subsampling experiment.
    """
    g0 = available.ravel().astype(float)
    options: Any = {"maxiter": 500}
    constraints: Any = [
        {"type": "eq", "fun": lambda g: g.sum() - total},
        {"type": "eq", "fun": lambda g: mcc_of(g.reshape(2, 2)) - mcc},
    ]
    result = minimize(  # type: ignore[call-overload]  # the stubs know no dictionaries
        lambda g: float(np.sum((g - g0) ** 2 / (g**2 + 1e-15))),
        x0=g0 * total / g0.sum(),
        bounds=[(1.0, most) for most in g0],
        constraints=constraints,
        method="SLSQP",
        options=options,
    )
    if not result.success:
        msg = f"no groups of {g0} have a correlation of {mcc} and a total of {total}"
        raise ValueError(msg)
    return np.asarray(np.rint(result.x)).astype(int).reshape(2, 2)
