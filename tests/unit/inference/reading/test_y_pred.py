"""A bare `y_pred` takes targets and groups from the manifest, in its order."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from pytest_fairness.errors import PredictionError
from pytest_fairness.gate.run import judge
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy.records import Evaluation

Y_PRED = np.array(["no", "yes", "yes", "no"])


@pytest.fixture
def faces(tmp_path):
    frame = pd.DataFrame(
        {
            "image": ["a.png", "b.png", "c.png", "d.png"],
            "sex": ["f", "m", "f", "m"],
            "target": ["no", "yes", "no", "no"],
            "prediction": ["old", "old", "old", "old"],
        }
    )
    frame.to_csv(tmp_path / "faces.csv", index=False)
    return Evaluation(
        "faces", manifest=tmp_path / "faces.csv", attributes={"sex": ("f", "m")}, positive="yes"
    )


def read(y_pred, evaluation):
    return (
        read_predictions(y_pred, evaluation)
        .table.select(["id", "target", "prediction"])
        .to_pylist()
    )


FORMS = {
    "array": Y_PRED,
    "list": Y_PRED.tolist(),
    "series with another index": pd.Series(Y_PRED, index=[9, 8, 7, 7]),
    "objects": Y_PRED.astype(object),
    "categorical": pd.Categorical(Y_PRED, categories=["yes", "no", "maybe"]),
    "series of categories": pd.Series(Y_PRED, dtype="category"),
    "index": pd.Index(Y_PRED),
    "strings of pandas": pd.array(Y_PRED, dtype="string"),
}


@pytest.mark.parametrize("y_pred", FORMS.values(), ids=FORMS)
def test_every_form_is_read_in_the_order_of_the_manifest(y_pred, faces):
    assert read(y_pred, faces) == [
        {"id": "a.png", "target": "no", "prediction": "no"},
        {"id": "b.png", "target": "yes", "prediction": "yes"},
        {"id": "c.png", "target": "no", "prediction": "yes"},
        {"id": "d.png", "target": "no", "prediction": "no"},
    ]


def test_a_file_of_numpy_is_read_without_unpickling(faces, tmp_path):
    np.save(tmp_path / "y_pred.npy", Y_PRED)
    assert read(tmp_path / "y_pred.npy", faces) == read(Y_PRED, faces)
    np.save(tmp_path / "objects.npy", Y_PRED.astype(object))
    with pytest.raises(PredictionError, match=r"cannot be read as a NumPy array .*not read"):
        read(tmp_path / "objects.npy", faces)
    with pytest.raises(PredictionError, match=r"gone\.npy: no such file of predictions"):
        read(tmp_path / "gone.npy", faces)


def test_numbers_are_compared_by_their_text(faces, tmp_path):
    frame = pd.read_csv(faces.manifest).assign(target=[0, 1, 0, 0])
    frame.to_csv(faces.manifest, index=False)
    numbered = replace(faces, positive="1")
    for y_pred in (np.array([0, 1, 1, 0]), np.array([0.0, 1.0, 1.0, 0.0])):
        assert [row["prediction"] for row in read(y_pred, numbered)] == ["0", "1", "1", "0"]


def test_predictions_of_all_samples_or_of_those_that_where_keeps(faces):
    women = replace(faces, where={"sex": ("f",)}, classes=("no", "yes"))
    expected = [
        {"id": f"{n}.png", "target": "no", "prediction": p} for n, p in (("a", "no"), ("c", "yes"))
    ]
    assert read(Y_PRED, women) == read(Y_PRED[[0, 2]], women) == expected
    assert read_predictions(Y_PRED[[0, 2]], women).metadata["left_out"] == "2"


@pytest.mark.parametrize(
    ("y_pred", "message"),
    [
        (
            Y_PRED[:3],
            r"y_pred has 3 values, but .*faces\.csv has 4 samples; give one class for each",
        ),
        (
            np.zeros((4, 2)),
            r"one class a sample, shape \(N,\), got \(4, 2\); for scores of classes",
        ),
        (["no", "yes", None, "no"], r"sample 'c\.png': `prediction` is missing"),
        (["no", "yes", "maybe", "no"], r"sample 'c\.png': `prediction` is 'maybe', which is not a"),
    ],
    ids=["too few", "scores", "missing", "unknown class"],
)
def test_what_cannot_be_judged_is_named(y_pred, message, faces):
    with pytest.raises(PredictionError, match=message):
        read(y_pred, faces)


def test_a_y_pred_is_judged_like_a_table(faces):
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {
            "faces": {"attributes": {"sex": ["f", "m"]}, "manifest": str(faces.manifest)}
        },
        "rule": [{"metric": "accuracy", "min": 0.1}],
    }
    verdicts = judge(policy, Y_PRED).verdicts
    assert [(verdict.group["sex"], verdict.value, verdict.n) for verdict in verdicts] == [
        ("f", 0.5, 2),
        ("m", 1.0, 2),
    ]


def test_derived_columns_are_made_once(faces, tmp_path):
    from pytest_fairness.policy import load_policy

    frame = pd.read_csv(faces.manifest).assign(age=[5, 30, 40, 80])
    frame.to_csv(faces.manifest, index=False)
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {
                "faces": {
                    "attributes": {"old": ["young", "old"]},
                    "manifest": str(faces.manifest),
                    "derive": {"old": {"from": "age", "bins": [0, 35], "labels": ["young", "old"]}},
                }
            },
            "rule": [{"metric": "accuracy", "min": 0.1}],
        }
    )
    table = read_predictions(Y_PRED, policy.evaluations["faces"]).table
    assert table["old"].to_pylist() == ["young", "young", "old", "old"]


@pytest.mark.parametrize("dtype", [torch.int64, torch.uint8, torch.float32, torch.bool])
def test_a_tensor_is_read_like_an_array(dtype, faces):
    numbers = pd.read_csv(faces.manifest).assign(target=[0, 1, 0, 0])
    numbers.to_csv(faces.manifest, index=False)
    tensor = torch.tensor([0, 1, 1, 0]).to(dtype)
    if dtype == torch.bool:
        with pytest.raises(PredictionError, match="is 'False'"):
            read(tensor, replace(faces, positive="1"))
        return
    found = read(tensor, replace(faces, positive="1"))
    assert [row["prediction"] for row in found] == ["0", "1", "1", "0"]


def test_a_tensor_of_scores_is_refused_in_one_line(faces):
    with pytest.raises(PredictionError, match=r"shape \(N,\), got \(4, 2\)"):
        read(torch.zeros(4, 2, requires_grad=True), faces)


def test_row_numbers_in_another_order_are_refused(faces):
    with pytest.raises(PredictionError, match="row numbers in another order") as caught:
        read(pd.Series(Y_PRED, index=[3, 1, 2, 0]), faces)
    assert "sort_index()" in str(caught.value)
