"""The profile of a table: groups as in Table 1, columns, classes, populations."""

import csv
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_fairness.data.profile import (
    DataProfile,
    ProfileRequest,
    ProfileUsageError,
    profile_data,
)
from pytest_fairness.data.profile.groups import default_groupings
from pytest_fairness.errors import DataError
from pytest_fairness.policy.records import Evaluation

TABLE_1 = {
    ("Female", "African"): (18, 27.51, 5.25),
    ("Female", "Asian"): (12, 25.17, 4.73),
    ("Female", "European"): (11, 25.00, 3.97),
    ("Male", "African"): (14, 27.20, 5.27),
    ("Male", "Asian"): (8, 27.25, 5.10),
    ("Male", "European"): (11, 26.69, 3.78),
}
"""MR2 as the first paper prints it: n, mean age, SD."""


def ages(n: int, mean: float, sd: float) -> np.ndarray:
    """Numbers with exactly this mean and sample SD."""
    plain = np.linspace(-1, 1, n)
    return mean + plain / plain.std(ddof=1) * sd


def mr2() -> pd.DataFrame:
    rows = [
        {"sex": sex, "race": race, "age": age}
        for (sex, race), (n, mean, sd) in TABLE_1.items()
        for age in ages(n, mean, sd)
    ]
    return pd.DataFrame(rows).assign(target="face")


@pytest.fixture
def profile(tmp_path):
    """Write a table and profile it; no image is needed."""

    def make(frame: pd.DataFrame, *, suffix: str = ".csv", **asked) -> DataProfile:
        path = tmp_path / f"faces{suffix}"
        if suffix == ".csv":
            frame.to_csv(path, index=False, quoting=csv.QUOTE_MINIMAL)
        else:
            frame.to_parquet(path)
        keys = {key: asked.pop(key) for key in list(asked) if key in Evaluation.__slots__}
        free = dict.fromkeys(keys.get("attributes", ()), ())
        keys["attributes"] = free | dict(asked.get("levels", {}))
        evaluation = Evaluation("faces", manifest=path, **keys)
        return profile_data(ProfileRequest(evaluation, **asked))

    return make


def groups(found: DataProfile, *by: str):
    grouping = next(one for one in found.groupings if one.by == by)
    return {tuple(group.group.values()): group for group in grouping.groups}


def problems(found: DataProfile, kind: str) -> list[str]:
    return [one.text for one in found.problems if one.kind == kind]


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_table_1_of_the_first_paper_comes_out_of_its_rows(profile, suffix):
    found = profile(mr2(), suffix=suffix, attributes=("sex", "race"))
    cells = groups(found, "sex", "race")
    assert len(cells) == 6
    for key, (n, mean, sd) in TABLE_1.items():
        age = cells[key].numbers["age"]
        assert (cells[key].n, age.n) == (n, n)
        assert age.mean == pytest.approx(mean, abs=1e-9)
        assert age.sd == pytest.approx(sd, abs=1e-9)
    assert {key[0]: group.n for key, group in groups(found, "sex").items()} == {
        "Female": 41,
        "Male": 33,
    }
    by_race = {key[0]: group.n for key, group in groups(found, "race").items()}
    assert by_race == {"African": 32, "Asian": 20, "European": 22}
    assert groups(found)[()].n == found.n == 74
    assert not found.problems


def test_a_declared_group_without_rows_is_seen_and_a_problem(profile):
    found = profile(mr2(), attributes=("sex",), levels={"race": ("African", "Asian", "Latin")})
    cells = groups(found, "sex", "race")
    assert cells["Female", "Latin"].n == 0
    assert cells["Female", "Latin"].numbers["age"].mean is None
    assert cells["Female", "Latin"].declared
    assert not cells["Female", "European"].declared
    grouping = next(one for one in found.groupings if one.by == ("sex", "race"))
    assert grouping.empty == 2
    assert problems(found, "empty group") == ["race Latin: no row has it"]
    (undeclared,) = problems(found, "undeclared level")
    assert undeclared.startswith("race = 'European' is not declared: 22 rows, first line 32")


def test_the_sd_of_one_row_is_undefined_and_its_mean_is_not(profile):
    frame = pd.DataFrame({"sex": ["F", "M", "M"], "age": [30.5, 20.0, 40.0]})
    age = groups(profile(frame, attributes=("sex",)), "sex")["F",].numbers["age"]
    assert (age.n, age.mean, age.sd) == (1, 30.5, None)


def test_missing_values_are_a_level_and_counted_by_column(profile):
    frame = pd.DataFrame(
        {"sex": ["F", "", "M", "M"], "age": ["30", "20", "", "40"], "note": ["", "", "x", ""]}
    )
    found = profile(frame, attributes=("sex",))
    assert {one.name: one.missing for one in found.columns} == {"sex": 1, "age": 1, "note": 3}
    cells = groups(found, "sex")
    assert (cells["(missing)",].n, cells["(missing)",].declared) == (1, False)
    age = cells["M",].numbers["age"]
    assert (age.n, age.missing, age.mean) == (1, 1, 40.0)
    assert problems(found, "missing value") == [
        "sex is missing in 1 row, first line 3, sample 'row-1'"
    ]


def test_columns_of_numbers_are_found_and_codes_names_and_flags_are_not(profile):
    n = 30
    frame = pd.DataFrame(
        {
            "id": [f"s{i}" for i in range(n)],
            "sex": ["F", "M"] * 15,
            "age": [20 + i % 7 for i in range(n)],
            "number": range(n),
            "flag": [True, False] * 15,
            "mixed": ["1", "x"] * 15,
            "level": ["1", "2"] * 15,
        }
    )
    for suffix in (".csv", ".parquet"):
        found = profile(frame, suffix=suffix, attributes=("sex", "level"))
        assert [one.name for one in found.columns if one.kind == "number"] == ["age"]
        assert list(groups(found)[()].numbers) == ["age"]


def test_a_named_numeric_column_reports_what_is_not_a_number(profile):
    frame = pd.DataFrame({"sex": ["F", "M", "M"], "age": ["30", "old", "inf"]})
    found = profile(frame, attributes=("sex",), numeric=("age",))
    assert problems(found, "not a number") == [
        "column 'age', line 3: 'old' is not a number (2 such values)"
    ]
    assert groups(found)[()].numbers["age"].n == 1


def test_clusters_are_counted_by_group(profile):
    frame = pd.DataFrame(
        {"sex": ["F", "F", "F", "M"], "person": ["a", "a", "b", "a"], "target": ["x"] * 4}
    )
    found = profile(frame, attributes=("sex",), cluster="person")
    assert {key[0]: group.clusters for key, group in groups(found, "sex").items()} == {
        "F": 2,
        "M": 1,
    }
    assert found.clusters == 2


def test_clusters_of_two_columns_are_counted_as_pairs_of_values(profile):
    rows = {
        "sex": ["F", "F", "F", "M"],
        "person": ["a", "a", "b", "a"],
        "camera": ["1", "2", "2", "1"],
    }
    found = profile(pd.DataFrame(rows), attributes=("sex",), cluster=("person", "camera"))
    assert (found.cluster, found.clusters) == ("person and camera", 3)


def test_repeated_ids_are_a_problem_and_not_an_end(profile):
    frame = pd.DataFrame({"id": ["a", "b", "a"], "sex": ["F", "F", "M"]})
    found = profile(frame, attributes=("sex",))
    assert problems(found, "repeated id") == ["1 id stands more than once, first 'a'"]


def test_the_class_balance_says_how_far_an_attribute_tells_the_class(profile):
    frame = pd.DataFrame(
        {
            "place": ["water"] * 50 + ["land"] * 50,
            "coin": ["heads", "tails"] * 50,
            "target": ["duck"] * 45 + ["hen"] * 5 + ["duck"] * 5 + ["hen"] * 45,
        }
    )
    classes = profile(frame, attributes=("place", "coin")).classes
    assert classes.counts == {"duck": 50, "hen": 50}
    place, coin = classes.by
    assert place.counts["water"] == {"duck": 45, "hen": 5}
    # chi-square is 100 * 0.8^2 for this table, so V = 0.8.
    assert place.cramers_v == pytest.approx(0.8)
    assert coin.cramers_v < 0.05


def test_a_constant_attribute_has_no_cramers_v(profile):
    frame = pd.DataFrame({"sex": ["F"] * 3, "target": ["x", "y", "y"]})
    assert profile(frame, attributes=("sex",)).classes.by[0].cramers_v is None


def test_where_keeps_rows_and_says_how_many_are_left_out(profile):
    found = profile(mr2(), attributes=("race",), where={"sex": ("Female",)})
    assert (found.n, found.left_out) == (41, 33)


def test_many_groups_are_listed_only_where_they_have_rows(profile):
    frame = pd.DataFrame(
        {"a": [f"a{i % 50}" for i in range(200)], "b": [f"b{i % 40}" for i in range(200)]}
    )
    grouping = profile(frame, attributes=("a", "b")).groupings[-1]
    assert len(grouping.groups) == 200
    assert grouping.empty == 50 * 40 - 200


def test_each_attribute_and_pair_is_counted_and_what_else_is_asked():
    assert default_groupings(["a", "b", "c"], [("c", "b"), ("c", "a", "b")]) == [
        (),
        ("a",),
        ("b",),
        ("c",),
        ("a", "b"),
        ("a", "c"),
        ("b", "c"),
        ("c", "a", "b"),
    ]


def test_counts_do_not_depend_on_the_order_of_the_rows(profile):
    first = profile(mr2(), attributes=("sex", "race"))
    second = profile(mr2().sample(frac=1, random_state=3), attributes=("sex", "race"))
    for one, other in zip(first.groupings, second.groupings, strict=True):
        assert [(g.group, g.n) for g in one.groups] == [(g.group, g.n) for g in other.groups]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"attributes": ("sexx",)}, r"no column 'sexx' \(attributes\).*did you mean 'sex'"),
        ({"attributes": ("sex",), "by": (("sex", "rase"),)}, "'sex.rase' crosses 'rase'"),
        ({"attributes": ("sex",), "numeric": ("agge",)}, "did you mean 'age'"),
        ({"attributes": ("sex",), "required": ("person",)}, "no column 'person'"),
    ],
    ids=["attribute", "intersection", "numeric", "named column"],
)
def test_an_unknown_column_is_named_with_those_that_there_are(profile, asked, message):
    with pytest.raises(ProfileUsageError, match=message):
        profile(mr2(), **asked)


def test_the_record_reads_back_from_json(profile, tmp_path):
    found = profile(mr2(), attributes=("sex", "race"))
    found.to_json(tmp_path / "out" / "profile.json")
    assert DataProfile.from_json(tmp_path / "out" / "profile.json") == found
    assert json.loads((tmp_path / "out" / "profile.json").read_text())["schema_version"] == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [("{}", "not a profile of schema version 1: "), (None, "cannot be read")],
    ids=["other", "absent"],
)
def test_what_is_no_profile_is_an_error(tmp_path, text, message):
    path = Path(tmp_path / "profile.json")
    if text is not None:
        path.write_text(text, encoding="utf-8")
    with pytest.raises(DataError, match=message):
        DataProfile.from_json(path)
