"""Counting: exact, mergeable, by value, and nothing dropped."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.statistics.counts import GroupCounts, count_groups
from pytest_fairness.strategies import group_counts

LEVELS = {"tone": ("light", "medium", "dark"), "sex": ("female", "male")}
CLASSES = ("no", "yes")


def table_of(rng: np.random.Generator, size: int) -> pa.Table:
    return pa.table(
        {
            "sex": rng.choice(LEVELS["sex"], size),
            "tone": rng.choice(LEVELS["tone"][:2], size),
            "target": rng.choice(CLASSES, size),
            "prediction": rng.choice(CLASSES, size),
        }
    )


def test_counts_are_those_of_pandas_and_an_empty_group_stays():
    table = table_of(np.random.default_rng(0), 1000)
    counts = count_groups(table.to_batches(max_chunksize=64), levels=LEVELS, classes=CLASSES)
    frame = table.to_pandas()
    for group, confusion in zip(
        counts.groups(("tone", "sex")), counts.confusion(("tone", "sex")), strict=True
    ):
        rows = frame[(frame.tone == group["tone"]) & (frame.sex == group["sex"])]
        cells = pd.crosstab(
            pd.Categorical(rows.target, CLASSES),
            pd.Categorical(rows.prediction, CLASSES),
            dropna=False,
        )
        assert confusion.tolist() == cells.to_numpy().tolist()
    assert {"tone": "dark", "sex": "male"} in counts.groups(("tone", "sex"))
    assert counts.n == 1000


def test_axes_follow_the_order_asked_for():
    table = table_of(np.random.default_rng(1), 300)
    counts = count_groups(table.to_batches(), levels=LEVELS, classes=CLASSES)
    one = dict(
        zip(
            map(str, counts.groups(("tone", "sex"))), counts.confusion(("tone", "sex")), strict=True
        )
    )
    for group, confusion in zip(
        counts.groups(("sex", "tone")), counts.confusion(("sex", "tone")), strict=True
    ):
        same = {"tone": group["tone"], "sex": group["sex"]}
        assert np.array_equal(one[str(same)], confusion)


@given(seed=st.integers(0, 1000), cut=st.integers(0, 200))
def test_merging_the_counts_of_shards_is_counting_the_whole(seed, cut):
    table = table_of(np.random.default_rng(seed), 200)
    whole, first, rest = (
        count_groups(part.to_batches(), levels=LEVELS, classes=CLASSES)
        for part in (table, table.slice(0, cut), table.slice(cut))
    )
    assert first + rest == whole


@given(seed=st.integers(0, 1000))
def test_the_order_of_samples_does_not_matter(seed):
    rng = np.random.default_rng(seed)
    table = table_of(rng, 100)
    shuffled = table.take(rng.permutation(100))
    assert count_groups(table.to_batches(), levels=LEVELS, classes=CLASSES) == count_groups(
        shuffled.to_batches(), levels=LEVELS, classes=CLASSES
    )


def test_dictionary_codes_in_another_order_count_the_same():
    # The same code means another level in the second batch: counting codes would misfile it.
    batches = [
        pa.record_batch(
            {
                "sex": pa.DictionaryArray.from_arrays([0, 0, 1], list(order)),
                "target": ["yes"] * 3,
                "prediction": ["yes"] * 3,
            }
        )
        for order in (("female", "male"), ("male", "female"))
    ]
    counts = count_groups(batches, levels={"sex": LEVELS["sex"]}, classes=CLASSES)
    assert counts.confusion(("sex",)).sum(axis=(1, 2)).tolist() == [3, 3]


@pytest.mark.parametrize("column", ["sex", "target", "prediction"])
def test_an_undeclared_value_is_an_error_and_never_dropped(column):
    table = table_of(np.random.default_rng(0), 5)
    wrong = table.set_column(table.schema.get_field_index(column), column, [["?"] * 5])
    with pytest.raises(ValueError, match=rf"column '{column}' holds '\?'"):
        count_groups(wrong.to_batches(), levels=LEVELS, classes=CLASSES)


def test_a_missing_value_is_an_error_and_never_dropped():
    table = pa.table({"sex": ["female", None], "target": ["no"] * 2, "prediction": ["no"] * 2})
    with pytest.raises(ValueError, match="column 'sex' holds None"):
        count_groups(table.to_batches(), levels={"sex": LEVELS["sex"]}, classes=CLASSES)


@given(group_counts())
def test_counts_survive_their_json(counts):
    assert GroupCounts.from_dict(counts.to_dict()) == counts


def test_counts_of_other_groups_cannot_be_added():
    one = count_groups([], levels={"sex": ("female", "male")}, classes=CLASSES)
    other = count_groups([], levels={"sex": ("male", "female")}, classes=CLASSES)
    with pytest.raises(ValueError, match="same attributes, levels and classes"):
        _ = one + other
    with pytest.raises(ValueError, match=r"shape \(2, 2\).*need \(2, 2, 2\)"):
        GroupCounts(one.levels, CLASSES, np.zeros((2, 2), dtype=np.int64))
