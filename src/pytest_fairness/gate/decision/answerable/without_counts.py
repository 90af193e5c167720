"""Questions that counts do not answer, and that no model passes: models are tried image by image."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.decision.answerable.passing import passes
from pytest_fairness.gate.decision.answering import answer_batch
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.decision.verdict import not_judged
from pytest_fairness.gate.evidence import Evidence, answered_as
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Decision

__all__ = ["without_counts"]


def without_counts(
    asked: list[Question], positions: Sequence[int], evidence: Evidence, decision: Decision
) -> dict[int, list[Answer]]:
    """Return answers to the questions about matched images, a baseline or an analysis that no model passes.

    Args:
        asked: All questions of a batch, as `answer_batch` takes them.
        positions: Positions of those that are looked at.
        evidence: The evaluation set. Of the predictions, only what no model changes is used.
        decision: The levels of the gate.

    Returns:
        Position -> the answers of the models that were tried.
    """
    tried: dict[int, list[Answer]] = {position: [] for position in positions}
    known = False
    for model in _models_of(asked[0], evidence):
        known = True
        answers = answer_batch(asked, model, decision)
        for position in list(tried):
            tried[position].append(answers[position])
            if passes(answers[position]):
                del tried[position]
        if not tried:
            return {}
    if not known:
        try:
            answers = answer_batch(asked, evidence, decision)
        except FairnessError:  # it needs what a model gives, such as its scores
            return {}
        tried = {i: [answers[i]] for i in positions if not_judged(answers[i])}
    elif evidence.evaluation.cluster is not None and not _is_flips(asked[0]):
        # The narrowest interval of clustered pairs is not known, and is wider than without clusters.
        evaluation = replace(evidence.evaluation, cluster=None)
        alone = without_counts(
            asked, list(tried), replace(evidence, evaluation=evaluation), decision
        )
        tried = {i: one for i, one in tried.items() if i in alone}
    return {i: one for i, one in tried.items() if not one[0].estimate.unasked}


def _is_flips(question: Question) -> bool:
    """Whether pairs that differ are counted: it is known that fewer are never worse."""
    return question.rule.metric.matched and question.rule.metric.comparison == "none"


def _models_of(question: Question, evidence: Evidence) -> Iterator[Evidence]:
    """The models among which is one that passes, if any does; none where that is not known."""
    rule, predictions = question.rule, evidence.predictions
    if predictions is None:
        return
    right = predictions.table.column("target").to_pylist()
    if rule.limit.kind == "max_drop" and rule.metric.rate.worse != "either":
        yield answered_as(evidence, right)
    if rule.metric.matched and rule.limit.kind == "max":
        yield answered_as(evidence, right)
        for name in predictions.classes:  # no pair flips
            yield answered_as(evidence, [name] * len(right))
