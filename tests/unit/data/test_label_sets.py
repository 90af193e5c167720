"""Sets of labels are read from lists or text, and whatever is none is refused by its sample."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.data.label_sets import joined, overlaps, read_label_sets
from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.errors import DataError
from pytest_fairness.policy import Evaluation


def read(column, *, unit="row"):
    rows = Rows(pd.DataFrame({"tags": column}), "tags.parquet", "photos", DataError, unit)
    ids = pd.Series([f"p{i}" for i in range(len(rows.frame))])
    return read_label_sets(rows, "tags", key="labels", ids=ids).tolist()


@given(st.lists(st.tuples(*[st.sets(st.sampled_from(["a", "b", "c", "d e"]))] * 2), min_size=1))
def test_overlaps_are_those_of_the_sets(pairs):
    columns = (pa.array([joined(pair[i]) for pair in pairs]) for i in range(2))

    found = [sizes.tolist() for sizes in overlaps(*columns)]

    assert found == [
        [len(a & b) for a, b in pairs],
        [len(a) for a, _ in pairs],
        [len(b) for _, b in pairs],
    ]


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        pytest.param(["man", "tree", "man"], "man|tree", id="list"),
        pytest.param(("tree", "man"), "man|tree", id="tuple"),
        pytest.param({"tree"}, "tree", id="set"),
        pytest.param([], "", id="empty list"),
        pytest.param("tree | man", "man|tree", id="text"),
        pytest.param("Fiat 500, the car", "Fiat 500, the car", id="one label"),
        pytest.param("", "", id="empty text"),
        pytest.param([3, 1], "1|3", id="numbers"),
    ],
)
def test_labels_are_kept_once_each_in_order(value, expected):
    assert read(pd.Series([value], dtype=object)) == [expected]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        pytest.param(
            "a||b", r"row 1, sample 'p1': `labels` is 'a\|\|b' .*'' is no label", id="gap"
        ),
        pytest.param(["a|b"], r"'a\|b' is no label: it must have a name without '\|'", id="bar"),
        pytest.param(["a", None], "'' is no label", id="missing label"),
        pytest.param(7, "a int is no list of labels; write a list", id="number"),
        pytest.param(None, "`labels` is missing in column 'tags'; write an empty list", id="none"),
        pytest.param(float("nan"), "`labels` is missing", id="nan"),
    ],
)
def test_whatever_is_no_set_is_refused_by_its_sample(value, message):
    with pytest.raises(DataError, match=message):
        read(pd.Series([["ok"], value], dtype=object))


def test_an_empty_field_of_a_csv_file_is_an_empty_set(tmp_path):
    (tmp_path / "tags.csv").write_text("id,tags\na,tree|man\nb,\n", encoding="utf-8")
    rows = read_rows(tmp_path / "tags.csv", evaluation="photos", error=DataError)

    assert read_label_sets(rows, "tags", key="labels", ids=rows.frame["id"]).tolist() == [
        "man|tree",
        "",
    ]


@pytest.fixture
def photos(tmp_path: Path) -> Evaluation:
    """A Parquet manifest with lists of labels; the images are no images, and are not opened."""
    table = pa.table(
        {
            "image": pa.array([b"1", b"2"]),
            "tags": pa.array([["tree", "man"], []], pa.list_(pa.string())),
            "place": ["here", "there"],
        }
    )
    pq.write_table(table, tmp_path / "photos.parquet")
    places = {"place": ("here", "there")}
    return Evaluation("photos", tmp_path / "photos.parquet", labels="tags", attributes=places)


def test_a_manifest_with_label_sets_needs_no_target(photos):
    found = load_evaluation_set(photos)

    assert found.samples["labels"].tolist() == ["man|tree", ""]
    assert found.samples["target"].tolist() == ["right", "right"]
    assert found.classes == ("right", "wrong")


@pytest.mark.parametrize(
    "declared",
    [{"classes": ("a", "b")}, {"positive": "a"}, {"target": "gender"}],
    ids=["classes", "positive", "target"],
)
def test_a_class_that_is_declared_must_have_its_column(photos, declared):
    with pytest.raises(
        DataError, match=r"no column '(target|gender)', which `target` of evaluation"
    ):
        load_evaluation_set(replace(photos, **declared))


def test_an_attribute_cannot_be_called_like_the_label_sets(tmp_path, photos):
    frame = pd.read_parquet(photos.manifest).rename(columns={"place": "labels"})
    frame.to_parquet(photos.manifest)
    taken = Evaluation(
        "photos", photos.manifest, labels="tags", attributes={"labels": ("here", "there")}
    )

    with pytest.raises(DataError, match="also a column 'labels' as attribute"):
        load_evaluation_set(taken)
