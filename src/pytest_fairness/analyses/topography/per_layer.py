"""What a rule needs to know of group maps, from a model and an evaluation set."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from pytest_fairness.analyses.probes.activations import Activations, capture_activations
from pytest_fairness.analyses.topography.similarity import Similarities, topographic_similarity
from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["observe_topography"]


def observe_topography(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    attribute: str,
    *,
    seed: int,
    layers: Sequence[str] | int = 12,
    cluster: str | None = None,
    confidence: float = 0.95,
    activations: Activations | None = None,
    device: str = "auto",
) -> dict[str, Similarities]:
    """Compare the levels of an attribute by how each layer tells the target's classes apart.

    Args:
        classifier: The model; it is left as found.
        evaluation_set: Its samples, with the attribute as a column.
        attribute: Whose levels are compared; not what the target is made of.
        seed: All randomness comes from it.
        layers: Names, or how many automatically chosen ones at most.
        cluster: Column whose values are clusters; None where samples are independent.
        confidence: Confidence level of the intervals, 0 to 1.
        activations: What `capture_activations` gave before, to spare a pass of the model.
        device: Where the model runs.

    Returns:
        Layer -> similarities, in the order of the network.

    Raises:
        DataError: There is no such column, or the attribute tells the target: then its levels
            cannot treat the classes alike.
        ModelError: The model's layers cannot be read.
    """
    samples = evaluation_set.samples
    for name in (attribute, *(() if cluster is None else (cluster,))):
        if name not in samples:
            msg = (
                f"evaluation {evaluation_set.name!r} has no column {name!r}; its columns are "
                f"{list(samples.columns)}"
            )
            raise DataError(msg)
    crossed = samples.groupby(attribute, observed=True)["target"].nunique()
    if attribute == "target" or (crossed == 1).all():
        msg = (
            f"every level of {attribute!r} has one class of the target only; similarity needs an "
            "attribute whose levels share the classes"
        )
        raise DataError(msg)
    held = activations or capture_activations(
        classifier, evaluation_set, layers=layers, pool=1, device=device
    )
    samples = samples.iloc[held.positions]
    return {
        layer: topographic_similarity(
            values,
            samples[attribute].to_numpy(dtype=str),
            rng=np.random.default_rng(seed),
            classes=samples["target"].to_numpy(dtype=str),
            cluster=None if cluster is None else samples[cluster].to_numpy(dtype=str),
            confidence=confidence,
        )
        for layer, values in held.layers.items()
    }
