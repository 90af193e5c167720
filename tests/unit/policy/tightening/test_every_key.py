"""Every key of every table: where a parent is silent, a child may write only what tightens."""

import datetime as dt
from copy import deepcopy
from typing import Any

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import compare, read_document
from pytest_fairness.policy.tables.model_tables import ModelTable
from pytest_fairness.policy.tables.tables import (
    DecisionTable,
    EvaluationTable,
    RequiredTable,
    RuleTable,
    WaiverTable,
)

PARENT: dict[str, Any] = {
    "schema": 1,
    "decision": {},
    "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
    "rule": [{"id": "gap", "metric": "accuracy_difference", "max": 0.2}],
    "model": {"net": {}},
    "required": [],
    "waiver": [],
}
# A value that is not the default, for each key of each table.
DECISION = {
    "inconclusive": "fail",
    "decide": "estimate",
    "level": 0.99,
    "pass_level": 0.99,
    "correction": "none",
    "looks": 2,
    "cache": "refuse",
}
EVALUATION = {
    **dict.fromkeys(("manifest", "reader", "root", "masks", "image", "id", "target"), "other"),
    **dict.fromkeys(("prediction", "score", "labels", "predicted_labels", "positive"), "other"),
    "reader": "imagefolder",
    "split": ["easy"],
    "options": {"a": 1},
    "derive": {"sex": {"from": "name", "merge": {"f": ["a"]}}},
    "on_error": "count",
    "max_errors": 0.5,
    "max_unpredicted": 0.5,
    "threshold": 0.1,
    "classes": ["a", "b"],
    "attributes": {"sex": ["f", "m", "x"]},
    "reference": {"sex": "f"},
    "cluster": "person",
    "counterfactual": ["design"],
    "where": {"split": ["easy"]},
}
RULE = {
    "id": "other",
    "metric": "accuracy",
    "preset": "four-fifths",
    "by": ["overall"],
    "column": "iou",
    "bounds": [0, 1],
    "higher_is_better": True,
    "min": -1.0,
    "max": 0.9,
    "between": [-0.1, 0.9],
    "against": "baseline",
    "max_drop": 1.0,
    "max_widening": 1.0,
    "min_samples": 50,
    "weight": 0.5,
    "min_share": 0.1,
    "reference": "best",
    "decide": "estimate",
    "evaluations": ["other"],
    "positive": "a",
    "of": ["eyes"],
}
MODEL: dict[str, Any] = {
    **dict.fromkeys(("factory", "architecture", "path", "weights", "weights_key"), "other"),
    "kind": "onnx",
    "arguments": {"a": 1},
    "sha256": "0" * 64,
    "labels": ["a", "b"],
    "label_groups": {"a": ["b"]},
    "reduce": "sum",
    "score": "logit",
    "activation": "softmax",
    "tagging": {"threshold": 0.5},
    "preprocessing": {"size": 8},
    "views": "flip",
    "layout": "nchw",
    "output": 1,
    "providers": ["other"],
    "prompts": {"a": "b"},
    "nondeterministic": "tell",
}
TABLES = [
    (
        DecisionTable,
        ("decision",),
        DECISION,
        {"inconclusive", "level", "pass_level", "looks", "cache"},
    ),
    (EvaluationTable, ("evaluation", "faces"), EVALUATION, {"attributes", "max_errors"}),
    (RuleTable, ("rule", 0), RULE, {"min_samples", "min_share"}),
    (ModelTable, ("model", "net"), MODEL, set()),
]
SWEEP = [
    pytest.param(path, key, value, key in allowed, id=f"{path[0]}.{key}")
    for _, path, values, allowed in TABLES
    for key, value in values.items()
]


def with_key(path, key, value):
    policy = deepcopy(PARENT)
    table: Any = policy
    for step in path:
        table = table[step]
    table[key] = value
    return policy


@pytest.mark.parametrize(("table", "path", "values", "_allowed"), TABLES)
def test_every_key_is_swept(table, path, values, _allowed):
    assert set(values) == {info.alias or name for name, info in table.model_fields.items()}


@pytest.mark.parametrize(("path", "key", "value", "allowed"), SWEEP)
def test_where_the_parent_is_silent_a_key_is_allowed_only_if_it_tightens(path, key, value, allowed):
    try:
        child = read_document(with_key(path, key, value))
    except PolicyError:
        assert key == "preset"  # it has a limit of its own
        return
    kinds = {one.kind for one in compare(read_document(PARENT), child)}
    if allowed:
        assert kinds <= {"tightened", "added"}
    else:
        assert kinds & {"changed", "loosened", "removed"}


WAIVER = {
    **dict.fromkeys(("rule", "model", "evaluation", "reason", "approved_by", "ticket"), "text"),
    "group": {"sex": "f"},
    "until": dt.date(2030, 1, 1),
}
REQUIRED = {"evaluation": "faces", "group": {"sex": "f"}, "min_samples": 5, "max_unpredicted": 0.5}
LISTS = [("required", RequiredTable, REQUIRED), ("waiver", WaiverTable, WAIVER)]


@pytest.mark.parametrize(
    ("name", "written", "key"),
    [
        pytest.param(name, written, key, id=f"{name}.{key}")
        for name, table, written in LISTS
        for key, info in table.model_fields.items()
        if not info.is_required()
    ],
)
def test_an_inherited_table_without_a_name_keeps_every_key(name, written, key):
    parent, child = PARENT | {name: [written]}, deepcopy(PARENT)
    child[name] = [{other: value for other, value in written.items() if other != key}]
    kinds = {one.kind for one in compare(read_document(parent), read_document(child))}
    assert kinds == {"added", "removed"}
