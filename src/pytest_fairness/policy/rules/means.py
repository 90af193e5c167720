"""Rules on the mean of a column of numbers: `metric = "mean"`, `column`, `bounds`."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NoReturn

from pytest_fairness.policy.records import Evaluation, Rule
from pytest_fairness.policy.tables.tables import RuleTable
from pytest_fairness.statistics.metrics.definitions import Metric

__all__ = ["COLUMN_KEYS", "check_columns", "metric_of_column", "with_numbers"]

Fail = Callable[[str, str], NoReturn]
COLUMN_KEYS = ("column", "bounds", "higher_is_better")
_UNBOUNDED = (float("-inf"), float("inf"))
# Columns that every table of predictions has.
_TAKEN = ("id", "target", "prediction", "labels", "predicted_labels")


def metric_of_column(table: RuleTable, metric: Metric, *, fail: Fail) -> Metric:
    """Return the metric of a rule, with the column and the bounds that the rule gives.

    Args:
        table: The rule as it was written.
        metric: The metric that it names.
        fail: Called with the key to blame and the problem; does not return.
    """
    given = [key for key in COLUMN_KEYS if getattr(table, key) is not None]
    if metric.observed is None or metric.observed.column != "":
        if given:
            fail(
                given[0],
                f'{given[0]} goes with metric = "mean" or "mean_difference", not with '
                f"{metric.name!r}: remove it",
            )
        return metric
    if table.column is None or table.bounds is None:
        missing = "column" if table.column is None else "bounds"
        example = 'column = "iou"' if table.column is None else "bounds = [0, 1]"
        fail("metric", f"{metric.name!r} needs the key {missing!r}: write for example {example}")
    low, high = table.bounds
    if not low < high:
        fail("bounds", f"bounds = [{low:g}, {high:g}] must be two numbers, the smaller first")
    if table.of:
        fail("of", f"{metric.name!r} names its column by `column`: remove of")
    measure = replace(
        metric.observed,
        column=table.column,
        floor=low,
        ceiling=high,
        higher_is_better=table.higher_is_better,
    )
    return replace(metric, measure=measure)


def check_columns(rule: Rule, evaluations: Mapping[str, Evaluation], *, fail: Fail) -> None:
    """Refuse a column of numbers that samples have for something else.

    Args:
        rule: The rule, resolved.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.
    """
    for column in () if rule.metric.observed is None else rule.metric.observed.numbers:
        for evaluation in evaluations.values():
            kept = replace(evaluation, numbers={}).carried
            if column in (*_TAKEN, *evaluation.attributes, *kept):
                fail(
                    "column" if rule.of else "metric",
                    f"column {column!r} is already read for something else in {evaluation.table}; "
                    "give the numbers a column of their own",
                )


def with_numbers(evaluation: Evaluation, rules: Sequence[Rule]) -> Evaluation:
    """Return an evaluation with the columns of numbers that rules ask of it, and their bounds."""
    numbers: dict[str, tuple[float, float]] = {}
    for rule in rules:
        observed = rule.metric.observed
        if observed is None or evaluation.name not in rule.evaluations:
            continue
        for column in observed.numbers:
            bounded = column == observed.column
            bounds = (observed.floor, observed.ceiling) if bounded else _UNBOUNDED
            low, high = numbers.get(column, _UNBOUNDED)
            numbers[column] = max(low, bounds[0]), min(high, bounds[1])
    return replace(evaluation, numbers=numbers) if numbers else evaluation
