"""`pytest-fairness accept`: how the record of a run becomes the baseline."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pytest_fairness import RunRecord, judge
from pytest_fairness.cli import main
from pytest_fairness.gate.record.kept import write_record
from pytest_fairness.hashing import sha256_of
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy import load_policy

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
FRAME = pd.DataFrame(
    {
        "id": [f"s{i}" for i in range(60)],
        "sex": ["female", "male"] * 30,
        "target": ["a", "b"] * 30,
        "prediction": ["a", "b"] * 30,
    }
)


@pytest.fixture(autouse=True)
def _here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def write(tmp_path):
    """Write a record with its predictions, as `--fairness-record` does."""

    def write(name="out/run.json", *, model="ads", frame=FRAME, **changes):
        policy = load_policy(POLICY)
        found = read_predictions(frame, policy.evaluations["faces"], model=model)
        record = judge(policy, found).model_copy(update=changes)
        write_record(record, tmp_path / name, predictions={(model, "faces"): found})
        return tmp_path / name

    return write


def read(path: Path) -> Any:
    return RunRecord.from_json(path)


def accept(*arguments) -> int:
    return main(["accept", *map(str, arguments)])


def test_a_record_that_passed_becomes_the_baseline_with_its_predictions(write, tmp_path, capsys):
    source = write()
    assert accept(source) == 0
    record = read(tmp_path / "baseline" / "record.json")
    kept = record.runs[0].predictions
    assert kept.file == "record.ads-faces.parquet"
    assert kept.sha256 == sha256_of(tmp_path / "baseline" / kept.file)
    assert (record.accepted.source, record.accepted.even_if_failed) == ("run.json", None)
    shown = capsys.readouterr().out
    assert shown.startswith(
        f"baseline/record.json: the baseline is now {source} of {record.created}"
    )
    assert "ads on faces: 60 samples, record.ads-faces.parquet" in shown


def test_the_baseline_finds_its_predictions_in_the_next_run(write, tmp_path):
    accept(write(), "--to", "kept/last")
    record: Any = judge(POLICY, FRAME, baseline=tmp_path / "kept" / "last" / "record.json")
    assert record.runs[0].baseline.compared == "paired on 60 images"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"complete": False}, "questions of its policy were not judged"),
        ({"verdicts": []}, "it judged nothing"),
        ({"problems": ["the waiver ended"]}, "the waiver ended"),
    ],
    ids=["incomplete", "empty", "problem"],
)
def test_a_record_that_did_not_pass_is_refused(write, tmp_path, capsys, changes, message):
    assert accept(write(**changes)) == 1
    error = capsys.readouterr().err
    assert message in error
    assert 'give a reason: --even-if-failed "REASON".' in error
    assert not (tmp_path / "baseline").exists()


def test_a_failed_record_is_refused_and_says_how_many_questions_stop_it(write, capsys):
    wrong = FRAME.assign(prediction=FRAME["prediction"].where(FRAME["sex"] == "male", "b"))
    assert accept(write(frame=wrong)) == 1
    assert "run.json: 1 question stops the release" in capsys.readouterr().err


def test_a_reason_makes_a_failed_record_the_baseline_and_stays_in_it(write, tmp_path):
    assert accept(write(complete=False), "--even-if-failed", "rule dropped on purpose") == 0
    record = read(tmp_path / "baseline" / "record.json")
    assert record.accepted.even_if_failed == "rule dropped on purpose"
    assert not record.complete


def test_an_empty_reason_is_none(write):
    assert accept(write(complete=False), "--even-if-failed", "") == 1


def test_a_new_baseline_takes_the_place_of_the_former_and_of_its_predictions(write, tmp_path):
    accept(write(model="old"))
    other = tmp_path / "baseline" / "notes.txt"
    other.write_text("kept", encoding="utf-8")
    accept(write(model="new"))
    names = {path.name for path in (tmp_path / "baseline").iterdir()}
    assert names == {"record.json", "record.new-faces.parquet", "notes.txt"}


def test_a_record_without_predictions_is_accepted_by_its_counts_and_says_so(
    write, tmp_path, capsys
):
    source = write()
    source.with_name("run.ads-faces.parquet").unlink()
    assert accept(source) == 0
    assert "counts only: later runs cannot be compared image by image" in capsys.readouterr().out
    assert read(tmp_path / "baseline" / "record.json").runs[0].predictions is None


def test_predictions_that_are_not_its_own_are_refused(write, capsys):
    source = write()
    source.with_name("run.ads-faces.parquet").write_bytes(b"other")
    assert accept(source) == 1
    assert "not the predictions of the record beside it" in capsys.readouterr().err


def test_the_baseline_itself_is_no_candidate(write, capsys):
    accept(write())
    assert accept("baseline/record.json") == 1
    assert "this record is already the baseline" in capsys.readouterr().err


def test_what_is_no_record_is_named(tmp_path, capsys):
    (tmp_path / "other.json").write_text("{}", encoding="utf-8")
    assert accept("other.json") == 1
    assert "other.json: not a run record of schema version" in capsys.readouterr().err


def test_predictions_outside_the_folder_of_the_record_are_refused(write, capsys):
    source = write()
    text = source.read_text(encoding="utf-8")
    source.write_text(text.replace('"run.ads', '"../run.ads'), encoding="utf-8")
    assert accept(source) == 1
    assert "runs.0.predictions.file: String should match pattern" in capsys.readouterr().err
