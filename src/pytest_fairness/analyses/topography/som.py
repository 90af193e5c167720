"""A self-organising map that places channels on a grid."""

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats

__all__ = ["som_positions"]

_TIE_RADIUS = 0.2


def som_positions(
    profiles: Floats, *, rng: np.random.Generator, sigma: float = 1.0, rate: float = 0.5
) -> Floats:
    """Train a square map on the profiles and give each channel the cell that is most like it.

    Channels that share a cell are spread on a circle of radius 0.2 around it.

    Args:
        profiles: (C, d).
        rng: Draws start weights and the order of the 10 C steps.
        sigma: Width of the neighbourhood at the start, in cells.
        rate: Learning rate at the start; both fall as 1 / (1 + 2 t / T).

    Returns:
        (C, 2), in cells of a grid of int(sqrt(C)) + 1 a side.

    Source: Kohonen (1982); settings of ANN-topomaps, which uses MiniSom.
    """
    count = len(profiles)
    side = max(2, int(np.sqrt(count)) + 1)
    grid = np.stack(np.meshgrid(np.arange(side), np.arange(side), indexing="ij"), -1)
    cells: Floats = grid.reshape(-1, 2).astype(np.float64)
    weights = rng.uniform(-1, 1, size=(side * side, profiles.shape[1]))
    weights /= np.linalg.norm(weights, axis=1, keepdims=True)
    steps = 10 * count
    for step, row in enumerate(rng.integers(count, size=steps)):
        decay = 1 / (1 + 2 * step / steps)
        winner = ((weights - profiles[row]) ** 2).sum(axis=1).argmin()
        apart = ((cells - cells[winner]) ** 2).sum(axis=1)
        pull = rate * decay * np.exp(-apart / (2 * (sigma * decay) ** 2))
        weights += pull[:, None] * (profiles[row] - weights)
    distance = (weights**2).sum(axis=1) - 2 * profiles @ weights.T
    return _spread_ties(cells, distance.argmin(axis=1))


def _spread_ties(cells: Floats, winners: NDArray[np.intp]) -> Floats:
    positions = cells[winners]
    for cell in np.unique(winners):
        members = np.flatnonzero(winners == cell)
        if len(members) > 1:
            angle = 2 * np.pi * np.arange(len(members)) / len(members)
            circle = np.stack([np.cos(angle), np.sin(angle)], axis=1)
            positions[members] += _TIE_RADIUS * circle
    return positions
