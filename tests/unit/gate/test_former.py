"""What the records at hand show: looks at a set that grows, and models judged on one set."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import RunRecord, judge, load_policy, read_predictions
from pytest_fairness.gate.former import Former, former_records
from pytest_fairness.gate.run import judge_predictions, record_of
from pytest_fairness.hashing import sha256_of
from pytest_fairness.report import table_lines


def policy_of(**decision):
    return {
        "schema": 1,
        "decision": {"inconclusive": "warn", **decision},
        "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        "rule": [{"metric": "accuracy", "min": 0.8}],
    }


def predictions_of(n, *, policy=None, model="net", **metadata):
    sex = np.tile(["female", "male"], n)[:n]
    frame = pd.DataFrame({"sex": sex, "target": "a", "prediction": np.repeat("a", n)})
    frame.loc[0, ["target", "prediction"]] = ["b", "b"]
    evaluation = load_policy(policy or policy_of()).evaluations["faces"]
    read = read_predictions(frame, evaluation, model=model)
    return replace(read, metadata={**read.metadata, **metadata})


def look_of(record):
    return record.runs[0].look


def test_a_set_that_grew_since_the_former_record_is_a_second_look(tmp_path):
    first = judge(policy_of(), predictions_of(60))
    assert look_of(first) is None
    first.to_json(tmp_path / "june.json")
    second = judge(policy_of(), predictions_of(100), baseline=tmp_path / "june.json")
    look = look_of(second)
    assert (look.number, look.n_before, look.n) == (2, 60, 100)
    assert look.sha256 == sha256_of(tmp_path / "june.json")
    assert look.source == str(tmp_path / "june.json")
    assert look.created == first.created
    assert (look.same_model, look.same_policy) == (None, True)
    assert look_of(judge(policy_of(), predictions_of(100), baseline=first)).sha256 == look.sha256
    third = judge(policy_of(level=0.9), predictions_of(150), baseline=second)
    assert (look_of(third).number, look_of(third).same_policy) == (3, False)


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ({"n": 60, "model": "other"}, {"n": 100}),
        ({"n": 60, "weights_sha256": "a"}, {"n": 100, "weights_sha256": "b"}),
        ({"n": 100}, {"n": 60}),
        ({"n": 60}, {"n": 60}),
    ],
    ids=["another model", "other weights", "a smaller set", "the same set"],
)
def test_what_is_no_look_at_a_grown_set_of_the_same_model_is_none(before, now):
    former = judge(policy_of(), predictions_of(**before))
    assert look_of(judge(policy_of(), predictions_of(**now), baseline=former)) is None


def test_the_same_weights_are_told():
    former = judge(policy_of(), predictions_of(60, weights_sha256="a"))
    now = judge(policy_of(), predictions_of(100, weights_sha256="a"), baseline=former)
    assert look_of(now).same_model is True


def test_judging_the_same_set_again_does_not_break_the_chain():
    first = judge(policy_of(), predictions_of(60))
    second = judge(policy_of(), predictions_of(100), baseline=first)
    again = judge(policy_of(), predictions_of(100), baseline=second)
    assert look_of(again) == look_of(second)
    assert look_of(judge(policy_of(), predictions_of(140), baseline=again)).number == 3


def written_after(folder, n, *, model="net", **metadata):
    """The record of a run that writes into a folder, as the plugin does."""
    policy = load_policy(policy_of())
    predictions = predictions_of(n, model=model, **metadata)
    run, verdicts = judge_predictions(policy, predictions, policy.evaluations["faces"])
    path = folder / "record.json"
    former = former_records(written=path)
    record = record_of(policy, [run], verdicts, complete=True, former=former)
    record.to_json(path)
    return record


def test_a_record_in_the_folder_is_found_and_so_is_the_one_that_is_overwritten(tmp_path):
    assert look_of(written_after(tmp_path, 60)) is None
    assert look_of(written_after(tmp_path, 100)).n_before == 60
    (tmp_path / "record.json").rename(tmp_path / "kept.json")
    assert look_of(written_after(tmp_path, 150)).number == 3


def test_files_that_are_no_records_are_passed_over(tmp_path):
    (tmp_path / "notes.json").write_text('{"n": 1}', encoding="utf-8")
    assert former_records(written=tmp_path / "missing" / "record.json") == Former()
    assert former_records(["predictions.csv"], written=tmp_path / "record.json") == Former()


def test_records_that_cannot_be_read_are_told(tmp_path):
    """A later version, and what a run that died left behind: their looks would go uncounted unseen."""
    newer, broken = tmp_path / "newer.json", tmp_path / "record.json"
    newer.write_text('{"schema_version": 99}', encoding="utf-8")
    broken.write_text('{"schema_version": 2,', encoding="utf-8")
    record = written_after(tmp_path, 60)
    assert record.unread == [str(newer), str(broken)]
    told = [line.text for line in table_lines(record) if "cannot be read" in line.text]
    assert [text.split(":")[0] for text in told] == record.unread
    assert written_after(tmp_path, 100).unread == [str(newer)]


def test_a_record_counts_the_models_that_were_judged_on_its_images(tmp_path):
    data = {"data_sha256": "d"}
    assert written_after(tmp_path, 60).runs[0].models_judged is None
    for number, weights in enumerate(("a", "b", "a", "c")):
        record = written_after(tmp_path, 60, weights_sha256=weights, **data)
        assert record.runs[0].models_judged == (1, 2, 2, 3)[number]
        record.to_json(tmp_path / f"{number}.json")
    other = written_after(tmp_path, 60, weights_sha256="z", data_sha256="other")
    assert other.runs[0].models_judged == 1


def shown(record):
    return [line.text for line in table_lines(record) if ": look " in line.text]


def test_a_look_that_the_policy_does_not_allow_is_told_in_the_summary():
    first = judge(policy_of(), predictions_of(60))
    (text,) = shown(judge(policy_of(), predictions_of(1_200), baseline=first))
    assert text == (
        "net on faces: look 2, 1,200 images; the look before had 60 (a record); the policy allows 1 "
        "look, so a verdict is wrong more often than its level says: raise looks in [decision]"
    )
    assert shown(first) == []


@pytest.mark.parametrize(
    ("looks", "text"),
    [
        (2, "a record, by another policy); the intervals hold at up to 2 looks"),
        ("any", "a record, by another policy); the intervals hold at any number of looks"),
    ],
)
def test_a_look_that_the_policy_allows_is_told_as_such(looks, text):
    first = judge(policy_of(), predictions_of(60))
    (line,) = shown(judge(policy_of(looks=looks), predictions_of(100), baseline=first))
    assert line.endswith(text)


def test_more_looks_than_declared_are_told():
    record = judge(policy_of(looks=2), predictions_of(60))
    for n in (80, 100):
        record = judge(policy_of(looks=2), predictions_of(n), baseline=record)
    (line,) = shown(record)
    assert "look 3, 100 images" in line
    assert "the policy allows 2 looks, so" in line


def test_a_record_with_its_look_is_read_back(tmp_path):
    first = judge(policy_of(looks="any"), predictions_of(60))
    record = judge(policy_of(looks="any"), predictions_of(100), baseline=first)
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record
    assert record.policy.looks == "any"
    assert record.verdicts[0].looks == "any"
    assert record.verdicts[0].look_level == pytest.approx(0.99794, abs=0.002)
