"""Many questions, one release: a failure must hold up against the number of questions asked."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.decision.gatekeeping import Gatekeeping
from pytest_fairness.gate.decision.levels import Sides, confidence_for, sides_of
from pytest_fairness.gate.decision.sides import Answer, LevelInterval, decide
from pytest_fairness.gate.questions import Question, questions
from pytest_fairness.policy import Policy
from pytest_fairness.statistics.arrays import Floats

__all__ = ["Confirmation", "Family", "Fixed", "Holm", "Shares", "confirm_failures"]


@dataclass(frozen=True, slots=True, eq=False)
class Family:
    """The questions of one evaluation, among all that the policy asks of a model.

    Evaluations are judged one by one, so each has its part of the error that the policy allows.
    Within it, levels that only the data have are counted too.

    Args:
        questions: Number of all questions of the policy, and of those of undeclared levels.
        weights: Weight of each question of the evaluation that is judged (Q,).
        error: Chance of calling any kept limit of these broken, 0 to 1.
    """

    questions: int
    weights: Floats
    error: float

    @classmethod
    def of(cls, policy: Policy, here: Sequence[Question]) -> "Family":
        """Return the family of an evaluation.

        Args:
            policy: The policy, which may ask of other evaluations too.
            here: All questions about one model on one evaluation set; at least one.
        """
        asked = questions(policy, [here[0].model])
        of_here = [one for one in asked if one.evaluation == here[0].evaluation]
        part = float(_weights(of_here).sum() / max(_weights(asked).sum(), np.finfo(float).tiny))
        error = (1 - policy.decision.confidence) * part
        return cls(len(asked) + len(here) - len(of_here), _weights(here), error)

    def shares(self, policy: Policy, here: Sequence[Question]) -> "Shares":
        """Return how the policy shares the error among its questions, before max-t.

        Args:
            policy: The policy.
            here: The questions of the family.
        """
        match policy.decision.correction:
            case "none":
                return Fixed(np.full(len(here), 1 - policy.decision.confidence))
            case "gatekeeping":
                return Gatekeeping.of(self.error, self.weights, here)
            case "holm" | "max-t":
                return Holm(self.error, self.weights)


def _weights(asked: Sequence[Question]) -> Floats:
    return np.array([one.rule.weight for one in asked], dtype=np.float64)


class Shares(Protocol):
    """The parts of a family's error that each of its Q questions may spend."""

    @property
    def first(self) -> Floats:
        """The error of each question (Q,) when it is first looked at."""

    def errors(self, confirmed: NDArray[np.bool_]) -> Floats:
        """Return the error of each question (Q,), once some of them are confirmed to be broken."""


@dataclass(frozen=True, slots=True, eq=False)
class Holm:
    """Shares by weight, of which a confirmed question leaves its own to all others.

    Args:
        error: Error of the family, 0 to 1.
        weights: Weight of each question (Q,), greater than 0.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65, section 4 for the weights.
    """

    error: float
    weights: Floats

    @property
    def first(self) -> Floats:
        """The error by weight."""
        return self.errors(np.zeros(len(self.weights), dtype=bool))

    def errors(self, confirmed: NDArray[np.bool_]) -> Floats:
        """Return the error by weight among the questions that are left."""
        left = float(self.weights[~confirmed].sum())
        return self.error * self.weights / max(left, float(self.weights.min(initial=np.inf)))


@dataclass(frozen=True, slots=True, eq=False)
class Fixed:
    """Shares that stay what they are, of no correction and of max-t.

    Args:
        first: Error of each question (Q,).
    """

    first: Floats

    def errors(self, confirmed: NDArray[np.bool_]) -> Floats:  # noqa: ARG002
        """Return the same errors, whatever is confirmed."""
        return self.first


@dataclass(frozen=True, slots=True)
class Confirmation:
    """The check of a broken limit at the confidence that the correction requires.

    Args:
        broken: Whether it is.
        sides: On how many sides the limit can be broken: of an interval with one, one end alone
            decides, with half of the error.
        interval: The interval that decided.
    """

    broken: bool
    sides: Sides
    interval: LevelInterval


def confirm_failures(
    answers: Sequence[Answer], shares: Shares, *, shown: float
) -> dict[int, Confirmation]:
    """Confirm, among the answers whose interval breaks its limit, those that are no chance finds.

    A step-down on intervals instead of p-values: each question has a share of the error, and those
    whose interval breaks the limit at the level of their share are confirmed. They leave their
    shares to the others, until a step confirms nothing. Shares add up to the error of the family
    and never shrink, so that the chance of calling any kept limit broken is at most that error
    over the whole family, however the questions depend on each other.

    Args:
        answers: Answers to the questions of one model; only broken ones are looked at.
        shares: The error of each of them, as others are confirmed.
        shown: Confidence level of the intervals that are shown, 0 to 1.

    Returns:
        Position in `answers` -> confirmation, for each answer that breaks its limit.

    Source: Holm (1979), Scandinavian Journal of Statistics 6, 65; for any shares Goeman and Solari
        (2010), Ann. Statist. 38, 3782, theorem 1.
    """
    open_positions = [i for i, answer in enumerate(answers) if answer.side == "broken"]
    confirmed = np.zeros(len(answers), dtype=bool)
    found: dict[int, Confirmation] = {}
    while open_positions:
        errors = shares.errors(confirmed)
        for i in open_positions:
            found[i] = _confirmation(answers[i], float(errors[i]), shown)
        newly = [i for i in open_positions if found[i].broken]
        if not newly:
            break
        confirmed[newly] = True
        open_positions = [i for i in open_positions if not found[i].broken]
    return found


def _confirmation(answer: Answer, error: float, shown: float) -> Confirmation:
    question = answer.question
    if not error:  # behind a gate that is not confirmed
        everything = LevelInterval(1.0, *question.value_range)
        return Confirmation(broken=False, sides=sides_of(question), interval=everything)
    interval = answer.at(confidence_for(error, question, shown=shown))
    broken = decide(interval.low, interval.high, question.rule.limit) == "broken"
    return Confirmation(broken, sides_of(question), interval)
