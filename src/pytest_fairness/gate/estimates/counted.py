"""From counts to the estimate behind each question, vectorised over the groups of a rule."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from pytest_fairness.gate.estimates.estimate import Counted, Details, Estimate
from pytest_fairness.gate.estimates.parts import lacking, named, named_parts
from pytest_fairness.gate.questions import Question
from pytest_fairness.statistics.arrays import Integers
from pytest_fairness.statistics.clusters.columns import Cluster, axis_of
from pytest_fairness.statistics.clusters.counts import ways_of
from pytest_fairness.statistics.comparisons.comparisons import (
    AgainstBest,
    AgainstReference,
    Alone,
    BetweenAll,
    GroupComparison,
)
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.at_looks import at_looks, look_of
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Looks
from pytest_fairness.statistics.metrics.names import Measure

__all__ = ["RowBounds", "estimate", "measure_groups", "named", "read_estimates"]


@dataclass(frozen=True, slots=True, eq=False)
class RowBounds:
    """Intervals of one question. The intervals of all questions of a rule are computed together.

    Args:
        comparison: The groups of the rule.
        row: Position of the answer.
        rows: Positions of all answers that are asked for.
        known: Level -> intervals of `rows`, shared by all questions of the rule.
    """

    comparison: GroupComparison
    row: int
    rows: Integers
    known: dict[float, Interval] = field(default_factory=dict)

    def __call__(self, confidence: float, size: float = 0.0) -> tuple[float, float]:
        """Ends of the interval of a level, if each group had at least `size` samples."""
        if size:
            low, high = self.comparison.bounds(confidence, np.array([self.row]), size=size)
            return float(low[0]), float(high[0])
        if confidence not in self.known:
            self.known[confidence] = self.comparison.bounds(confidence, self.rows)
        low, high = self.known[confidence]
        position = np.searchsorted(self.rows, self.row)
        return float(low[position]), float(high[position])


def estimate(
    asked: Sequence[Question],
    counts: GroupCounts,
    *,
    positive: str | None,
    confidence: float,
    cluster: Cluster | None = None,
    looks: Looks = 1,
    effective: bool = True,
) -> list[Estimate]:
    """Answer the questions of one rule, model, evaluation, `by` and class, in their order.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`, same class.
        counts: Counts of the model's predictions.
        positive: The positive class of the evaluation; that of the questions goes before.
        confidence: Confidence level of the intervals, 0 to 1.
        cluster: Column or columns of the clusters of dependent samples.
        looks: How often the set may be looked at.
        effective: Whether the effective n is told; nan where it is not.
    """
    if not asked:
        return []
    first = asked[0]
    metric, by = first.rule.metric, first.by
    measured = measure_groups(counts, by, metric.measure, first.positive or positive, cluster)
    return read_estimates(
        asked, measured, counts, confidence=confidence, looks=looks, effective=effective
    )


def read_estimates(
    asked: Sequence[Question],
    measured: Measured,
    counts: GroupCounts,
    *,
    confidence: float,
    looks: Looks = 1,
    effective: bool = True,
) -> list[Estimate]:
    """Answer questions from what was measured of their groups.

    Args:
        asked: As for `estimate`.
        measured: The groups of their `by`, in the order of the counts.
        counts: Names the groups, and their shares of all samples.
        confidence: Confidence level of the intervals, 0 to 1.
        looks: How often the set may be looked at.
        effective: Whether the effective n is told; nan where it is not.
    """
    first = asked[0]
    metric, by = first.rule.metric, first.by
    groups = counts.groups(by)
    place = {tuple(group.values()): position for position, group in enumerate(groups)}
    looked = at_looks(measured, looks, whole=metric.allowed_range)
    comparison = _comparison(first, looked, place, counts)
    wanted = [0]
    if first.reference != "all":
        row_of = {group: row for row, group in enumerate(comparison.group.tolist())}
        wanted = [row_of[place[_levels(one.group, by)]] for one in asked]
    rows = _Rows(metric.measure, groups, counts.classes, measured, comparison, looks=looks)
    rows.asked = np.unique(wanted)
    if effective:
        rows.effective = measured.effective_n
    return [rows.read(row, confidence) for row in wanted]


def measure_groups(
    counts: GroupCounts,
    by: tuple[str, ...],
    definition: Measure,
    positive: str | None,
    cluster: Cluster | None,
) -> Measured:
    """Measure the groups of `by`.

    Args:
        counts: Counts of the predictions.
        by: The attributes that are crossed.
        definition: What is counted among what, or what is made of several such rates.
        positive: The positive class; None where none is needed.
        cluster: Column or columns of the clusters of dependent samples.
    """
    index = None if positive is None else counts.classes.index(positive)
    confusion = counts.confusion(by)
    if cluster is None:
        return measure(definition, confusion, positive=index)
    axis = axis_of(cluster)
    apart = counts.confusion((*by, axis))
    clustered = apart.reshape(len(confusion), -1, *apart.shape[1:])
    ways = ways_of(cluster, counts.levels[axis])
    return measure(definition, confusion, positive=index, clustered=clustered, ways=ways)


def _comparison(
    question: Question,
    measured: Measured,
    place: Mapping[tuple[str, ...], int],
    counts: GroupCounts,
) -> GroupComparison:
    metric, reference = question.rule.metric, question.reference
    if metric.comparison == "none" or reference is None:
        return Alone(measured)
    if reference == "all":
        return BetweenAll(measured, metric.comparison)
    if reference == "best":
        eligible = counts.shares(question.by) >= question.rule.min_share
        better = bool(metric.measure.higher_is_better)
        return AgainstBest(measured, metric.comparison, better, eligible)
    return AgainstReference(measured, place[_levels(reference, question.by)], metric.comparison)


def _levels(group: Mapping[str, str], by: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(group[attribute] for attribute in by)


class _Rows:
    """All answers of a rule on their way to estimates."""

    def __init__(
        self,
        definition: Measure,
        groups: list[dict[str, str]],
        classes: tuple[str, ...],
        measured: Measured,
        comparison: GroupComparison,
        *,
        looks: Looks,
    ) -> None:
        self.groups, self.measured, self.looks = groups, measured, looks
        self.counts = measured.counts
        self.defined = measured.defined
        self.smallest = measured.smallest_n
        self.effective, self.dominant = np.full(len(self.smallest), np.nan), measured.dominant
        self.parts = named_parts(definition, classes, measured)
        self.among, self.short = definition.counted_among, definition.short
        self.values = measured.values
        self.comparison = comparison
        self.group, self.reference = comparison.group, comparison.reference
        self.value = comparison.value
        self.asked: Integers = np.arange(len(self.group))
        self.known: dict[float, Interval] = {}

    def read(self, row: int, confidence: float) -> Estimate:
        group, reference = int(self.group[row]), int(self.reference[row])
        compares = reference >= 0
        both = [group, reference] if compares else [group]
        value = float(self.value[row])
        return Estimate.at(
            confidence,
            RowBounds(self.comparison, row, self.asked, self.known),
            value,
            group=self.groups[group],
            reference=self.groups[reference] if compares else None,
            counted=self.counted(group),
            reference_counted=self.counted(reference) if compares else None,
            reason=self.reason(both, undefined=math.isnan(value)),
            effective_n=float(self.effective[group]),
            dominant=self.largest(both),
            scarcest_n=int(self.smallest[both].min()) if self.parts else None,
            details=Details(parts=tuple(part.record(both) for part in self.parts)),
            look=look_of(self.measured, self.looks, both),
        )

    def largest(self, groups: list[int]) -> tuple[float, ...]:
        """The share of the cluster that decides the width, of the group that it decides most in."""
        return tuple(np.fmax.reduce(self.dominant[:, groups], axis=1).tolist())

    def counted(self, group: int) -> Counted:
        successes, n = self.counts
        return Counted(int(successes[group]), int(n[group]))

    def reason(self, both: list[int], *, undefined: bool) -> str | None:
        whole = isinstance(self.comparison, BetweenAll)
        concerned = range(len(self.groups)) if whole else sorted(set(both))
        empty = [position for position in concerned if not self.defined[position]]
        if empty:
            parts = [part.lacking(empty, self.groups) for part in self.parts]
            return " and ".join(filter(None, parts)) or lacking(self.among, empty, self.groups)
        if not undefined:
            return None
        if np.isinf(self.values[both]).all():
            return f"{self.short} is infinite in both groups"
        return "0 divided by 0: the rate is 0 in both groups"
