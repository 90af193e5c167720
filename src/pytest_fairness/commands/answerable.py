"""The warning of `init` and `profile` about questions that no model can pass."""

from pathlib import Path

from pytest_fairness.errors import FairnessError

__all__ = ["unanswerable_warnings"]


def unanswerable_warnings(policy: Path, evaluation: str | None = None) -> list[str]:
    """Return which questions of a policy its evaluation set cannot answer, and what is missing.

    Args:
        policy: File of the policy.
        evaluation: Name of the evaluation; may be left out where there is one.

    Returns:
        Nothing where every question can be answered, or where the samples cannot be read: others
        say why.
    """
    from pytest_fairness.gate.questions import asked_of
    from pytest_fairness.planning.answerable import unanswerable_of
    from pytest_fairness.planning.at_hand import read_at_hand
    from pytest_fairness.policy import load_policy
    from pytest_fairness.report.needed import unanswerable_lines

    try:
        read = load_policy(policy)
        evidence = read_at_hand(read.evaluation_named(evaluation)).evidence
    except FairnessError:
        return []
    if evidence is None:
        return []
    asked = asked_of(read, evidence.evaluation, model="any", levels=evidence.counts.levels)
    never = unanswerable_of(read, asked, evidence)
    lines = unanswerable_lines([(asked[i], one) for i, one in never.items()], asked=len(asked))
    return [f"WARNING {lines[0]}:", *lines[1:]] if lines else []
