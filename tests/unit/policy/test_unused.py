"""A key that changes nothing where it stands is an error; every other key changes the policy."""

from dataclasses import fields
from typing import Any

import pytest

from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import load_policy

BASE: dict[str, Any] = {
    "schema": 1,
    "decision": {"inconclusive": "fail"},
    "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
    "rule": [{"id": "r", "metric": "accuracy", "min": 0.5}],
}
NET = {"factory": "nets:small", "labels": ["no", "yes"]}


def with_table(**tables):
    return {**BASE, **tables}


def faces(**keys):
    return {"evaluation": {"faces": {**BASE["evaluation"]["faces"], **keys}}}


WITHOUT_EFFECT = {
    "predicted_labels": (
        faces(predicted_labels="p"),
        "predicted_labels = 'p' is read beside labels",
    ),
    "image": (
        faces(image="picture"),
        "image says how images are read, and the evaluation has none",
    ),
    "masks": (faces(masks="m.parquet"), "masks says how images are read"),
    "options": (faces(options={"a": 1}), "options says how images are read"),
    "correction": (
        {"decision": {"inconclusive": "fail", "decide": "estimate", "correction": "max-t"}},
        'correction = "max-t" shares the error of intervals, and every rule decides by the estimate',
    ),
    "min_share": (
        {"rule": [{"metric": "accuracy", "min": 0.5, "by": ["overall"], "min_share": 0.1}]},
        "min_share = 0.1 is of a group, and the rule asks of all samples together",
    ),
    "reduce": (
        {"model": {"net": {**NET, "reduce": "sum"}}},
        'reduce = "sum" joins the labels of a',
    ),
    "weights_key": (
        {"model": {"net": {**NET, "weights_key": "k"}}},
        "weights_key is of a checkpoint",
    ),
    "sha256": ({"model": {"net": {**NET, "sha256": "0" * 64}}}, "sha256 is of a file"),
    "weight": (
        {
            "decision": {"inconclusive": "fail", "correction": "none"},
            "rule": [{"metric": "accuracy", "min": 0.5, "weight": 2.0}],
        },
        "weight = 2 shares the error",
    ),
    "root": (faces(root="x"), "root is for a reader"),
    "max_errors": (faces(max_errors=0.1), "max_errors needs on_error"),
    "max_unpredicted": (
        faces(max_unpredicted=0.1),
        "max_unpredicted is a share of the samples of the manifest, and the evaluation has none",
    ),
    "max_drop": ({"rule": [{"metric": "accuracy", "max_drop": 0.1}]}, "max_drop compares with the"),
    "of": ({"rule": [{"metric": "accuracy", "min": 0.5, "of": ["x"]}]}, "no key `of`"),
    "bounds": (
        {"rule": [{"metric": "accuracy", "min": 0.5, "bounds": [0, 1]}]},
        "bounds goes with",
    ),
    "reference": (
        {"rule": [{"metric": "accuracy", "min": 0.5, "reference": "all"}]},
        "compares no groups; drop reference",
    ),
    "positive": (
        {"rule": [{"metric": "accuracy", "min": 0.5, "positive": "a"}]},
        "counts all classes alike; drop positive",
    ),
}


@pytest.mark.parametrize(("tables", "message"), WITHOUT_EFFECT.values(), ids=WITHOUT_EFFECT)
def test_a_key_without_effect_is_refused(tables, message):
    with pytest.raises(PolicyError, match=message.replace("[", r"\[")):
        load_policy(with_table(**tables))


EFFECTS: dict[str, Any] = {
    **{
        f"decision.{key}": {"decision": {"inconclusive": "fail", key: value}}
        for key, value in {
            "inconclusive": "warn",
            "decide": "estimate",
            "level": 0.9,
            "pass_level": 0.9,
            "correction": "none",
            "looks": 3,
        }.items()
    },
    **{
        f"evaluation.{key}": faces(**{key: value})
        for key, value in {
            "manifest": "m.csv",
            "id": "name",
            "target": "t",
            "prediction": "p",
            "score": "s",
            "labels": "l",
            "positive": "a",
            "classes": ["a", "b"],
            "reference": {"sex": "f"},
            "cluster": "person",
            "counterfactual": ["design"],
            "where": {"split": ["test"]},
            "derive": {"sex": {"from": "s", "merge": {"f": ["a"], "m": ["b"]}}},
        }.items()
    },
    **{
        f"rule.{key}": {"rule": [{**BASE["rule"][0], key: value}]}
        for key, value in {
            "id": "x",
            "metric": "error_rate",
            "by": ["overall"],
            "min": 0.6,
            "min_samples": 5,
            "weight": 2.0,
            "min_share": 0.1,
            "decide": "estimate",
        }.items()
    },
}


@pytest.mark.parametrize("tables", EFFECTS.values(), ids=EFFECTS)
def test_a_key_with_an_effect_changes_the_policy(tables):
    silent = load_policy(BASE)
    if "score" in tables.get("evaluation", {}).get("faces", {}):
        tables = faces(score="s", positive="a")
        silent = load_policy(with_table(**faces(positive="a")))
    written = load_policy(with_table(**tables))
    judged = {"decision", "evaluations", "rules"} & {one.name for one in fields(written)}
    assert any(getattr(silent, name) != getattr(written, name) for name in judged)
