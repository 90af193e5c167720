"""Columns made of other columns, for manifests and for predictions; errors name the first value."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.data import MISSING, load_evaluation_set
from pytest_fairness.data.derived import (
    ITA_CLASSES,
    derive_columns,
    fitzpatrick_type,
    ita_classes,
    ita_degrees,
)
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError, FairnessError, PredictionError
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.policy import Evaluation
from pytest_fairness.policy.derive import Derivation

AGES = Derivation("age_group", ("age",), bins=(0, 18, 65), labels=("child", "adult", "older"))


def derived(values: dict[str, list[Any]], *made: Derivation) -> pd.DataFrame:
    evaluation = Evaluation("faces", derive={one.column: one for one in made})
    rows = Rows(pd.DataFrame(values), "faces.csv", "faces", DataError)
    return derive_columns(rows, evaluation).frame


def test_a_lower_edge_belongs_to_its_bin_and_the_last_bin_is_open() -> None:
    frame = derived({"age": [0, 17.9, 18, 64, 65, 120]}, AGES)
    assert frame["age_group"].tolist() == ["child", "child", "adult", "adult", "older", "older"]
    assert frame["age"].tolist() == [0, 17.9, 18, 64, 65, 120]


def test_one_edge_more_than_labels_closes_the_last_bin() -> None:
    closed = Derivation("g", ("age",), bins=(0, 18, 65), labels=("child", "adult"))
    assert derived({"age": ["17", "64.9"]}, closed)["g"].tolist() == ["child", "adult"]
    with pytest.raises(
        DataError,
        match=r"^faces\.csv, row 1, sample 'row-1': derive\.g: age = 65 fits no bin \(2 such "
        r"samples\); the bins hold 0 to less than 65",
    ):
        derived({"age": [64, 65, 70]}, closed)


@given(
    edges=st.lists(st.integers(-50, 50), min_size=2, max_size=6, unique=True).map(sorted),
    ages=st.lists(st.integers(-60, 60), min_size=1),
)
def test_bins_are_those_of_pandas(edges: list[int], ages: list[int]) -> None:
    ages = [min(max(age, edges[0]), edges[-1] - 1) for age in ages]
    labels = [f"from {edge}" for edge in edges[:-1]]
    made = Derivation("g", ("age",), bins=tuple(edges), labels=tuple(labels))
    expected = pd.cut(pd.Series(ages), edges, right=False, labels=labels).tolist()
    assert derived({"age": list(ages)}, made)["g"].tolist() == expected


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        pytest.param([3, -1], r"row 1, sample 'row-1': .*age = -1 fits no bin", id="below"),
        pytest.param(["3", "old"], r"row 1, .*age = 'old' is not a number", id="text"),
    ],
)
def test_the_first_value_without_a_bin_is_named(values: list[Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        derived({"age": values}, AGES)


def test_the_sample_is_named_by_its_id() -> None:
    with pytest.raises(DataError, match=r"row 1, sample 'b': derive\.age_group"):
        derived({"id": ["a", "b"], "age": [1, -2]}, AGES)


def test_missing_values_stay_missing_and_words_for_it_become_so() -> None:
    made = Derivation(
        "g", ("age",), bins=(0, 18), labels=("child", "adult"), missing=("-1", "unknown")
    )
    frame = derived({"age": [None, "-1", "unknown", "", "20"]}, made)
    assert frame["g"].isna().tolist() == [True] * 4 + [False]


MERGED = Derivation("race2", ("race",), merge={"white": ("White",), "other": ("Black", "Indian")})


def test_levels_are_merged() -> None:
    frame = derived({"race": ["Indian", None, "White", "Black"]}, MERGED)
    assert frame["race2"].fillna("?").tolist() == ["other", "?", "white", "other"]


def test_a_level_that_merge_does_not_name_is_an_error_or_the_rest() -> None:
    values = {"race": ["White", "Asian"]}
    with pytest.raises(
        DataError,
        match=r"row 1, .*derive\.race2: 'Asian' belongs to no level; `merge` names 'White', 'Black'"
        r", 'Indian'; .* as `rest`",
    ):
        derived(values, MERGED)
    made = Derivation("race2", ("race",), merge={"white": ("White",)}, rest="other")
    assert derived(values, made)["race2"].tolist() == ["white", "other"]


def test_a_column_may_be_merged_in_place_and_one_may_build_on_another() -> None:
    in_place = Derivation("race", ("race",), merge={"w": ("White",), "b": ("Black",)})
    second = Derivation("tone", ("race",), merge={"light": ("w",), "dark": ("b",)})
    frame = derived({"race": ["White", "Black"]}, in_place, second)
    assert frame["race"].tolist() == ["w", "b"]
    assert frame["tone"].tolist() == ["light", "dark"]


@pytest.mark.parametrize(
    ("text", "skin_type"),
    [
        pytest.param("1", "I", id="digit"),
        pytest.param("VI", "VI", id="roman"),
        pytest.param(" ii ", "II", id="lower case"),
        pytest.param("Type III", "III", id="type"),
        pytest.param("FST V", "V", id="fst"),
        pytest.param("Fitzpatrick skin type 4", "IV", id="whole name"),
        pytest.param("skin_type_6", "VI", id="joined"),
        pytest.param("0", None, id="zero"),
        pytest.param("7", None, id="seven"),
        pytest.param("IIII", None, id="four strokes"),
        pytest.param("12", None, id="a range"),
        pytest.param("-1", None, id="minus one"),
    ],
)
def test_fitzpatrick_types_are_read_in_their_usual_spellings(
    text: str, skin_type: str | None
) -> None:
    assert fitzpatrick_type(text) == skin_type


def test_fitzpatrick_types_may_be_merged_and_minus_one_be_missing() -> None:
    made = Derivation(
        "skin",
        ("fst",),
        scale="fitzpatrick",
        merge={"light": ("I", "II", "III"), "dark": ("IV", "V", "VI")},
        missing=("-1",),
    )
    frame = derived({"fst": [1.0, 4.0, -1.0, 3.0]}, made)  # as pandas reads a column with gaps
    assert frame["skin"].fillna("?").tolist() == ["light", "dark", "?", "light"]
    with pytest.raises(DataError, match=r"'9' belongs to no level; skin types are 'I', .* 1 to 6"):
        derived({"fst": [1, 9]}, made)


def test_ita_classes_have_the_published_borders() -> None:
    angles = [90, 55.1, 55, 41.1, 41, 28.1, 28, 10.1, 10, -29.9, -30, -90]
    made = Derivation("skin", ("ita",), scale="ita")
    assert derived({"ita": angles}, made)["skin"].tolist() == [
        *["very light"] * 2,
        *["light"] * 2,
        *["intermediate"] * 2,
        *["tan"] * 2,
        *["brown"] * 2,
        *["dark"] * 2,
    ]


def test_the_angle_is_computed_from_lightness_and_yellowness() -> None:
    # By hand: arctan(20 / 20) = 45 degrees; arctan(-10 / 10 sqrt 3) = -30 degrees.
    angles = ita_degrees(np.array([70.0, 40.0]), np.array([20.0, 10 * math.sqrt(3)]))
    np.testing.assert_allclose(angles, [45, -30])
    made = Derivation("skin", ("L", "b"), scale="ita")
    frame = derived({"L": [70, 65, None], "b": [20, 40, 3]}, made)
    assert frame["skin"].fillna("?").tolist() == ["light", "tan", "?"]


@given(st.lists(st.floats(-90, 90), min_size=2))
def test_a_larger_angle_is_never_a_darker_class(angles: list[float]) -> None:
    places = [ITA_CLASSES.index(name) for name in ita_classes(np.sort(np.array(angles)))]
    assert places == sorted(places)


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        pytest.param({"ita": [91]}, "ita = 91 is no angle of -90 to 90", id="angle"),
        pytest.param({"L": [120], "b": [10]}, "L = 120 and b = 10 are no L", id="lightness"),
        pytest.param({"L": [60], "b": [-3]}, "b = -3 are no L", id="blue skin"),
    ],
)
def test_numbers_that_are_no_skin_colour_are_named(values: dict[str, Any], problem: str) -> None:
    with pytest.raises(DataError, match=problem):
        derived(values, Derivation("skin", tuple(values), scale="ita"))


def test_a_derived_column_never_overwrites_another() -> None:
    with pytest.raises(
        DataError, match=r"column 'age_group' exists already, .*rename the derived column"
    ):
        derived({"age": [1], "age_group": ["child"]}, AGES)


def test_a_missing_source_is_named_with_the_key() -> None:
    with pytest.raises(
        DataError, match=r"no column 'age', which `derive\.age_group\.from` .*did you mean 'ages'"
    ):
        derived({"ages": [1]}, AGES)


def test_a_manifest_has_derived_targets_attributes_and_where(
    in_csv: Callable[..., Evaluation], rows: list[dict[str, Any]]
) -> None:
    for row, age in zip(rows, ["3", "40", ""], strict=True):
        row["age"] = age
    gender = Derivation("gender", ("target",), merge={"male": ("man",), "female": ("woman",)})
    evaluation = in_csv(
        rows,
        target="gender",
        attributes={"age_group": ("child", "adult", "older")},
        derive={"age_group": AGES, "gender": gender},
        where={"age_group": ("child", "adult", MISSING)},
    )
    found = load_evaluation_set(evaluation)
    assert found.samples["target"].tolist() == ["male", "female", "male"]
    assert found.samples["age_group"].tolist() == ["child", "adult", MISSING]
    assert found.manifest["age"].fillna("").tolist() == ["3", "40", ""]
    assert found.left_out == 0


FACES = Evaluation(
    "faces",
    classes=("x", "y"),
    attributes={"age_group": ("child", "adult", "older")},
    derive={"age_group": AGES},
    where={"age_group": ("child", "older")},
)
ANSWERS = {
    "id": ["a", "b", "c"],
    "target": ["x", "y", "x"],
    "prediction": ["x", "x", "y"],
    "age": [3, 40, 70],
}


def test_predictions_of_a_file_have_derived_columns_too(tmp_path: Path) -> None:
    path = tmp_path / "answers.csv"
    pd.DataFrame(ANSWERS).to_csv(path, index=False)
    found = read_predictions(path, FACES)
    assert found.table.column("age_group").to_pylist() == ["child", "older"]
    with pytest.raises(PredictionError, match=r"line 3, sample 'b': .*age = -4 fits no bin"):
        read_predictions(pd.DataFrame(ANSWERS | {"age": [3, -4, 1]}).pipe(written, path), FACES)


def written(frame: pd.DataFrame, path: Path) -> Path:
    frame.to_csv(path, index=False)
    return path


def test_predictions_without_the_source_are_taken_at_their_word() -> None:
    table = pd.DataFrame(ANSWERS | {"age_group": ["child", "adult", "older"]}).drop(columns="age")
    found = read_predictions(table, FACES)
    assert found.table.column("age_group").to_pylist() == ["child", "older"]


def test_saved_predictions_are_not_derived_twice(tmp_path: Path) -> None:
    in_place = Derivation("age", ("age",), bins=(0, 18), labels=("child", "adult"))
    evaluation = Evaluation(
        "faces", attributes={"age": ("child", "adult")}, derive={"age": in_place}
    )
    path = tmp_path / "kept.parquet"
    read_predictions(pd.DataFrame(ANSWERS), evaluation).to_parquet(path)
    assert Predictions.from_parquet(path).metadata["derive"]
    found = read_predictions(path, evaluation)
    assert found.table.column("age").to_pylist() == ["child", "adult", "adult"]


def test_saved_predictions_of_another_derivation_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "kept.parquet"
    read_predictions(pd.DataFrame(ANSWERS), FACES).to_parquet(path)
    other = Derivation("age_group", ("age",), bins=(0, 21, 65), labels=AGES.labels)
    changed = Evaluation("faces", attributes=FACES.attributes, derive={"age_group": other})
    with pytest.raises(
        FairnessError,
        match=r"kept\.parquet: derive\.age_group was \{ from = \[\"age\"\], bins = \[0, 18, 65\].*"
        r"now says .*\[0, 21, 65\].*run the model again",
    ):
        read_predictions(path, changed)
