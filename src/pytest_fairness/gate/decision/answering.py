"""The answers to questions that are answered together: estimates beside their limits."""

from collections.abc import Iterator, Sequence
from itertools import groupby

from pytest_fairness.gate.decision.shares import mark_small
from pytest_fairness.gate.decision.sides import Answer, answer
from pytest_fairness.gate.evidence import Evidence, answer_together
from pytest_fairness.gate.questions import Question, asked_of
from pytest_fairness.policy import Decision, Policy

__all__ = ["answer_batch", "batches_of"]


def batches_of(policy: Policy, evidence: Evidence, model: str) -> Iterator[list[Question]]:
    """Return every question about a model, those that are answered together in one list.

    Args:
        policy: The policy.
        evidence: The evaluation set, and the levels that its data have.
        model: Name of the model.
    """
    asked = asked_of(policy, evidence.evaluation, model=model, levels=evidence.counts.levels)
    for _, batch in groupby(asked, key=lambda question: question.batch):
        yield list(batch)


def answer_batch(
    asked: Sequence[Question], evidence: Evidence, decision: Decision, *, effective: bool = True
) -> list[Answer]:
    """Answer the questions of one batch, in their order.

    Args:
        asked: Questions of one rule, `by` and class.
        evidence: What they are answered from.
        decision: The levels of their intervals, and how often they may be looked at.
        effective: Whether the effective n of clustered images is told.
    """
    first = asked[0]
    confidence, looks = decision.confidence, decision.looks
    estimates = answer_together(
        asked, evidence, confidence=confidence, looks=looks, effective=effective
    )
    marked = mark_small(estimates, evidence.counts, first.by, first.rule)
    levels = {"shown": decision.confidence, "to_pass": decision.confidence_to_pass}
    return [answer(one, seen, **levels) for one, seen in zip(asked, marked, strict=True)]
