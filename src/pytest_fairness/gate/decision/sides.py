"""On which side of its limit an estimate lies, before any correction."""

from dataclasses import dataclass, replace
from typing import Literal, NamedTuple, TypeAlias

from pytest_fairness.gate.estimates.estimate import Estimate
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Limit
from pytest_fairness.statistics.arrays import ROUNDING

__all__ = ["Answer", "LevelInterval", "Side", "answer", "decide"]

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


class LevelInterval(NamedTuple):
    """An interval at a level other than the one that is shown.

    Args:
        confidence: Two-sided confidence level, 0 to 1.
        low: Lower end.
        high: Upper end.
    """

    confidence: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Answer:
    """A question with its estimate, and where the interval lies, or None where it is undefined."""

    question: Question
    estimate: Estimate
    side: Side | None
    to_pass: LevelInterval | None = None
    """The interval that must keep the limit for a pass, where it is not the one that is shown."""

    def at(self, confidence: float) -> LevelInterval:
        """Return the interval of a confidence. All that is decided on intervals takes them from here."""
        return LevelInterval(confidence, *self.estimate.bounds(confidence, 0.0))


def answer(question: Question, estimate: Estimate, *, shown: float, to_pass: float) -> Answer:
    """Put the estimate's interval beside the limit.

    Args:
        question: The question.
        estimate: Its estimate.
        shown: Confidence of the interval of the estimate, 0 to 1.
        to_pass: Confidence of the interval that must keep the limit for a pass.
    """
    if estimate.low is None or estimate.high is None:
        return Answer(question, estimate, None)
    limit = question.rule.limit
    found = Answer(question, estimate, decide(estimate.low, estimate.high, limit))
    if to_pass == shown or found.side == "broken":
        return found
    interval = found.at(to_pass)
    side: Side = "kept" if decide(interval.low, interval.high, limit) == "kept" else "open"
    return replace(found, side=side, to_pass=interval)
