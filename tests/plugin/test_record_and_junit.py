"""What a run leaves: the record and the numbers in JUnit XML, with and without xdist."""

import xml.etree.ElementTree as ET

import pytest

from pytest_fairness import RunRecord, load_policy

POLICY_OPTION = "--fairness-policy=policy.toml"
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)


@WITH_AND_WITHOUT_XDIST
def test_the_record_holds_every_verdict_and_what_it_was_computed_from(gate, workers):
    gate.runpytest_subprocess(
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
    gate.runpytest_subprocess(
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
    gate.runpytest_subprocess(
        POLICY_OPTION, "--fairness-predictions=bad.csv", "--junit-xml=junit.xml", *workers
    )
    cases = ET.parse(gate.path / "junit.xml").iter("testcase")  # noqa: S314  (our own file)
    found = {
        case.attrib["name"]: {p.attrib["name"]: p.attrib["value"] for p in case.iter("property")}
        for case in cases
    }
    numbers = found["test_fpr_difference[predictions-faces-tone-dark_v_light]"]
    assert float(numbers["fairness_value"]) == pytest.approx(0.8)
    assert float(numbers["fairness_low"]) < 0.8 < float(numbers["fairness_high"])
    assert numbers["fairness_n"] == "100"
    assert numbers["fairness_limit"] == "0.2"
    assert numbers["fairness_outcome"] == "fail"
    assert numbers["fairness_policy_sha256"] == load_policy(gate.path / "policy.toml").sha256
    assert len(found) == 5
