"""Rules on matched images, which differ in one attribute only."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from pytest_fairness.policy.records import Evaluation, Rule

__all__ = ["check_counterfactual_rule"]


def check_counterfactual_rule(
    rule: Rule,
    evaluations: Mapping[str, Evaluation],
    *,
    fail: Callable[[str, str], NoReturn],
) -> None:
    """Refuse a rule that matched images cannot answer. A rule on other metrics passes.

    Args:
        rule: The rule, resolved.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.
    """
    if not rule.metric.matched:
        return
    if rule.metric.comparison == "none" and rule.limit.kind != "max":
        fail(
            rule.limit.kind, f"a flip rate is bounded from above: write max, not {rule.limit.kind}"
        )
    for evaluation in evaluations.values():
        table = evaluation.table
        if not evaluation.counterfactual:
            fail(
                "metric",
                f"{rule.metric.name!r} needs matched images: write counterfactual = "
                f'["COLUMN", ...] in {table}, the columns that with the other attributes name a set '
                "of images that differ in one attribute only",
            )
        for by in rule.by:
            _check_by(rule, by, evaluation, fail=fail)


def _check_by(
    rule: Rule,
    by: tuple[str, ...],
    evaluation: Evaluation,
    *,
    fail: Callable[[str, str], NoReturn],
) -> None:
    (attribute, *more) = by
    if more:
        fail("by", f"matched images differ in one attribute: {'*'.join(by)} crosses {len(by)}")
    if isinstance(rule.reference_for(by, evaluation), str):
        fail(
            "reference",
            f"{rule.metric.name!r} needs a reference level of {attribute}: write reference = "
            f"{{ {attribute} = ... }} in the rule or in {evaluation.table}",
        )
    if rule.metric.comparison == "none" and attribute == evaluation.target:
        fail(
            "by",
            f"{attribute} is the target, so a model that is right flips with it; write by without "
            f"{attribute}",
        )
