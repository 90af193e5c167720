"""From the counts of one model on one evaluation set to all verdicts of the policy."""

from collections.abc import Mapping
from itertools import repeat

import numpy as np

from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.max_t import simultaneous_confidence
from pytest_fairness.gate.decision.multiplicity import Confirmation, Family, confirm_failures
from pytest_fairness.gate.decision.sensitivity import with_robustness
from pytest_fairness.gate.decision.settling import settling_sizes
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.decision.verdict import give_verdict, outcome_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.questions import questions
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import Evaluation, Policy
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
    confirmations = _confirmations(policy, answers, family, counts, evaluation)
    settles = _settles(policy, answers, confirmations, family)
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
    family: Family,
) -> dict[int, int | None]:
    """Samples that would settle each inconclusive answer, by its position."""
    confidence = policy.decision.confidence
    corrected = confidence if policy.decision.correction == "none" else family.first_step
    unsettled = [
        position
        for position, one in enumerate(answers)
        if one.side is not None
        and one.estimate.too_small is None
        and outcome_of(one, confirmations.get(position), family=0)[0] == "inconclusive"
    ]
    some = [answers[position] for position in unsettled]
    sizes = settling_sizes(some, confidence=confidence, corrected=corrected)
    return dict(zip(unsettled, sizes, strict=True))


def _answers(policy: Policy, evidence: Evidence, model: str) -> list[Answer]:
    batches = batches_of(policy, evidence, model)
    return [one for asked in batches for one in answer_batch(asked, evidence, policy.decision)]


def _confirmations(
    policy: Policy,
    answers: list[Answer],
    family: Family,
    counts: GroupCounts,
    evaluation: Evaluation,
) -> dict[int, Confirmation]:
    confidence, correction = policy.decision.confidence, policy.decision.correction
    if correction != "max-t" or not any(one.side == "broken" for one in answers):
        simultaneous = confidence if correction == "none" else None
        return confirm_failures(answers, family=family, simultaneous=simultaneous)
    counted = [i for i, one in enumerate(answers) if one.question.rule.from_counts]
    others = [i for i, one in enumerate(answers) if not one.question.rule.from_counts]
    # Questions that cannot be drawn again from the counts each get their part of the error.
    for_each = 1 - family.first_step
    joint = simultaneous_confidence(
        [answers[i] for i in counted],
        counts,
        positive=evaluation.positive,
        confidence=1 - for_each * len(counted),
        cluster=evaluation.cluster,
        rng=np.random.default_rng(MAX_T_SEED),
    )
    found: dict[int, Confirmation] = {}
    for positions, simultaneous in ((counted, joint), (others, 1 - for_each)):
        some = [answers[i] for i in positions]
        confirmed = confirm_failures(some, family=family, simultaneous=simultaneous)
        found |= {positions[i]: one for i, one in confirmed.items()}
    return found
