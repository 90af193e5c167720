"""A record is what its policy makes of its counts; whatever was changed by hand is found."""

import datetime as dt
import json
import re

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.audit.verify import verify
from pytest_fairness.gate.record.kept import write_record
from pytest_fairness.inference import read_predictions

ORG = """\
schema = 1

[decision]
inconclusive = "warn"

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.5

[[required]]
group = { tone = "dark" }
min_samples = 10
"""
TEAM = """\
schema = 1
extends = "org.toml"

[evaluation.faces]
positive = "yes"
attributes = { tone = ["light", "dark"] }
reference = { tone = "light" }
counterfactual = "person"

[[rule]]
id = "floor"
min = 0.6

[[rule]]
id = "gap"
metric = "false_positive_rate_difference"
max = 0.2

[[rule]]
id = "flips"
metric = "counterfactual_flip_rate"
max = 0.2

[[rule]]
id = "drop"
metric = "accuracy"
against = "baseline"
max_drop = 0.1

[[waiver]]
rule = "gap"
reason = "vendor fix due"
approved_by = "model-risk"
until = 2026-06-30
"""


def frame_of(wrong_in_dark: int) -> pd.DataFrame:
    """200 people in two tones; the first so many images in dark are wrong."""
    person = np.arange(200)
    target = np.where(person % 2, "yes", "no")
    other = np.where(person % 2, "no", "yes")
    parts = [
        pd.DataFrame(
            {
                "id": [f"{tone}-{p}" for p in person],
                "person": [f"p{p}" for p in person],
                "tone": tone,
                "target": target,
                "prediction": np.where(person < wrong, other, target),
            }
        )
        for tone, wrong in (("light", 4), ("dark", wrong_in_dark))
    ]
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A record with a baseline, a waived failure and predictions beside it."""
    folder = tmp_path_factory.mktemp("judged")
    (folder / "org.toml").write_text(ORG, encoding="utf-8")
    (folder / "team.toml").write_text(TEAM, encoding="utf-8")
    policy = load_policy(folder / "team.toml")
    evaluation = policy.evaluation_named(None)
    then, now = (
        read_predictions(frame_of(wrong), evaluation, model="candidate") for wrong in (10, 90)
    )
    first = judge(policy, then)
    write_record(first, folder / "baseline.json", predictions={("candidate", "faces"): then})
    # On the day on which the waiver still holds.
    record = judge(policy, now, baseline=folder / "baseline.json", today=dt.date(2026, 6, 30))
    record = record.model_copy(update={"created": "2026-06-30T23:00:00+00:00"})
    write_record(record, folder / "record.json", predictions={("candidate", "faces"): now})
    return folder


@pytest.fixture
def copy(judged, tmp_path):
    """The same files, to be changed; the policy files are gone."""
    for file in judged.iterdir():
        if file.suffix != ".toml":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def change(folder, edit, name="record.json"):
    values = json.loads((folder / name).read_text(encoding="utf-8"))
    edit(values)
    (folder / name).write_text(json.dumps(values), encoding="utf-8")
    return folder / name


def verdict_of(values, rule: str, tone: str = "dark"):
    (found,) = [v for v in values["verdicts"] if v["rule"] == rule and v["group"] == {"tone": tone}]
    return found


def test_a_record_is_what_its_policy_makes_of_its_counts(copy):
    found = verify(copy / "record.json")
    assert (found.differences, found.unchecked) == ([], [])
    outcomes = {
        v["rule"]: v["outcome"] for v in json.loads((copy / "record.json").read_text())["verdicts"]
    }
    assert found.checked == 6
    assert outcomes["gap"] == outcomes["flips"] == outcomes["drop"] == "fail"


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        pytest.param(
            lambda values: verdict_of(values, "floor").update(outcome="pass", value=0.9),
            r"verdicts\[floor\[candidate-faces-tone-dark\]\]\.value: recorded 0\.9, recomputed 0\.55",
            id="value",
        ),
        pytest.param(
            lambda values: verdict_of(values, "gap").update(outcome="pass"),
            r"gap\[.*\]\]\.outcome: recorded 'pass', recomputed 'fail'",
            id="outcome",
        ),
        pytest.param(
            lambda values: verdict_of(values, "gap")["correction"].update(low=0.0),
            r"gap\[.*\]\]\.correction\.low: recorded 0\.0, recomputed 0\.\d",
            id="correction",
        ),
        pytest.param(
            lambda values: verdict_of(values, "gap").update(robust_to=99),
            r"gap\[.*\]\]\.robust_to: recorded 99, recomputed \d",
            id="robust",
        ),
        pytest.param(
            lambda values: verdict_of(values, "gap").update(waiver=None),
            r"gap\[.*\]\]\.waiver: recorded None, recomputed \{'reason': 'vendor fix due'",
            id="waiver",
        ),
        pytest.param(
            lambda values: values.update(created="2026-07-01T00:00:00+00:00"),
            r"gap\[.*\]\]\.waiver: recorded \{'reason': .*, recomputed None",
            id="after the waiver",
        ),
        pytest.param(
            lambda values: verdict_of(values, "flips")["matched"].update(flipped=0),
            r"flips\[.*\]\]\.matched\.flipped: recorded 0, recomputed 86",
            id="matched images",
        ),
        pytest.param(
            lambda values: verdict_of(values, "drop")["change"]["group"].update(lost=0),
            r"drop\[.*\]\]\.change\.group\.lost: recorded 0, recomputed 80",
            id="change",
        ),
        pytest.param(
            lambda values: values["runs"][0]["baseline"].update(vanished=["rule x"]),
            r"runs\[candidate on faces\]\.baseline\.vanished: recorded \['rule x'\], recomputed \[\]",
            id="vanished",
        ),
        pytest.param(
            lambda values: values["runs"][0]["counts"]["cells"][0].__setitem__(-1, 50),
            r"runs\[candidate on faces\]\.n: recorded 400, recomputed",
            id="counts",
        ),
        pytest.param(
            lambda values: values["verdicts"].pop(),
            r"verdicts\[drop\[.*\]\]: recorded 'no verdict', recomputed 'fail'",
            id="verdict gone",
        ),
        pytest.param(
            lambda values: values["verdicts"].append(
                values["verdicts"][0] | {"question": "floor[other]"}
            ),
            r"verdicts\[floor\[other\]\]: recorded '.*', recomputed 'no such question'",
            id="verdict added",
        ),
        pytest.param(
            lambda values: values["required"][0].update(n=1),
            r"required\[candidate on faces, .*\]\.n: recorded 1, recomputed 200",
            id="required",
        ),
        pytest.param(
            lambda values: values["policy"]["rules"][0].update(limit=0.1),
            r"policy\.rules\[0\]\.limit: recorded 0\.1, recomputed 0\.6",
            id="limit",
        ),
        pytest.param(
            lambda values: values["policy"]["files"][1].update(
                text=values["policy"]["files"][1]["text"].replace("0.6", "0.55")
            ),
            r"policy\.files\[.*team\.toml\]\.sha256: recorded '[0-9a-f]{64}', recomputed",
            id="policy text",
        ),
        pytest.param(
            lambda values: values["policy"].update(inconclusive="fail"),
            r"policy\.inconclusive: recorded 'fail', recomputed 'warn'",
            id="inconclusive",
        ),
        pytest.param(
            lambda values: values["runs"][0].update(evaluation="other"),
            r"runs\[candidate on other\]\.evaluation: recorded 'other', recomputed 'faces'",
            id="evaluation",
        ),
        pytest.param(
            lambda values: values["required"].clear(),
            r"required\[candidate on faces, .*\]: recorded 'not checked', recomputed 'pass'",
            id="requirement gone",
        ),
        pytest.param(
            lambda values: values.update(problems=["a waiver that is not there"]),
            r"problems: recorded \['a waiver that is not there'\], recomputed \[\]",
            id="problem added",
        ),
        pytest.param(
            lambda values: values.update(created="2026-07-01T00:00:00+00:00"),
            r"problems: recorded \[\], recomputed \[.*ended after 2026-06-30",
            id="problem gone",
        ),
        pytest.param(
            lambda values: values.update(runs=[], verdicts=values["verdicts"][:0], required=[]),
            r"complete: recorded 'True', recomputed '6 questions of the policy have no verdict",
            id="a whole run gone",
        ),
    ],
)
def test_whatever_was_changed_is_found(copy, edit, text):
    found = verify(change(copy, edit))
    assert any(re.search(text, one.text) for one in found.differences), [
        one.text for one in found.differences
    ]


def test_other_predictions_beside_the_record_are_found(copy):
    file = next(copy.glob("record.*.parquet"))
    file.write_bytes(next(copy.glob("baseline.*.parquet")).read_bytes())
    texts = [one.text for one in verify(copy / "record.json").differences]
    assert any("predictions.sha256" in text for text in texts)


def test_counts_that_are_not_those_of_the_predictions_are_found(copy):
    def swap(values) -> None:
        cells = values["runs"][0]["counts"]["cells"]
        cells[0][-1], cells[1][-1] = cells[1][-1], cells[0][-1]

    texts = [one.text for one in verify(change(copy, swap)).differences]
    assert any("counts: recorded '400 samples', recomputed 'those of" in text for text in texts)


def test_without_the_predictions_it_says_what_was_not_checked(copy):
    next(copy.glob("record.*.parquet")).unlink()
    found = verify(copy / "record.json")
    assert found.differences == []
    assert found.checked == 3
    assert [text.split(":")[0] for text in found.unchecked] == [
        "runs[candidate on faces].baseline",
        "flips[candidate-faces-tone-dark_v_light]",
        "drop[candidate-faces-tone-light_v_baseline]",
        "drop[candidate-faces-tone-dark_v_baseline]",
    ]
    assert all("not checked: needs the predictions beside" in text for text in found.unchecked)


def test_without_the_predictions_a_change_of_the_counts_is_found(copy):
    next(copy.glob("record.*.parquet")).unlink()
    found = verify(change(copy, lambda values: verdict_of(values, "gap").update(n=99)))
    assert any(".n: recorded 99, recomputed 100" in one.text for one in found.differences)


def test_without_the_baseline_it_says_what_was_not_checked(copy):
    def elsewhere(values) -> None:
        values["runs"][0]["baseline"]["source"] = "gone.json"

    found = verify(change(copy, elsewhere))
    assert found.differences == []
    assert [text.split("[")[0] for text in found.unchecked] == ["runs", "drop", "drop"]
    assert "needs the baseline gone.json with sha256" in found.unchecked[1]


def test_a_record_of_a_chosen_part_may_lack_questions(copy):
    def part(values) -> None:
        values["complete"] = False
        values["verdicts"] = values["verdicts"][:2]
        values["required"] = []

    found = verify(change(copy, part))
    assert found.differences == []
    assert found.unchecked == ["required: the record does not say whether it was judged"]


def test_a_policy_without_the_text_that_it_extends_cannot_be_read(copy):
    path = change(copy, lambda values: values["policy"].update(files=[]))
    with pytest.raises(
        FairnessError,
        match=r"record.json: the policy in the record cannot be read: .*team.toml: the",
    ):
        verify(path)


def test_a_policy_from_a_mapping_is_verified_too(tmp_path):
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {"faces": {"positive": "yes", "attributes": {"tone": ["light", "dark"]}}},
        "rule": [{"metric": "disparate_impact", "min": 0.8}, {"metric": "macro_f1", "min": 0.5}],
    }
    record = judge(policy, frame_of(20))
    record.to_json(tmp_path / "record.json")
    found = verify(tmp_path / "record.json")
    assert (found.differences, found.unchecked, found.checked) == ([], [], 3)


LEVELS = {
    "schema": 1,
    "decision": {"inconclusive": "warn", "correction": "gatekeeping", "pass_level": 0.9},
    "evaluation": {
        "faces": {"positive": "yes", "attributes": {"tone": ["light", "dark"], "sex": ["f", "m"]}}
    },
    "rule": [
        {"metric": "accuracy", "by": ["tone", "tone*sex"], "min": 0.8, "weight": 2},
        {"metric": "error_rate", "by": ["tone"], "max": 0.1},
    ],
}


@pytest.mark.parametrize(
    ("edit", "text"),
    [
        (lambda _: None, ""),
        (
            lambda values: verdict_of(values, "accuracy")["correction"].update(sides=2),
            r"accuracy\[.*\.correction\.sides: recorded 2, recomputed 1",
        ),
        (
            lambda values: verdict_of(values, "accuracy")["correction"].update(level=0.9),
            r"accuracy\[.*\.correction\.level: recorded 0\.9, recomputed 0\.9",
        ),
        (
            lambda values: verdict_of(values, "error_rate", "light")["pass_interval"].update(
                high=1
            ),
            r"error_rate\[.*\.pass_interval\.high: recorded 1\.0, recomputed 0\.0",
        ),
        (
            lambda values: values["policy"].update(pass_level=0.95),
            r"policy\.pass_level: recorded 0\.95, recomputed 0\.9",
        ),
        (
            lambda values: values["policy"]["rules"][0].update(weight=1),
            r"policy\.rules\[0\]\.weight: recorded 1\.0, recomputed 2\.0",
        ),
    ],
    ids=["nothing", "sides", "level", "pass interval", "pass level", "weight"],
)
def test_levels_and_sides_are_computed_again(tmp_path, edit, text):
    frame = frame_of(90).assign(sex=lambda found: np.where(found["person"].str[-1] < "5", "f", "m"))
    judge(LEVELS, frame).to_json(tmp_path / "record.json")
    found = [one.text for one in verify(change(tmp_path, edit)).differences]
    assert any(re.search(text, one) for one in found) if text else not found, found
