"""A record read back is the record that was written."""

import json

import pandas as pd
import pytest

from pytest_fairness import RunRecord, judge
from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.counts import GroupCounts

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
FRAME = pd.DataFrame(
    {"sex": ["female", "male"] * 30, "target": ["a", "b"] * 30, "prediction": ["a", "b"] * 30}
)


@pytest.fixture
def record() -> RunRecord:
    return judge(POLICY, FRAME)


def test_a_record_survives_its_json(record, tmp_path):
    record.to_json(tmp_path / "made" / "record.json")
    assert RunRecord.from_json(tmp_path / "made" / "record.json") == record


def test_the_json_has_the_fields_of_a_verdict_and_its_schema_version(record, tmp_path):
    record.to_json(tmp_path / "record.json")
    values = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert values["schema_version"] == 1
    fields = {"rule", "metric", "model", "evaluation", "group", "reference", "outcome", "value"}
    fields |= {"low", "high", "n", "limit", "reason"}
    assert all(fields <= set(verdict) for verdict in values["verdicts"])
    assert values["policy"]["sha256"]
    assert set(values["versions"]) >= {"pytest-fairness", "python", "numpy", "torch"}


def test_the_counts_of_the_record_are_those_of_the_predictions(record):
    counts = GroupCounts.from_dict(record.runs[0].counts)
    assert counts.n == 60
    assert counts.confusion(("sex",)).tolist() == [[[30, 0], [0, 0]], [[0, 0], [0, 30]]]


@pytest.mark.parametrize(
    ("inconclusive", "outcome", "passed"),
    [("warn", "inconclusive", True), ("fail", "inconclusive", False), ("warn", "fail", False)],
    ids=["warns", "blocks", "fails"],
)
def test_passed_follows_the_policy(record, inconclusive, outcome, passed):
    verdicts = [record.verdicts[0].model_copy(update={"outcome": outcome}), *record.verdicts[1:]]
    policy = record.policy.model_copy(update={"inconclusive": inconclusive})
    changed = record.model_copy(update={"verdicts": verdicts, "policy": policy})
    assert changed.passed is passed


def test_nothing_judged_or_not_all_judged_is_not_passed(record):
    assert record.passed
    assert not record.model_copy(update={"verdicts": []}).passed
    assert not record.model_copy(update={"complete": False}).passed


def test_what_is_no_record_is_named(tmp_path):
    with pytest.raises(FairnessError, match=r"none.json: the record cannot be read: No such file"):
        RunRecord.from_json(tmp_path / "none.json")
    (tmp_path / "other.json").write_text("[1, 2", encoding="utf-8")
    with pytest.raises(FairnessError, match=r"other.json: not a run record of schema version 1"):
        RunRecord.from_json(tmp_path / "other.json")
