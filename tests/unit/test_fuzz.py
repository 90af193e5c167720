"""Damaged files of every kind give the project's own errors, and never a traceback of a parser.

`tox -e fuzz` runs many more examples.
"""

import copy
import io
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from pytest_fairness import load_policy
from pytest_fairness.classifiers.labels.labels import read_labels
from pytest_fairness.data import load_evaluation_set
from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.audit.verify import verify
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy.model_specs import LabelFile
from pytest_fairness.policy.records import Evaluation
from pytest_fairness.report import describe, since_lines, table_lines

RECORD = json.loads(
    Path(__file__).parents[1].joinpath("data", "record_v1.json").read_text(encoding="utf-8")
)
POLICY: dict[str, Any] = {
    "schema": 1,
    "decision": {"inconclusive": "fail", "level": 0.95, "looks": 1},
    "evaluation": {
        "faces": {
            "manifest": "faces.csv",
            "positive": "yes",
            "classes": ["yes", "no"],
            "attributes": {"tone": ["light", "dark"]},
            "reference": {"tone": "light"},
            "where": {"split": ["test"]},
        }
    },
    "rule": [
        {"id": "floor", "metric": "accuracy", "by": ["tone"], "min": 0.5},
        {"metric": "false_positive_rate_difference", "max": 0.1},
        {"preset": "four-fifths"},
    ],
    "waiver": [],
    "required": [{"group": {"tone": "dark"}}],
    "model": {"ads": {"path": "model.pt", "labels": ["yes", "no"]}},
}
FACES = Evaluation("faces", attributes={"tone": ("light", "dark")})
ROWS = [
    {"id": "a", "image": "a.png", "tone": "light", "target": "yes", "prediction": "yes"},
    {"id": "b", "image": "b.png", "tone": "dark", "target": "no", "prediction": "yes"},
]
SCALAR = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["nan", "best", "all", "dark", "tone", "../x", "\x1b[2K", "\u202e", "1e999"]),
)
VALUE = st.recursive(
    SCALAR,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=5,
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def own_errors_only(read: Callable[[], object]) -> None:
    """Only errors of the project leave it, each with a message in printable lines."""
    try:
        read()
    except FairnessError as error:
        text = str(error)
        assert text
        assert all(line.isprintable() for line in text.split("\n"))


def places(value: Any) -> list[tuple[Any, ...]]:
    """Every place in nested values."""
    found: list[tuple[Any, ...]] = [()]
    keys = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, inner in keys:
        found += [(key, *place) for place in places(inner)]
    return found


def changed(value: Any, data: st.DataObject) -> Any:
    """Nested values with another value, or none, at one or two places."""
    found = copy.deepcopy(value)
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.sampled_from(places(found)[1:] or [()]))
        if not place:
            return data.draw(VALUE)
        parent = found
        for key in place[:-1]:
            parent = parent[key]
        if data.draw(st.booleans()):
            parent[place[-1]] = data.draw(VALUE)
        else:
            del parent[place[-1]]
    return found


def damaged(content: bytes, data: st.DataObject) -> bytes:
    """A file with some bytes replaced, removed or added."""
    start = data.draw(st.integers(0, len(content)))
    end = start + data.draw(st.integers(0, 8))
    return content[:start] + data.draw(st.binary(max_size=8)) + content[end:]


@given(st.data())
def test_policies(data):
    policy = changed(POLICY, data)
    if isinstance(policy, dict):
        own_errors_only(lambda: load_policy(policy))


@given(st.data())
def test_policy_files(folder, data):
    text = (
        'schema = 1\n[decision]\ninconclusive = "fail"\n[evaluation.faces]\nattributes = { tone = ["a"] }\n'
        '[[rule]]\nmetric = "accuracy"\nmin = 0.5\n'
    )
    (folder / "policy.toml").write_bytes(damaged(text.encode(), data))
    own_errors_only(lambda: load_policy(folder / "policy.toml"))


@given(st.data())
def test_records(folder, data):
    file = folder / "record.json"
    file.write_text(json.dumps(changed(RECORD, data)), encoding="utf-8")

    def read() -> None:
        record = RunRecord.from_json(file)
        table_lines(record)
        since_lines(record)
        for verdict in record.verdicts:
            describe(verdict)

    own_errors_only(read)
    own_errors_only(lambda: verify(file))


@given(st.data())
def test_record_files(folder, data):
    file = folder / "bytes.json"
    file.write_bytes(damaged(json.dumps(RECORD).encode(), data))
    own_errors_only(lambda: verify(file))


def csv_bytes() -> bytes:
    return pd.DataFrame(ROWS).to_csv(index=False).encode()


def parquet_bytes() -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.Table.from_pylist(ROWS), buffer)
    return buffer.getvalue()


def json_lines() -> bytes:
    return "\n".join(map(json.dumps, ROWS)).encode()


@pytest.mark.parametrize(
    ("ending", "content"),
    [("csv", csv_bytes()), ("parquet", parquet_bytes()), ("jsonl", json_lines())],
)
@given(data=st.data())
def test_files_of_predictions_and_manifests(folder, ending, content, data):
    file = folder / f"rows.{ending}"
    file.write_bytes(damaged(content, data))
    own_errors_only(lambda: read_predictions(file, FACES))
    if ending != "jsonl":
        faces = Evaluation("faces", attributes={"tone": ("light", "dark")}, manifest=file)
        own_errors_only(lambda: load_evaluation_set(faces))


@pytest.mark.parametrize("ending", ["parquet", "jsonl"])
@given(data=st.data())
def test_values_of_predictions(folder, ending, data):
    rows = changed(ROWS, data)
    file = folder / f"values.{ending}"
    if ending == "jsonl":
        file.write_text(
            "\n".join(map(json.dumps, rows if isinstance(rows, list) else [rows])), "utf-8"
        )
    else:
        try:
            pq.write_table(pa.Table.from_pylist(rows), file)
        except (pa.ArrowException, TypeError, ValueError, AttributeError, OverflowError):
            return  # no table can hold these
    own_errors_only(lambda: read_predictions(file, FACES))


@given(st.one_of(VALUE, st.dictionaries(st.sampled_from("0123"), VALUE)), st.data())
def test_files_of_labels(folder, labels, data):
    for name, text in (
        ("labels.json", json.dumps(labels)),
        ("labels.csv", "/m/1,A\n/m/2,B\n"),
        ("labels.txt", "A\nB"),
    ):
        (folder / name).write_bytes(damaged(text.encode(), data))
        own_errors_only(partial(read_labels, LabelFile(folder / name)))
