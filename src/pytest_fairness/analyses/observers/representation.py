"""What the layers of a model hold of an attribute, for the rules of a policy."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import pandas as pd
from torch import nn

from pytest_fairness.analyses.observers.alignment import aligned
from pytest_fairness.analyses.probes import capture_activations, observe_probes
from pytest_fairness.analyses.probes.layers import choose_layers
from pytest_fairness.analyses.topography import observe_topography
from pytest_fairness.errors import ModelError
from pytest_fairness.inference.observed import Observed, observation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_fairness.analyses.observe import Run, Wanted
    from pytest_fairness.analyses.probes import Activations
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions

__all__ = ["observe_representation"]

T = TypeVar("T")
_EVERY = 10_000


def observe_representation(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    predictions: "Predictions",
    wanted: Sequence["Wanted"],
    run: "Run",
) -> Observed:
    """Read the layers once, then probe them and compare the maps of groups.

    Args:
        classifier: The model under test.
        evaluation_set: What it was run on.
        predictions: What it answered.
        wanted: Probes of attributes, and similarities between groups; `of` names a layer, or is
            `first`, `middle` or `last`: of those that are no output.
        run: Device, seed and cluster.

    Raises:
        DataError: An attribute has one level only, or tells the target.
        ModelError: There is no such layer, or the model has no layers.
    """
    layers = {one.of or "last": _layer(classifier, one.of or "last") for one in wanted}
    held = capture_activations(
        classifier,
        evaluation_set,
        layers=list(dict.fromkeys(layers.values())),
        pool=1,
        device=run.device,
        batch_size=run.batch_size,
    )
    found = _Found(classifier, evaluation_set, predictions, held, run)
    for done, one in enumerate(wanted):
        if run.progress is not None:
            run.progress("representation", done, len(wanted))
        layer = layers[one.of or "last"]
        if one.measure == "probe_accuracy":
            found.probe(one, layer)
        else:
            found.similarity(one, layer)
    return Observed(found.columns, found.facts)


class _Found:
    """Observations on their way from one set of activations."""

    def __init__(
        self,
        classifier: "Classifier",
        evaluation_set: "EvaluationSet",
        predictions: "Predictions",
        held: "Activations",
        run: "Run",
    ) -> None:
        self.classifier = classifier
        self.set = evaluation_set
        self.predictions = predictions
        self.held = held
        self.run = run
        self.columns: dict[str, NDArray[np.float64]] = {}
        self.facts: dict[str, Mapping[str, float]] = {}

    def _observed(self, observe: "Callable[..., dict[str, T]]", one: "Wanted", layer: str) -> "T":
        crossed, attribute = _crossed(self.set, one.by)
        return observe(
            self.classifier,
            crossed,
            attribute,
            seed=self.run.seed,
            cluster=self.run.cluster,
            activations=_only(self.held, layer),
            device=self.run.device,
        )[layer]

    def probe(self, one: "Wanted", layer: str) -> None:
        found = self._observed(observe_probes, one, layer)
        values = pd.Series(np.nan, index=self.set.samples["id"].to_numpy())
        values[list(found.ids)] = found.correct.astype(np.float64)
        name = observation(one.measure, one.of, by=one.by)
        self.columns[name] = aligned(np.asarray(values.to_numpy()), self.set, self.predictions)
        self.facts[name] = {
            "null": found.null.mean,
            "chance": found.chance,
            "majority": found.majority,
            "p_value": found.null.p_value,
        }

    def similarity(self, one: "Wanted", layer: str) -> None:
        found = self._observed(observe_topography, one, layer)
        reference = "*".join(one.reference[name] for name in one.by)
        for pair in found.pairs:
            if reference not in (pair.first, pair.second):
                continue
            first = pair.first == reference
            group = pair.second if first else pair.first
            own, other = pair.sizes[::-1] if first else pair.sizes
            name = observation(one.measure, one.of, by=one.by, pair=(group, reference))
            self.facts[name] = {
                "value": pair.value,
                "error": pair.error,
                "freedom": float(found.blocks - 1),
                "n": float(own),
                "reference_n": float(other),
            }


def _layer(classifier: "Classifier", name: str) -> str:
    """The layer that a rule means."""
    if not isinstance(classifier.module, nn.Module):
        msg = (
            f"model {classifier.name!r}: its layers cannot be read, since it is a "
            f"{type(classifier.module).__name__} and no nn.Module; drop the rule, or give the network"
        )
        raise ModelError(msg)
    if name not in ("first", "middle", "last"):
        return name
    layers = choose_layers(classifier.module, _EVERY)
    outputs = dict(classifier.module.named_modules())[layers[-1]]
    if len(layers) > 1 and getattr(outputs, "out_features", None) == len(classifier.labels):
        layers = layers[:-1]
    return {"first": layers[0], "middle": layers[len(layers) // 2], "last": layers[-1]}[name]


def _only(held: "Activations", layer: str) -> "Activations":
    return replace(held, layers={layer: held.layers[layer]})


def _crossed(evaluation_set: "EvaluationSet", by: tuple[str, ...]) -> tuple["EvaluationSet", str]:
    """The set with a column of the crossed attributes, and its name."""
    if len(by) == 1:
        return evaluation_set, by[0]
    name = "*".join(by)
    samples = evaluation_set.samples
    joined = samples[list(by)].agg("*".join, axis=1)
    return replace(evaluation_set, samples=samples.assign(**{name: joined})), name
