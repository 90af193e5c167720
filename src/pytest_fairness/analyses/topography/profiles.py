"""Neuron activation profiles: the mean activation of each group, and how it differs from the rest."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["Profiles", "RunningProfiles", "mean_profiles"]

Weights = Literal["equal", "size"]
_ROWS = 1024


@dataclass(frozen=True, slots=True, eq=False)
class Profiles:
    """Mean activations of G groups.

    Args:
        groups: Names of the groups.
        means: (G, C) or (G, C, h, w).
        counts: Images of each group, (G,), at least 1.
    """

    groups: tuple[str, ...]
    means: Floats
    counts: NDArray[np.int64]

    def contrast(self, weights: Weights = "equal") -> Floats:
        """Return each mean minus the mean of all groups, shaped like `means`.

        Args:
            weights: Whether each group counts the same, or by its size.

        Source: Krug and Stober (2023), arXiv 2204.03528.
        """
        share = self.counts / self.counts.sum()
        if weights == "equal":
            share = np.full(len(self.counts), 1 / len(self.counts))
        return np.asarray(self.means - np.tensordot(share, self.means, axes=1), dtype=np.float64)

    def colours(self, weights: Weights = "equal") -> Floats:
        """Return the contrast of each channel, averaged over its positions, (G, C)."""
        contrast = self.contrast(weights)
        return np.asarray(contrast.reshape(*contrast.shape[:2], -1).mean(axis=2))


class RunningProfiles:
    """Mean profiles from batches of any size, in the memory of the sums alone.

    Args:
        groups: Names of the groups.

    Example:
        >>> running = RunningProfiles(["f", "m"])
        >>> running.update(np.array([[1.0], [3.0], [9.0]]), np.array([0, 0, 1]))
        >>> running.profiles().means.ravel().tolist()
        [2.0, 9.0]
    """

    def __init__(self, groups: Sequence[str]) -> None:
        self.groups = tuple(groups)
        self.counts = np.zeros(len(self.groups), dtype=np.int64)
        self._sums: Floats | None = None

    def update(self, activations: torch.Tensor | ArrayLike, groups: NDArray[np.integer]) -> None:
        """Add a batch: activations (n, ...) and the position (n,) of each one's group.

        Raises:
            DataError: Shapes do not fit each other or the batches before, or a value is not finite.
        """
        batch = np.asarray(torch.as_tensor(activations).cpu(), dtype=np.float64)
        fits = self._sums is None or self._sums.shape[1:] == batch.shape[1:]
        if batch.ndim < 2 or len(batch) != len(groups) or not fits:
            before = "" if self._sums is None else f", as (n, *{self._sums.shape[1:]}) before"
            msg = f"activations must be ({len(groups)}, C, ...){before}, got {batch.shape}"
            raise DataError(msg)
        if not np.isfinite(batch).all():
            msg = "activations hold NaN or infinite values; check the model and its inputs"
            raise DataError(msg)
        if self._sums is None:
            self._sums = np.zeros((len(self.groups), *batch.shape[1:]))
        member = np.eye(len(self.groups))[groups]
        self._sums += np.tensordot(member.T, batch, axes=1)
        self.counts += np.bincount(groups, minlength=len(self.groups))

    def profiles(self) -> Profiles:
        """Return the means so far.

        Raises:
            DataError: A group has no image.
        """
        empty = [name for name, count in zip(self.groups, self.counts, strict=True) if count == 0]
        if self._sums is None or empty:
            msg = f"groups without any image have no profile: {empty or list(self.groups)}"
            raise DataError(msg)
        counts = self.counts.reshape(-1, *(1,) * (self._sums.ndim - 1))
        return Profiles(self.groups, self._sums / counts, self.counts.copy())


def mean_profiles(
    activations: torch.Tensor | NDArray[np.floating], groups: Sequence[object] | ArrayLike
) -> Profiles:
    """Return the mean activation profile of every group that occurs, sorted by name.

    Args:
        activations: (N, C) or (N, C, h, w).
        groups: N names.

    Raises:
        DataError: Shapes do not fit, or a value is not finite.
    """
    levels, codes = np.unique(np.asarray(groups).astype(str), return_inverse=True)
    if len(codes) != len(activations):
        msg = f"there are {len(activations)} activations but {len(codes)} group names"
        raise DataError(msg)
    running = RunningProfiles(levels.tolist())
    for first in range(0, len(codes), _ROWS):
        running.update(activations[first : first + _ROWS], codes[first : first + _ROWS])
    return running.profiles()
