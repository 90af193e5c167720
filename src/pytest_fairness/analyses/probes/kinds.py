"""What a probe is, and the convex one."""

from dataclasses import dataclass
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from pytest_fairness.analyses.probes.axes import principal_axes
from pytest_fairness.analyses.probes.convex import fit_softmax

__all__ = ["ConvexProbe", "Probe", "Standard", "Training"]


class Training(NamedTuple):
    """Training data of probes.

    Args:
        features: (N, d) float32.
        labels: (N, T) integers, 0 to `classes` - 1.
        clusters: (N,) integers.
        classes: Number of classes K.
    """

    features: Tensor
    labels: Tensor
    clusters: Tensor
    classes: int


class Probe(Protocol):
    """Trains T probes at once and applies them."""

    def probabilities(self, training: Training, features: Tensor, *, seed: int) -> Tensor:
        """Return the probabilities (K, T, n) for features (n, d)."""


class Standard(NamedTuple):
    """Mean and scale of features, from training samples only."""

    mean: Tensor
    scale: Tensor

    @classmethod
    def of(cls, features: Tensor) -> "Standard":
        """Measure mean and spread of features (N, d).

        A constant feature is not scaled, and becomes 0.
        """
        scale, mean = torch.std_mean(features, dim=0, correction=0)
        flat = scale <= 1e-6 * (1e-6 + features.abs().amax(dim=0))
        return cls(mean, torch.where(flat, torch.inf, scale))

    def __call__(self, features: Tensor) -> Tensor:
        """Features (n, d) less the mean, over the scale."""
        return (features - self.mean) / self.scale


@dataclass(frozen=True, slots=True)
class ConvexProbe:
    """Multinomial logistic regression on standardised features: one optimum, no tuning by luck.

    Args:
        l2: Penalty as in `fit_softmax`; 1 is scikit-learn's default C.
        tolerance: As in `fit_softmax`.
        max_steps: As in `fit_softmax`.
        components: Most principal components of the training features that are kept; all when
            None. It bounds the time that wide layers take.
    """

    l2: float = 1.0
    tolerance: float = 1e-6
    max_steps: int = 200
    components: int | None = None

    def probabilities(self, training: Training, features: Tensor, *, seed: int) -> Tensor:  # noqa: ARG002
        """Return the probabilities (K, T, n) for features (n, d). The fit has no randomness."""
        standard = Standard.of(training.features)
        rows, test = standard(training.features), standard(features)
        if self.components is not None and min(rows.shape) > self.components:
            axes = principal_axes(rows, self.components)
            rows, test = rows @ axes, test @ axes
        fits = fit_softmax(
            rows,
            training.labels,
            training.classes,
            l2=self.l2,
            tolerance=self.tolerance,
            max_steps=self.max_steps,
        )
        return torch.softmax(fits.logits(test), dim=0)
