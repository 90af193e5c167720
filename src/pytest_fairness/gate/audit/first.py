"""Questions against a baseline that has nothing for them yet: the first day of a rule."""

from pytest_fairness.gate.decision.required import samples_of
from pytest_fairness.gate.record.run_record import RunRecord, Verdict

__all__ = ["first_comparisons"]


def first_comparisons(record: RunRecord, former: RunRecord | None) -> list[str]:
    """Return the keys of the questions that no baseline can answer yet.

    Args:
        record: The record that is to become the baseline.
        former: The baseline so far; None where there is none.

    Returns:
        Questions of rules against the baseline without an answer, about groups that this record has.
        Where there is a baseline, only those about an evaluation or a group that it lacks: what it
        can answer must be asked of it.
    """
    against = {rule.id for rule in record.policy.rules if rule.against is not None}
    return [
        verdict.question
        for verdict in record.verdicts
        if verdict.rule in against
        and (verdict.outcome, verdict.value) == ("inconclusive", None)
        and _has_samples(record, verdict)
        and not (former is not None and _has_samples(former, verdict))
    ]


def _has_samples(record: RunRecord, verdict: Verdict) -> bool:
    """Whether a record counts samples of all groups that a question is about."""
    groups = [verdict.group, *([verdict.reference] if verdict.reference else [])]
    return any(
        all(samples_of(run, group) for group in groups)
        for run in record.runs
        if run.evaluation == verdict.evaluation
    )
