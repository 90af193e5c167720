"""The same change of every image: which group's answers does it move more?"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from pytest_fairness.analyses.perturbation.changes import Perturbation
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import predict
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.statistics.clusters.counts import SampleClusters, clusters_of
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.estimators.sample_means import sample_means
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Looks

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions
from pytest_fairness.wording import counted

__all__ = [
    "Harm",
    "PairParity",
    "Parity",
    "changes",
    "perturbation_parity",
    "perturbed_predictions",
]

Harm = Literal["flip rate", "accuracy drop"]


@dataclass(frozen=True, slots=True)
class _Perturbed:
    """The preprocessing of a model, behind a change of the image."""

    preprocess: object
    perturbation: Perturbation

    def __call__(self, image: "Image") -> "Tensor":
        tensor: Tensor = self.preprocess(self.perturbation(image))  # type: ignore[operator]
        return tensor


@dataclass(frozen=True, slots=True)
class PairParity:
    """The extra harm that a change does to a group, compared with its reference.

    Args:
        group: The group, in words.
        reference: The group that it is compared with.
        value: Harm of the group minus that of the reference; nan where one is empty.
        low: Lower end of the interval at the corrected level.
        high: Upper end.
    """

    group: str
    reference: str
    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Parity:
    """The effect on the groups of one change to every image.

    Args:
        perturbation: The change.
        harm: What is compared: how many answers flip, or how much accuracy is lost.
        limit: How far apart two groups may be.
        confidence: Confidence level of the intervals, after the correction.
        overall: Harm of all samples together.
        pairs: Every group against its reference.
    """

    perturbation: Perturbation
    harm: Harm
    limit: float
    confidence: float
    overall: float
    pairs: tuple[PairParity, ...]

    @property
    def broken(self) -> tuple[PairParity, ...]:
        """The pairs whose whole interval lies beyond the limit, the farthest first."""
        found = [one for one in self.pairs if one.low > self.limit or one.high < -self.limit]
        return tuple(sorted(found, key=lambda one: -abs(one.value)))

    @property
    def holds(self) -> bool:
        """Whether no pair is shown to be farther apart than the limit."""
        return not self.broken

    @property
    def message(self) -> str:
        """The message: one line for each broken pair, with the change that broke it and how to repeat it."""
        lines = [
            f"{self.harm} difference, {one.group} vs {one.reference}: {one.value:+.3f} "
            f"({self.confidence * 100:.4g} % interval {one.low:+.3f} … {one.high:+.3f}), limit "
            f"{self.limit:g} -> fail"
            for one in self.broken
        ]
        again = f"reproduce with {self.perturbation!r}; it moves {self.overall:.3f} overall"
        return "\n".join([*lines, again])


def perturbed_predictions(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    perturbation: Perturbation,
    *,
    device: str = "auto",
    batch_size: int = 64,
) -> "Predictions":
    """Run a model over changed images. The change is made before its own preprocessing.

    Args:
        classifier: The model under test; it is left as it was found.
        evaluation_set: What it is run on.
        perturbation: The change.
        device: As for `predict`.
        batch_size: Images in a batch.
    """
    changed = replace(classifier, preprocess=_Perturbed(classifier.preprocess, perturbation))
    return predict(changed, evaluation_set, device=device, batch_size=batch_size)


def perturbation_parity(
    before: "Predictions",
    after: "Predictions",
    perturbation: Perturbation,
    *,
    by: Sequence[str],
    reference: Mapping[str, str],
    limit: float,
    harm: Harm = "flip rate",
    confidence: float = 0.95,
    searched: int = 1,
    cluster: Cluster | None = None,
    looks: Looks = 1,
) -> Parity:
    """Compare what a change of every image does to each group and to its reference.

    Args:
        before: Predictions of the images as they are.
        after: Predictions of the changed images, of the same samples.
        perturbation: The change.
        by: The attributes that are crossed.
        reference: Level of each of them that the groups are compared with.
        limit: How far apart two groups may be, 0 to 1.
        harm: Whether flips are compared, or what accuracy loses.
        confidence: Confidence level of the whole search: all pairs and all changes that it tries, 0 to 1.
        searched: Number of changes that are tried; each gets its part of the error (Bonferroni).
        cluster: Column or columns of clusters of dependent samples.
        looks: How often the set may be looked at.

    Raises:
        PredictionError: The predictions are not of the same samples.
    """
    frame, flipped, drop = changes(before, after)
    groups, codes = _groups(frame, by, before.levels)
    clusters = None
    if cluster is not None:
        clusters = clusters_of([frame[name] for name in columns_of(cluster)])
    values = flipped if harm == "flip rate" else drop
    measured = _measured(values, codes, len(groups), harm, clusters)
    place = groups.index(tuple(reference[name] for name in by))
    others = np.delete(np.arange(len(groups)), place)
    corrected = bonferroni(confidence, searched * max(len(others), 1))
    references = np.full_like(others, place)
    gap = measured.compare(others, references, kind="difference")
    span = 1.0 if harm == "flip rate" else 2.0
    looked = at_looks(measured, looks, whole=(-span, span))
    low, high = looked.pairs(others, references, kind="difference", confidence=corrected)
    names = [
        ", ".join(f"{name} {level}" for name, level in zip(by, g, strict=True)) for g in groups
    ]
    pairs = [
        PairParity(names[other], ", ".join(groups[place]), *map(float, ends))
        for other, *ends in zip(others, gap, low, high, strict=True)
    ]
    return Parity(perturbation, harm, limit, corrected, float(values.mean()), tuple(pairs))


def changes(before: "Predictions", after: "Predictions") -> tuple[pd.DataFrame, Floats, Floats]:
    """Return the samples, whether the answer to each flips (N,), and its drop of being right (N,).

    Args:
        before: Predictions of the images as they are.
        after: Predictions of the changed images.

    Raises:
        PredictionError: They are not of the same samples.
    """
    frame, then = before.table.to_pandas(), after.table.to_pandas()
    if not frame["id"].equals(then["id"]):
        msg = (
            f"the changed images are {counted(len(then), 'sample')} and the unchanged ones {len(frame)}, not "
            "the same ones in the same order; run the model on both again"
        )
        raise PredictionError(msg)
    flipped = (frame["prediction"] != then["prediction"]).to_numpy(dtype=np.float64)
    right, still = (
        (some["prediction"] == frame["target"]).to_numpy(dtype=np.float64) for some in (frame, then)
    )
    return frame, flipped, right - still


def _groups(
    frame: pd.DataFrame, by: Sequence[str], levels: Mapping[str, tuple[str, ...]]
) -> tuple[list[tuple[str, ...]], Integers]:
    index = pd.MultiIndex.from_product([levels[name] for name in by])
    codes = np.zeros(len(frame), dtype=np.int64)
    for name in by:
        column = pd.Categorical(frame[name], categories=list(levels[name]))
        codes = codes * len(levels[name]) + column.codes
    return [tuple(one) for one in index], codes


def _measured(
    values: Floats, codes: Integers, count: int, harm: Harm, clusters: SampleClusters | None
) -> Measured:
    if harm == "accuracy drop":
        return sample_means(values, codes, count, floor=-1.0, clusters=clusters)
    means = sample_means(values, codes, count, clusters=clusters)
    whole = RateCounts(np.round(means.sums).astype(np.int64), means.n)
    if means.clusters is None:
        return GroupRates(whole)
    right = np.round(means.clusters.successes).astype(np.int64)
    return GroupRates(whole, means.clusters._replace(successes=right))
