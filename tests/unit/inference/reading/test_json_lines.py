"""Predictions as JSON Lines: the same as any table, and errors that name the line."""

import json
from dataclasses import replace

import pandas as pd
import pytest

from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy.records import Evaluation

FACES = Evaluation("faces", attributes={"skin_tone": ("light", "dark")})
ROWS = [
    {"id": "a", "skin_tone": "light", "target": 1, "prediction": 1.0},
    {"id": "b", "skin_tone": "dark", "target": 0, "prediction": 1},
    {"prediction": 0, "target": 0, "skin_tone": "dark", "id": "c \u2028 d"},
]


def write(path, rows, between="\n"):
    path.write_text(between.join(json.dumps(row, ensure_ascii=False) for row in rows), "utf-8")
    return path


@pytest.mark.parametrize("name", ["p.jsonl", "p.ndjson", "P.JSONL"])
def test_rows_are_those_of_the_same_table(name, tmp_path):
    file = write(tmp_path / name, ROWS)
    expected = read_predictions(pd.DataFrame(ROWS), FACES)
    assert read_predictions(file, FACES).table == expected.table


def test_scores_decide_where_the_evaluation_names_them(tmp_path):
    rows = [row | {"p": p} for row, p in zip(ROWS, (0.9, 0.2, 0.5), strict=True)]
    scored = replace(FACES, prediction="none", score="p", positive="1")
    found = read_predictions(write(tmp_path / "p.jsonl", rows), scored)
    assert found.table["prediction"].to_pylist() == ["1", "0", "1"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"id": "b"', r"p\.jsonl, line 3: not JSON"),
        ("[1]", r"line 3: expected an object such as .*, got '\[1\]'"),
        ('{"id": {"a": 1}}', r"line 3: 'id' is \{'a': 1\}, expected a text, a number"),
        ('{"id": "b", "id": "c"}', r"line 3: not JSON: the key 'id' appears twice"),
        (
            '{"id": "b", "skin_tone": "drak", "target": 0, "prediction": 0}',
            r"line 3, sample 'b': .*'drak'.*did you mean 'dark'",
        ),
        (
            '{"id": "b", "skin_tone": "dark", "target": 0}',
            r"line 3, sample 'b': `prediction` is mis",
        ),
        (
            '{"id": "a", "skin_tone": "dark", "target": 0, "prediction": 0}',
            r"sample id 'a' appears twice, in line 1 and line 3",
        ),
    ],
    ids=["cut", "list", "nested", "key twice", "level", "missing", "id twice"],
)
def test_a_bad_line_is_named(line, message, tmp_path):
    path = write(tmp_path / "p.jsonl", ROWS[:1])
    path.write_text(f"{path.read_text('utf-8')}\n\n{line}\n", "utf-8")
    with pytest.raises(PredictionError, match=message):
        read_predictions(path, FACES)


def test_sets_of_labels_are_lists(tmp_path):
    sets = replace(FACES, labels="tags", predicted_labels="found", classes=("0", "1"))
    rows = [row | {"tags": ["Tree", "Man"], "found": ["Man"]} for row in ROWS]
    table = read_predictions(write(tmp_path / "p.jsonl", rows), sets).table
    expected = read_predictions(pd.DataFrame(rows), sets).table
    assert table == expected
    assert table.num_rows == 3


def test_an_empty_and_a_missing_file_are_named(tmp_path):
    (tmp_path / "p.jsonl").write_text("\n")
    with pytest.raises(PredictionError, match=r"p\.jsonl: no rows|no column"):
        read_predictions(tmp_path / "p.jsonl", FACES)
    with pytest.raises(PredictionError, match=r"gone\.jsonl: no such file"):
        read_predictions(tmp_path / "gone.jsonl", FACES)
