"""From an answer to pass, fail or inconclusive, with the reason in words."""

import math

from pytest_fairness.gate.multiplicity import Confirmation, first_step_level
from pytest_fairness.gate.record import Correction, Outcome, Verdict
from pytest_fairness.gate.sides import Answer, decide
from pytest_fairness.policy import Decision

__all__ = ["give_verdict", "settling_size"]

_MOST_SAMPLES = 1_000_000


def give_verdict(
    answer: Answer,
    decision: Decision,
    *,
    confirmation: Confirmation | None = None,
    family: int = 1,
    cluster: str | None = None,
) -> Verdict:
    """Judge one question.

    Args:
        answer: The question and its estimate.
        decision: Level and correction of the policy.
        confirmation: What the correction says of a broken limit; None where none is broken.
        family: Number of questions that the correction counts.
        cluster: Column of the clusters that the interval accounts for.
    """
    question, estimate = answer.question, answer.estimate
    rule = question.rule
    outcome, reason = _outcome(answer, confirmation, family)
    settles = None
    if outcome == "inconclusive" and estimate.value is not None and not estimate.too_small:
        settles = settling_size(
            answer, level=decision.level, corrected=first_step_level(decision, family)
        )
    correction = None
    if confirmation is not None and rule.decide == "interval":
        correction = Correction(
            method=decision.correction,
            questions=family,
            level=confirmation.level,
            low=confirmation.low,
            high=confirmation.high,
        )
    return Verdict(
        rule=rule.id,
        metric=rule.metric.name,
        model=question.model,
        evaluation=question.evaluation,
        by=question.by,
        group=estimate.group,
        reference=estimate.reference,
        comparison=question.reference if isinstance(question.reference, str) else None,
        outcome=outcome,
        value=estimate.value,
        low=estimate.low,
        high=estimate.high,
        level=decision.level,
        n=estimate.n,
        successes=estimate.successes,
        reference_n=estimate.reference_n,
        reference_successes=estimate.reference_successes,
        limit=rule.limit.shown,
        bound=rule.limit.kind,
        decide=rule.decide,
        within_noise=answer.side not in ("kept", "broken"),
        reason=reason,
        n_to_settle=settles,
        where=rule.where,
        question=question.key,
        correction=correction,
        cluster=cluster,
        effective_n=estimate.effective_n if cluster else None,
        change=estimate.change,
        matched=estimate.matched,
    )


def _outcome(answer: Answer, confirmation: Confirmation | None, family: int) -> tuple[Outcome, str]:
    rule, estimate = answer.question.rule, answer.estimate
    if estimate.too_small is not None:
        return "inconclusive", estimate.too_small
    if estimate.value is None or answer.side is None:
        undefined = str(estimate.reason) if estimate.unasked else f"undefined: {estimate.reason}"
        return "inconclusive", undefined
    smallest = min(n for n in (estimate.n, estimate.reference_n) if n is not None)
    if smallest < rule.min_samples:
        return "inconclusive", f"n = {smallest} is below min_samples = {rule.min_samples}"
    if rule.decide == "estimate":
        return _by_estimate(answer, estimate.value)
    return _by_interval(answer, confirmation, family)


def _by_interval(
    answer: Answer, confirmation: Confirmation | None, family: int
) -> tuple[Outcome, str]:
    if answer.side == "broken":
        if confirmation is None or confirmation.broken:
            return "fail", "the whole interval breaks the limit"
        return "inconclusive", _maybe_chance(confirmation, family)
    if answer.estimate.reason is not None:
        return "inconclusive", f"incomplete: {answer.estimate.reason}"
    if answer.side == "kept":
        return "pass", "the whole interval keeps the limit"
    return "inconclusive", "the interval reaches over the limit"


def _by_estimate(answer: Answer, value: float) -> tuple[Outcome, str]:
    if decide(value, value, answer.question.rule.limit) == "broken":
        return "fail", "the estimate breaks the limit"
    if answer.estimate.reason is not None:
        return "inconclusive", f"incomplete: {answer.estimate.reason}"
    return "pass", "the estimate keeps the limit"


def _maybe_chance(confirmation: Confirmation, family: int) -> str:
    return (
        f"the interval breaks the limit, but among {family} questions that may be chance: at "
        f"{confirmation.level * 100:.4g} % it is {confirmation.low:.3f} … {confirmation.high:.3f}"
    )


def settling_size(answer: Answer, *, level: float, corrected: float) -> int | None:
    """How many samples each group would need to settle an open question at the same rates.

    Args:
        answer: An open question.
        level: Level at which a limit is shown to be kept.
        corrected: Level at which it is shown to be broken.

    Returns:
        The smallest number to about one percent; None when a million would not do, which is
        so when the value lies on its limit.
    """
    estimate, limit = answer.estimate, answer.question.rule.limit

    def settled(size: float) -> bool:
        side = decide(*estimate.bounds(level, size), limit)
        if side == "broken" and corrected > level:
            return decide(*estimate.bounds(corrected, size), limit) == "broken"
        return side != "open"

    short = enough = float(max(min(estimate.n, estimate.reference_n or estimate.n), 1))
    while not settled(enough):
        short, enough = enough, enough * 2
        if enough > _MOST_SAMPLES:
            return None
    while enough / short > 1.01:
        middle = math.sqrt(short * enough)
        short, enough = (short, middle) if settled(middle) else (middle, enough)
    return math.ceil(enough)
