"""What fails by a policy that another extends fails, whatever the child adds or raises."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import Evaluation, Policy
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["evidence_for", "with_failures"]


def evidence_for(inherited: Policy, evidence: Evidence) -> Evidence | None:
    """Return the data as an inherited policy knows them, or None where it does not ask of them.

    Attributes that only the child declares are summed out, and its group values without images
    are left out: they would be questions of the child.

    Args:
        inherited: A policy that the judged one extends.
        evidence: The data of the judged policy.
    """
    evaluation = inherited.evaluations.get(evidence.evaluation.name)
    if evaluation is None:
        return None
    counts = _narrowed(evidence.counts, evidence.evaluation, evaluation)
    return replace(evidence, counts=counts, evaluation=evaluation)


def _narrowed(counts: GroupCounts, wide: Evaluation, narrow: Evaluation) -> GroupCounts:
    """The counts over the attributes of one evaluation, which are some of those of another."""
    levels = dict(counts.levels)
    cells = counts.cells
    axis = 0
    for name in list(levels):
        others = tuple(other for other in range(cells.ndim) if other != axis)
        if name in wide.attributes and name not in narrow.attributes:
            del levels[name]
            cells = cells.sum(axis=axis)
            continue
        if name in narrow.attributes:
            counted = cells.sum(axis=others) > 0
            declared = np.isin(levels[name], narrow.attributes[name])
            kept = np.flatnonzero(counted | declared)
            levels[name] = tuple(levels[name][position] for position in kept)
            cells = cells.take(kept, axis=axis)
        axis += 1
    if levels == dict(counts.levels):
        return counts
    return GroupCounts(levels, counts.classes, cells)


def with_failures(
    verdicts: Sequence[Verdict], failed: Sequence[Verdict], source: str
) -> list[Verdict]:
    """Return verdicts in which every question fails that fails by an inherited policy alone.

    Args:
        verdicts: Verdicts of the policy.
        failed: The failures of the policy that it extends, on the same counts.
        source: File of that policy.
    """
    by_question = {
        one.question: one.model_copy(
            update={"reason": f"fails by {source} alone: {one.reason}", "fails_by": source}
        )
        for one in failed
    }
    kept = [
        verdict if verdict.outcome == "fail" else by_question.get(verdict.question, verdict)
        for verdict in verdicts
    ]
    asked = {verdict.question for verdict in verdicts}
    return kept + [one for question, one in by_question.items() if question not in asked]
