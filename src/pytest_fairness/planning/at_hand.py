"""The samples that an evaluation set has, before a model has seen them or after."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import NamedTuple

import numpy as np

from pytest_fairness.data.readers import list_samples
from pytest_fairness.data.samples import read_ids, read_samples
from pytest_fairness.gate.estimates.counted import measure_groups
from pytest_fairness.gate.estimates.counterfactual import match
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.run import count_predictions
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.inference.predictions import prediction_table
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.two_way import together
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.metrics.cells import Cells
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["AtHand", "Given", "Sizes", "read_at_hand", "read_targets"]


class Given(NamedTuple):
    """Samples that somebody plans to have.

    Args:
        levels: Levels of the group; none for every group.
        n: Samples of what the rate is counted among.
        by: Attributes of the levels; None where the levels say enough.
    """

    levels: tuple[str, ...]
    n: int
    by: tuple[str, ...] | None = None

    def is_of(self, group: Mapping[str, str]) -> bool:
        """Return whether the option means this group."""
        fits = not self.levels or self.levels == tuple(group.values())
        return fits and self.by in (None, tuple(group))


@dataclass(frozen=True, slots=True)
class Sizes:
    """Samples of the G groups of a question, of what its rate is counted among.

    Args:
        n: (G,) samples; 0 where they are not known either.
        effective: (G,) what they are worth after the design effect of clusters.
        rates: (G,) rates that a model was seen to have; nan before any was run.
        shares: (G,) share of all samples; 1 where it is not known.
    """

    n: Integers
    effective: Integers
    rates: Floats
    shares: Floats


@dataclass(frozen=True, slots=True, eq=False)
class AtHand:
    """Counts of an evaluation set before a model is judged.

    Args:
        evaluation: As the policy declares it.
        predictions: Its samples with the answers of a model, or with the target as answer; None
            where nothing was read.
        answered: Whether the answers are those of a model.
        given: Samples that somebody plans to have instead.
    """

    evaluation: Evaluation
    predictions: Predictions | None = None
    answered: bool = False
    given: Sequence[Given] = ()

    @property
    def levels(self) -> Mapping[str, tuple[str, ...]]:
        """The levels of each attribute, undeclared missing values included."""
        found = self.evaluation.attributes if self.predictions is None else self.predictions.levels
        return {name: found[name] for name in self.evaluation.attributes}

    @property
    def is_known(self) -> bool:
        """Whether there is anything to count."""
        return self.predictions is not None or bool(self.given)

    @property
    def source(self) -> str:
        """The file that was read, or empty without one."""
        return "" if self.predictions is None else self.predictions.metadata.get("source", "")

    def counts(self) -> GroupCounts | None:
        """Return the counts of the answers, or None where nothing was read."""
        if self.predictions is None:
            return None
        return count_predictions(self.predictions, self.evaluation)

    @property
    def evidence(self) -> Evidence | None:
        """The evidence that the gate would judge, or None where no samples were read, or others are planned."""
        counts = None if self.given else self.counts()
        return None if counts is None else Evidence(counts, self.evaluation, self.predictions)

    def planned_evidence(self, question: Question, sizes: Sizes) -> Evidence:
        """Return samples that are planned for a question, as many as they are worth, independent."""
        by, positive = question.by, question.positive or self.evaluation.positive or "yes"
        classes = (positive, f"not {positive}")
        measure = question.rule.metric.measure
        among = measure.among if isinstance(measure, Rate) else Cells(0)
        own, other = np.divmod(sizes.effective, 2)
        n = {
            Cells.POSITIVES: (sizes.effective, 0 * own),
            Cells.NEGATIVES: (0 * own, sizes.effective),
            Cells.ANSWERS: (own + other, own),
            Cells.OF_A_CLASS: (own + other, own),
        }.get(among, (sizes.effective, sizes.effective))
        levels = {name: self.levels[name] for name in by}
        cells = np.zeros((len(sizes.n), 2, 2), dtype=np.int64)
        cells[:, [0, 1], [0, 1]] = np.stack(n, axis=-1)
        shape = (*(len(names) for names in levels.values()), 2, 2)
        evaluation = replace(self.evaluation, cluster=None, positive=positive)
        return Evidence(GroupCounts(levels, classes, cells.reshape(shape)), evaluation)

    def sizes(
        self, question: Question, groups: list[dict[str, str]], counts: GroupCounts | None
    ) -> Sizes:
        """Return the samples of the groups of a question.

        A clustered group of which no answers are known counts as one sample a cluster.
        """
        found = Sizes(*(np.zeros(len(groups), dtype=np.int64),) * 2, *self._unknown(len(groups)))
        if counts is not None:
            found = self._counted(question, groups, counts)
        for given in self.given:
            meant = np.array([given.is_of(group) for group in groups], dtype=bool)
            worth = found.effective / np.maximum(found.n, 1)
            worth = np.where(found.n > 0, worth, 1.0)
            n = np.where(meant, given.n, found.n)
            effective = np.where(meant, np.floor(given.n * worth), found.effective)
            found = replace(found, n=n, effective=effective.astype(np.int64))
        return found

    def _counted(
        self, question: Question, groups: list[dict[str, str]], counts: GroupCounts
    ) -> Sizes:
        rule, by, evaluation = question.rule, question.by, self.evaluation
        if rule.metric.matched:
            n = np.array([self._pairs(question, group) for group in groups])
            return Sizes(n, n, *self._unknown(len(groups)))
        if rule.metric.observed is not None:
            n = counts.confusion(by).sum(axis=(1, 2))
            n = n if len(n) == len(groups) else n.sum(keepdims=True)
            return Sizes(n, n, *self._unknown(len(groups)))
        positive = question.positive or evaluation.positive
        found = measure_groups(counts, by, rule.metric.measure, positive, evaluation.cluster)
        n = effective = found.smallest_n
        if self.answered:
            effective = np.floor(found.effective_n + 1e-9).astype(np.int64)
            return Sizes(n, effective, found.values, counts.shares(by))
        clusters = found.clusters if isinstance(found, GroupRates) else None
        if clusters is not None:  # nothing is known of their design effect yet
            effective = _one_a_cluster(clusters)
        return Sizes(n, effective, np.full(len(groups), np.nan), counts.shares(by))

    def _pairs(self, question: Question, group: dict[str, str]) -> int:
        """Matched images of a group and the reference."""
        reference = question.reference
        if self.predictions is None or not isinstance(reference, Mapping) or group == reference:
            return 0
        (attribute,) = question.by
        level = reference[attribute]
        found = match(self.predictions, self.evaluation, attribute=attribute, reference=level)
        return len(found[group[attribute]].frame)

    @staticmethod
    def _unknown(size: int) -> tuple[Floats, Floats]:
        return np.full(size, np.nan), np.ones(size)


def _one_a_cluster(clusters: ClusterCounts) -> Integers:
    """What samples are worth where each cluster is one, put together over both columns."""
    if clusters.ways is None:
        return np.asarray((clusters.n > 0).sum(axis=1), dtype=np.int64)
    worths = [
        (way.n > 0).sum(axis=1) / np.maximum(way.n.sum(axis=1), 1) for way in clusters.each_way
    ]
    effective = clusters.n.sum(axis=1) * together(worths, clusters)
    return np.asarray(np.floor(effective + 1e-9), dtype=np.int64)


def read_at_hand(
    evaluation: Evaluation,
    *,
    manifest: Path | None = None,
    predictions: Path | None = None,
    given: Sequence[Given] = (),
) -> AtHand:
    """Read what is known of an evaluation set.

    Args:
        evaluation: As the policy declares it.
        manifest: Its samples; those that the policy names when absent, and nothing where samples
            are given.
        predictions: Answers of a model, instead of a manifest.
        given: Samples that somebody plans to have instead.

    Raises:
        FairnessError: The file cannot be used.
    """
    if predictions is not None:
        found = read_predictions(predictions, evaluation, ground_truth=False)
        return AtHand(evaluation, found, answered=True, given=given)
    read = evaluation
    if manifest is not None:
        read = replace(evaluation, manifest=manifest, reader="manifest", root=None, options={})
    there = read.source is not None and (manifest is not None or not given)
    samples = read_targets(read) if there else None
    return AtHand(evaluation, samples, given=given)


def read_targets(evaluation: Evaluation) -> Predictions:
    """Read the samples of an evaluation, with the target as the answer. No image is touched.

    Raises:
        DataError: A column is missing, an id is used twice, or a value is not declared.
    """
    rows = list_samples(evaluation).rows.keep(evaluation.where)
    samples = read_samples(rows, evaluation, ids=read_ids(rows, evaluation, otherwise=None))
    return Predictions(
        table=prediction_table(samples.frame, samples.frame["target"], {}),
        model="",
        evaluation=evaluation.name,
        classes=samples.classes,
        levels=samples.levels,
        metadata={"source": rows.source},
    )
