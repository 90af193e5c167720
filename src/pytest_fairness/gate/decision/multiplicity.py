"""Many questions, one release: a failure must hold up against the number of questions asked."""

from collections.abc import Sequence
from dataclasses import dataclass

from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.policy import Decision
from pytest_fairness.statistics.intervals.simultaneous import bonferroni

__all__ = ["Confirmation", "Family", "confirm_failures", "first_step_confidence"]


@dataclass(frozen=True, slots=True)
class Family:
    """The questions of one evaluation, among all that the policy asks of a model.

    Evaluations are judged one by one, so each has its part of the error that the policy allows.
    Within it, levels that only the data have are counted too.

    Args:
        questions: All questions of the policy, and those of undeclared levels.
        here: Those of the evaluation that is judged.
        confidence: Confidence level that holds for all of these together, 0 to 1.
    """

    questions: int
    here: int
    confidence: float

    @classmethod
    def of(cls, confidence: float, *, asked: int, asked_here: int, answers: int) -> "Family":
        """Return the family of an evaluation.

        Args:
            confidence: Confidence level of the policy, 0 to 1.
            asked: Questions of the policy.
            asked_here: Those of this evaluation.
            answers: Answers of this evaluation, those about undeclared levels included.
        """
        part = asked_here / max(asked, 1)
        return cls(asked + answers - asked_here, answers, 1 - (1 - confidence) * part)

    @property
    def first_step(self) -> float:
        """The confidence at which Holm's correction confirms the first failure."""
        return bonferroni(self.confidence, self.here)


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The check of a broken limit at the confidence that the correction requires.

    Args:
        broken: Whether it is.
        confidence: Two-sided confidence level of the interval that decided, 0 to 1.
        low: Lower end of that interval.
        high: Upper end of that interval.
    """

    broken: bool
    confidence: float
    low: float
    high: float


def confirm_failures(
    answers: Sequence[Answer], *, family: Family, simultaneous: float | None = None
) -> dict[int, Confirmation]:
    """Confirm, among the answers whose interval breaks its limit, those that are no chance finds.

    Holm's step-down, on intervals instead of p-values: with m questions, those whose interval
    of level 1 - a / m breaks the limit are confirmed (a = 1 - confidence); with r confirmed, the
    next step uses a / (m - r); it ends when a step confirms nothing. The chance that any kept
    limit is called broken is at most a over the whole family.

    Args:
        answers: Answers to the questions of one model; only broken ones are looked at.
        family: The questions that are counted, and the level that holds for them together.
        simultaneous: One level for all instead of Holm's steps (max-t).

    Returns:
        Position in `answers` -> confirmation, for each answer that breaks its limit.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65.
    """
    open_positions = [i for i, answer in enumerate(answers) if answer.side == "broken"]
    found: dict[int, Confirmation] = {}
    confirmed = 0
    while open_positions:
        step = simultaneous or bonferroni(family.confidence, family.here - confirmed)
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


def first_step_confidence(decision: Decision, family: int) -> float:
    """Return the level at which the first of `family` failures is confirmed, without max-t."""
    claims = 1 if decision.correction == "none" else family
    return bonferroni(decision.confidence, claims)
