"""Values of any type become the words that a policy uses."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.data.levels import as_level, as_levels
from pytest_fairness.wording import listed, suggest


@pytest.mark.parametrize(
    ("value", "level"),
    [
        pytest.param("dark", "dark", id="text"),
        pytest.param(3, "3", id="integer"),
        pytest.param(3.0, "3", id="integral float"),
        pytest.param(np.float32(3.0), "3", id="integral numpy float"),
        pytest.param(-0.0, "0", id="negative zero"),
        pytest.param(0.5, "0.5", id="fraction"),
        pytest.param(float("inf"), "inf", id="infinity"),
        pytest.param(True, "True", id="boolean"),
        pytest.param(np.array([False])[0], "False", id="numpy boolean"),
        pytest.param("", None, id="empty text"),
        pytest.param(None, None, id="none"),
        pytest.param(float("nan"), None, id="nan"),
        pytest.param(pd.NA, None, id="pandas NA"),
        pytest.param(pd.NaT, None, id="no time"),
    ],
)
def test_value_becomes_a_level(value: object, level: str | None) -> None:
    assert as_level(value) == level


VALUES = st.one_of(
    st.text(max_size=3), st.integers(0, 3), st.booleans(), st.none(), st.sampled_from([0.0, 1.0])
)


@given(st.lists(VALUES, max_size=12))
def test_column_is_converted_value_by_value(values: list[object]) -> None:
    column = pd.Series(values, dtype=object)
    expected = [as_level(value) for value in values]
    assert [None if pd.isna(v) else v for v in as_levels(column)] == expected


@pytest.mark.parametrize(
    ("column", "levels"),
    [
        pytest.param(pd.Series([1, 0, 1]), ["1", "0", "1"], id="integers"),
        pytest.param(pd.Series([1.0, None, 0.0]), ["1", None, "0"], id="floats with a gap"),
        pytest.param(pd.Series([True, False]), ["True", "False"], id="booleans"),
        pytest.param(pd.Series(["a", None], dtype="category"), ["a", None], id="categories"),
        pytest.param(pd.Series([1, None], dtype="Int64"), ["1", None], id="nullable integers"),
        pytest.param(pd.Series([], dtype="float64"), [], id="no rows"),
    ],
)
def test_column_of_any_type_becomes_levels(column: pd.Series, levels: list[str | None]) -> None:
    assert [None if pd.isna(v) else v for v in as_levels(column)] == levels


def test_column_keeps_its_row_numbers() -> None:
    assert as_levels(pd.Series([1.0, 2.0], index=[4, 7])).index.tolist() == [4, 7]


def test_far_word_gets_no_suggestion() -> None:
    assert suggest("elephant", ["light", "dark"]) == ""


def test_long_list_is_cut_and_counted() -> None:
    assert listed(str(i) for i in range(20)).endswith("'11', … (20 in all)")
