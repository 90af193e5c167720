"""From an estimate and a limit to pass, fail or inconclusive, with the reason in words."""

import math
from typing import Literal, TypeAlias

from pytest_fairness.gate.estimates import Estimate
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record import Outcome, Verdict
from pytest_fairness.policy import Decision, Limit

__all__ = ["decide", "give_verdict", "settling_size"]

Side: TypeAlias = Literal["kept", "broken", "open"]

# A rate computed in floating point may miss its limit by a rounding error, not by a sample.
_ROUNDING = 1e-9
_MOST_SAMPLES = 1_000_000


def decide(low: float, high: float, limit: Limit) -> Side:
    """Say whether an interval shows its limit kept, shows it broken, or leaves it open.

    Example:
        >>> decide(0.75, 0.85, Limit("min", 0.7, 1.0)), decide(0.6, 0.8, Limit("min", 0.7, 1.0))
        ('kept', 'open')
    """
    if high < limit.low - _ROUNDING or low > limit.high + _ROUNDING:
        return "broken"
    if low >= limit.low - _ROUNDING and high <= limit.high + _ROUNDING:
        return "kept"
    return "open"


def give_verdict(question: Question, estimate: Estimate, decision: Decision) -> Verdict:
    """Judge one question."""
    rule = question.rule
    outcome, reason = _outcome(question, estimate)
    settles = None
    if outcome == "inconclusive" and estimate.value is not None:
        settles = settling_size(estimate, rule.limit)
    return Verdict(
        rule=rule.id,
        metric=rule.metric.name,
        model=question.model,
        evaluation=question.evaluation,
        by=question.by,
        group=estimate.group,
        reference=estimate.reference,
        comparison=question.reference if isinstance(question.reference, str) else None,
        outcome=outcome,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        level=decision.level,
        n=estimate.n,
        successes=estimate.successes,
        reference_n=estimate.reference_n,
        reference_successes=estimate.reference_successes,
        limit=rule.limit.shown,
        bound=rule.limit.kind,
        decide=rule.decide,
        within_noise=_within_noise(estimate, rule.limit),
        reason=reason,
        n_to_settle=settles,
        where=rule.where,
        question=question.key,
    )


def _outcome(question: Question, estimate: Estimate) -> tuple[Outcome, str]:
    rule = question.rule
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return "inconclusive", f"undefined: {estimate.reason}"
    smallest = min(n for n in (estimate.n, estimate.reference_n) if n is not None)
    if smallest < rule.min_samples:
        return "inconclusive", f"n = {smallest} is below min_samples = {rule.min_samples}"
    if rule.decide == "estimate":
        side = decide(estimate.value, estimate.value, rule.limit)
    else:
        side = decide(estimate.low, estimate.high, rule.limit)
    if side == "broken":
        return "fail", _BECAUSE[rule.decide][side]
    if estimate.reason is not None:
        return "inconclusive", f"incomplete: {estimate.reason}"
    return ("pass" if side == "kept" else "inconclusive"), _BECAUSE[rule.decide][side]


_BECAUSE: dict[str, dict[Side, str]] = {
    "interval": {
        "kept": "the whole interval keeps the limit",
        "broken": "the whole interval breaks the limit",
        "open": "the interval reaches over the limit",
    },
    "estimate": {
        "kept": "the estimate keeps the limit",
        "broken": "the estimate breaks the limit",
        "open": "the estimate is undefined",
    },
}


def _within_noise(estimate: Estimate, limit: Limit) -> bool:
    """Whether the interval cannot tell which side of the limit the truth is on."""
    if estimate.low is None or estimate.high is None:
        return True
    return decide(estimate.low, estimate.high, limit) == "open"


def settling_size(estimate: Estimate, limit: Limit) -> int | None:
    """How many samples each group would need to settle an open question at the same rates.

    Returns:
        The smallest number to about one percent; None when a million would not do, which is
        so when the value lies on its limit.
    """

    def settled(size: float) -> bool:
        return decide(*estimate.bounds_at(size), limit) != "open"

    short = enough = float(max(estimate.n, 1))
    if estimate.reference_n:
        short = enough = min(enough, float(estimate.reference_n))
    while not settled(enough):
        short, enough = enough, enough * 2
        if enough > _MOST_SAMPLES:
            return None
    while enough / short > 1.01:
        middle = math.sqrt(short * enough)
        short, enough = (short, middle) if settled(middle) else (middle, enough)
    return math.ceil(enough)
