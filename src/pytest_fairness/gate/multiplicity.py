"""Many questions, one release: a failure must hold up against the number of questions asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_fairness.gate.sides import Answer, decide
from pytest_fairness.policy import Decision

__all__ = ["Confirmation", "confirm_failures", "first_step_level"]


@dataclass(frozen=True, slots=True)
class Confirmation:
    """Whether a broken limit is still broken at the level that the correction asks for.

    Args:
        broken: Whether it is.
        level: Two-sided level of the interval that decided, 0 to 1.
        low: Lower end of that interval.
        high: Upper end of that interval.
    """

    broken: bool
    level: float
    low: float
    high: float


def confirm_failures(
    answers: Sequence[Answer], *, level: float, family: int, simultaneous: float | None = None
) -> dict[int, Confirmation]:
    """Confirm, among the answers whose interval breaks its limit, those that are no chance finds.

    Holm's step-down, on intervals instead of p-values: with m questions, those whose interval
    of level 1 - a / m breaks the limit are confirmed (a = 1 - level); with r confirmed, the
    next step uses a / (m - r); it ends when a step confirms nothing. The chance that any kept
    limit is called broken is at most a over the whole family.

    Args:
        answers: Answers to the questions of one model; only broken ones are looked at.
        level: Level of the policy, 0 to 1.
        family: Number of questions that the policy asks of the model.
        simultaneous: One level for all instead of Holm's steps (max-t).

    Returns:
        Position in `answers` -> confirmation, for each answer that breaks its limit.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65.
    """
    open_positions = [i for i, answer in enumerate(answers) if answer.side == "broken"]
    found: dict[int, Confirmation] = {}
    confirmed = 0
    while open_positions:
        step = simultaneous or 1 - (1 - level) / max(family - confirmed, 1)
        for i in open_positions:
            low, high = answers[i].estimate.bounds(step, 0.0)
            broken = decide(low, high, answers[i].question.rule.limit) == "broken"
            found[i] = Confirmation(broken, step, low, high)
        still_open = [i for i in open_positions if not found[i].broken]
        newly = len(open_positions) - len(still_open)
        if not newly or simultaneous:
            break
        confirmed += newly
        open_positions = still_open
    return found


def first_step_level(decision: Decision, family: int) -> float:
    """Return the level at which the first of `family` failures is confirmed, without max-t."""
    return decision.level if decision.correction == "none" else 1 - (1 - decision.level) / family
