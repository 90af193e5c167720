"""A manifest becomes an evaluation set, or one clear message."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_fairness.data import MISSING, load_evaluation_set
from pytest_fairness.errors import DataError
from pytest_fairness.policy.records import Evaluation
from tests.unit.data.conftest import png

Rows = list[dict[str, Any]]
Write = Callable[..., Evaluation]


@pytest.fixture(params=["in_csv", "in_parquet"])
def written(request: pytest.FixtureRequest) -> Write:
    write: Write = request.getfixturevalue(request.param)
    return write


def test_manifest_becomes_samples_levels_and_classes(written: Write, rows: Rows) -> None:
    found = load_evaluation_set(written(rows))
    assert found.samples.to_dict("list") == {
        "id": ["a", "b", "c"],
        "target": ["man", "woman", "man"],
        "skin_tone": ["light", "dark", "dark"],
    }
    assert found.levels == {"skin_tone": ("light", "dark")}
    assert found.classes == ("man", "woman")
    assert (found.name, len(found), found.left_out) == ("faces", 3, 0)
    assert found.images.read(2).getpixel((0, 0)) == (2, 0, 0)


def test_declared_level_without_samples_stays(written: Write, rows: Rows) -> None:
    levels = ("light", "medium", "dark")
    found = load_evaluation_set(written(rows, attributes={"skin_tone": levels}))
    assert found.levels == {"skin_tone": levels}


def test_declared_classes_keep_their_order(written: Write, rows: Rows) -> None:
    classes = ("woman", "man", "child")
    assert load_evaluation_set(written(rows, classes=classes)).classes == classes


@pytest.mark.parametrize("missing", [pytest.param("", id="empty"), pytest.param(None, id="none")])
def test_missing_attribute_is_a_level_of_its_own(
    written: Write, rows: Rows, missing: str | None
) -> None:
    rows[1]["skin_tone"] = missing
    found = load_evaluation_set(written(rows))
    assert found.levels == {"skin_tone": ("light", "dark", MISSING)}
    assert found.samples["skin_tone"].tolist() == ["light", MISSING, "dark"]


def test_declared_missing_level_is_not_added_again(written: Write, rows: Rows) -> None:
    rows[0]["skin_tone"] = ""
    levels = (MISSING, "light", "dark")
    found = load_evaluation_set(written(rows, attributes={"skin_tone": levels}))
    assert found.levels == {"skin_tone": levels}


def test_integer_levels_are_read_as_the_policy_writes_them(in_parquet: Write, rows: Rows) -> None:
    for number, row in enumerate(rows):
        row["skin_tone"] = None if number == 0 else number
    found = load_evaluation_set(in_parquet(rows, attributes={"skin_tone": ("1", "2")}))
    assert found.samples["skin_tone"].tolist() == [MISSING, "1", "2"]


def test_text_of_a_csv_file_is_kept_to_the_letter(in_csv: Write, rows: Rows) -> None:
    for row, level in zip(rows, ["01", "NA", "None"], strict=True):
        row["skin_tone"] = level
    levels = ("01", "NA", "None")
    found = load_evaluation_set(in_csv(rows, attributes={"skin_tone": levels}))
    assert found.samples["skin_tone"].tolist() == list(levels)


def test_target_may_be_an_attribute_too(written: Write, rows: Rows) -> None:
    for row in rows:
        row["gender"] = row.pop("target")
    found = load_evaluation_set(
        written(rows, target="gender", attributes={"gender": ("woman", "man")})
    )
    assert found.samples["gender"].tolist() == found.samples["target"].tolist()


def test_where_keeps_rows_and_counts_the_others(written: Write, rows: Rows) -> None:
    found = load_evaluation_set(written(rows, where={"vendor": ("two",)}))
    assert found.samples["id"].tolist() == ["c"]
    assert found.images.read(0).getpixel((0, 0)) == (2, 0, 0)
    assert (found.left_out, found.where) == (2, {"vendor": ("two",)})


@pytest.mark.parametrize("values", [("two", "twoo"), ("twoo",), ("two", MISSING)], ids=str)
def test_a_value_of_where_that_no_row_has_is_refused(
    written: Write, rows: Rows, values: tuple[str, ...]
) -> None:
    with pytest.raises(DataError, match=r"no row has vendor = .*there are 'one', 'two'; correct"):
        load_evaluation_set(written(rows, where={"vendor": values}))


def test_where_may_ask_for_missing_values(written: Write, rows: Rows) -> None:
    rows[1]["vendor"] = None
    found = load_evaluation_set(written(rows, where={"vendor": (MISSING,)}))
    assert found.samples["id"].tolist() == ["b"]


def test_samples_without_id_are_called_by_their_path(in_csv: Write, rows: Rows) -> None:
    for row in rows:
        del row["id"]
    assert load_evaluation_set(in_csv(rows)).samples["id"].tolist() == ["a.png", "b.png", "c.png"]


def test_samples_without_id_and_path_are_called_by_their_row(in_parquet: Write, rows: Rows) -> None:
    for row in rows:
        del row["id"]
    found = load_evaluation_set(in_parquet(rows, where={"vendor": ("two",)}))
    assert found.samples["id"].tolist() == ["row-2"]


def test_saved_index_comes_back_as_a_column(in_parquet: Write, rows: Rows) -> None:
    evaluation = in_parquet(rows)
    assert evaluation.manifest is not None
    pd.read_parquet(evaluation.manifest).set_index("id").to_parquet(evaluation.manifest)
    assert load_evaluation_set(evaluation).samples["id"].tolist() == ["a", "b", "c"]


def test_hash_follows_content_not_place(in_csv: Write, rows: Rows, tmp_path: Path) -> None:
    before = load_evaluation_set(in_csv(rows)).sha256
    moved = tmp_path / "elsewhere"
    moved.mkdir()
    for file in tmp_path.iterdir():
        if file.is_file():
            (moved / file.name).write_bytes(file.read_bytes())
    evaluation = in_csv(rows, manifest=moved / "faces.csv")
    assert load_evaluation_set(evaluation).sha256 == before
    (moved / "b.png").write_bytes((moved / "a.png").read_bytes())
    assert load_evaluation_set(evaluation).sha256 != before


def test_hash_follows_levels(written: Write, rows: Rows) -> None:
    before = load_evaluation_set(written(rows)).sha256
    rows[0]["skin_tone"] = "dark"
    assert load_evaluation_set(written(rows)).sha256 != before


def test_evaluation_without_manifest_says_what_to_give() -> None:
    with pytest.raises(DataError, match=r"evaluation 'faces' has no images .* give its `manifest`"):
        load_evaluation_set(Evaluation("faces"))


def test_missing_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"faces\.csv: no such file \(evaluation 'faces'\)"):
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / "faces.csv"))


def test_unsupported_kind_of_manifest_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"kind '\.xlsx' are not read .* \.csv .* or \.parquet"):
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / "faces.xlsx"))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param("f.parquet", b"PAR1", r"f\.parquet: cannot be read as parquet", id="parquet"),
        pytest.param("f.csv", b"", r"f\.csv: cannot be read as csv: No columns", id="empty csv"),
        pytest.param("f.csv", b"id,target\na\xff,b", "cannot be read as csv: .*utf-8", id="bytes"),
        pytest.param(
            "f.csv", b"id,target\na,b,c\n", "cannot be read as csv: .*", id="one field more"
        ),
        pytest.param("f.csv", b"id\na\nb,c\n", "Expected 1 fields in line 3", id="ragged"),
    ],
)
@pytest.mark.filterwarnings("ignore::pandas.errors.ParserWarning")  # as outside of tests
def test_malformed_manifest_is_named(
    tmp_path: Path, name: str, content: bytes, problem: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem):
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / name))


def test_missing_column_shows_the_columns_and_a_close_one(written: Write, rows: Rows) -> None:
    with pytest.raises(
        DataError,
        match=r"no column 'targt', which `target` of evaluation 'faces' reads; the columns are "
        r"'id', 'image', 'target', .*; did you mean 'target'",
    ):
        load_evaluation_set(written(rows, target="targt"))


@pytest.mark.parametrize(
    "keys",
    [
        pytest.param({"image": "file"}, id="image"),
        pytest.param({"id": "file"}, id="id"),
        pytest.param({"attributes": {"file": ("x",)}}, id="attribute"),
        pytest.param({"where": {"file": ("x",)}}, id="where"),
    ],
)
def test_every_key_needs_its_column(written: Write, rows: Rows, keys: dict[str, Any]) -> None:
    with pytest.raises(DataError, match=f"no column 'file', which `{next(iter(keys))}"):
        load_evaluation_set(written(rows, **keys))


def test_column_that_stands_twice_is_refused(in_parquet: Write, rows: Rows) -> None:
    evaluation = in_parquet(rows)
    table = pq.read_table(evaluation.manifest)
    doubled = pa.Table.from_arrays([*table.columns, table["id"]], names=[*table.column_names, "id"])
    pq.write_table(doubled, evaluation.manifest)
    with pytest.raises(DataError, match="more than one column 'id'"):
        load_evaluation_set(evaluation)


def test_manifest_without_rows_is_refused(tmp_path: Path) -> None:
    manifest = tmp_path / "faces.csv"
    manifest.write_text("id,image,target\n")
    with pytest.raises(DataError, match=r"faces\.csv: no rows, so evaluation 'faces' has no sam"):
        load_evaluation_set(Evaluation("faces", manifest=manifest))


def test_where_that_leaves_nothing_tells_which_key_removed_what(written: Write, rows: Rows) -> None:
    rows[2]["skin_tone"] = "medium"  # that of the only row of the other vendor
    where = {"vendor": ("one",), "skin_tone": ("medium",)}
    with pytest.raises(
        DataError,
        match=r"no sample is left for evaluation 'faces': of 3 rows, `where` vendor in \['one'\] "
        r"removed 1, then skin_tone in \['medium'\] removed 2",
    ):
        load_evaluation_set(written(rows, where=where))


def test_undeclared_level_names_the_first_sample_in_csv(in_csv: Write, rows: Rows) -> None:
    rows[1]["skin_tone"] = rows[2]["skin_tone"] = "drak"
    with pytest.raises(
        DataError,
        match=r"faces\.csv, line 3, sample 'b': skin_tone = 'drak' is not declared; did you mean "
        r"'dark'\? \(2 such samples\); evaluation 'faces' declares 'light', 'dark'",
    ):
        load_evaluation_set(in_csv(rows))


def test_row_numbers_are_those_of_the_file_after_where(in_csv: Write, rows: Rows) -> None:
    rows[2]["skin_tone"] = "drak"
    with pytest.raises(DataError, match=r"faces\.csv, line 4, sample 'c'"):
        load_evaluation_set(in_csv(rows, where={"vendor": ("two",)}))


def test_blank_lines_do_not_shift_line_numbers(in_csv: Write, rows: Rows) -> None:
    rows[2]["skin_tone"] = "drak"
    evaluation = in_csv(rows)
    assert evaluation.manifest is not None
    lines = evaluation.manifest.read_text().splitlines()
    evaluation.manifest.write_text("\n".join([*lines[:3], "", lines[3], "", ""]))
    with pytest.raises(DataError, match=r"faces\.csv, line 5, sample 'c'"):
        load_evaluation_set(evaluation)


def test_undeclared_level_names_the_row_in_parquet(in_parquet: Write, rows: Rows) -> None:
    rows[1]["skin_tone"] = "green"
    with pytest.raises(DataError, match=r"faces\.parquet, row 1, sample 'b': skin_tone = 'green'"):
        load_evaluation_set(in_parquet(rows))


def test_missing_target_names_the_sample(written: Write, rows: Rows) -> None:
    rows[1]["target"] = None
    with pytest.raises(DataError, match="sample 'b': `target` is missing in column 'target'"):
        load_evaluation_set(written(rows))


def test_target_that_is_no_class_names_the_sample(written: Write, rows: Rows) -> None:
    rows[1]["target"] = "womam"
    with pytest.raises(
        DataError,
        match=r"sample 'b': `target` is 'womam', which is not a class; did you mean 'woman'.* "
        "the classes of evaluation 'faces' are 'woman', 'man'",
    ):
        load_evaluation_set(written(rows, classes=("woman", "man")))


def test_positive_that_is_no_class_is_refused(written: Write, rows: Rows) -> None:
    with pytest.raises(DataError, match=r"`positive` of evaluation 'faces' is 'men', .*mean 'man'"):
        load_evaluation_set(written(rows, positive="men"))


def test_attribute_may_not_be_called_like_a_column_of_ours(written: Write, rows: Rows) -> None:
    for row in rows:
        row["prediction"] = "x"
    with pytest.raises(DataError, match="an attribute 'prediction', a name kept"):
        load_evaluation_set(written(rows, attributes={"prediction": ("x",)}))


def test_repeated_id_names_both_places_and_the_number(in_csv: Write, rows: Rows) -> None:
    rows[2]["id"] = "a"
    with pytest.raises(
        DataError,
        match=r"sample id 'a' appears twice, in line 2 and line 4 \(1 repeated id in all\)",
    ):
        load_evaluation_set(in_csv(rows))


def test_missing_id_names_the_row(in_csv: Write, rows: Rows) -> None:
    rows[2]["id"] = ""
    with pytest.raises(DataError, match=r"line 4, sample 'row-2': `id` is missing"):
        load_evaluation_set(in_csv(rows))


def test_missing_image_files_are_found_before_anything_runs(in_csv: Write, rows: Rows) -> None:
    rows[1]["image"] = "gone.png"
    rows[2]["image"] = "lost.png"
    with pytest.raises(
        DataError,
        match=r"line 3, sample 'b': image file .*gone\.png is missing \(2 such samples\)",
    ):
        load_evaluation_set(in_csv(rows))


@pytest.mark.parametrize("form", ["in_csv", "in_parquet"])
def test_missing_image_value_names_the_sample(
    form: str, rows: Rows, request: pytest.FixtureRequest
) -> None:
    evaluation: Evaluation = request.getfixturevalue(form)(rows)
    assert evaluation.manifest is not None
    frame = pd.read_csv(evaluation.manifest) if form == "in_csv" else None
    if frame is not None:
        frame.loc[1, "image"] = None
        frame.to_csv(evaluation.manifest, index=False)
    else:
        table = pq.read_table(evaluation.manifest).to_pylist()
        table[1]["image"] = None
        pq.write_table(pa.Table.from_pylist(table), evaluation.manifest)
    with pytest.raises(DataError, match="sample 'b': `image` is missing in column 'image'"):
        load_evaluation_set(evaluation)


def test_image_column_of_another_type_is_refused(in_parquet: Write, rows: Rows) -> None:
    for row in rows:
        row["pixels"] = {"bytes": b"x"}
    with pytest.raises(DataError, match=r"'pixels' must hold paths or encoded images .* got dict"):
        load_evaluation_set(in_parquet(rows, image="pixels"))


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        ("f.tsv", b"id\ttarget\n", r"kind '\.tsv' are not read .* \.csv"),
        ("f.csv.gz", b"", r"kind '\.csv\.gz' are not read .* not compressed"),
        (
            "f.csv",
            b"id;target;skin_tone\n1;a;b\n",
            "separated by semicolons; separate them by commas",
        ),
        ("f.csv", b"id\ttarget\n1\ta\n", "separated by tabs; separate them by commas"),
        ("f.csv", b",".join(b"c%d" % i for i in range(20_000)), "20,000 columns; allowed are"),
        ("f.csv", b'"' + b"x" * 200_000, "cannot be read as csv"),
    ],
)
def test_other_tables_are_refused_in_one_line(name, content, problem, tmp_path):
    (tmp_path / name).write_bytes(content)
    with pytest.raises(DataError, match=problem) as raised:
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / name))
    assert "\n" not in str(raised.value)


def test_nan_is_a_level_where_the_policy_declares_it_and_else_missing(in_csv, rows):
    rows[1]["skin_tone"] = rows[2]["vendor"] = "nan"
    declared = {"skin_tone": ("light", "dark", "nan"), "vendor": ("one", "two")}
    found = load_evaluation_set(in_csv(rows, attributes=declared))
    assert found.samples["skin_tone"].tolist() == ["light", "nan", "dark"]
    assert found.samples["vendor"].tolist() == ["one", "one", MISSING]


def test_images_of_hugging_face_are_read_from_their_bytes(tmp_path):
    images: list[dict[str, Any]] = [
        {"bytes": png(number), "path": f"{number}.png"} for number in range(3)
    ]
    table: dict[str, Any] = {"id": ["a", "b", "c"], "image": images, "target": ["x", "y", "x"]}
    pq.write_table(pa.table(table), tmp_path / "f.parquet")
    found = load_evaluation_set(Evaluation("faces", manifest=tmp_path / "f.parquet"))
    assert [found.images.read(i).getpixel((0, 0)) for i in range(3)] == [
        (0, 0, 0),
        (1, 0, 0),
        (2, 0, 0),
    ]
    images[1]["bytes"] = None
    pq.write_table(pa.table(table), tmp_path / "f.parquet")
    with pytest.raises(DataError, match="column 'image' lacks bytes of 1 of 3 images"):
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / "f.parquet"))


def test_a_parquet_file_of_too_many_rows_is_refused_before_it_is_read(tmp_path, monkeypatch):
    monkeypatch.setattr("pytest_fairness.data.parquet.MOST_ROWS", 2)
    pq.write_table(pa.table({"id": ["a", "b", "c"]}), tmp_path / "f.parquet")
    with pytest.raises(DataError, match="3 rows and 1 column; allowed are 2 rows"):
        load_evaluation_set(Evaluation("faces", manifest=tmp_path / "f.parquet"))
