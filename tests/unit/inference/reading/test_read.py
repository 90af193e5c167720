"""Predictions made elsewhere are taken as they are, or refused with one clear message."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_fairness.classifiers import Classifier
from pytest_fairness.data import MISSING, EvaluationSet
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import Predictions, predict, read_predictions
from pytest_fairness.policy.records import Evaluation

FACES = Evaluation("faces", attributes={"skin_tone": ("light", "medium", "dark")})
# The column `prediction` of the table is another answer than that of the scores.
SCORED = replace(FACES, score="p", positive="man", prediction="none")


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "id": ["a", "b", "c"],
            "skin_tone": ["light", "dark", "dark"],
            "target": ["man", "woman", "man"],
            "prediction": ["man", "man", "woman"],
            "p": [0.9, 0.5, 0.1],
        }
    )


Form = Literal["frame", "arrow", "parquet", "csv"]


@pytest.fixture(params=["frame", "arrow", "parquet", "csv"])
def source(
    request: pytest.FixtureRequest, table: pd.DataFrame, tmp_path: Path
) -> pd.DataFrame | pa.Table | Path:
    form: Form = request.param
    if form == "frame":
        return table.set_index(pd.Index([7, 7, 7]))
    if form == "arrow":
        return pa.Table.from_pandas(table)
    path = tmp_path / f"predictions.{form}"
    table.to_csv(path, index=False) if form == "csv" else table.to_parquet(path)
    return path


def column(predictions: Predictions, name: str) -> list[Any]:
    values: list[Any] = predictions.table[name].to_pylist()
    return values


def test_predictions_of_every_form_are_read(source: Any) -> None:
    found = read_predictions(source, FACES, model="theirs")
    assert found.table.to_pydict() == {
        "id": ["a", "b", "c"],
        "target": ["man", "woman", "man"],
        "prediction": ["man", "man", "woman"],
        "skin_tone": ["light", "dark", "dark"],
    }
    assert (found.model, found.evaluation) == ("theirs", "faces")
    assert found.classes == ("man", "woman")
    assert found.levels == {"skin_tone": ("light", "medium", "dark")}


def test_metadata_tell_source_and_content(source: Any, table: pd.DataFrame) -> None:
    found = read_predictions(source, FACES).metadata
    assert set(found) == {
        "source",
        "left_out",
        "ground_truth",
        "where",
        "predictions_hash",
        "predictions_sha256",
    }
    assert (
        found["predictions_sha256"] == read_predictions(table, FACES).metadata["predictions_sha256"]
    )
    table.loc[0, "prediction"] = "woman"
    assert (
        found["predictions_sha256"] != read_predictions(table, FACES).metadata["predictions_sha256"]
    )


def test_columns_may_have_other_names(table: pd.DataFrame) -> None:
    renamed = table.rename(columns={"target": "truth", "prediction": "said", "id": "file"})
    keys = replace(FACES, target="truth", prediction="said", id="file")
    assert read_predictions(renamed, keys).table == read_predictions(table, FACES).table


def test_columns_may_be_called_by_numbers(table: pd.DataFrame) -> None:
    numbered = table.rename(columns={"target": 0, "prediction": 1})
    found = read_predictions(numbered, replace(FACES, target="0", prediction="1"))
    assert found.table == read_predictions(table, FACES).table


def test_ids_may_be_absent(table: pd.DataFrame) -> None:
    found = read_predictions(table.drop(columns="id"), FACES)
    assert column(found, "id") == ["row-0", "row-1", "row-2"]


@pytest.mark.parametrize(
    ("targets", "answers", "words"),
    [
        pytest.param([1, 0, 1], [1.0, 0.0, 0.0], ["1", "0", "0"], id="integers and floats"),
        pytest.param([1, 0, 1], ["1", "0", "0"], ["1", "0", "0"], id="integers and text"),
        pytest.param(
            [True, False, True], [True, True, False], ["True", "True", "False"], id="bool"
        ),
    ],
)
def test_targets_and_predictions_may_differ_in_type(
    table: pd.DataFrame, targets: list[Any], answers: list[Any], words: list[str]
) -> None:
    found = read_predictions(table.assign(target=targets, prediction=answers), FACES)
    assert column(found, "prediction") == words


@pytest.mark.parametrize(
    ("threshold", "answers"),
    [
        pytest.param(None, ["man", "man", "woman"], id="a half when none is declared"),
        pytest.param(0.6, ["man", "woman", "woman"], id="declared"),
        pytest.param(0.1, ["man", "man", "man"], id="on the score"),
        pytest.param(-3.0, ["man", "man", "man"], id="below zero"),
    ],
)
def test_score_from_the_threshold_on_is_positive(
    source: Any, threshold: float | None, answers: list[str]
) -> None:
    found = read_predictions(source, replace(SCORED, threshold=threshold))
    assert column(found, "prediction") == answers
    np.testing.assert_allclose(found.table["score:man"].to_numpy(), [0.9, 0.5, 0.1], rtol=1e-6)


def test_logits_are_read_with_a_declared_threshold(table: pd.DataFrame) -> None:
    scores = [3.0, -2.0, float("-inf")]
    found = read_predictions(table.assign(p=scores), replace(SCORED, threshold=0.0))
    assert column(found, "prediction") == ["man", "woman", "woman"]


def test_score_column_is_found_when_there_is_no_prediction(table: pd.DataFrame) -> None:
    scored = table.drop(columns="prediction").rename(columns={"p": "score"})
    found = read_predictions(scored, replace(FACES, positive="woman"))
    assert column(found, "prediction") == ["woman", "woman", "man"]


def test_missing_attribute_is_a_level_of_its_own(table: pd.DataFrame) -> None:
    table.loc[1, "skin_tone"] = None
    found = read_predictions(table, FACES)
    assert found.levels["skin_tone"] == ("light", "medium", "dark", MISSING)
    assert column(found, "skin_tone") == ["light", MISSING, "dark"]


def test_where_applies_to_predictions_too(source: Any) -> None:
    found = read_predictions(
        source, replace(FACES, where={"id": ("a", "c")}, classes=("man", "woman"))
    )
    assert column(found, "id") == ["a", "c"]
    assert found.metadata["left_out"] == "1"


def test_where_needs_its_column(source: Any) -> None:
    with pytest.raises(PredictionError, match=r"no column 'vendor', which `where\.vendor`"):
        read_predictions(source, replace(FACES, where={"vendor": ("one",)}))


@pytest.mark.parametrize(
    ("change", "keys", "problem"),
    [
        pytest.param(
            {"id": ["a", "b", "a"]},
            {},
            r"sample id 'a' appears twice, in row 0 and row 2 \(1 repeated",
            id="repeated id",
        ),
        pytest.param(
            {"prediction": ["man", None, "man"]},
            {},
            "row 1, sample 'b': `prediction` is missing in column 'prediction'",
            id="missing prediction",
        ),
        pytest.param(
            {"target": ["man", "woman", ""]},
            {},
            "row 2, sample 'c': `target` is missing",
            id="missing target",
        ),
        pytest.param(
            {"prediction": ["man", "womn", "womn"]},
            {},
            r"row 1, sample 'b': `prediction` is 'womn', which is not a class; did you mean 'woman'"
            r"\? \(2 such samples\); the classes of evaluation 'faces' are 'man', 'woman'",
            id="unknown class among the targets",
        ),
        pytest.param(
            {"prediction": ["man", "child", "man"]},
            {"classes": ("man", "woman")},
            "`prediction` is 'child', which is not a class; the classes",
            id="unknown class among the declared",
        ),
        pytest.param(
            {"skin_tone": ["light", "drak", "dark"]},
            {},
            "row 1, sample 'b': skin_tone = 'drak' is not declared; did you mean 'dark'",
            id="undeclared level",
        ),
        pytest.param(
            {"p": [0.5, np.nan, np.nan]},
            {"score": "p", "positive": "man"},
            r"row 1, sample 'b': `score` is 'nan' in column 'p', not a number \(2 such samples\)",
            id="nan score",
        ),
        pytest.param(
            {"p": ["0.5", "high", "0.1"]},
            {"score": "p", "positive": "man"},
            "sample 'b': `score` is 'high' in column 'p', not a number",
            id="score that is text",
        ),
        pytest.param(
            {"p": [0.5, 3.5, -1.0]},
            {"score": "p", "positive": "man"},
            r"sample 'b': `score` is 3\.5 in column 'p', outside 0 to 1 .*or declare `threshold`",
            id="logits without a threshold",
        ),
        pytest.param(
            {},
            {"score": "p"},
            "need `positive` and exactly two classes .*; got positive = None and classes 'man', 'wo",
            id="score without positive",
        ),
        pytest.param(
            {"target": ["man", "woman", "child"]},
            {"score": "p", "positive": "man"},
            "exactly two classes .* and classes 'child', 'man', 'woman'",
            id="score with three classes",
        ),
        pytest.param(
            {},
            {"prediction": "predicted"},
            "no column 'predicted', which `prediction` of evaluation 'faces' reads",
            id="missing prediction column",
        ),
        pytest.param({}, {"target": "truth"}, "no column 'truth', which `target`", id="no target"),
        pytest.param(
            {},
            {"attributes": {"age": ("young",)}},
            r"no column 'age', which `attributes\.age`",
            id="missing attribute column",
        ),
    ],
)
def test_bad_predictions_are_refused(
    table: pd.DataFrame, change: dict[str, Any], keys: dict[str, Any], problem: str
) -> None:
    with pytest.raises(PredictionError, match=problem):
        read_predictions(table.assign(**change), replace(FACES, **keys))


def test_problem_in_a_csv_file_names_its_line(table: pd.DataFrame, tmp_path: Path) -> None:
    table.assign(prediction=["man", "child", "man"]).to_csv(tmp_path / "p.csv", index=False)
    with pytest.raises(
        PredictionError, match=r"p\.csv, line 3, sample 'b': `prediction` is 'child'"
    ):
        read_predictions(tmp_path / "p.csv", FACES)


def test_column_that_stands_twice_is_refused(table: pd.DataFrame) -> None:
    doubled = pd.concat([table, table[["target"]]], axis="columns")
    with pytest.raises(PredictionError, match="more than one column 'target'"):
        read_predictions(doubled, FACES)


def test_no_predictions_are_refused(table: pd.DataFrame) -> None:
    with pytest.raises(PredictionError, match=r"predictions \(DataFrame\): no rows, so evaluation"):
        read_predictions(table.iloc[:0], FACES)


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(PredictionError, match=r"gone\.csv: no such file"):
        read_predictions(str(tmp_path / "gone.csv"), FACES)


@pytest.fixture
def ours(
    red: Classifier, evaluation_set: Callable[[int], EvaluationSet], tmp_path: Path
) -> tuple[Predictions, Path]:
    found = predict(red, evaluation_set(6), device="cpu")
    found.to_parquet(tmp_path / "ours.parquet")
    return found, tmp_path / "ours.parquet"


# How the policy reads the manifest that the predictions were made from.
MANIFEST = replace(FACES, id="file", target="gender", score="p", where={"vendor": ("one",)})


@pytest.mark.parametrize("form", ["path", "table"])
def test_our_own_file_is_judged_again_as_it_was(ours: tuple[Predictions, Path], form: str) -> None:
    before, path = ours
    source = path if form == "path" else pq.read_table(path)
    found = read_predictions(source, MANIFEST)
    assert found.table == before.table
    assert (found.model, found.classes) == ("red", ("woman", "man"))
    assert found.metadata["weights_sha256"] == before.metadata["weights_sha256"]


def test_our_own_file_takes_the_levels_of_the_policy(ours: tuple[Predictions, Path]) -> None:
    levels = {"skin_tone": ("dark", "light")}
    assert read_predictions(ours[1], replace(MANIFEST, attributes=levels)).levels == levels


def test_model_of_our_own_file_can_be_renamed(ours: tuple[Predictions, Path]) -> None:
    assert read_predictions(ours[1], MANIFEST, model="last release").model == "last release"


def test_changed_where_is_not_taken_for_applied(ours: tuple[Predictions, Path]) -> None:
    changed = replace(MANIFEST, where={"vendor": ("two",)})
    with pytest.raises(PredictionError, match=r"no column 'vendor', which `where\.vendor`"):
        read_predictions(ours[1], changed)


def test_where_on_an_attribute_narrows_our_own_file(ours: tuple[Predictions, Path]) -> None:
    narrowed = replace(MANIFEST, where={"vendor": ("one",), "skin_tone": ("dark",)})
    found = read_predictions(ours[1], narrowed)
    assert set(column(found, "skin_tone")) == {"dark"}
    assert found.metadata["left_out"] == "8"
    assert json.loads(found.metadata["where"]) == {"vendor": ["one"], "skin_tone": ["dark"]}


def test_a_threshold_that_decides_nothing_is_refused(table: pd.DataFrame) -> None:
    with pytest.raises(PredictionError, match=r"threshold = 0.5 of evaluation .* has no effect"):
        read_predictions(table, replace(FACES, threshold=0.5))


def test_a_prediction_that_its_score_contradicts_is_refused(table: pd.DataFrame) -> None:
    scored = replace(FACES, positive="woman", score="p")
    agree = table.assign(p=(table["prediction"] == "woman").astype(float))
    assert read_predictions(agree, scored).table.num_rows == len(table)
    with pytest.raises(PredictionError, match=r"`prediction` is .* but the score in column 'p'"):
        read_predictions(agree.assign(p=1 - agree["p"]), scored)
