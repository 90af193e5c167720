"""The text of a profile: tables that fit, and what is said of few rows."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness.data.profile import ProfileRequest, profile_data
from pytest_fairness.data.profile.record import DataProfile
from pytest_fairness.policy.records import Evaluation
from pytest_fairness.report.profile import profile_lines
from pytest_fairness.report.profile_markdown import profile_markdown


@pytest.fixture
def profiled(tmp_path):
    def make(frame: pd.DataFrame, *attributes: str, **keys) -> DataProfile:
        frame.to_csv(tmp_path / "rows.csv", index=False)
        cluster = keys.pop("cluster", None)
        evaluation = Evaluation(
            "rows",
            manifest=tmp_path / "rows.csv",
            attributes=dict.fromkeys(attributes, ()) | dict(keys.get("levels", {})),
            cluster=cluster,
        )
        return profile_data(ProfileRequest(evaluation, **keys))

    return make


def test_many_numeric_columns_continue_below_and_none_is_lost(profiled):
    frame = pd.DataFrame({"sex": ["F", "M"] * 15})
    names = [f"measurement_{i}" for i in range(9)]
    for i, name in enumerate(names):
        frame[name] = np.arange(30) % 7 + 1000.5 * i
    lines = profile_lines(profiled(frame, "sex"))
    assert max(map(len, lines)) <= 100
    text = "\n".join(lines)
    assert [name for name in names if f"{name} mean (SD)" not in text] == []
    assert lines.count("by sex") > 1


def test_the_largest_of_many_groups_come_first_and_the_others_are_counted(profiled):
    names = [f"c{i}" for i in range(60) for _ in range(i + 1)]
    lines = profile_lines(profiled(pd.DataFrame({"country": names}), "country"))
    start = lines.index("by country")
    assert lines[start + 2].split()[:2] == ["c59", "60"]
    assert "  ... and 20 more groups; --json FILE has them" in lines


def test_a_mean_of_some_rows_says_of_how_many(profiled):
    frame = pd.DataFrame({"sex": ["F", "F", "F", "M"], "age": ["20", "30", "", ""]})
    text = "\n".join(profile_lines(profiled(frame, "sex")))
    assert "25.00 (7.07) of 2" in text
    (row,) = [line.split() for line in text.splitlines() if line.startswith("  M ")]
    assert row == ["M", "1", "0.250", "-"]


def test_levels_that_are_not_declared_are_marked(profiled):
    frame = pd.DataFrame({"sex": ["F", "X", ""], "target": "a"})
    lines = profile_lines(profiled(frame, "sex", levels={"sex": ("F", "M")}))
    start = lines.index("by sex")
    names = [line[:20].strip() for line in lines[start + 2 : start + 6]]
    assert [name.split("  ")[0] for name in names] == ["F", "M", "(missing)", "X (not declared)"]


def test_the_markdown_is_made_of_whole_tables(profiled, tmp_path):
    frame = pd.DataFrame({"sex": ["F", "M"] * 9, "race": ["a", "b", "c"] * 6, "age": range(18)})
    text = profile_markdown(profiled(frame.assign(target="x"), "sex", "race"), folder=tmp_path)
    for block in text.split("\n\n"):
        if block.startswith("|"):
            assert len({line.count("|") for line in block.splitlines()}) == 1
    assert "## Classes (target)" in text


def test_profiles_without_attributes_show_all_rows(profiled):
    lines = profile_lines(profiled(pd.DataFrame({"age": [20.5, 30.5]})))
    assert lines[lines.index("all rows") + 2].split()[:4] == ["all", "2", "1.000", "25.50"]
