"""From counts to the estimate behind each question, vectorised over the groups of a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.details import ChangeRecord, MatchedRecord
from pytest_fairness.gate.questions import Question
from pytest_fairness.statistics.clusters import ClusterCounts
from pytest_fairness.statistics.comparisons import (
    Compared,
    against_best,
    against_reference,
    between_all,
)
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.group_rates import GroupRates
from pytest_fairness.statistics.metrics import rate_counts
from pytest_fairness.statistics.names import RateDefinition

__all__ = ["Estimate", "estimate", "group_rates", "named"]

# Rates and a level -> values and intervals of every group or pair.
Compare = Callable[[GroupRates, float], Compared]


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its interval and all that it was computed from; None where undefined.

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
            least so many samples at its rate.
        change: For a rule against the baseline, what was counted now and then.
        matched: For a counterfactual metric, the matched images.
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
    bounds: "Callable[[float, float], tuple[float, float]]"
    change: ChangeRecord | None = None
    matched: MatchedRecord | None = None
    unasked: bool = False
    too_small: str | None = None


def estimate(
    asked: Sequence[Question],
    counts: GroupCounts,
    *,
    positive: str | None,
    level: float,
    cluster: str | None = None,
) -> list[Estimate]:
    """Answer the questions of one rule, model, evaluation and `by`, in their order.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`.
        counts: Counts of the model's predictions.
        positive: The positive class.
        level: Level of the intervals, 0 to 1.
        cluster: Axis of the counts whose levels are clusters of dependent samples.
    """
    if not asked:
        return []
    rule, by = asked[0].rule, asked[0].by
    index = None if positive is None else counts.classes.index(positive)
    rates = group_rates(counts, by, rule.metric.rate, index, cluster)
    groups = counts.groups(by)
    compare = _comparison(asked[0], groups, counts.shares(by) >= rule.min_share)
    compared = compare(rates, level)
    if asked[0].reference == "all":
        wanted = [0]
    else:
        positions = compared.group.tolist()
        wanted = [positions.index(groups.index(dict(question.group))) for question in asked]
    worth = rates.effective_n
    among = rule.metric.rate.among
    return [_Row(among, groups, rates, worth, compare, compared, row).read() for row in wanted]


def group_rates(
    counts: GroupCounts,
    by: tuple[str, ...],
    rate: RateDefinition,
    positive: int | None,
    cluster: str | None,
) -> GroupRates:
    """Count a rate in the groups of `by`, and in each cluster of theirs.

    Args:
        counts: Counts of the predictions.
        by: The attributes that are crossed.
        rate: What is counted among what.
        positive: Position of the positive class; None where the rate needs none.
        cluster: Axis of the counts whose levels are clusters of dependent samples.
    """
    whole = rate_counts(counts.confusion(by), rate, positive=positive)
    if cluster is None:
        return GroupRates(whole)
    apart = rate_counts(counts.confusion((*by, cluster)), rate, positive=positive)
    shape = len(whole.n), -1
    return GroupRates(whole, ClusterCounts(apart.successes.reshape(shape), apart.n.reshape(shape)))


def _comparison(
    question: Question, groups: list[dict[str, str]], eligible: NDArray[np.bool_]
) -> Compare:
    metric, reference = question.rule.metric, question.reference
    if metric.comparison == "none" or reference is None:
        return _alone
    kind = metric.comparison
    if reference == "all":
        return lambda rates, level: between_all(rates, kind=kind, level=level)
    if reference == "best":
        better = metric.rate.higher_is_better
        return lambda rates, level: against_best(
            rates, kind=kind, level=level, higher_is_better=better, eligible=eligible
        )
    position = groups.index(dict(reference))
    return lambda rates, level: against_reference(rates, position, kind=kind, level=level)


def _alone(rates: GroupRates, level: float) -> Compared:
    index = np.arange(len(rates.counts.n))
    return Compared(rates.values, *rates.alone(level), index, np.full_like(index, -1))


_WHAT = {
    "all": "samples",
    "positives": "positives",
    "negatives": "negatives",
    "called positive": "samples called positive",
}


@dataclass(frozen=True, slots=True)
class _Row:
    """One compared pair on its way to an `Estimate`."""

    among: str
    groups: list[dict[str, str]]
    rates: GroupRates
    worth: NDArray[np.float64]
    compare: Compare
    compared: Compared
    row: int

    def read(self) -> Estimate:
        group, reference = (
            int(self.compared.group[self.row]),
            int(self.compared.reference[self.row]),
        )
        compares = reference >= 0
        value = _finite(self.compared.value[self.row])
        return Estimate(
            group=self.groups[group],
            reference=self.groups[reference] if compares else None,
            value=value,
            low=_finite(self.compared.low[self.row]) if value is not None else None,
            high=_finite(self.compared.high[self.row]) if value is not None else None,
            successes=int(self.rates.counts.successes[group]),
            n=int(self.rates.counts.n[group]),
            reference_successes=int(self.rates.counts.successes[reference]) if compares else None,
            reference_n=int(self.rates.counts.n[reference]) if compares else None,
            reason=self.reason(group, reference, undefined=value is None),
            effective_n=float(self.worth[group]),
            bounds=self.bounds,
        )

    def reason(self, group: int, reference: int, *, undefined: bool) -> str | None:
        whole = len(self.compared.value) == 1 and reference >= 0
        concerned = range(len(self.groups)) if whole else {group, reference} - {-1}
        empty = [self.groups[i] for i in concerned if self.rates.counts.n[i] == 0]
        if empty:
            return f"no {_WHAT[self.among]} in {'; '.join(map(named, empty))}"
        return "0 divided by 0: the rate is 0 in both groups" if undefined else None

    def bounds(self, level: float, size: float = 0.0) -> tuple[float, float]:
        compared = self.compare(self.rates.grown(size) if size else self.rates, level)
        return float(compared.low[self.row]), float(compared.high[self.row])


def named(group: dict[str, str]) -> str:
    """A group in words: `skin_tone dark, gender woman`."""
    return ", ".join(f"{attribute} {level}" for attribute, level in group.items())


def _finite(value: float) -> float | None:
    """None for undefined; an infinite ratio stays a value."""
    return None if np.isnan(value) else float(value)
