"""A record read back is the record that was written."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pytest_fairness import RunRecord, judge
from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.record.details import BaselineRecord
from pytest_fairness.gate.record.policy_records import RequiredRecord, WaiverRecord
from pytest_fairness.report import table_lines

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
FRAME = pd.DataFrame(
    {"sex": ["female", "male"] * 30, "target": ["a", "b"] * 30, "prediction": ["a", "b"] * 30}
)


ORG = """\
schema = 1

[decision]
inconclusive = "warn"

[[rule]]
id = "floor"
metric = "accuracy"
min_samples = 5
min = 0.5
"""
TEAM = """\
schema = 1
extends = "org.toml"

[evaluation.faces]
attributes = { sex = ["female", "male"] }

[[rule]]
id = "floor"
min = 0.6
"""


@pytest.fixture
def record() -> RunRecord:
    return judge(POLICY, FRAME)


def test_a_record_survives_its_json(record, tmp_path):
    record.to_json(tmp_path / "made" / "record.json")
    assert RunRecord.from_json(tmp_path / "made" / "record.json") == record


def test_the_json_has_the_fields_of_a_verdict_and_its_schema_version(record, tmp_path):
    record.to_json(tmp_path / "record.json")
    values = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert values["schema_version"] == 2
    fields = {"rule", "metric", "model", "evaluation", "group", "reference", "outcome", "value"}
    fields |= {"low", "high", "n", "limit", "reason"}
    assert all(fields <= set(verdict) for verdict in values["verdicts"])
    assert values["policy"]["sha256"]
    assert set(values["versions"]) >= {"pytest-fairness", "python", "numpy", "torch"}


def test_the_counts_of_the_record_are_those_of_the_predictions(record):
    counts = record.runs[0].counts.counted
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
    with pytest.raises(FairnessError, match=r"other.json: not a run record of schema version 2"):
        RunRecord.from_json(tmp_path / "other.json")


V1 = Path(__file__).parents[3] / "data" / "record_v1.json"


def test_a_record_of_the_first_schema_still_reads():
    record = RunRecord.from_json(V1)
    assert record.schema_version == 1
    assert not record.passed
    assert [v.outcome for v in record.verdicts] == ["fail", "fail", "pass", "fail", "fail"]
    assert record.runs[0].counts.counted.n == 400
    assert (record.verdicts[0].robust_to, record.policy.rules, record.seeds) == (None, [], {})
    assert any("FPR" in line.text for line in table_lines(record))


def test_a_record_of_the_first_schema_survives_being_written_again(tmp_path):
    record = RunRecord.from_json(V1)
    record.to_json(tmp_path / "again.json")
    assert RunRecord.from_json(tmp_path / "again.json") == record


def test_a_record_of_a_later_schema_says_so(tmp_path):
    values = json.loads(V1.read_text(encoding="utf-8")) | {"schema_version": 3, "new": True}
    (tmp_path / "later.json").write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(
        FairnessError, match=r"later.json: a run record of schema version 3; .* 1 to"
    ):
        RunRecord.from_json(tmp_path / "later.json")


def test_the_record_holds_the_effective_limits_with_their_origins(tmp_path):
    (tmp_path / "org.toml").write_text(ORG, encoding="utf-8")
    (tmp_path / "team.toml").write_text(TEAM, encoding="utf-8")
    rule = judge(tmp_path / "team.toml", FRAME).policy.rules[0]
    assert (rule.id, rule.metric, rule.limit, rule.bound) == ("floor", "accuracy", 0.6, "min")
    assert rule.by == [("sex",)]
    assert rule.origins["min"] == f"{tmp_path}/team.toml:9"
    assert rule.origins["min_samples"] == f"{tmp_path}/org.toml:9"
    assert rule.min_samples == 5


def test_the_record_holds_the_seed_of_random_draws(record):
    assert record.seeds == {}
    decision = {"inconclusive": "warn", "correction": "max-t"}
    assert set(judge(POLICY | {"decision": decision}, FRAME).seeds) == {"max-t"}


STOPS: dict[str, Callable[[RunRecord], dict[str, Any]]] = {
    "a question that was not judged": lambda _: {"complete": False},
    "no question at all": lambda _: {"verdicts": []},
    "a failure": lambda record: {"verdicts": [changed(record.verdicts[0], outcome="fail")]},
    "a group that must be judged": lambda _: {
        "required": [
            RequiredRecord(
                model="m",
                evaluation="faces",
                group={"sex": "male"},
                outcome="fail",
                n=0,
                min_samples=1,
                reason="0 samples",
                where="policy, required 1",
            )
        ]
    },
    "what vanished since the baseline": lambda record: {
        "runs": [
            changed(
                record.runs[0],
                baseline=BaselineRecord(
                    source="then",
                    sha256="0",
                    model="m",
                    paired=False,
                    compared="",
                    flips=[],
                    vanished=["level sex x"],
                ),
            )
        ]
    },
    "a waiver that ended": lambda _: {"problems": ["the waiver ended"]},
}


def changed(record, **update):
    return record.model_copy(update=update)


@pytest.mark.parametrize("stop", STOPS.values(), ids=STOPS)
def test_each_thing_that_stops_a_release_stops_it_alone(record, stop):
    assert record.passed
    assert not changed(record, **stop(record)).passed


def test_a_failure_that_somebody_answers_for_and_a_baseline_without_loss_stop_nothing(record):
    waiver = WaiverRecord(
        reason="r", approved_by="a", until="2027-01-31", ticket=None, where="policy, waiver 1"
    )
    waived = changed(record.verdicts[0], outcome="fail", waiver=waiver)
    kept = STOPS["what vanished since the baseline"](record)["runs"][0]
    kept = changed(kept, baseline=changed(kept.baseline, vanished=[]))
    assert changed(record, verdicts=[waived], runs=[kept]).passed


BAD_COUNTS = {
    "text": lambda counts: counts["cells"][0].__setitem__(-1, "50"),
    "negative": lambda counts: counts["cells"][0].__setitem__(-1, -1),
    "fraction": lambda counts: counts["cells"][0].__setitem__(-1, 1.5),
    "too large": lambda counts: counts["cells"][0].__setitem__(-1, 2**70),
    "outside": lambda counts: counts["cells"][0].__setitem__(0, 9),
    "short": lambda counts: counts["cells"][0].pop(),
    "empty": lambda counts: counts["cells"][0].clear(),
    "twice": lambda counts: counts["cells"].append(counts["cells"][0]),
    "level twice": lambda counts: counts["levels"]["sex"].append("male"),
    "no levels": lambda counts: counts.pop("levels"),
    "classes": lambda counts: counts.__setitem__("classes", {"no": 1}),
    "bomb": lambda counts: counts["levels"].update(
        {f"a{i}": [str(j) for j in range(99)] for i in range(9)}
    ),
}


@pytest.mark.parametrize("change", BAD_COUNTS.values(), ids=list(BAD_COUNTS))
def test_counts_that_are_none_are_one_error_that_names_them(change, tmp_path):
    values = json.loads(V1.read_text(encoding="utf-8"))
    change(values["runs"][0]["counts"])
    file = tmp_path / "record.json"
    file.write_text(json.dumps(values), encoding="utf-8")
    with pytest.raises(FairnessError, match=r"record\.json: not a run record .*runs\.0\.counts"):
        RunRecord.from_json(file)
