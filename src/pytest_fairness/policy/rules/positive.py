"""The class that a rule asks of: the evaluation's positive one, its own, or each in turn."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from pytest_fairness.policy.records import EACH, Evaluation
from pytest_fairness.policy.tables.tables import RuleTable
from pytest_fairness.statistics.metrics.names import Metric

__all__ = ["check_positive"]

Fail = Callable[[str, str], NoReturn]


def check_positive(
    table: RuleTable, metric: Metric, evaluations: Mapping[str, Evaluation], *, fail: Fail
) -> None:
    """Refuse a rule whose positive class is missing, not a class, or of no use.

    Args:
        table: The rule as it was written.
        metric: Its metric.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.
    """
    if table.positive is not None:
        _check_own(table.positive, table, metric, fail=fail)
    for evaluation in evaluations.values():
        if table.positive is not None:
            _check_class(table.positive, metric, evaluation, fail=fail)
        elif metric.measure.needs_positive and evaluation.positive is None:
            fail(
                "metric",
                f'{metric.name!r} needs a positive class; write positive = "..." in '
                f"{evaluation.table}, or in the rule",
            )


def _check_own(positive: str, table: RuleTable, metric: Metric, *, fail: Fail) -> None:
    if not metric.measure.needs_positive:
        fail("positive", f"{metric.name!r} counts all classes alike; drop positive")
    if table.against is not None:
        fail(
            "positive",
            f'against = "baseline" asks of the evaluation\'s positive class; drop positive = '
            f"{positive!r}",
        )


def _check_class(positive: str, metric: Metric, evaluation: Evaluation, *, fail: Fail) -> None:
    where = evaluation.table
    if evaluation.score is not None:
        fail(
            "positive",
            f"{where} has the score of one class only; drop positive, or give predicted classes",
        )
    if evaluation.classes is None:
        fail(
            "positive",
            f"positive = {positive!r} needs to know the classes; write classes = [...] in {where}",
        )
    if EACH in evaluation.classes:
        fail("positive", f"{where} has a class called {EACH!r}, which here means every class")
    if positive not in (EACH, *evaluation.classes):
        allowed = ", ".join(evaluation.classes)
        fail(
            "positive",
            f"{metric.name!r} of {positive!r}: {where} has no such class; allowed: {allowed}, "
            f"and {EACH!r} for one question a class",
        )
