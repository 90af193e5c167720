"""Rules that cannot fail, and attributes that no rule asks of: allowed, and told."""

from collections.abc import Iterator

from pytest_fairness.gate.questions import asked_of, rules_by
from pytest_fairness.policy import OVERALL, Evaluation, Policy

__all__ = ["attributes_not_asked", "rules_that_cannot_fail"]


def rules_that_cannot_fail(policy: Policy) -> list[str]:
    """Return one line for each rule whose limit holds every value, with its file and line.

    Example:
        >>> from pytest_fairness.policy import load_policy
        >>> policy = load_policy({
        ...     "schema": 1,
        ...     "decision": {"inconclusive": "fail"},
        ...     "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        ...     "rule": [{"id": "gap", "metric": "accuracy_ratio", "max": 1.25}],
        ... })
        >>> rules_that_cannot_fail(policy)
        ["policy, rule 1: rule 'gap' cannot fail by sex: max = 1.25, and every value is in [0, 1]"]
    """
    found = (_cannot_fail(policy, evaluation) for evaluation in policy.evaluations.values())
    return list(dict.fromkeys(line for lines in found for line in lines))


def attributes_not_asked(policy: Policy) -> list[str]:
    """Return one line for each attribute that no rule and no requirement asks of."""
    found = (_not_asked(policy, evaluation) for evaluation in policy.evaluations.values())
    return [line for lines in found for line in lines]


def _cannot_fail(policy: Policy, evaluation: Evaluation) -> Iterator[str]:
    for question in asked_of(policy, evaluation, model="model"):
        rule, limit = question.rule, question.rule.limit
        low, high = question.value_range
        if limit.low <= low and high <= limit.high:
            shown = list(limit.shown) if isinstance(limit.shown, tuple) else f"{limit.shown:g}"
            yield (
                f"{rule.origins.get(limit.kind, rule.where)}: rule {rule.id!r} cannot fail by "
                f"{'*'.join(question.by) or OVERALL}: {limit.kind} = {shown}, and every value is in "
                f"[{low:g}, {high:g}]"
            )


def _not_asked(policy: Policy, evaluation: Evaluation) -> Iterator[str]:
    """Attributes that no rule asks of; matched images are told apart by all of them."""
    rules = [rule for rule in policy.rules if evaluation.name in rule.evaluations]
    if any(rule.metric.matched for rule in rules):
        return
    asked = {attribute for _, by in rules_by(policy, evaluation) for attribute in by}
    asked |= {attribute for required in policy.required for attribute in required.group}
    for attribute in evaluation.attributes:
        if attribute not in asked:
            place = policy.document.place(("evaluation", evaluation.name, "attributes", attribute))
            yield f"{place}: no rule asks of attribute {attribute!r} of {evaluation.table}"
