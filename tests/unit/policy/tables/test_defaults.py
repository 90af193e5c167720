"""What a key is when a policy leaves it out is told once, by the shape of its table."""

from copy import deepcopy
from typing import Any

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import Evaluation, compare, load_policy, read_document
from pytest_fairness.policy.tables.model_tables import ModelTable
from pytest_fairness.policy.tables.tables import (
    DecisionTable,
    EvaluationTable,
    RequiredTable,
    RuleTable,
    defaults_of,
)
from pytest_fairness.policy.tightening.change import DEFAULTS

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "fail"},
    "evaluation": {"faces": {"manifest": "faces.csv", "attributes": {"sex": ["f", "m"]}}},
    "rule": [{"id": "floor", "metric": "accuracy", "min": 0.8}],
    "model": {"net": {"factory": "nets:small", "labels": ["no", "yes"]}},
    "required": [{"evaluation": "faces"}],
}
PATHS = {
    DecisionTable: ("decision",),
    EvaluationTable: ("evaluation", "faces"),
    RuleTable: ("rule", 0),
    ModelTable: ("model", "net"),
    RequiredTable: ("required", 0),
}
KEYS = [
    pytest.param(PATHS[table], key, value, id=f"{PATHS[table][0]}.{key}")
    for table in PATHS
    for key, value in defaults_of(table).items()
]


def written(path, key, value):
    """The policy with one more key."""
    policy = deepcopy(POLICY)
    table: Any = policy
    for step in path:
        table = table[step]
    table[key] = value
    return policy


@pytest.mark.parametrize(("path", "key", "value"), KEYS)
def test_writing_a_default_changes_nothing(path, key, value):
    explicit = written(path, key, value)
    silent, told = read_document(POLICY), read_document(explicit)
    assert compare(silent, told) == []
    assert compare(told, silent) == []


@pytest.mark.parametrize(("path", "key", "value"), KEYS)
def test_a_policy_that_leaves_a_key_out_is_the_same_as_one_that_writes_its_default(
    path, key, value
):
    silent, told = load_policy(POLICY), load_policy(written(path, key, value))
    assert silent.decision == told.decision
    assert silent.evaluations == told.evaluations
    assert silent.models == told.models
    assert silent.required == told.required
    assert [(rule.min_samples, rule.min_share, rule.decide) for rule in silent.rules] == [
        (rule.min_samples, rule.min_share, rule.decide) for rule in told.rules
    ]


@pytest.mark.parametrize("table", [DecisionTable, RuleTable])
def test_tightening_compares_with_the_default_of_the_table(table):
    named = {field.alias or name: field.default for name, field in table.model_fields.items()}
    compared = {key: DEFAULTS[key] for key in named if named[key] and key in DEFAULTS}
    assert compared == {key: value for key, value in defaults_of(table).items() if value}
    assert compared


def test_an_evaluation_made_in_code_reads_the_columns_that_a_policy_reads():
    made = Evaluation("faces")
    for key, value in defaults_of(EvaluationTable).items():
        assert getattr(made, key) == value


@pytest.mark.parametrize(
    ("key", "value"),
    [("prediction", "kinder"), ("target", "other"), ("id", "name"), ("split", ["easy"])],
)
@pytest.mark.parametrize("source", ['manifest = "faces.csv"\n', ""], ids=["manifest", "no data"])
def test_a_column_that_is_read_by_default_is_inherited_like_a_written_one(
    tmp_path, key, value, source
):
    (tmp_path / "org.toml").write_text(
        f'schema = 1\n[decision]\ninconclusive = "fail"\n[evaluation.faces]\n{source}'
        'attributes = { sex = ["f", "m"] }\n'
        '[[rule]]\nmetric = "accuracy"\nmin = 0.8\n',
        encoding="utf-8",
    )
    child = tmp_path / "team.toml"
    shown = f'"{value}"' if isinstance(value, str) else value
    child.write_text(
        f'schema = 1\nextends = "org.toml"\n[evaluation.faces]\n{key} = {shown}\n',
        encoding="utf-8",
    )
    with pytest.raises(PolicyError, match=rf"{key} = .* changes .*what is inherited"):
        load_policy(child)
