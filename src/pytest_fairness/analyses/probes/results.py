"""What probes found: rates with intervals, what chance gives, and which groups are confused."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.errors import DataError
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

__all__ = [
    "Confusion",
    "Control",
    "LinearProbes",
    "Null",
    "ProbeResult",
    "ProbedRate",
    "probed_rate",
]

QUANTILES = (0.5, 0.9, 0.95, 0.99)


class ProbedRate(NamedTuple):
    """A held-out accuracy with its interval, and the samples that it was counted among."""

    value: float
    low: float
    high: float
    n: int


class Control(NamedTuple):
    """A test of memorising: both accuracies are from folds that share clusters.

    Args:
        task: Accuracy of the real labels.
        control: Accuracy of random labels, one a cluster.
    """

    task: float
    control: float

    @property
    def selectivity(self) -> float:
        """The accuracy minus the accuracy on random labels.

        It is low where the probe, not the representation, does the work.
        """
        return self.task - self.control


class Confusion(NamedTuple):
    """Samples of one level that are predicted as another.

    The share is among the samples of the true level.
    """

    true: str
    predicted: str
    n: int
    share: float


@dataclass(frozen=True, slots=True, eq=False)
class Null:
    """Accuracies under labels that were permuted per cluster.

    Args:
        draws: (B,) accuracies, each from the whole procedure.
        observed: The accuracy that they are compared with.
    """

    draws: NDArray[np.float64]
    observed: float

    @property
    def permutations(self) -> int:
        """The number of permutations, B."""
        return len(self.draws)

    @property
    def mean(self) -> float:
        """The mean accuracy under permuted labels: the accuracy without any knowledge."""
        return float(self.draws.mean())

    @property
    def p_value(self) -> float:
        """The p-value: (1 + draws as high as observed) / (B + 1)."""
        return (1 + int((self.draws >= self.observed - 1e-12).sum())) / (len(self.draws) + 1)

    @property
    def quantiles(self) -> dict[float, float]:
        """The accuracy at the quantiles 0.5, 0.9, 0.95 and 0.99."""
        found = np.quantile(self.draws, QUANTILES, method="higher")
        return dict(zip(QUANTILES, found.tolist(), strict=True))


@dataclass(frozen=True, slots=True, eq=False)
class ProbeResult:
    """The result of probing one target in one layer.

    Args:
        layer: Name of the layer.
        target: Name of the attribute, or `a*b` of an intersection.
        levels: The K levels that occur.
        truth: Position of each sample's level, (N,).
        predicted: Position of its held-out prediction, (N,).
        accuracy: Share of right ones, with the interval of clustered samples.
        features: Features d that the probe read.
        unseen: Samples whose level is in no training fold of theirs; they cannot be right.
        null: Accuracies under permuted labels; None when none were asked for.
        control: The control task; None where it says nothing (see `notes`).
        marginals: Attribute -> accuracy of the summed intersection probabilities.
        notes: What could not be computed, and why.
    """

    layer: str
    target: str
    levels: tuple[str, ...]
    truth: NDArray[np.int64]
    predicted: NDArray[np.int64]
    accuracy: ProbedRate
    features: int
    unseen: int
    null: Null | None = None
    control: Control | None = None
    marginals: Mapping[str, ProbedRate] = field(default_factory=dict)
    notes: tuple[str, ...] = ()

    @property
    def correct(self) -> NDArray[np.bool_]:
        """Whether each sample is predicted correctly by probes that did not see its fold, (N,)."""
        return np.asarray(self.truth == self.predicted)

    @property
    def chance(self) -> float:
        """The accuracy of guessing, 1 / K."""
        return 1 / len(self.levels)

    @property
    def majority(self) -> float:
        """The share of the most frequent level."""
        return float(np.bincount(self.truth).max() / len(self.truth))

    def confusions(self, most: int = 10) -> tuple[Confusion, ...]:
        """Return the most frequent confusions of one level with another, the largest count first."""
        size = len(self.levels)
        counts = np.bincount(self.truth * size + self.predicted, minlength=size * size)
        matrix = counts.reshape(size, size)
        totals = matrix.sum(axis=1)
        np.fill_diagonal(matrix, 0)
        order = np.argsort(-matrix, axis=None, kind="stable")[:most]
        cells = (np.unravel_index(cell, matrix.shape) for cell in order)
        return tuple(
            Confusion(
                self.levels[i], self.levels[j], int(matrix[i, j]), float(matrix[i, j] / totals[i])
            )
            for i, j in cells
            if matrix[i, j]
        )


@dataclass(frozen=True, slots=True, eq=False)
class LinearProbes:
    """Results of all layers and targets.

    Args:
        results: (layer, target) -> result, layers in the order of the network.
        folds: Fold of each sample, (N,).
        undefined: Target -> why it could not be probed.
    """

    results: Mapping[tuple[str, str], ProbeResult]
    folds: NDArray[np.int64]
    undefined: Mapping[str, str]

    def of(self, layer: str, target: str) -> ProbeResult:
        """Return the result of one layer and target.

        Raises:
            DataError: There is none, e.g. since the target has one level only.
        """
        if (layer, target) not in self.results:
            layers, targets = (sorted(set(names)) for names in zip(*self.results, strict=True))
            why = self.undefined.get(target, f"layers are {layers}, targets are {targets}")
            msg = f"there is no probe of {target!r} in layer {layer!r}: {why}"
            raise DataError(msg)
        return self.results[layer, target]


def probed_rate(
    correct: NDArray[np.bool_], clusters: NDArray[np.int64] | None, *, confidence: float
) -> ProbedRate:
    """Return the rate of right answers with its interval, widened for clusters.

    The interval takes the probes as given: it says how the accuracy would vary with other test
    images, not with other training images.
    """
    counts = RateCounts(np.array([correct.sum()]), np.array([len(correct)]))
    per_cluster = None
    if clusters is not None:
        right = np.bincount(clusters, weights=correct).astype(np.int64)
        per_cluster = ClusterCounts(right[None], np.bincount(clusters)[None])
    rates = GroupRates(counts, per_cluster)
    low, high = rates.alone(confidence)
    return ProbedRate(float(rates.values[0]), float(low[0]), float(high[0]), len(correct))
