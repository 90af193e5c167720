"""The confidence at which a broken limit is confirmed, from the error that its question may make."""

from typing import Literal, TypeAlias

from pytest_fairness.gate.questions import Question

__all__ = ["Direction", "Sides", "breakable", "confidence_for", "sides_of"]

Direction: TypeAlias = Literal["below", "above", "both"]
Sides: TypeAlias = Literal[1, 2]


def breakable(question: Question) -> Direction:
    """Return the direction in which a value can break the limit of a question.

    A limit at the end of what is possible, such as the 1 above `min = 0.8` of an accuracy, cannot
    be broken there. A gap without sign is the larger of a number and its negative: its lower bound
    errs where either of the two does, so its error is that of both sides.
    """
    limit = question.rule.limit
    if question.without_sign or limit.kind == "max_widening":
        return "both"
    low, high = question.value_range
    below, above = limit.low > low, limit.high < high
    if below == above:
        return "both"
    return "below" if below else "above"


def sides_of(question: Question) -> Sides:
    """Return on how many sides the limit of a question can be broken."""
    return 2 if breakable(question) == "both" else 1


def confidence_for(error: float, question: Question, *, shown: float) -> float:
    """Return the two-sided confidence of the interval that must break the limit for a failure.

    Each end of an interval errs with half of one minus its confidence. A limit that can be broken
    in one direction only is called broken by one end, so that this half is the whole error.

    Args:
        error: Chance of calling the limit broken although it is kept, 0 to 1.
        question: The question, which knows its limit.
        shown: Confidence of the interval that is shown. A failure never rests on a narrower one,
            so that no limit fails which the interval shown reaches.
    """
    sides = sides_of(question)
    return max(shown, 1 - (2 * error if sides == 1 else error))
