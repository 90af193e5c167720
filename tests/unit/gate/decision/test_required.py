"""What a policy requires to be judged is a line of the record, and stops a release that lacks it."""

from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness import RunRecord, judge, load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.required import check_required
from pytest_fairness.report import table_lines

ROOT = Path(__file__).parents[4]
FRAME = pd.DataFrame(
    [("light", "female", "a", "a")] * 60 + [("dark", "female", "a", "a")] * 40,
    columns=["tone", "sex", "target", "prediction"],
)


def policy_of(*required, by=("tone",)):
    faces = {"attributes": {"tone": ["light", "medium", "dark"], "sex": ["female", "male"]}}
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"faces": faces},
            "rule": [{"metric": "accuracy", "by": list(by), "min": 0.7}],
            "required": list(required),
        }
    )


def test_without_requirements_there_are_no_lines():
    record = judge(policy_of(), FRAME)
    assert record.required == []
    assert record.passed


@pytest.mark.parametrize(
    "required",
    [
        {"evaluation": "faces"},
        {"evaluation": "faces", "min_samples": 100},
        {"group": {"tone": "dark"}, "min_samples": 40},
        {"group": {"tone": "dark"}, "evaluation": "faces"},
    ],
    ids=["evaluation", "evaluation with samples", "group", "group of an evaluation"],
)
def test_what_was_judged_with_enough_samples_is_met(required):
    record = judge(policy_of(required), FRAME)
    (line,) = record.required
    assert line.outcome == "pass"
    assert line.n in (40, 100)
    assert line.where == "policy, required 1"
    assert record.passed


UNMET = {
    "too few": (
        {"group": {"tone": "dark"}, "min_samples": 41},
        "40 samples, at least 41 are required",
    ),
    "no samples": ({"group": {"tone": "medium"}}, "0 samples, at least 1 are required"),
    "evaluation too small": (
        {"evaluation": "faces", "min_samples": 101},
        "100 samples, at least 101 are required",
    ),
    "no rule asks": (
        {"group": {"sex": "female"}},
        'no rule asks about this group; add by = ["sex"] to one',
    ),
    "no evaluation declares it": (
        {"group": {"tone": "drak"}},
        "no evaluation of the policy declares this group",
    ),
}


@pytest.mark.parametrize(("required", "reason"), UNMET.values(), ids=UNMET)
def test_what_is_missing_is_named_and_stops_the_release(required, reason):
    record = judge(policy_of(required), FRAME, model="ads")
    (line,) = record.required
    assert (line.outcome, line.reason) == ("fail", reason)
    assert not record.passed


def test_a_group_is_judged_too_where_it_is_crossed_compared_or_one_of_all():
    required = {"group": {"tone": "dark"}}
    for by, rule in (
        (["tone*sex"], {"metric": "accuracy", "min": 0.5}),
        (["tone"], {"metric": "accuracy_difference", "max": 0.9, "reference": "all"}),
        (
            ["tone"],
            {
                "metric": "accuracy_difference",
                "max": 0.9,
                "reference": {"tone": "dark"},
            },
        ),
    ):
        policy = load_policy(
            {
                "schema": 1,
                "decision": {"inconclusive": "warn"},
                "evaluation": {
                    "faces": {"attributes": {"tone": ["light", "dark"], "sex": ["female"]}}
                },
                "rule": [rule | {"by": by}],
                "required": [required],
            }
        )
        (line,) = judge(policy, FRAME).required
        assert line.outcome == "pass", by


def test_a_full_run_must_judge_every_required_evaluation_of_every_model():
    policy = policy_of({"evaluation": "faces"}, {"evaluation": "street"})
    record = judge(policy, FRAME, model="ads")
    assert [line.evaluation for line in record.required] == ["faces"]
    lines = check_required(policy, record.runs, record.verdicts, models=["ads", "other"])
    assert [(line.model, line.evaluation, line.outcome) for line in lines] == [
        ("ads", "faces", "pass"),
        ("other", "faces", "fail"),
        ("ads", "street", "fail"),
        ("other", "street", "fail"),
    ]
    assert lines[1].reason == "this evaluation was not judged"
    assert lines[2].reason == "the policy has no [evaluation.street]; allowed: faces"


def test_the_table_shows_what_is_required_failures_first(tmp_path):
    policy = policy_of({"group": {"tone": "dark"}}, {"group": {"tone": "medium"}})
    record = judge(policy, FRAME, model="ads")
    texts = [line.text for line in table_lines(record)]
    start = texts.index("required by the policy")
    assert texts[start + 1 : start + 3] == [
        "  fail          medium: 0 samples, at least 1 are required (ads on faces, policy, required 2)",
        "  pass          dark: judged with 40 samples (ads on faces, policy, required 1)",
    ]
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record


@pytest.mark.parametrize("team", ["photo_search", "avatars"])
def test_the_embedded_evaluation_set_meets_the_requirements_of_the_example(team):
    path = ROOT / "fixtures" / "policies" / "teams" / f"{team}.toml"
    policy = load_policy(path)
    (evaluation,) = policy.evaluations.values()
    columns = [evaluation.id, evaluation.target, *{"skin_tone", "age"}]
    assert evaluation.manifest is not None
    frame = pd.read_parquet(evaluation.manifest, columns=columns)
    record = judge(policy, frame.assign(prediction=frame[evaluation.target]))
    assert {line.outcome for line in record.required} == {"pass"}


def test_a_requirement_names_something():
    with pytest.raises(PolicyError, match=r"\[\[required\]\] needs evaluation, group, or both"):
        policy_of({"min_samples": 3})


def test_what_was_not_counted_has_no_samples():
    record = judge(
        policy_of({"evaluation": "faces", "group": {"tone": "drak"}}), FRAME, model="ads"
    )
    (line,) = record.required
    assert (line.outcome, line.n) == ("fail", 0)
    assert line.reason == 'no rule asks about this group; add by = ["tone"] to one'
    policy = policy_of({"evaluation": "street"}, {"group": {"tone": "drak"}})
    assert [line.n for line in check_required(policy, [], [], models=["ads"])] == [0, 0]


def test_a_group_of_several_attributes_is_asked_for_crossed():
    record = judge(policy_of({"group": {"tone": "dark", "sex": "male"}}), FRAME)
    assert record.required[0].reason == (
        'no rule asks about this group; add by = ["tone*sex"] to one'
    )


def test_only_evaluations_that_declare_a_group_must_have_it():
    faces = {"attributes": {"tone": ["light", "dark"]}}
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"faces": faces, "street": {"attributes": {"sex": ["f"]}}},
            "rule": [{"metric": "accuracy", "by": ["overall"], "min": 0.7}],
            "required": [{"group": {"tone": "dark"}}, {"evaluation": "gone"}],
        }
    )
    lines = check_required(policy, [], [], models=["ads"])
    assert [line.evaluation for line in lines] == ["faces", "gone"]
    assert lines[1].reason == "the policy has no [evaluation.gone]; allowed: faces, street"
