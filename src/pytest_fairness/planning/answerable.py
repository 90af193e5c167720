"""Which questions an evaluation set cannot answer, before a model runs and without any forecast."""

from collections.abc import Sequence

from pytest_fairness.gate.decision.answerable.lacking import unanswerable_questions
from pytest_fairness.gate.decision.levels import confidence_for
from pytest_fairness.gate.decision.multiplicity import Family
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import UnanswerableRecord
from pytest_fairness.policy import Policy

__all__ = ["unanswerable_of"]


def unanswerable_of(
    policy: Policy, asked: Sequence[Question], evidence: Evidence
) -> dict[int, UnanswerableRecord]:
    """Return, by position, the questions that no model passes on an evaluation set.

    Args:
        policy: The policy.
        asked: All questions that it asks about one model on the evaluation set.
        evidence: The evaluation set, with the answers of any model or with none.
    """
    if not asked:
        return {}
    errors = Family.of(policy, asked).shares(policy, asked).first.tolist()
    shown = policy.decision.confidence
    to_fail = [
        confidence_for(error, question, shown=shown)
        for error, question in zip(errors, asked, strict=True)
    ]
    return unanswerable_questions(asked, evidence, policy.decision, to_fail=to_fail)
