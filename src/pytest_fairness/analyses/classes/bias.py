"""Model prediction bias: which classes are other classes taken for?"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.statistics.arrays import Floats

__all__ = ["PredictionBias", "prediction_bias"]


@dataclass(frozen=True, slots=True, eq=False)
class PredictionBias:
    """Shares of all samples that a model gives to each of K classes.

    `from_others + from_own` summed over the classes is 1.

    Args:
        from_others: Probability that samples of other classes give to each class, the bias G⁻, (K,).
        from_own: Probability that its own samples give to it, G⁺, (K,).
        frequency: Share of the samples that each class has, (K,).
        false_positives: The hard twin of `from_others`: samples of others called so, (K,).
        true_positives: The hard twin of `from_own`, (K,).
        dominance: Of the gradient of each class's weights, the part of other classes' samples over
            the part of its own (infinite where its own samples push nothing), (K,).
    """

    from_others: Floats
    from_own: Floats
    frequency: Floats
    false_positives: Floats
    true_positives: Floats
    dominance: Floats

    @property
    def excess(self) -> Floats:
        """The share given to each class minus its frequency, G⁺ + G⁻ - frequency, (K,)."""
        return np.asarray(self.from_own + self.from_others - self.frequency)

    @property
    def called(self) -> Floats:
        """The share of all samples that is called each class, (K,)."""
        return np.asarray(self.false_positives + self.true_positives)


def prediction_bias(
    probabilities: ArrayLike, targets: ArrayLike, *, features: ArrayLike | None = None
) -> PredictionBias:
    """Measure a model's prediction bias towards each class.

    Args:
        probabilities: (N, K) probabilities; each row sums to 1.
        targets: (N,) true classes, 0 … K - 1.
        features: (N, D) what the last linear layer reads; with it `dominance` weighs each sample
            by the length of its features, else all samples alike.

    Raises:
        ValueError: A row does not sum to 1, a number is negative or missing, or a target is no
            class.

    Source: Cui et al. (2024), Classes Are Not Equal, CVPR (model prediction bias; the gradient of
    the weights of class i is the sum of p_i f over other classes' samples minus that of (1 - p_i) f
    over its own).

    Example:
        >>> found = prediction_bias([[0.8, 0.2], [0.4, 0.6]], [0, 1])
        >>> found.from_others.tolist(), found.from_own.tolist()
        ([0.2, 0.1], [0.4, 0.3])
    """
    shares, true = _checked(probabilities, targets)
    n, k = shares.shape
    own = np.eye(k)[true]
    called = np.eye(k)[shares.argmax(axis=1)]
    weight = np.ones(n)
    if features is not None:
        weight = np.linalg.norm(np.asarray(features, dtype=np.float64).reshape(n, -1), axis=1)
    pushed = (weight[:, None] * shares * (1 - own)).sum(axis=0)
    pulled = (weight[:, None] * (1 - shares) * own).sum(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        dominance = pushed / pulled
    return PredictionBias(
        from_others=(shares * (1 - own)).mean(axis=0),
        from_own=(shares * own).mean(axis=0),
        frequency=own.mean(axis=0),
        false_positives=(called * (1 - own)).mean(axis=0),
        true_positives=(called * own).mean(axis=0),
        dominance=dominance,
    )


def _checked(probabilities: ArrayLike, targets: ArrayLike) -> tuple[Floats, NDArray[np.int64]]:
    shares = np.asarray(probabilities, dtype=np.float64)
    true = np.asarray(targets)
    if shares.ndim != 2 or true.shape != shares.shape[:1]:
        msg = (
            f"probabilities must be (samples, classes) and targets (samples,), got {shares.shape} "
            f"and {true.shape}"
        )
        raise ValueError(msg)
    wrong = ~np.isfinite(shares).all(axis=1) | (shares < 0).any(axis=1)
    wrong |= np.abs(shares.sum(axis=1) - 1) > 1e-4
    if wrong.any():
        first = int(wrong.argmax())
        msg = (
            f"row {first} is {shares[first].tolist()[:8]}, no probabilities that sum to 1; apply a "
            "softmax to logits first"
        )
        raise ValueError(msg)
    if not np.issubdtype(true.dtype, np.integer) or ((true < 0) | (true >= shares.shape[1])).any():
        msg = f"targets must be whole numbers 0 … {shares.shape[1] - 1}, got {true[:8].tolist()}"
        raise ValueError(msg)
    return shares, true.astype(np.int64)
