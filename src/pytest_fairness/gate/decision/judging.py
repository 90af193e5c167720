"""From the counts of one model on one evaluation set to all verdicts of the policy."""

import numpy as np

from pytest_fairness.gate.decision.answerable.lacking import what_is_lacking
from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.inherited import evidence_for, with_failures
from pytest_fairness.gate.decision.levels import confidence_for
from pytest_fairness.gate.decision.max_t import simultaneous_errors
from pytest_fairness.gate.decision.multiplicity import (
    Confirmation,
    Family,
    Fixed,
    Shares,
    confirm_failures,
)
from pytest_fairness.gate.decision.sensitivity import with_robustness
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.decision.verdict import Lacking, give_verdict, outcome_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.record.run_record import Outcome, Verdict
from pytest_fairness.policy import Evaluation, Policy
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["MAX_T_SEED", "judge_counts"]

# The same counts give the same verdict again: the draws of max-t are the same on every run.
MAX_T_SEED = 20_260_101


def judge_counts(
    policy: Policy,
    counts: GroupCounts,
    *,
    evaluation: Evaluation,
    model: str,
    evidence: Evidence | None = None,
) -> list[Verdict]:
    """Answer every question that the policy asks of one model on one evaluation set.

    Levels that the data have and the policy does not declare, missing values, are asked too. What
    fails by a policy that this one extends, judged alone, fails.

    Args:
        policy: The policy.
        counts: Counts of the model's predictions.
        evaluation: The evaluation set.
        model: Name of the model.
        evidence: The predictions and the baseline, for the rules that need more than counts.
    """
    evidence = evidence or Evidence(counts, evaluation)
    verdicts = _judged(policy, evidence, model)
    for inherited in reversed(policy.alone):
        known = evidence_for(inherited, evidence)
        if known is not None:
            failed = _judged(inherited, known, model, failures_only=True)
            verdicts = with_failures(verdicts, failed, inherited.source)
    return verdicts


def _judged(
    policy: Policy, evidence: Evidence, model: str, *, failures_only: bool = False
) -> list[Verdict]:
    counts, evaluation = evidence.counts, evidence.evaluation
    answers = _answers(policy, evidence, model)
    if not answers:
        return []
    asked = [one.question for one in answers]
    family = Family.of(policy, asked)
    shares = family.shares(policy, asked)
    if policy.decision.correction == "max-t" and any(one.side == "broken" for one in answers):
        shares = _max_t(answers, shares.first, family.weights, evidence)
    confirmations = confirm_failures(answers, shares, shown=policy.decision.confidence)
    judged = list(range(len(answers)))
    lacking: dict[int, Lacking] = {}
    if failures_only:
        judged = [i for i in judged if _outcome(answers[i], confirmations.get(i)) == "fail"]
    else:
        lacking = _lacking(policy, answers, confirmations, shares.first, evidence)
    verdicts = [
        give_verdict(
            answers[position],
            policy.decision,
            confirmation=confirmations.get(position),
            family=family.questions,
            lacking=lacking.get(position),
            cluster=evaluation.cluster,
        )
        for position in judged
    ]
    asked = [asked[position] for position in judged]
    return with_robustness(verdicts, asked, counts=counts, evaluation=evaluation)


def _outcome(answer: Answer, confirmation: Confirmation | None) -> Outcome:
    return outcome_of(answer, confirmation, family=0)[0]


def _lacking(
    policy: Policy,
    answers: list[Answer],
    confirmations: dict[int, Confirmation],
    first: Floats,
    evidence: Evidence,
) -> dict[int, Lacking]:
    """What each inconclusive answer lacks, by its position.

    Args:
        policy: The policy.
        answers: All answers.
        confirmations: What the correction says of broken limits.
        first: Error of each question before any failure is confirmed.
        evidence: What they were answered from.
    """
    decision = policy.decision
    undecided = [
        position
        for position, one in enumerate(answers)
        if _outcome(one, confirmations.get(position)) == "inconclusive"
    ]
    to_fail = [
        confidence_for(error, one.question, shown=decision.confidence)
        for one, error in zip(answers, first.tolist(), strict=True)
    ]
    return what_is_lacking(answers, undecided, evidence, decision, to_fail=to_fail)


def _answers(policy: Policy, evidence: Evidence, model: str) -> list[Answer]:
    batches = batches_of(policy, evidence, model)
    return [one for asked in batches for one in answer_batch(asked, evidence, policy.decision)]


def _max_t(answers: list[Answer], first: Floats, weights: Floats, evidence: Evidence) -> Shares:
    """The shares of max-t; those that cannot be drawn again from the counts keep what they have."""
    counted = np.array([one.question.rule.from_counts for one in answers], dtype=bool)
    errors = first.copy()
    if counted.any():
        errors[counted] = simultaneous_errors(
            [one for one in answers if one.question.rule.from_counts],
            evidence.counts,
            positive=evidence.evaluation.positive,
            error=float(first[counted].sum()),
            weights=weights[counted],
            cluster=evidence.evaluation.cluster,
            rng=np.random.default_rng(MAX_T_SEED),
        )
    return Fixed(errors)
