"""`metric = "mean"`: the keys of a rule on a column of numbers, and what they cannot ask."""

import pytest

from pytest_fairness import load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.effective import effective_lines

ORG = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
attributes = { tone = ["dark", "light"] }
cluster = "person"

[[rule]]
id = "iou"
metric = "mean"
column = "iou"
bounds = [0, 1]
min = 0.5
"""
MEAN = {"metric": "mean", "column": "iou", "bounds": [0, 1], "min": 0.5}
GAP = {"metric": "mean_difference", "column": "iou", "bounds": [0, 1], "max": 0.1}


def policy_of(*rules):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "fail"},
            "evaluation": {
                "faces": {"attributes": {"tone": ["dark", "light"]}, "cluster": "person"}
            },
            "rule": list(rules),
        }
    )


def without(rule, key):
    return {name: value for name, value in rule.items() if name != key}


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        (
            without(MEAN, "column"),
            r"'mean' needs the key 'column': write for example column = \"iou\"",
        ),
        (without(GAP, "bounds"), r"needs the key 'bounds': write for example bounds = \[0, 1\]"),
        (MEAN | {"bounds": [1, 1]}, r"bounds = \[1, 1\] must be two numbers, the smaller first"),
        (MEAN | {"of": ["iou"]}, "names its column by `column`: remove of"),
        (MEAN | {"min": 1.5}, r"min = 1.5 must be in \[0, 1\]; it is in the unit of column 'iou'"),
        (GAP | {"max": 3}, r"max = 3.0 must be in \[0, 1\]"),
        (GAP | {"reference": "best"}, r"which end of 'iou' is better: higher_is_better = true"),
        (MEAN | {"column": "tone"}, r"column 'tone' is already read for something else in \[eval"),
        (MEAN | {"column": "person"}, "column 'person' is already read for something else"),
        (MEAN | {"column": "target"}, "column 'target' is already read for something else"),
        ({"metric": "accuracy", "min": 0, "column": "iou"}, 'column goes with metric = "mean"'),
        ({"metric": "accuracy", "min": 0, "bounds": [0, 1]}, 'bounds goes with metric = "mean"'),
        (
            {"metric": "accuracy", "min": 0, "higher_is_better": True},
            "higher_is_better goes with metric",
        ),
        (
            without(MEAN, "min") | {"against": "baseline", "max_drop": 0.1},
            "'mean' is not compared with the baseline",
        ),
        (GAP | {"metric": "mean_ratio"}, r"'mean_ratio'"),
    ],
)
def test_a_rule_on_a_column_that_cannot_be_asked_is_refused(rule, message):
    with pytest.raises(PolicyError, match=message):
        policy_of(rule)


def test_a_limit_is_checked_in_the_unit_of_the_column():
    (rule,) = policy_of(GAP | {"bounds": [-90, 90], "max": 60}).rules
    assert (rule.limit.low, rule.limit.high) == (-60, 60)
    assert rule.metric.allowed_range == (-180, 180)
    (rule,) = policy_of(MEAN | {"bounds": [10, 20], "min": 12}).rules
    assert (rule.limit.low, rule.limit.high) == (12, 20)


def test_a_column_must_keep_the_bounds_of_every_rule_that_asks_for_it():
    rules = (
        MEAN | {"bounds": [-1, 1], "id": "wide"},
        GAP,
        MEAN | {"column": "age", "bounds": [0, 9]},
    )
    numbers = policy_of(*rules).evaluations["faces"].numbers
    assert numbers == {"iou": (0, 1), "age": (0, 9)}
    assert policy_of({"metric": "accuracy", "min": 0}).evaluations["faces"].numbers == {}


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ('column = "other"', 'column = "other"'),
        ("bounds = [0, 2]", r"bounds = \[0, 2\]"),
        ("higher_is_better = true", "higher_is_better = true"),
        ("min = 0.4", "min = 0.4"),
    ],
)
def test_a_child_may_not_change_what_the_mean_is_of(tmp_path, change, shown):
    (tmp_path / "org.toml").write_text(ORG, encoding="utf-8")
    child = f'schema = 1\nextends = "org.toml"\n\n[[rule]]\nid = "iou"\n{change}\n'
    (tmp_path / "team.toml").write_text(child, encoding="utf-8")
    with pytest.raises(PolicyError, match=rf"team.toml:6: rule 'iou': {shown}"):
        load_policy(tmp_path / "team.toml")


def test_a_child_may_tighten_the_limit_of_a_mean(tmp_path):
    (tmp_path / "org.toml").write_text(ORG, encoding="utf-8")
    child = 'schema = 1\nextends = "org.toml"\n\n[[rule]]\nid = "iou"\nmin = 0.7\n'
    (tmp_path / "team.toml").write_text(child, encoding="utf-8")
    policy = load_policy(tmp_path / "team.toml")
    assert policy.rules[0].limit.low == 0.7
    again = tmp_path / "effective.toml"
    again.write_text("\n".join(effective_lines(policy.document)), encoding="utf-8")
    assert load_policy(again).rules[0].metric == policy.rules[0].metric
