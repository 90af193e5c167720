"""From counts to the estimate behind each question, vectorised over the groups of a rule."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from pytest_fairness.gate.questions import Question
from pytest_fairness.statistics.comparisons import (
    Compared,
    against_best,
    against_reference,
    between_all,
)
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.differences import miettinen_nurminen as difference_interval
from pytest_fairness.statistics.metrics import RateCounts, rate_counts
from pytest_fairness.statistics.rates import wilson as rate_interval
from pytest_fairness.statistics.ratios import score_ratio as ratio_interval

__all__ = ["Estimate", "estimate"]


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
        reference_successes: The same of the reference group.
        reference_n: The same of the reference group.
        reason: Why the value is undefined or incomplete; None when it is neither.
        bounds_at: Interval if every group had at least so many samples at its rate.
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
    reason: str | None
    bounds_at: Callable[[float], tuple[float, float]]


def estimate(
    asked: Sequence[Question], counts: GroupCounts, *, positive: str | None, level: float
) -> list[Estimate]:
    """Answer the questions of one rule, model, evaluation and `by`, in their order.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`.
        counts: Counts of the model's predictions.
        positive: The positive class.
        level: Level of the intervals, 0 to 1.
    """
    if not asked:
        return []
    rule, by = asked[0].rule, asked[0].by
    index = None if positive is None else counts.classes.index(positive)
    rates = rate_counts(counts.confusion(by), rule.metric.rate, positive=index)
    groups = counts.groups(by)
    compare = _comparison(asked[0], groups, level)
    compared = compare(rates)
    wanted = (
        range(1)
        if asked[0].reference == "all"
        else [compared.group.tolist().index(groups.index(dict(q.group))) for q in asked]
    )
    return [
        _Row(rule.metric.rate.among, groups, rates, compare, compared, i).read() for i in wanted
    ]


Compare = Callable[[RateCounts], Compared]


def _comparison(question: Question, groups: list[dict[str, str]], level: float) -> Compare:
    metric, reference = question.rule.metric, question.reference
    if metric.comparison == "none" or reference is None:
        return lambda rates: _alone(rates, level)
    kind = metric.comparison
    interval = difference_interval if kind == "difference" else ratio_interval
    if reference == "all":
        return lambda rates: between_all(rates, kind=kind, interval=interval, level=level)
    if reference == "best":
        return lambda rates: against_best(
            rates,
            kind=kind,
            interval=interval,
            level=level,
            higher_is_better=metric.rate.higher_is_better,
        )
    position = groups.index(dict(reference))
    return lambda rates: against_reference(
        rates, position, kind=kind, interval=interval, level=level
    )


def _alone(rates: RateCounts, level: float) -> Compared:
    with np.errstate(invalid="ignore"):
        value = rates.successes / rates.n
    low, high = rate_interval(rates.successes, rates.n, level=level)
    index = np.arange(len(rates.n))
    return Compared(value, low, high, index, np.full_like(index, -1))


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
    rates: RateCounts
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
            successes=int(self.rates.successes[group]),
            n=int(self.rates.n[group]),
            reference_successes=int(self.rates.successes[reference]) if compares else None,
            reference_n=int(self.rates.n[reference]) if compares else None,
            reason=self.reason(group, reference, undefined=value is None),
            bounds_at=self.bounds_at,
        )

    def reason(self, group: int, reference: int, *, undefined: bool) -> str | None:
        whole = len(self.compared.value) == 1 and reference >= 0
        concerned = range(len(self.groups)) if whole else {group, reference} - {-1}
        empty = [self.groups[i] for i in concerned if self.rates.n[i] == 0]
        if empty:
            return f"no {_WHAT[self.among]} in {'; '.join(map(named, empty))}"
        return "0 divided by 0: the rate is 0 in both groups" if undefined else None

    def bounds_at(self, size: float) -> tuple[float, float]:
        compared = self.compare(self.rates.grown(size))
        return float(compared.low[self.row]), float(compared.high[self.row])


def named(group: dict[str, str]) -> str:
    """A group in words: `skin_tone dark, gender woman`."""
    return ", ".join(f"{attribute} {level}" for attribute, level in group.items())


def _finite(value: float) -> float | None:
    """None for undefined; an infinite ratio stays a value."""
    return None if np.isnan(value) else float(value)
