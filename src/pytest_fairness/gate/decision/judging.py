"""From the counts of one model on one evaluation set to all verdicts of the policy."""

from collections.abc import Mapping
from itertools import repeat

import numpy as np

from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.levels import confidence_for
from pytest_fairness.gate.decision.max_t import simultaneous_error
from pytest_fairness.gate.decision.multiplicity import (
    Confirmation,
    Family,
    Fixed,
    Holm,
    Shares,
    confirm_failures,
)
from pytest_fairness.gate.decision.sensitivity import with_robustness
from pytest_fairness.gate.decision.settling import settling_sizes
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.decision.verdict import give_verdict, outcome_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import questions
from pytest_fairness.gate.record.run_record import Verdict
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

    Levels that the data have and the policy does not declare, missing values, are asked too.

    Args:
        policy: The policy.
        counts: Counts of the model's predictions.
        evaluation: The evaluation set.
        model: Name of the model.
        evidence: The predictions and the baseline, for the rules that need more than counts.
    """
    evidence = evidence or Evidence(counts, evaluation)
    verdicts = _judged(policy, evidence, model)
    if policy.floor is None:
        return verdicts
    inherited = _judged(policy.floor, evidence, model)
    return list(map(_still_failed, verdicts, inherited, repeat(policy.raised)))


def _still_failed(verdict: Verdict, inherited: Verdict, raised: Mapping[str, str]) -> Verdict:
    """What fails by the values that a policy inherited fails, though those it raised leave it open."""
    if verdict.outcome != "inconclusive" or inherited.outcome != "fail":
        return verdict
    if verdict.rule not in raised:
        return verdict
    reason = f"{inherited.reason}, by the inherited {raised[verdict.rule]}"
    return inherited.model_copy(update={"reason": reason})


def _judged(policy: Policy, evidence: Evidence, model: str) -> list[Verdict]:
    counts, evaluation = evidence.counts, evidence.evaluation
    answers = _answers(policy, evidence, model)
    family = _family(policy, answers, evaluation, model)
    shares = _shares(policy, answers, family, evidence)
    confirmations = confirm_failures(answers, shares, shown=policy.decision.confidence)
    nothing_confirmed = np.zeros(len(answers), dtype=bool)
    settles = _settles(policy, answers, confirmations, shares.errors(nothing_confirmed))
    verdicts = [
        give_verdict(
            one,
            policy.decision,
            confirmation=confirmations.get(position),
            family=family.questions,
            settles=settles.get(position),
            cluster=evaluation.cluster,
        )
        for position, one in enumerate(answers)
    ]
    asked = [one.question for one in answers]
    return with_robustness(verdicts, asked, counts=counts, evaluation=evaluation)


def _family(policy: Policy, answers: list[Answer], evaluation: Evaluation, model: str) -> Family:
    asked = questions(policy, [model])
    here = sum(one.evaluation == evaluation.name for one in asked)
    confidence = policy.decision.confidence
    return Family.of(confidence, asked=len(asked), asked_here=here, answers=len(answers))


def _settles(
    policy: Policy,
    answers: list[Answer],
    confirmations: dict[int, Confirmation],
    first: Floats,
) -> dict[int, int | None]:
    """Samples that would settle each inconclusive answer, by its position.

    Args:
        policy: The policy.
        answers: All answers.
        confirmations: What the correction says of broken limits.
        first: Error of each question before any failure is confirmed.
    """
    decision = policy.decision
    unsettled = [
        position
        for position, one in enumerate(answers)
        if one.side is not None
        and one.estimate.too_small is None
        and outcome_of(one, confirmations.get(position), family=0)[0] == "inconclusive"
    ]
    some = [answers[position] for position in unsettled]
    to_fail = [
        confidence_for(float(first[i]), answers[i].question, shown=decision.confidence)
        for i in unsettled
    ]
    sizes = settling_sizes(some, to_pass=decision.confidence_to_pass, to_fail=to_fail)
    return dict(zip(unsettled, sizes, strict=True))


def _answers(policy: Policy, evidence: Evidence, model: str) -> list[Answer]:
    batches = batches_of(policy, evidence, model)
    return [one for asked in batches for one in answer_batch(asked, evidence, policy.decision)]


def _shares(policy: Policy, answers: list[Answer], family: Family, evidence: Evidence) -> Shares:
    """How the correction of the policy shares the error among the questions."""
    correction = policy.decision.correction
    if correction == "none":
        return Fixed(np.full(len(answers), 1 - policy.decision.confidence))
    shares = Holm(family.error)
    counted = np.array([one.question.rule.from_counts for one in answers], dtype=bool)
    broken = any(one.side == "broken" for one in answers)
    if correction != "max-t" or not broken or not counted.any():
        return shares
    # Questions that cannot be drawn again from the counts keep their equal shares.
    errors = shares.errors(np.zeros(len(answers), dtype=bool))
    errors[counted] = simultaneous_error(
        [one for one in answers if one.question.rule.from_counts],
        evidence.counts,
        positive=evidence.evaluation.positive,
        error=float(errors[counted].sum()),
        cluster=evidence.evaluation.cluster,
        rng=np.random.default_rng(MAX_T_SEED),
    )
    return Fixed(errors)
