"""A rule that cannot fail is told with its line; so is an attribute that no rule asks of."""

import pytest
from hypothesis import given, strategies as st

from pytest_fairness import judge
from pytest_fairness.cli import main
from pytest_fairness.gate.vacuous import attributes_not_asked, rules_that_cannot_fail
from pytest_fairness.policy import load_policy


def policy_with(rule, **evaluation):
    faces = {"positive": "a", "attributes": {"sex": ["f", "m"], "tone": ["x", "y"]}, **evaluation}
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": faces},
        "rule": [{"id": "r", **rule}],
    }


@pytest.mark.parametrize(
    ("rule", "shown"),
    [
        ({"metric": "accuracy", "max": 1.0}, "max = 1, and every value is in [0, 1]"),
        ({"metric": "accuracy", "min": 0.0}, "min = 0, and every value is in [0, 1]"),
        ({"metric": "accuracy", "between": [0.0, 1.0]}, "between = [0.0, 1.0], and"),
        ({"metric": "accuracy_difference", "max": 1.0}, "max = 1, and every value is in [0, 1]"),
        ({"metric": "accuracy_ratio", "max": 1.25}, "max = 1.25, and every value is in [0, 1]"),
        ({"metric": "accuracy", "against": "baseline", "max_drop": 1.0}, "max_drop = 1, and"),
        (
            {"metric": "accuracy_ratio", "max": 1.0, "reference": "best"},
            "max = 1, and every value is in [0, 1]",
        ),
    ],
)
def test_a_limit_that_holds_every_value_is_told(rule, shown):
    lines = rules_that_cannot_fail(load_policy(policy_with(rule)))
    assert len(lines) == 2
    assert all(shown in line for line in lines)
    assert lines[0].startswith("policy, rule 1: rule 'r' cannot fail by sex: ")


@pytest.mark.parametrize(
    "rule",
    [
        {"metric": "accuracy", "min": 0.01},
        {"metric": "accuracy_ratio", "max": 1.25, "reference": {"sex": "f", "tone": "x"}},
        {"metric": "accuracy_ratio", "between": [0.8, 1.25]},
        {"metric": "error_rate_ratio", "max": 1.0, "reference": "best"},
    ],
)
def test_a_limit_that_can_be_broken_is_not(rule):
    assert rules_that_cannot_fail(load_policy(policy_with(rule))) == []


@given(
    limit=st.sampled_from(
        [
            {"metric": "accuracy", "max": 1.0},
            {"metric": "selection_rate_ratio", "max": 1.0},
            {"metric": "accuracy_difference", "max": 1.0},
        ]
    ),
    answers=st.lists(st.sampled_from("ab"), min_size=8, max_size=8),
)
def test_what_is_told_to_hold_never_fails(limit, answers):
    import pandas as pd

    rule = {**limit, "decide": "estimate", "by": ["sex"]}
    frame = pd.DataFrame(
        {
            "sex": ["f", "m"] * 4,
            "tone": ["x"] * 8,
            "target": list("aabb") * 2,
            "prediction": answers,
        }
    )
    assert rules_that_cannot_fail(load_policy(policy_with(rule)))
    assert all(one.outcome != "fail" for one in judge(policy_with(rule), frame).verdicts)


def test_an_attribute_that_no_rule_asks_of_is_told():
    rule = {"metric": "accuracy", "min": 0.5, "by": ["sex"]}
    policy = policy_with(rule)
    assert attributes_not_asked(load_policy(policy)) == [
        "policy: no rule asks of attribute 'tone' of [evaluation.faces]"
    ]
    required = policy | {"required": [{"group": {"tone": "x"}}]}
    assert attributes_not_asked(load_policy(required)) == []
    assert attributes_not_asked(load_policy(policy_with(rule | {"by": ["sex*tone"]}))) == []


def test_explain_tells_both_as_comments(tmp_path, capsys):
    path = tmp_path / "policy.toml"
    path.write_text(
        'schema = 1\n[decision]\ninconclusive = "fail"\n[evaluation.faces]\n'
        'attributes = { sex = ["f", "m"], tone = ["x", "y"] }\n'
        '[[rule]]\nmetric = "accuracy"\nby = ["sex"]\nmax = 1.0\n',
        encoding="utf-8",
    )
    assert main(["policy", "explain", str(path)]) == 0
    *_, first, second = capsys.readouterr().out.splitlines()
    assert first.startswith(f"# WARNING {path}:9: rule 'accuracy' cannot fail by sex: max = 1,")
    assert second == f"# WARNING {path}:5: no rule asks of attribute 'tone' of [evaluation.faces]"
