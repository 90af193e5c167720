"""What a run leaves: the record and the numbers in JUnit XML, with and without xdist."""

import datetime as dt
import xml.etree.ElementTree as ET
from hashlib import sha256

import pandas as pd
import pytest

from pytest_fairness import Preprocessing, RunRecord, load_policy
from pytest_fairness.gate.decision.judging import MAX_T_SEED

POLICY_OPTION = "--fairness-policy=policy.toml"
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)


@WITH_AND_WITHOUT_XDIST
def test_the_record_holds_every_verdict_and_what_it_was_computed_from(gate, workers):
    gate.runpytest(
        POLICY_OPTION,
        "--fairness-predictions=bad.csv",
        "--fairness-record=out/record.json",
        *workers,
    )
    record = RunRecord.from_json(gate.path / "out/record.json")
    assert not record.passed
    assert record.complete
    assert [v.question for v in record.verdicts] == [
        "floor[predictions-faces-sex-female]",
        "floor[predictions-faces-sex-male]",
        "floor[predictions-faces-tone-light]",
        "floor[predictions-faces-tone-dark]",
        "fpr-gap[predictions-faces-tone-dark_v_light]",
    ]
    gap = record.verdicts[-1]
    assert gap.group == {"tone": "dark"}
    assert gap.reference == {"tone": "light"}
    assert gap.value == pytest.approx(0.8)
    assert (gap.successes, gap.n, gap.reference_successes, gap.reference_n) == (90, 100, 10, 100)
    assert gap.limit == 0.2
    assert [run.n for run in record.runs] == [400]
    assert record.policy.sha256 == load_policy(gate.path / "policy.toml").sha256


def test_a_chosen_part_of_the_questions_is_not_a_complete_record(gate):
    gate.runpytest(
        POLICY_OPTION,
        "--fairness-predictions=good.csv",
        "--fairness-record=record.json",
        "-k",
        "sex",
    )
    record = RunRecord.from_json(gate.path / "record.json")
    assert len(record.verdicts) == 2
    assert not record.complete
    assert not record.passed


@WITH_AND_WITHOUT_XDIST
def test_junit_xml_carries_the_numbers(gate, workers):
    gate.runpytest(
        POLICY_OPTION, "--fairness-predictions=bad.csv", "--junit-xml=junit.xml", *workers
    )
    cases = ET.parse(gate.path / "junit.xml").iter("testcase")  # noqa: S314  (our own file)
    found = {
        case.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in cases
    }
    numbers = found["test_fpr_difference[fpr-gap:predictions-faces-tone-dark_v_light]"]
    assert float(numbers["fairness_value"]) == pytest.approx(0.8)
    assert float(numbers["fairness_low"]) < 0.8 < float(numbers["fairness_high"])
    assert numbers["fairness_n"] == "100"
    assert numbers["fairness_limit"] == "0.2"
    assert numbers["fairness_outcome"] == "fail"
    assert numbers["fairness_policy_sha256"] == load_policy(gate.path / "policy.toml").sha256
    assert len(found) == 5


def test_the_record_of_a_model_says_what_it_was_made_with(model_gate):
    """Every thing that a record must hold of a run of a model, by what it is."""
    waiver = (
        '[[waiver]]\nrule = "floor"\ngroup = { tone = "dark" }\nreason = "known"\n'
        'approved_by = "risk"\nuntil = 2999-01-01\n'
    )
    policy = (model_gate.path / "policy.toml").read_text(encoding="utf-8")
    policy = policy.replace("[decision]\n", '[decision]\ncorrection = "max-t"\n')
    (model_gate.path / "policy.toml").write_text(policy + waiver, encoding="utf-8")
    harmed = (model_gate.path / "faces.csv").read_text(encoding="utf-8")
    for old, new in (("dark,yes", "dark,NO"), ("dark,no", "dark,yes"), ("NO", "no")):
        harmed = harmed.replace(old, new)  # the answers in dark are wrong
    (model_gate.path / "faces.csv").write_text(harmed, encoding="utf-8")
    model_gate.runpytest(POLICY_OPTION, "--fairness-model=bright", "--fairness-record=record.json")
    record = RunRecord.from_json(model_gate.path / "record.json")
    assert (record.policy.text, record.policy.files[0].text) == (policy + waiver,) * 2
    assert record.policy.sha256 == sha256((policy + waiver).encode()).hexdigest()
    rule = record.policy.rules[0]
    assert (rule.limit, rule.bound, rule.origins["min"]) == (0.7, "min", "policy.toml:17")
    (run,) = record.runs
    assert sum(cell[-1] for cell in run.counts.cells) == run.n == 80
    dark = next(v for v in record.verdicts if v.group == {"tone": "dark"} and v.rule == "floor")
    assert (dark.outcome, dark.waiver.approved_by) == ("fail", "risk")
    assert dark.low < dark.value < dark.high < dark.limit
    hashes = {"data_sha256", "preprocessing_sha256"}
    assert {len(run.metadata[name]) for name in hashes} == {64}
    assert run.metadata["preprocessing"] == repr(Preprocessing(size=8))
    assert run.metadata["weights_sha256"] == ""  # a function has no weights
    assert float(run.metadata["seconds"]) > 0
    assert run.metadata["device"] == "cpu"
    assert record.seeds == {"max-t": MAX_T_SEED}
    assert {"python", "pytest-fairness", "torch", "torchvision", "pillow"} <= set(record.versions)
    assert dt.datetime.fromisoformat(record.created).tzinfo is dt.UTC


def test_a_second_look_at_a_grown_set_is_told_and_kept_in_the_record(gate):
    whole = pd.read_csv(gate.path / "good.csv")
    whole.iloc[:200].to_csv(gate.path / "first.csv", index=False)
    record = "--fairness-record=record.json"
    first = gate.runpytest(POLICY_OPTION, "--fairness-predictions=first.csv", record)
    first.stdout.no_fnmatch_line("*: look *")
    digest = sha256((gate.path / "record.json").read_bytes()).hexdigest()
    second = gate.runpytest(POLICY_OPTION, "--fairness-predictions=good.csv", record)
    second.stdout.fnmatch_lines(["*predictions on faces: look 2, 400 images*the policy allows 1*"])
    look = RunRecord.from_json(gate.path / "record.json").runs[0].look
    assert (look.sha256, look.n_before, look.n) == (digest, 200, 400)
