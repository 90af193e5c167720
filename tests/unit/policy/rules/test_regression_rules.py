"""Rules against the baseline, as a policy may and may not write them."""

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.questions import questions
from pytest_fairness.policy import Limit, load_policy


def policy_of(*rules, **evaluation):
    faces = {
        "positive": "yes",
        "attributes": {"tone": ["light", "dark"], "age": ["adult", "older"]},
        "reference": {"tone": "light"},
    }
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": faces | evaluation},
        "rule": list(rules),
    }


def rule_of(metric="accuracy", **keys):
    return {"metric": metric, "by": ["tone"], "against": "baseline"} | keys


@pytest.mark.parametrize(
    ("rule", "limit"),
    [
        (rule_of(max_drop=0.01), Limit("max_drop", -1.0, 0.01)),
        (rule_of("false_positive_rate", max_drop=0.01), Limit("max_drop", -1.0, 0.01)),
        (rule_of("selection_rate", max_drop=0.01), Limit("max_drop", -0.01, 0.01)),
        (rule_of("accuracy_difference", max_widening=0), Limit("max_widening", -1.0, 0.0)),
    ],
    ids=["drop", "rise", "either way", "widening"],
)
def test_a_limit_bounds_how_much_worse_it_may_get(rule, limit):
    (found,) = load_policy(policy_of(rule)).rules
    assert (found.limit, found.limit.shown, found.against) == (limit, limit.high, "baseline")


def test_questions_against_the_baseline_say_so_in_their_names():
    rules = [rule_of(max_drop=0.01), rule_of("accuracy_difference", max_widening=0.01)]
    names = [one.name for one in questions(load_policy(policy_of(*rules)), ["ads"])]
    assert names == [
        "ads-faces-tone-light_v_baseline",
        "ads-faces-tone-dark_v_baseline",
        "ads-faces-tone-dark_v_light_v_baseline",
    ]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            {"metric": "accuracy", "max_drop": 0.1},
            "max_drop compares with the last .* write against",
        ),
        (rule_of(), "needs one of max_drop .* and max_widening .*, got neither"),
        (rule_of(max_drop=0.1, max_widening=0.1), "got max_drop and max_widening"),
        (rule_of(max_drop=0.1, min=0.5), "min bounds the value itself; .* another rule for"),
        (rule_of(max_drop=1.5), r"max_drop = 1.5 must be in \[0, 1\]"),
        (rule_of(max_drop=-0.1), r"max_drop = -0.1 must be in \[0, 1\]"),
        (rule_of(max_widening=0.1), "'accuracy' is a rate: write max_drop instead of max_widening"),
        (
            rule_of("accuracy_difference", max_drop=0.1),
            "'accuracy_difference' is a difference: write max_widening instead of max_drop",
        ),
        (rule_of("disparate_impact", max_drop=0.1), "'disparate_impact' is not compared with the"),
        (
            rule_of("counterfactual_flip_rate", max_drop=0.1),
            "'counterfactual_flip_rate' is not compared with the baseline",
        ),
        (
            rule_of("accuracy_difference", max_widening=0.1, reference="all"),
            r"max_widening needs a named reference for tone: write reference = \{ tone",
        ),
        (
            rule_of("accuracy_difference", max_widening=0.1, by=["age"]),
            r"max_widening needs a named reference for age: write reference = \{ age",
        ),
        (rule_of(max_drop=0.1, against="last"), "against"),
    ],
    ids=[
        "no against",
        "no limit",
        "two limits",
        "plain limit",
        "too large",
        "negative",
        "widening of a rate",
        "drop of a difference",
        "ratio",
        "matched",
        "all groups",
        "no reference",
        "other word",
    ],
)
def test_what_cannot_be_compared_is_refused(rule, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(policy_of(rule))


def test_one_column_of_matched_images_needs_no_brackets():
    policy = load_policy(
        policy_of(rule_of(max_drop=0.1), counterfactual="design", cluster="person")
    )
    evaluation = policy.evaluations["faces"]
    assert evaluation.counterfactual == ("design",)
    assert evaluation.carried == ("person", "design")
