"""From an answer to pass, fail or inconclusive, with the reason in words."""

import math
from typing import Any, NamedTuple

from pytest_fairness.gate.decision.multiplicity import Confirmation
from pytest_fairness.gate.decision.sides import Answer, decide
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import NeededRecord, UnanswerableRecord
from pytest_fairness.gate.record.run_record import Correction, Outcome, PassInterval, Verdict
from pytest_fairness.policy import Decision
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.statistics.looks import Look
from pytest_fairness.wording import counted

__all__ = ["Lacking", "give_verdict", "not_judged", "outcome_of"]


class Lacking(NamedTuple):
    """The lack of an inconclusive question: of images, or of any answer that passes.

    Args:
        n_to_settle: Images that each group needs in all; None where no number is told.
        needed: How many more, of what, and the chance that they are enough.
        unanswerable: Why no model passes on this evaluation set; None where one may.
    """

    n_to_settle: int | None = None
    needed: NeededRecord | None = None
    unanswerable: UnanswerableRecord | None = None


def give_verdict(
    answer: Answer,
    decision: Decision,
    *,
    confirmation: Confirmation | None = None,
    family: int = 1,
    lacking: Lacking | None = None,
    cluster: Cluster | None = None,
) -> Verdict:
    """Judge one question.

    Args:
        answer: The question and its estimate.
        decision: Level and correction of the policy.
        confirmation: What the correction says of a broken limit; None where none is broken.
        family: Number of questions that the correction counts.
        lacking: What it lacks, if it is inconclusive.
        cluster: Column or columns of the clusters that the interval accounts for.
    """
    outcome, reason = outcome_of(answer, confirmation, family=family)
    correction = None
    if confirmation is not None and answer.question.rule.decide == "interval":
        correction = Correction(
            method=decision.correction,
            questions=family,
            level=confirmation.interval.confidence,
            low=confirmation.interval.low,
            high=confirmation.interval.high,
            sides=confirmation.sides,
            look_level=_look_level(answer, decision, confirmation.interval.confidence),
        )
    to_pass = answer.to_pass if answer.question.rule.decide == "interval" else None
    return Verdict(
        **_as_asked(answer.question),
        **answer.estimate.as_recorded(),
        outcome=outcome,
        reason=reason,
        within_noise=answer.side not in ("kept", "broken"),
        level=decision.confidence,
        correction=correction,
        pass_interval=None
        if to_pass is None
        else PassInterval(
            level=to_pass.confidence,
            low=to_pass.low,
            high=to_pass.high,
            look_level=_look_level(answer, decision, to_pass.confidence),
        ),
        **(lacking if lacking and outcome == "inconclusive" else Lacking())._asdict(),
        cluster=cluster,
        effective_n=answer.estimate.effective_n if cluster else None,
        **largest_cluster(answer.estimate.dominant, cluster),
        looks=decision.looks,
        look_level=_look_level(answer, decision, decision.confidence),
    )


def largest_cluster(shares: tuple[float, ...], cluster: Cluster | None) -> dict[str, Any]:
    """Return the fields of a verdict about the cluster that decides how wide the interval is, or none.

    Args:
        shares: Its share of the images by each column of clusters, nan where none decides.
        cluster: The columns.
    """
    known = [share for share in shares if not math.isnan(share)]
    if not known or cluster is None:
        return {}
    columns = columns_of(cluster)
    named = [columns[shares.index(max(known))]] if len(shares) == len(columns) else columns
    return {
        "largest_cluster": max(known),
        "largest_cluster_of": " or ".join(named) if len(columns) > 1 else None,
    }


def _look_level(answer: Answer, decision: Decision, confidence: float) -> float | None:
    """The level at which the interval of this look is computed; None where there is one look."""
    if decision.looks == 1 or answer.estimate.low is None:
        return None
    return answer.estimate.look.level(confidence)


def _as_asked(question: Question) -> dict[str, Any]:
    """The fields of a verdict that are the question's, known before any data."""
    rule = question.rule
    return {
        "rule": rule.id,
        "metric": rule.metric.name,
        "model": question.model,
        "evaluation": question.evaluation,
        "by": question.by,
        "comparison": question.reference if isinstance(question.reference, str) else None,
        "limit": rule.limit.shown,
        "bound": rule.limit.kind,
        "decide": rule.decide,
        "where": rule.where,
        "question": question.key,
        "positive": question.positive,
    }


def outcome_of(
    answer: Answer, confirmation: Confirmation | None, *, family: int
) -> tuple[Outcome, str]:
    """Return pass, fail or inconclusive, with the reason.

    The arguments are those of `give_verdict`.
    """
    rule, estimate = answer.question.rule, answer.estimate
    if (reason := not_judged(answer)) or estimate.value is None:
        return "inconclusive", reason
    if rule.decide == "estimate":
        return _by_estimate(answer, estimate.value)
    return _by_interval(answer, confirmation, family)


def not_judged(answer: Answer) -> str:
    """Return why an answer is not put beside its limit, or nothing where it is."""
    rule, estimate = answer.question.rule, answer.estimate
    if estimate.too_small is not None:
        return estimate.too_small
    if estimate.value is None or answer.side is None:
        return str(estimate.reason) if estimate.unasked else f"undefined: {estimate.reason}"
    scarcest = estimate.scarcest_n
    smallest = min(estimate.sizes if scarcest is None else (*estimate.sizes, scarcest))
    if smallest < rule.min_samples:
        return f"n = {smallest} is below min_samples = {rule.min_samples}"
    return ""


def _by_interval(
    answer: Answer, confirmation: Confirmation | None, family: int
) -> tuple[Outcome, str]:
    if answer.side == "broken":
        if confirmation is None or confirmation.broken:
            return "fail", "the whole interval breaks the limit"
        return "inconclusive", _maybe_chance(confirmation, family, answer.estimate.look)
    if answer.estimate.reason is not None:
        return "inconclusive", f"incomplete: {answer.estimate.reason}"
    level = "" if answer.to_pass is None else f" at {answer.to_pass.confidence * 100:.4g} %"
    if answer.side == "kept":
        return "pass", f"the whole interval{level} keeps the limit"
    return "inconclusive", f"the interval{level} reaches over the limit"


def _by_estimate(answer: Answer, value: float) -> tuple[Outcome, str]:
    if decide(value, value, answer.question.rule.limit) == "broken":
        return "fail", "the estimate breaks the limit"
    if answer.estimate.reason is not None:
        return "inconclusive", f"incomplete: {answer.estimate.reason}"
    return "pass", "the estimate keeps the limit"


def _maybe_chance(confirmation: Confirmation, family: int, look: Look) -> str:
    confidence, low, high = confirmation.interval
    if confidence == 1:
        return (
            "the interval breaks the limit, but an intersection fails only after a question about "
            "one of its attributes has failed (correction = gatekeeping)"
        )
    one_sided = ""
    if confirmation.sides == 1:
        one_sided = f" ({(1 + confidence) / 2 * 100:.5g} % one-sided)"
    at_look = "" if look.looks == 1 else f", {look.level(confidence) * 100:.6g} % at this look,"
    return (
        f"the interval breaks the limit, but among {counted(family, 'question')} that may be chance: at "
        f"{confidence * 100:.4g} %{one_sided}{at_look} it is {low:.3f} … {high:.3f}"
    )
