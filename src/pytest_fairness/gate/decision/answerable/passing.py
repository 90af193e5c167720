"""How the answers of a model that could be stand to the limits: passed, failed, how far off."""

import math
from typing import NamedTuple

from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.gate.decision.verdict import not_judged, outcome_of

__all__ = ["Ends", "distance", "ends_of", "fails", "is_judged", "passes"]


class Ends(NamedTuple):
    """Ends of an interval."""

    low: float
    high: float


def is_judged(answer: Answer) -> bool:
    """Return whether an answer is put beside its limit as a whole."""
    return not not_judged(answer) and answer.estimate.reason is None


def passes(answer: Answer) -> bool:
    """Return whether a question passes by this answer."""
    return outcome_of(answer, None, family=0)[0] == "pass"


def fails(answer: Answer, broken: float) -> bool:
    """Return whether a question fails by this answer, corrected for the number of questions.

    Args:
        answer: The answer.
        broken: Confidence level at which the limit is shown to be broken, 0 to 1.
    """
    if outcome_of(answer, None, family=0)[0] != "fail":
        return False
    rule, bounds = answer.question.rule, answer.estimate.bounds
    return rule.decide == "estimate" or decide(*bounds(broken, 0.0), rule.limit) == "broken"


def distance(answer: Answer) -> float:
    """Return how far the interval of an answer reaches over its limit."""
    limit, (low, high) = answer.question.rule.limit, ends_of(answer)
    return math.inf if math.isnan(low) else max(limit.low - low, high - limit.high)


def ends_of(answer: Answer) -> Ends:
    """Return the interval that must keep the limit for a pass.

    Both ends are nan where the value is undefined.
    """
    to_pass, estimate = answer.to_pass, answer.estimate
    low, high = (to_pass.low, to_pass.high) if to_pass else (estimate.low, estimate.high)
    return Ends(*(math.nan if end is None else end for end in (low, high)))
