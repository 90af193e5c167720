"""Estimates of rules against the baseline: how much worse a rate or a gap became, by group."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.baseline.comparison import GroupFlips, ReleaseComparison
from pytest_fairness.gate.estimates.estimate import Counted, Details, Estimate
from pytest_fairness.gate.estimates.parts import named
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import ChangeCounts, ChangeRecord
from pytest_fairness.policy import Rule
from pytest_fairness.statistics.comparisons.movement import Movement
from pytest_fairness.statistics.comparisons.widening import widening, widening_interval
from pytest_fairness.statistics.intervals.paired import mcnemar_p_value
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Look, Looks

__all__ = ["estimate_changes"]


class _Measured(NamedTuple):
    """How much worse each group became (G,), with the bounds of its interval."""

    value: NDArray[np.float64]
    bounds: Interval


# Movement of the groups, that of the reference, a level, and the level that a look makes of each
# level -> how much worse each became.
Measure = Callable[[Movement, Movement | None, float, Callable[[float], float]], _Measured]


def estimate_changes(
    asked: Sequence[Question],
    comparison: ReleaseComparison,
    *,
    confidence: float,
    looks: Looks = 1,
) -> list[Estimate]:
    """Answer the questions of one rule against the baseline, model, evaluation and `by`.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`.
        comparison: The run beside its baseline.
        confidence: Confidence level of the intervals, 0 to 1.
        looks: How often the set may be looked at.
    """
    rule, by = asked[0].rule, asked[0].by
    groups = comparison.counts.groups(by)
    reference = asked[0].reference
    position = groups.index(dict(reference)) if isinstance(reference, Mapping) else None
    movement = comparison.movement(rule.metric.rate, by)
    rows = _Rows(
        rule=rule,
        groups=groups,
        reference=position,
        movement=movement,
        flips=comparison.flips(rule.metric.rate, by),
        compared=comparison.compared(rule.metric.rate),
        measure=_measure(rule),
        confidence=confidence,
        looks=looks,
    )
    measured = rows.measured(movement, confidence)
    return [rows.read(measured, groups.index(dict(question.group))) for question in asked]


def _measure(rule: Rule) -> Measure:
    def worsening(
        movement: Movement,
        reference: Movement | None,
        confidence: float,
        deepen: Callable[[float], float],
    ) -> _Measured:
        if reference is not None:
            wider = widening_interval(movement, reference, confidence=confidence, deepen=deepen)
            return _Measured(widening(movement, reference), wider)
        bounds = movement.change_interval(deepen(confidence))
        if rule.metric.rate.worse == "lower":
            # 0.0 - x, so that no change is 0 and not -0.
            return _Measured(0.0 - movement.change, Interval(0.0 - bounds.high, 0.0 - bounds.low))
        return _Measured(movement.change, bounds)

    return worsening


@dataclass(frozen=True, slots=True)
class _Rows:
    """All groups of one `by`, on their way to estimates."""

    rule: Rule
    groups: list[dict[str, str]]
    reference: int | None
    movement: Movement
    flips: GroupFlips | None
    compared: str
    measure: Measure
    confidence: float
    looks: Looks

    def measured(self, movement: Movement, confidence: float) -> _Measured:
        """How much worse each group became, with intervals of one look."""
        reference = None if self.reference is None else movement.at(self.reference)
        return self.measure(movement, reference, confidence, float)

    def read(self, measured: _Measured, row: int) -> Estimate:
        look = self.look(row)

        def bounds(confidence: float, size: float = 0.0) -> tuple[float, float]:
            seen = confidence == self.confidence and not size
            movement = self.movement.grown(size) if size else self.movement
            if self.looks != 1:
                return self.at_look(movement, row, confidence, look.grown(size))
            ends = (measured if seen else self.measured(movement, confidence)).bounds
            return float(ends.low[row]), float(ends.high[row])

        reference = self.reference
        value = float(measured.value[row])
        return Estimate.at(
            self.confidence,
            bounds,
            value,
            group=self.groups[row],
            reference=None if reference is None else self.groups[reference],
            counted=self.counted(row),
            reference_counted=None if reference is None else self.counted(reference),
            effective_n=float(self.movement.effective_n(self.confidence)[row]),
            dominant=tuple(self.movement.dominant[:, row].tolist()),
            reason=self.reason(row) if math.isnan(value) else None,
            details=Details(change=self.change(row)),
            look=look,
        )

    def look(self, row: int) -> Look:
        """The look at a group: with the smallest n of what its interval is made of."""
        groups = [row] if self.reference is None else [row, self.reference]
        sides = self.movement.now, self.movement.then
        return Look(self.looks, min(float(side.n[groups].min()) for side in sides))

    def at_look(
        self, movement: Movement, row: int, confidence: float, look: Look
    ) -> tuple[float, float]:
        """The ends of the interval of one group at the level of its own look."""
        if look.level(confidence) == 1:
            return -1.0, 1.0
        reference = None if self.reference is None else movement.at(self.reference)
        ends = self.measure(movement.at(row), reference, confidence, look.level).bounds
        return float(ends.low[0]), float(ends.high[0])

    def counted(self, row: int) -> Counted:
        now = self.movement.now
        return Counted(int(now.successes[row]), int(now.n[row]))

    def reason(self, row: int) -> str:
        concerned = [row] if self.reference is None else [row, self.reference]
        what = self.rule.metric.rate.counted_among
        missing = [
            f"no {what} in {named(self.groups[i])}{where}"
            for i in concerned
            for counts, where in (
                (self.movement.now, ""),
                (self.movement.then, " in the baseline"),
            )
            if counts.n[i] == 0
        ]
        return missing[0]

    def change(self, row: int) -> ChangeRecord:
        pairs, reference = self.movement.pairs, self.reference
        p_value = None
        if pairs is not None and reference is None and self.movement.clusters is None:
            p_value = float(mcnemar_p_value(pairs.now_only[row], pairs.then_only[row]))
        return ChangeRecord(
            paired=pairs is not None,
            compared=self.compared,
            group=self.changed(row),
            reference=None if reference is None else self.changed(reference),
            p_value=p_value,
            worst=() if self.flips is None else self.flips.worst(row),
        )

    def changed(self, row: int) -> ChangeCounts:
        then, pairs, flips = self.movement.then, self.movement.pairs, self.flips
        return ChangeCounts(
            **self.counted(row)._asdict(),
            baseline_successes=int(then.successes[row]),
            baseline_n=int(then.n[row]),
            gained=None if pairs is None else int(pairs.now_only[row]),
            lost=None if pairs is None else int(pairs.then_only[row]),
            right_to_wrong=None if flips is None else int(flips.tables.then_only[row]),
            wrong_to_right=None if flips is None else int(flips.tables.now_only[row]),
        )
