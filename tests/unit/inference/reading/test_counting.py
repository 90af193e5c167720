"""Predictions that are counted without being kept: the same record as row by row, and the same refusals."""

import json

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_fairness import judge
from pytest_fairness.errors import PredictionError
from pytest_fairness.gate import run
from pytest_fairness.inference.answers_hash import hash_answers
from pytest_fairness.inference.reading import counting
from pytest_fairness.inference.reading.counting import count_answers
from pytest_fairness.policy import Evaluation, load_policy

FACES = Evaluation("faces", attributes={"sex": ("f", "m"), "age": ("1", "2")}, positive="yes")
CLUSTERED = Evaluation("faces", attributes={"sex": ("f", "m")}, cluster="person")


def policy_of(**evaluation):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}, **evaluation}},
            "rule": [{"metric": "accuracy", "min": 0.5, "min_samples": 1}],
        }
    )


def table(n=60, *, seed=0):
    rng = np.random.default_rng(seed)
    target = rng.choice(["no", "yes"], n)
    return pd.DataFrame(
        {
            "id": [f"image-{i:03}" for i in range(n)],
            "sex": rng.choice(["f", "m"], n),
            "age": rng.integers(1, 3, n),
            "target": target,
            "prediction": np.where(rng.random(n) < 0.8, target, "no"),
            "person": [f"p{i}" for i in rng.integers(0, 9, n)],
            "old": rng.random(n) < 0.5,
        }
    )


def record(policy, source):
    made = json.loads(judge(policy, source).model_dump_json())
    return {key: value for key, value in made.items() if key != "created"}


POLICIES = {
    "groups": policy_of(),
    "numbers": policy_of(attributes={"age": ["1", "2"], "sex": ["f", "m"]}),
    "truth values": policy_of(attributes={"old": ["True", "False"]}, positive="yes"),
    "clusters": policy_of(cluster="person"),
    "declared classes": policy_of(classes=["yes", "no", "other"]),
    "ids of another column": policy_of(id="id"),
}
CHANGES = {
    "as it is": lambda frame: frame,
    "no ids": lambda frame: frame.drop(columns="id"),
    "ids in disorder": lambda frame: frame.iloc[::-1].reset_index(drop=True),
    "groups that are missing": lambda frame: frame.assign(sex=frame.sex.where(frame.index % 5 > 0)),
    "categories": lambda frame: frame.astype({"sex": "category", "target": "category"}),
    "objects": lambda frame: frame.astype(object),
    "an index of its own": lambda frame: frame.set_index(frame.index + 100),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
@pytest.mark.parametrize("policy", POLICIES.values(), ids=POLICIES)
def test_the_record_is_that_of_predictions_read_row_by_row(policy, change, tmp_path, monkeypatch):
    frame = change(table())
    pq.write_table(pa.Table.from_pandas(frame), tmp_path / "p.parquet", row_group_size=25)
    sources = (frame, pa.Table.from_pandas(frame), tmp_path / "p.parquet")
    monkeypatch.setattr(counting, "_ROWS", 7)
    for source in sources:
        assert count_answers(source, policy.evaluations["faces"]) is not None
    quick = [record(policy, source) for source in sources]
    monkeypatch.setattr(run, "count_answers", lambda *_: None)
    assert quick == [record(policy, source) for source in sources]


@pytest.mark.parametrize(
    ("column", "row", "value"),
    [
        ("id", 40, "image-003"),
        ("id", 40, ""),
        ("id", 40, None),
        ("id", 40, "7.0"),
        ("sex", 40, "other"),
        ("target", 40, None),
        ("target", 40, ""),
        ("prediction", 40, None),
        ("prediction", 40, "maybe"),
        ("person", 40, None),
    ],
)
def test_what_must_be_refused_is_left_to_the_reader_of_rows(column, row, value, monkeypatch):
    frame = table()
    frame.loc[row, column] = value
    monkeypatch.setattr(counting, "_ROWS", 7)
    assert count_answers(frame, CLUSTERED) is None
    if value != "7.0":
        with pytest.raises(PredictionError, match=f"image-0{row}|row {row}|''"):
            judge(policy_of(cluster="person"), frame)


def test_numbers_with_fractions_scores_and_what_the_policy_derives_are_left_to_the_reader():
    frame = table()
    assert count_answers(frame.assign(age=frame.age.astype(float)), FACES) is None
    assert count_answers(frame.drop(columns="prediction").assign(score=0.5), FACES) is None
    for keys in ({"where": {"sex": ("f",)}}, {"threshold": 0.5}, {"counterfactual": ("person",)}):
        other = Evaluation("faces", attributes={"sex": ("f", "m")}, **keys)
        assert count_answers(frame, other) is None


def test_a_file_is_never_read_as_a_whole(tmp_path, monkeypatch):
    path = tmp_path / "p.parquet"
    pq.write_table(pa.Table.from_pandas(table(1_000)), path, row_group_size=1_000)
    sizes = []
    original = counting._Counting._add

    def adding(self, batch):
        sizes.append(len(batch))
        original(self, batch)

    monkeypatch.setattr(counting, "_ROWS", 64)
    monkeypatch.setattr(counting._Counting, "_add", adding)
    monkeypatch.delattr(pq.ParquetFile, "read")
    assert count_answers(path, FACES).counts.n == sum(sizes) == 1_000
    assert max(sizes) <= 64


def test_any_other_id_or_answer_gives_another_hash():
    frame = table()[["id", "target", "sex", "prediction"]]
    known = {hash_answers(frame)}
    for column in frame.columns:
        value = "other" if column == "id" else frame[column].iloc[1:].iloc[0]
        changed = frame.copy()
        changed.loc[0, column] = value if value != frame.loc[0, column] else "x"
        known.add(hash_answers(changed))
    known.add(hash_answers(frame.iloc[::-1]))
    assert len(known) == 6
