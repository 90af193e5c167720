"""Keys of a policy that change nothing where they stand: who wrote them expects that they do."""

from typing import NamedTuple

from pytest_fairness.policy.records import Evaluation, Policy
from pytest_fairness.policy.tables.tables import DecisionTable, EvaluationTable, defaults_of
from pytest_fairness.policy.text.document import KeyPath

__all__ = ["Unused", "key_without_effect"]

_EVALUATION = defaults_of(EvaluationTable)
_CORRECTION = defaults_of(DecisionTable)["correction"]


class Unused(NamedTuple):
    """A key without effect, and why."""

    path: KeyPath
    message: str


def key_without_effect(policy: Policy) -> Unused | None:
    """Return the first key of a policy that changes nothing where it stands, or None."""
    rules = policy.rules
    needless = policy.decision.correction not in (_CORRECTION, "none")
    if needless and all(r.decide == "estimate" for r in rules):
        message = (
            f'correction = "{policy.decision.correction}" shares the error of intervals, and every '
            'rule decides by the estimate; remove correction, or write decide = "interval"'
        )
        return Unused(("decision", "correction"), message)
    for number, rule in enumerate(rules):
        if rule.min_share and not any(rule.by):
            message = (
                f"rule {rule.id!r}: min_share = {rule.min_share:g} is of a group, and the rule asks "
                "of all samples together; remove min_share"
            )
            return Unused(("rule", number, "min_share"), message)
    for name, evaluation in policy.evaluations.items():
        if (problem := _of_evaluation(evaluation)) is not None:
            path, message = problem
            return Unused(("evaluation", name, *path), f"evaluation {name!r}: {message}")
    return None


def _of_evaluation(evaluation: Evaluation) -> Unused | None:
    labels = evaluation.predicted_labels
    if evaluation.labels is None and labels != _EVALUATION["predicted_labels"]:
        message = (
            f"predicted_labels = {labels!r} is read beside labels, the column of the true ones; "
            "add labels, or remove predicted_labels"
        )
        return Unused(("predicted_labels",), message)
    if evaluation.source is None:
        if evaluation.max_unpredicted:
            message = (
                "max_unpredicted is a share of the samples of the manifest, and the evaluation has none; "
                "add manifest, or reader and root, or remove max_unpredicted"
            )
            return Unused(("max_unpredicted",), message)
        for key in ("image", "masks", "options"):
            if getattr(evaluation, key) not in (_EVALUATION.get(key), {}):
                message = (
                    f"{key} says how images are read, and the evaluation has none; add manifest, "
                    f"or reader and root, or remove {key}"
                )
                return Unused((key,), message)
    return None
