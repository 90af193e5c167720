"""From counts to the estimate behind each question, vectorised over the groups of a rule."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import numpy as np

from pytest_fairness.gate.estimates.parts import lacking, named, named_parts
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import (
    ChangeRecord,
    MatchedRecord,
    ObservedRecord,
    PartRecord,
)
from pytest_fairness.statistics.comparisons.comparisons import (
    AgainstBest,
    AgainstReference,
    Alone,
    BetweenAll,
    GroupComparison,
)
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.metrics.names import Measure

__all__ = ["Estimate", "RowBounds", "estimate", "measure_groups", "named", "read_estimates"]

# A level, and a size or 0 -> ends of the interval.
Bounds: TypeAlias = Callable[[float, float], tuple[float, float]]


@dataclass(frozen=True, slots=True, eq=False)
class RowBounds:
    """Intervals of one question. The intervals of all questions of a rule are computed together.

    Args:
        comparison: The groups of the rule.
        row: Position of the answer.
        known: Level -> intervals of all answers, shared by all questions of the rule.
    """

    comparison: GroupComparison
    row: int
    known: dict[float, Interval] = field(default_factory=dict)

    def __call__(self, confidence: float, size: float = 0.0) -> tuple[float, float]:
        """Ends of the interval of a level, if each group had at least `size` samples."""
        if size:
            low, high = self.comparison.bounds(confidence, np.array([self.row]), size=size)
            return float(low[0]), float(high[0])
        if confidence not in self.known:
            rows = np.arange(len(self.comparison.group))
            self.known[confidence] = self.comparison.bounds(confidence, rows)
        low, high = self.known[confidence]
        return float(low[self.row]), float(high[self.row])


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and all that it was computed from, or None where undefined.

    Args:
        group: Attribute -> level of the group that the value is about.
        reference: The group it was compared with; None where nothing was compared.
        value: Rate, difference or ratio.
        low: Lower end of the interval.
        high: Upper end of the interval.
        successes: What was counted in the group.
        n: What it was counted among, e.g. the negatives of the group for an FPR.
        effective_n: What n is worth after the design effect of clusters; n without clusters.
        reference_successes: The same of the reference group.
        reference_n: The same of the reference group.
        reason: Why the value is undefined or incomplete; None when it is neither.
        bounds: Interval at another level and, where a size is given, if every group had at
            least so many samples like those seen.
        scarcest_n: Samples of the smallest part of the groups, where a value is made of several
            rates; None where n and reference_n tell.
        parts: For such a value, what was counted of each rate.
        change: For a rule against the baseline, what was counted now and then.
        matched: For a counterfactual metric, the matched images.
        observed: For a metric of an analysis, what it measured.
        unasked: Whether what the question needs was not given, so that it was never asked.
        too_small: Why a group is too small a share of the samples to be judged; None if it is not.
    """

    group: dict[str, str]
    reference: dict[str, str] | None
    value: float | None
    low: float | None
    high: float | None
    successes: int
    n: int
    reference_successes: int | None
    reference_n: int | None
    effective_n: float
    reason: str | None
    bounds: Bounds
    scarcest_n: int | None = None
    parts: tuple[PartRecord, ...] = ()
    change: ChangeRecord | None = None
    matched: MatchedRecord | None = None
    observed: ObservedRecord | None = None
    unasked: bool = False
    too_small: str | None = None


def estimate(
    asked: Sequence[Question],
    counts: GroupCounts,
    *,
    positive: str | None,
    confidence: float,
    cluster: str | None = None,
) -> list[Estimate]:
    """Answer the questions of one rule, model, evaluation, `by` and class, in their order.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`, same class.
        counts: Counts of the model's predictions.
        positive: The positive class of the evaluation; that of the questions goes before.
        confidence: Confidence level of the intervals, 0 to 1.
        cluster: Axis of the counts whose levels are clusters of dependent samples.
    """
    if not asked:
        return []
    first = asked[0]
    metric, by = first.rule.metric, first.by
    measured = measure_groups(counts, by, metric.measure, first.positive or positive, cluster)
    return read_estimates(asked, measured, counts, confidence=confidence)


def read_estimates(
    asked: Sequence[Question], measured: Measured, counts: GroupCounts, *, confidence: float
) -> list[Estimate]:
    """Answer questions from what was measured of their groups.

    Args:
        asked: As for `estimate`.
        measured: The groups of their `by`, in the order of the counts.
        counts: Names the groups, and their shares of all samples.
        confidence: Confidence level of the intervals, 0 to 1.
    """
    first = asked[0]
    metric, by = first.rule.metric, first.by
    groups = counts.groups(by)
    place = {tuple(group.values()): position for position, group in enumerate(groups)}
    comparison = _comparison(first, measured, place, counts)
    rows = _Rows(metric.measure, groups, counts.classes, measured, comparison)
    if first.reference == "all":
        return [rows.read(0, confidence)]
    row_of = {group: row for row, group in enumerate(comparison.group.tolist())}
    return [rows.read(row_of[place[_levels(one.group, by)]], confidence) for one in asked]


def measure_groups(
    counts: GroupCounts,
    by: tuple[str, ...],
    definition: Measure,
    positive: str | None,
    cluster: str | None,
) -> Measured:
    """Measure the groups of `by`.

    Args:
        counts: Counts of the predictions.
        by: The attributes that are crossed.
        definition: What is counted among what, or what is made of several such rates.
        positive: The positive class; None where none is needed.
        cluster: Axis of the counts whose levels are clusters of dependent samples.
    """
    index = None if positive is None else counts.classes.index(positive)
    confusion = counts.confusion(by)
    clustered = None
    if cluster is not None:
        apart = counts.confusion((*by, cluster))
        clustered = apart.reshape(len(confusion), -1, *apart.shape[1:])
    return measure(definition, confusion, positive=index, clustered=clustered)


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
    ) -> None:
        self.groups = groups
        self.counts = measured.counts
        self.defined = measured.defined
        self.smallest = measured.smallest_n
        self.effective = measured.effective_n
        self.parts = named_parts(definition, classes, measured)
        self.among, self.short = definition.counted_among, definition.short
        self.values = measured.values
        self.comparison = comparison
        self.group, self.reference = comparison.group, comparison.reference
        self.value = comparison.value
        self.known: dict[float, Interval] = {}

    def read(self, row: int, confidence: float) -> Estimate:
        group, reference = int(self.group[row]), int(self.reference[row])
        compares = reference >= 0
        both = [group, reference] if compares else [group]
        value = _finite(self.value[row])
        bounds = RowBounds(self.comparison, row, self.known)
        low, high = bounds(confidence)
        successes, n = self.counts
        return Estimate(
            group=self.groups[group],
            reference=self.groups[reference] if compares else None,
            value=value,
            low=_finite(low) if value is not None else None,
            high=_finite(high) if value is not None else None,
            successes=int(successes[group]),
            n=int(n[group]),
            reference_successes=int(successes[reference]) if compares else None,
            reference_n=int(n[reference]) if compares else None,
            reason=self.reason(both, undefined=value is None),
            effective_n=float(self.effective[group]),
            bounds=bounds,
            scarcest_n=int(self.smallest[both].min()) if self.parts else None,
            parts=tuple(part.record(both) for part in self.parts),
        )

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


def _finite(value: float) -> float | None:
    """None for undefined; an infinite ratio stays a value."""
    return None if np.isnan(value) else float(value)
