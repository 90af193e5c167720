"""Rules on what an analysis observes: what they name, and what they cannot ask."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from pytest_fairness.policy.records import Evaluation, Rule
from pytest_fairness.statistics.clusters.columns import columns_of
from pytest_fairness.statistics.metrics.observed import ObservedDefinition

__all__ = ["check_observed_rule"]

Fail = Callable[[str, str], NoReturn]


def check_observed_rule(rule: Rule, evaluations: Mapping[str, Evaluation], *, fail: Fail) -> None:
    """Refuse a rule that names nothing to measure, or names it where nothing is named.

    Args:
        rule: The rule, resolved.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.
    """
    observed = rule.metric.observed
    if observed is None or observed.of is None:
        if rule.of:
            fail("of", f"metric {rule.metric.name!r} has no key `of`: remove it")
    elif not rule.of:
        fail(
            "metric",
            f"{rule.metric.name!r} needs the key 'of', one {observed.of.name} or more: write of = "
            f"{observed.of.example}",
        )
    if len(set(rule.of)) != len(rule.of):
        fail("of", f"of = {list(rule.of)} lists a name twice")
    if observed is not None:
        _check_groups(rule, observed, evaluations, fail=fail)


def _check_groups(
    rule: Rule, observed: ObservedDefinition, evaluations: Mapping[str, Evaluation], *, fail: Fail
) -> None:
    name = rule.metric.name
    for evaluation in evaluations.values():
        if observed.needs_labels and evaluation.labels is None:
            fail(
                "metric",
                f'{name!r} compares sets of labels; write labels = "COLUMN", the column of the '
                f"true ones, in {evaluation.table}",
            )
        columns = columns_of(evaluation.cluster)
        if observed.shape != "by group" and len(columns) > 1:
            fail(
                "metric",
                f"{name!r} knows one column of clusters, and {evaluation.table} has cluster = "
                f"{list(columns)}; write the rule for an evaluation with one of them",
            )
    if observed.shape != "by group" and rule.min_share:
        fail("min_share", f"{name!r} is not asked of single groups; drop min_share")
    for by in rule.by:
        if observed.shape != "by group" and not by:
            fail("by", f"{name!r} is asked of attributes, not of all samples together")
        for evaluation in evaluations.values():
            if observed.shape == "pairs" and isinstance(rule.reference_for(by, evaluation), str):
                fail(
                    "reference",
                    f"{name!r} compares each group with a named one: write reference = "
                    f"{{ {by[0]} = ... }} in the rule or in {evaluation.table}",
                )
