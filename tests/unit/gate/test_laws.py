"""Laws that every verdict obeys, whatever the counts: order, names, shards and looser limits."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.strategies import group_counts

ORDER = {"fail": 0, "inconclusive": 1, "pass": 2}
RULES: dict[str, dict[str, Any]] = {
    "minimum": {"metric": "accuracy", "min": 0.6},
    "maximum": {"metric": "false_positive_rate", "max": 0.4},
    "difference": {"metric": "selection_rate_difference", "max": 0.2},
    "difference-all": {"metric": "error_rate_difference", "max": 0.2, "reference": "all"},
    "difference-best": {"metric": "accuracy_difference", "max": 0.2, "reference": "best"},
    "ratio": {"metric": "disparate_impact", "min": 0.8},
    "ratio-all": {"metric": "true_positive_rate_ratio", "min": 0.8, "reference": "all"},
    "f1": {"metric": "f1", "min": 0.6},
    "odds": {"metric": "average_odds_difference", "max": 0.2},
    "equal-odds": {"metric": "equalized_odds_difference", "max": 0.2, "reference": "all"},
}
# One of each kind: what laws over several rules are tried on.
SEVERAL = [
    RULES[name] for name in ("minimum", "difference", "ratio-all", "difference-best", "odds")
]
SMALL = group_counts(max_levels=3, max_classes=2, max_count=40)


def policy_of(counts: GroupCounts, rules: list[dict[str, Any]], **decision: Any):
    first, second = counts.levels["tone"][0], counts.levels["sex"][0]
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", **decision},
            "evaluation": {
                "faces": {
                    "positive": counts.classes[1],
                    "classes": list(counts.classes),
                    "attributes": {name: list(levels) for name, levels in counts.levels.items()},
                    "reference": {"tone": first, "sex": second},
                }
            },
            "rule": [{"id": f"rule {i}", "by": ["tone"], **rule} for i, rule in enumerate(rules)],
        }
    )


def verdicts_of(counts: GroupCounts, rules: list[dict[str, Any]], **decision: Any) -> list[Verdict]:
    policy = policy_of(counts, rules, **decision)
    return judge_counts(policy, counts, evaluation=policy.evaluations["faces"], model="m")


def looser(rule: dict[str, Any], by: float) -> dict[str, Any]:
    if "min" in rule:
        return rule | {"min": round(max(rule["min"] - by, 0.0), 6)}
    return rule | {"max": round(min(rule["max"] + by, 1.0), 6)}


def seen(verdict: Verdict) -> tuple[Any, ...]:
    """What a verdict says, rounded as far as sums in another order can differ."""
    numbers = (verdict.value, verdict.low, verdict.high)
    rounded = (None if number is None else round(number, 6) for number in numbers)
    return verdict.outcome, *rounded, verdict.n, verdict.robust_to


@pytest.mark.parametrize("name", RULES)
@settings(max_examples=5, deadline=None)
@given(counts=SMALL, by=st.floats(0.0, 0.6), tight=st.floats(0.0, 0.4))
def test_a_looser_limit_never_turns_pass_into_fail(name, counts, by, tight):
    """Nor any verdict into a worse one."""
    rule = looser(
        RULES[name], -min(tight, 1 - RULES[name].get("min", 0.0), RULES[name].get("max", 1.0))
    )
    before = verdicts_of(counts, [rule])
    after = verdicts_of(counts, [looser(rule, by)])
    for one, other in zip(before, after, strict=True):
        assert ORDER[one.outcome] <= ORDER[other.outcome]


@pytest.mark.parametrize(
    ("correction", "several"), [("holm", SEVERAL), ("max-t", SEVERAL[:2])], ids=["holm", "max-t"]
)
@settings(max_examples=6, deadline=None)
@given(counts=SMALL, by=st.floats(0.0, 0.6), which=st.integers(0, len(SEVERAL) - 1))
def test_a_looser_limit_of_one_rule_never_turns_a_pass_of_any_rule_into_fail(
    correction, several, counts, by, which
):
    rules = list(several)
    before = verdicts_of(counts, rules, correction=correction)
    rules[which % len(rules)] = looser(rules[which % len(rules)], by)
    after = verdicts_of(counts, rules, correction=correction)
    for one, other in zip(before, after, strict=True):
        assert (one.outcome, other.outcome) != ("pass", "fail")


@settings(max_examples=6, deadline=None)
@given(counts=SMALL, levels=st.tuples(st.floats(0.6, 0.99), st.floats(0.6, 0.99)))
def test_what_is_settled_at_a_high_level_is_settled_so_at_a_lower_one(counts, levels):
    low, high = sorted(levels)
    rules = list(SEVERAL)
    for sure, less_sure in zip(
        verdicts_of(counts, rules, level=high),
        verdicts_of(counts, rules, level=low),
        strict=True,
    ):
        if sure.outcome != "inconclusive":
            assert less_sure.outcome == sure.outcome


@settings(max_examples=6, deadline=None)
@given(counts=SMALL, names=st.permutations(range(3)))
def test_the_order_and_the_names_of_groups_change_nothing_but_order_and_names(counts, names):
    rules = list(SEVERAL)
    order = list(names)
    turned = GroupCounts(
        {"tone": tuple(f"renamed {i}" for i in order), "sex": counts.levels["sex"]},
        counts.classes,
        counts.cells[order],
    )
    policy = policy_of(counts, rules)
    again = policy_of(
        turned,
        [rule if rule.get("reference") else rule | _named_reference(rule) for rule in rules],
    )
    before = judge_counts(policy, counts, evaluation=policy.evaluations["faces"], model="m")
    after = judge_counts(again, turned, evaluation=again.evaluations["faces"], model="m")
    renamed = {f"renamed {i}": level for i, level in enumerate(counts.levels["tone"])}
    both = (
        {(one.rule, _group_of(one, renamed)): seen(one) for one in verdicts}
        for verdicts in (before, after)
    )
    assert next(both) == next(both)


def _group_of(verdict: Verdict, names: dict[str, str]) -> str:
    """Which of several pairs that are equally far apart is named depends on the order."""
    tone = verdict.group["tone"]
    return "all" if verdict.comparison == "all" else names.get(tone, tone)


def _named_reference(rule: dict[str, Any]) -> dict[str, Any]:
    compares = any(part in rule["metric"] for part in ("difference", "ratio", "disparate"))
    return {"reference": {"tone": "renamed 0"}} if compares else {}


@settings(max_examples=6, deadline=None)
@given(counts=SMALL, seed=st.integers(0, 1000))
def test_verdicts_on_merged_shards_are_those_on_the_whole(counts, seed):
    part = np.random.default_rng(seed).binomial(counts.cells, 0.4)
    shards = [
        GroupCounts(counts.levels, counts.classes, cells) for cells in (part, counts.cells - part)
    ]
    rules = list(SEVERAL)
    assert verdicts_of(shards[1] + shards[0], rules) == verdicts_of(counts, rules)


@settings(max_examples=6, deadline=None)
@given(counts=SMALL, times=st.integers(2, 5))
def test_images_counted_several_times_keep_every_value_and_never_turn_a_verdict_round(
    counts, times
):
    rules = list(SEVERAL)
    more = GroupCounts(counts.levels, counts.classes, counts.cells * times)
    for one, other in zip(verdicts_of(counts, rules), verdicts_of(more, rules), strict=True):
        assert other.value == pytest.approx(one.value)
        assert {one.outcome, other.outcome} != {"pass", "fail"}


MIRRORED = {
    "true_positive_rate": "true_negative_rate",
    "false_positive_rate": "false_negative_rate",
    "false_negative_rate_difference": "false_positive_rate_difference",
    "true_negative_rate_ratio": "true_positive_rate_ratio",
    "accuracy": "accuracy",
}


@pytest.mark.parametrize("name", MIRRORED)
@settings(max_examples=5, deadline=None)
@given(counts=SMALL)
def test_calling_the_positives_negative_swaps_the_names_of_the_metrics_and_nothing_else(
    name, counts
):
    limit = {"max": 0.3} if name.startswith("false") else {"min": 0.7}
    turned = GroupCounts(counts.levels, counts.classes, counts.cells[..., ::-1, ::-1])
    one = verdicts_of(counts, [{"metric": name, **limit}])
    other = verdicts_of(turned, [{"metric": MIRRORED[name], **limit}])
    assert list(map(seen, one)) == list(map(seen, other))


@settings(max_examples=6, deadline=None)
@given(counts=SMALL)
def test_exchanging_a_group_and_its_reference_turns_the_gap_round_and_keeps_the_verdict(counts):
    two = GroupCounts(
        {"tone": counts.levels["tone"][:2], "sex": counts.levels["sex"]},
        counts.classes,
        counts.cells[:2],
    )
    rule = {"metric": "selection_rate_difference", "max": 0.2}
    (one,) = verdicts_of(two, [rule | {"reference": {"tone": "tone 0"}}])
    (other,) = verdicts_of(two, [rule | {"reference": {"tone": "tone 1"}}])
    assert one.outcome == other.outcome
    if one.value is not None:
        turned = (-other.value, -other.high, -other.low)
        assert (one.value, one.low, one.high) == pytest.approx(turned, abs=1e-7)
