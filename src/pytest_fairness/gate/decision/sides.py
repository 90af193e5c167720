"""On which side of its limit an estimate lies, before any correction."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

from pytest_fairness.gate.estimates.estimate import Estimate
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Limit
from pytest_fairness.statistics.arrays import ROUNDING

__all__ = ["Answer", "Side", "answer", "decide"]

Side: TypeAlias = Literal["kept", "broken", "open"]


def decide(low: float, high: float, limit: Limit) -> Side:
    """Judge whether an interval meets its limit, breaks it, or does neither.

    Example:
        >>> decide(0.75, 0.85, Limit("min", 0.7, 1.0)), decide(0.6, 0.8, Limit("min", 0.7, 1.0))
        ('kept', 'open')
    """
    if high < limit.low - ROUNDING or low > limit.high + ROUNDING:
        return "broken"
    if low >= limit.low - ROUNDING and high <= limit.high + ROUNDING:
        return "kept"
    return "open"


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its estimate, and where the interval lies, or None where it is undefined."""

    question: Question
    estimate: Estimate
    side: Side | None


def answer(question: Question, estimate: Estimate) -> Answer:
    """Put the estimate's interval beside the limit."""
    side = None
    if estimate.low is not None and estimate.high is not None:
        side = decide(estimate.low, estimate.high, question.rule.limit)
    return Answer(question, estimate, side)
