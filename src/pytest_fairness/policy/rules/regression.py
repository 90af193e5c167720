"""Rules that compare with the last release: `against = "baseline"`, `max_drop`, `max_widening`."""

from collections.abc import Callable, Mapping
from typing import NoReturn

from pytest_fairness.policy.records import Evaluation, Limit, Rule
from pytest_fairness.policy.tables.tables import RuleTable
from pytest_fairness.statistics.metrics.names import Metric, Rate

__all__ = ["BASELINE_KEYS", "baseline_limit", "check_baseline_rule"]

Fail = Callable[[str, str], NoReturn]
BASELINE_KEYS = ("max_drop", "max_widening")


def baseline_limit(table: RuleTable, metric: Metric, *, fail: Fail) -> Limit | None:
    """Return the limit of a rule against the baseline, None for a rule that has no such limit.

    Args:
        table: The rule as it was written.
        metric: Its metric.
        fail: Called with the key to blame and the problem; does not return.
    """
    given = [key for key in BASELINE_KEYS if getattr(table, key) is not None]
    if table.against is None:
        if given:
            fail(given[0], f'{given[0]} compares with the last release; write against = "baseline"')
        return None
    _check_keys(table, given, fail=fail)
    (key,) = given
    _check_metric(key, metric, fail=fail)
    value = getattr(table, key)
    if not 0 <= value <= 1:
        what = f"{key} = {value} must be in [0, 1]; rates are shares, so write 0.01 for a point"
        fail(key, what)
    if key == "max_widening":
        return Limit("max_widening", -1.0, value)
    return Limit("max_drop", -value if metric.rate.worse == "either" else -1.0, value)


def _check_keys(table: RuleTable, given: list[str], *, fail: Fail) -> None:
    plain = [key for key in ("min", "max", "between") if getattr(table, key) is not None]
    if plain:
        what = f'{plain[0]} bounds the value itself; with against = "baseline" write max_drop or '
        fail(plain[0], what + "max_widening, and another rule for the value")
    if len(given) != 1:
        got = " and ".join(given) or "neither"
        fail(
            given[0] if given else "against",
            f'against = "baseline" needs one of max_drop (for a rate) and max_widening (for a '
            f"difference), got {got}",
        )


def _check_metric(key: str, metric: Metric, *, fail: Fail) -> None:
    fits = {"none": "max_drop", "difference": "max_widening"}.get(metric.comparison)
    if metric.matched or fits is None or not isinstance(metric.measure, Rate):
        fail(
            "metric",
            f"{metric.name!r} is not compared with the baseline; allowed are rates, with max_drop, "
            "and differences, with max_widening",
        )
    if key != fits:
        kind = "rate" if fits == "max_drop" else "difference"
        fail(key, f"{metric.name!r} is a {kind}: write {fits} instead of {key}")


def check_baseline_rule(rule: Rule, evaluations: Mapping[str, Evaluation], *, fail: Fail) -> None:
    """Refuse a widening whose reference the data would choose: then and now it may be another.

    Args:
        rule: The rule, resolved.
        evaluations: Evaluations that it is asked of.
        fail: Called with the key to blame and the problem; does not return.
    """
    if rule.limit.kind != "max_widening":
        return
    for evaluation in evaluations.values():
        for by in rule.by:
            if isinstance(rule.reference_for(by, evaluation), str):
                fail(
                    "reference",
                    f"max_widening needs a named reference for {'*'.join(by)}: write reference = "
                    f"{{ {by[0]} = ... }} in the rule or in {evaluation.table}",
                )
