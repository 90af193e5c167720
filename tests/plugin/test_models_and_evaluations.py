"""Several models and several evaluations in one policy: every rule asks their product."""

import json

import pytest

from pytest_fairness import load_policy
from pytest_fairness.errors import PolicyError

MODELS = """
import torch

def build(answer):
    def scores(images):
        mean = images.mean(dim=(1, 2, 3)) - 0.5
        if answer == "no":
            mean = -torch.ones(len(images))
        return torch.stack([-mean, mean], dim=1)
    return scores
"""
POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.women]
manifest = "faces.csv"
positive = "yes"
attributes = { tone = ["light", "dark"] }
reference = { tone = "light" }
where = { sex = ["female"] }

[evaluation.men]
manifest = "faces.csv"
positive = "yes"
attributes = { tone = ["light", "dark"] }
reference = { tone = "light" }
where = { sex = ["male"] }

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.7

[[rule]]
id = "fpr-gap"
metric = "false_positive_rate_difference"
max = 0.2
evaluations = ["men"]

[model.bright]
factory = "models.py:build"
arguments = { answer = "bright" }
labels = ["no", "yes"]
score = "logit"
preprocessing = { size = 8 }

[model.never]
factory = "models.py:build"
arguments = { answer = "no" }
labels = ["no", "yes"]
score = "logit"
preprocessing = { size = 8 }
"""
PRODUCT = {
    f"floor[{model}-{evaluation}-tone-{tone}]"
    for model in ("bright", "never")
    for evaluation in ("women", "men")
    for tone in ("light", "dark")
}
LIMITED = {f"fpr-gap[{model}-men-tone-dark_v_light]" for model in ("bright", "never")}


@pytest.fixture
def project(model_gate):
    """Two models of a policy, judged on the women and on the men of one manifest."""
    (model_gate.path / "conftest.py").unlink()
    (model_gate.path / "models.py").write_text(MODELS, encoding="utf-8")
    (model_gate.path / "policy.toml").write_text(POLICY, encoding="utf-8")
    return model_gate


def test_every_model_is_judged_on_every_evaluation_and_some_rules_on_some(project):
    result = project.runpytest("--fairness-policy=policy.toml", "--fairness-record=record.json")
    assert result.ret == pytest.ExitCode.OK  # inconclusive = "warn"
    record = json.loads((project.path / "record.json").read_text(encoding="utf-8"))
    found = {
        f"{one['rule']}[{one['model']}-{one['evaluation']}-tone-"
        f"{'_v_'.join(filter(None, [one['group']['tone'], (one['reference'] or {}).get('tone')]))}]"
        for one in record["verdicts"]
    }
    assert found == PRODUCT | LIMITED
    assert len(record["verdicts"]) == len(PRODUCT | LIMITED)
    runs = {(one["model"], one["evaluation"], one["n"]) for one in record["runs"]}
    assert runs == {(m, e, 40) for m in ("bright", "never") for e in ("women", "men")}
    accuracy = {
        (one["model"], one["evaluation"], one["group"]["tone"]): one["value"]
        for one in record["verdicts"]
        if one["rule"] == "floor"
    }
    assert {accuracy[key] for key in accuracy if key[0] == "never"} == {0.5}
    assert min(accuracy[key] for key in accuracy if key[0] == "bright") > 0.5


def test_one_of_the_models_may_be_judged_alone(project):
    result = project.runpytest(
        "--fairness-policy=policy.toml", "--fairness-model=bright", "--collect-only", "-q"
    )
    names = [line for line in result.outlines if "::" in line]
    assert len(names) == (len(PRODUCT) + len(LIMITED)) / 2
    assert all(":bright-" in name for name in names)


def two_evaluations(*, attributes: list[str], rule: dict) -> dict:
    levels = {"tone": ["light", "dark"], "sex": ["female", "male"]}
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {
            "women": {"attributes": {"tone": levels["tone"]}},
            "men": {"attributes": {name: levels[name] for name in attributes}},
        },
        "rule": [{"metric": "accuracy", "min": 0.8, **rule}],
    }


@pytest.mark.parametrize("attributes", [["tone", "sex"], ["sex"]], ids=["more", "others"])
def test_a_rule_for_every_attribute_wants_the_same_ones_in_every_evaluation(attributes):
    with pytest.raises(
        PolicyError,
        match=r"rule 'accuracy': without by it asks every attribute, but \[evaluation\.women\] has "
        r"tone and \[evaluation\.men\] has .*sex; write by = ",
    ):
        load_policy(two_evaluations(attributes=attributes, rule={}))


@pytest.mark.parametrize(
    "rule", [{"by": ["tone"]}, {"evaluations": ["men"]}], ids=["by", "evaluations"]
)
def test_by_or_evaluations_says_what_is_asked_where_attributes_differ(rule):
    policy = load_policy(two_evaluations(attributes=["tone", "sex"], rule=rule))
    assert policy.rules[0].by[0] == ("tone",)
    assert len(policy.rules[0].by) == (1 if "by" in rule else 2)


TWINS = """\
schema = 1

[decision]
inconclusive = "warn"

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.7
"""
TWIN_EVALUATION = """
[evaluation.{name}]
manifest = "faces.csv"
positive = "yes"
attributes = {{ tone = ["light", "dark"] }}
where = {{ sex = ["{sex}"] }}
"""
TWIN_MODEL = """
[model."{name}"]
factory = "models.py:build"
arguments = {{ answer = "{answer}" }}
labels = ["no", "yes"]
score = "logit"
preprocessing = {{ size = 8 }}
"""


def test_models_and_evaluations_whose_names_join_alike_keep_their_own_predictions(project):
    text = TWINS
    for name, sex in (("b", "female"), ("a-b", "male")):
        text += TWIN_EVALUATION.format(name=name, sex=sex)
    for name, answer in (("m-a", "bright"), ("m", "no"), ("../../evil", "no")):
        text += TWIN_MODEL.format(name=name, answer=answer)
    (project.path / "policy.toml").write_text(text, encoding="utf-8")
    project.runpytest_subprocess(
        "--fairness-policy=policy.toml",
        "--fairness-record=kept/record.json",
        "--fairness-save-predictions=saved",
    )
    record = json.loads((project.path / "kept" / "record.json").read_text(encoding="utf-8"))
    outcomes = {(v["model"], v["evaluation"]): v["value"] for v in record["verdicts"]}
    assert outcomes["m-a", "b"] != outcomes["m", "a-b"]
    assert len(list((project.path / "saved").iterdir())) == 6
    assert len({run["predictions"]["file"] for run in record["runs"]}) == 6
    assert len(list((project.path / "kept").glob("*.parquet"))) == 6
    assert not list(project.path.parent.rglob("*evil-b.parquet"))
