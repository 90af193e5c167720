"""What a rule needs to know of a probe, from a model and an evaluation set, in bounded time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.analyses.probes.activations import Activations, capture_activations
from pytest_fairness.analyses.probes.kinds import ConvexProbe
from pytest_fairness.analyses.probes.probing import linear_probes
from pytest_fairness.analyses.probes.results import Null
from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["ProbeObservation", "observe_probes"]

POOL = 1
"""Channel means, which is what a network's own average pooling hands on."""
COMPONENTS = 512
"""Most features that a rule's probe reads; wider layers give their first principal components."""
PROBE = ConvexProbe(tolerance=1e-3, max_steps=20, components=COMPONENTS)
"""Early stopping bounds the time that separable labels take; real and permuted ones stop alike."""


@dataclass(frozen=True, slots=True, eq=False)
class ProbeObservation:
    """The accuracy of reading one attribute from one layer.

    Args:
        layer: Name of the layer.
        ids: The N samples that were read.
        attribute: Name of the attribute.
        levels: Its levels that occur.
        correct: Whether each sample is named rightly by a probe that saw nothing of its
            cluster, (N,).
        clusters: Cluster of each sample, (N,); None where samples are independent.
        null: Accuracies under permuted labels: mean, quantiles, p-value.
        majority: Share of the most frequent level.
        unseen: Samples whose level no training fold of theirs has.
        seed: What all randomness was made from.
    """

    layer: str
    ids: tuple[str, ...]
    attribute: str
    levels: tuple[str, ...]
    correct: NDArray[np.bool_]
    clusters: NDArray[np.str_] | None
    null: Null
    majority: float
    unseen: int
    seed: int

    @property
    def accuracy(self) -> float:
        """The share of samples that are predicted correctly."""
        return float(self.correct.mean())

    @property
    def chance(self) -> float:
        """The accuracy of guessing, 1 / number of levels."""
        return 1 / len(self.levels)


def observe_probes(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    attribute: str,
    *,
    seed: int,
    layers: Sequence[str] | int = 12,
    cluster: str | None = None,
    permutations: int = 99,
    activations: Activations | None = None,
    device: str = "auto",
) -> dict[str, ProbeObservation]:
    """Probe one attribute in the layers of a model.

    Args:
        classifier: The model; it is left as found.
        evaluation_set: Its samples, with the attribute (or `target`) as a column.
        attribute: What is read off the layers.
        seed: All randomness comes from it.
        layers: Names, or how many automatically chosen ones at most.
        cluster: Column whose values are clusters; None where samples are independent.
        permutations: B of the null, at least 1.
        activations: What `capture_activations` gave before, to spare a pass of the model.
        device: Where the model and the probes run.

    Returns:
        Layer -> observation, in the order of the network.

    Raises:
        DataError: There is no such column, it has one level only, or `permutations` is below 1.
        ModelError: The model's layers cannot be read.
    """
    _check_columns(evaluation_set, (attribute,) if cluster is None else (attribute, cluster))
    if permutations < 1:
        msg = f"permutations must be at least 1, got {permutations}; a rule needs a null"
        raise DataError(msg)
    held = activations or capture_activations(
        classifier, evaluation_set, layers=layers, pool=POOL, device=device
    )
    samples = evaluation_set.samples.iloc[held.positions]
    groups = None if cluster is None else samples[cluster].to_numpy(dtype=str)
    found = linear_probes(
        held.layers,
        {attribute: samples[attribute].to_numpy(dtype=str)},
        rng=np.random.default_rng(seed),
        cluster=groups,
        probe=PROBE,
        pool=POOL,
        permutations=permutations,
        control=False,
        intersection=False,
    )
    observed = {}
    for layer in held.layers:
        result = found.of(layer, attribute)
        if result.null is None:
            msg = "a rule needs a null"
            raise DataError(msg)
        observed[layer] = ProbeObservation(
            layer=layer,
            ids=held.ids,
            attribute=attribute,
            levels=result.levels,
            correct=result.correct,
            clusters=groups,
            null=result.null,
            majority=result.majority,
            unseen=result.unseen,
            seed=seed,
        )
    return observed


def _check_columns(evaluation_set: "EvaluationSet", names: Sequence[str]) -> None:
    columns = list(evaluation_set.samples.columns)
    for name in names:
        if name not in columns:
            msg = (
                f"evaluation {evaluation_set.name!r} has no column {name!r}; its columns are "
                f"{columns}"
            )
            raise DataError(msg)
