"""Several files of one evaluation are read as one manifest."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.data.profile import ProfileRequest, profile_data
from pytest_fairness.errors import DataError
from pytest_fairness.policy import Evaluation, load_policy

TONES = {"tone": ("light", "dark")}
Write = Callable[..., None]


def png(value: int, mode: str = "RGB") -> bytes:
    buffer = io.BytesIO()
    Image.new(mode, (4, 4), value if mode == "L" else (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


def row(name: str, image: Any, tone: str = "light") -> dict[str, Any]:
    return {"id": name, "image": image, "target": "man", "tone": tone}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def one(name: str, *rows: dict[str, Any]) -> None:
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        if path.suffix == ".csv":
            pd.DataFrame(rows).to_csv(path, index=False)
        else:
            pq.write_table(pa.Table.from_pylist(list(rows)), path)

    return one


@pytest.fixture
def two(tmp_path: Path) -> Callable[..., Evaluation]:
    def evaluation(*more: Any, first: str = "one.parquet", **keys: Any) -> Evaluation:
        return Evaluation(
            "faces", manifest=tmp_path / first, attributes=TONES, classes=("man", "woman"),
            options={"more_files": list(more)}, **keys,
        )  # fmt: skip

    return evaluation


def test_rows_and_images_of_all_files_are_samples_of_one_evaluation(write: Write, two: Any) -> None:
    write("one.parquet", row("a", png(1)), row("b", png(2)))
    # Columns in another order are the same columns.
    write("other/two.parquet", dict(reversed(row("c", png(3), "dark").items())))
    found = load_evaluation_set(two("other/two.parquet"))
    assert found.samples["id"].tolist() == ["a", "b", "c"]
    assert found.samples["tone"].tolist() == ["light", "light", "dark"]
    assert [found.images.read(i).getpixel((0, 0)) for i in range(3)] == [
        (1, 0, 0), (2, 0, 0), (3, 0, 0),
    ]  # fmt: skip
    assert found.source.endswith("two.parquet")
    assert "one.parquet + " in found.source


def test_hash_of_an_evaluation_covers_every_file(write: Write, two: Any) -> None:
    write("one.parquet", row("a", png(1)))
    write("two.parquet", row("b", png(2)))
    before = load_evaluation_set(two("two.parquet")).sha256
    write("two.parquet", row("b", png(3)))
    assert load_evaluation_set(two("two.parquet")).sha256 != before


def test_hash_of_a_profile_covers_every_file(write: Write, two: Any) -> None:
    write("one.parquet", row("a", png(1)))
    write("two.parquet", row("b", png(2)))
    before = profile_data(ProfileRequest(two("two.parquet"))).sha256
    write("two.parquet", row("b", png(2), "dark"))
    assert profile_data(ProfileRequest(two("two.parquet"))).sha256 != before


def test_paths_of_images_are_relative_to_the_file_that_has_them(
    write: Write, two: Any, tmp_path: Path
) -> None:
    write("one.csv", row("a", "x.png"))
    write("other/two.csv", row("b", "x.png"))
    (tmp_path / "x.png").write_bytes(png(1))
    (tmp_path / "other" / "x.png").write_bytes(png(2))
    found = load_evaluation_set(two("other/two.csv", first="one.csv"))
    assert [found.images.read(i).getpixel((0, 0)) for i in range(2)] == [(1, 0, 0), (2, 0, 0)]


def test_samples_without_ids_are_called_by_their_path_from_the_first_file(
    write: Write, two: Any, tmp_path: Path
) -> None:
    for name in ("one.csv", "other/two.csv"):
        write(name, {key: value for key, value in row("", "x.png").items() if key != "id"})
        (tmp_path / name).with_name("x.png").write_bytes(png(1))
    found = load_evaluation_set(two("other/two.csv", first="one.csv"))
    assert found.samples["id"].tolist() == ["x.png", "other/x.png"]


def masks_of(folder: Path, names: list[str], value: int, parts: tuple[str, ...]) -> None:
    table = pa.table({"id": names, "mask": [png(value, "L")] * len(names)})
    metadata = {"parts": json.dumps(parts)}
    pq.write_table(table.replace_schema_metadata(metadata), folder / "masks.parquet")


def test_masks_lie_beside_the_file_that_has_their_samples(
    write: Write, two: Any, tmp_path: Path
) -> None:
    write("one.parquet", row("a", png(1)))
    write("same.parquet", row("b", png(2)))
    write("other/two.parquet", row("c", png(3)))
    masks_of(tmp_path, ["b", "a"], 0, ("ground", "hair"))
    masks_of(tmp_path / "other", ["c"], 1, ("ground", "hair"))
    evaluation = two("same.parquet", "other/two.parquet", masks="masks.parquet")
    masks = load_evaluation_set(evaluation).masks
    assert masks is not None
    assert [bool(masks.read(i)["hair"].all()) for i in range(3)] == [False, False, True]


def test_masks_of_one_evaluation_name_the_same_parts(
    write: Write, two: Any, tmp_path: Path
) -> None:
    write("one.parquet", row("a", png(1)))
    write("other/two.parquet", row("b", png(2)))
    masks_of(tmp_path, ["a"], 0, ("ground", "hair"))
    masks_of(tmp_path / "other", ["b"], 0, ("hair", "ground"))
    with pytest.raises(DataError, match=r"masks\.parquet: the parts are 'hair', 'ground', those "):
        load_evaluation_set(two("other/two.parquet", masks="masks.parquet"))


@pytest.mark.parametrize(
    ("second", "message"),
    [
        pytest.param({"tone": None}, "two.parquet: no column 'tone', which .*one.parquet", id="no"),
        pytest.param({"ton": "x"}, "one.parquet: no column 'ton'.*mean 'tone'", id="more"),
        pytest.param({"image": "x.png"}, "two.parquet: column 'image' holds paths, ", id="paths"),
        pytest.param({"id": "a"}, "sample id 'a' appears twice, in row 0 and row 1", id="twice"),
    ],
)
def test_a_file_that_does_not_fit_the_first_is_named(
    write: Write, two: Any, second: dict[str, Any], message: str
) -> None:
    write("one.parquet", row("a", png(1)))
    changed = row("b", png(2)) | second
    write("two.parquet", {key: value for key, value in changed.items() if value is not None})
    with pytest.raises(DataError, match=message):
        load_evaluation_set(two("two.parquet"))


@pytest.mark.parametrize(
    ("more", "message"),
    [
        pytest.param("absent.parquet", r"absent\.parquet: no such file", id="absent"),
        pytest.param(3, r"option more_files = \[3\] must be a list of files, got 3", id="number"),
    ],
)
def test_a_further_file_that_cannot_be_read_is_named(
    write: Write, two: Any, more: object, message: str
) -> None:
    write("one.parquet", row("a", png(1)))
    with pytest.raises(DataError, match=message):
        load_evaluation_set(two(more))


def test_a_policy_names_further_files_relative_to_the_manifest(
    write: Write, tmp_path: Path
) -> None:
    write("data/one.parquet", row("a", png(1)))
    write("data/two.parquet", row("b", png(2)))
    (tmp_path / "policy.toml").write_text(
        'schema = 1\n[decision]\ninconclusive = "fail"\n[evaluation.faces]\n'
        'manifest = "data/one.parquet"\noptions.more_files = ["two.parquet"]\n'
        'classes = ["man", "woman"]\nattributes.tone = ["light", "dark"]\n'
        '[[rule]]\nmetric = "error_rate"\nmax = 0.5\n',
        "utf-8",
    )
    evaluation = load_policy(tmp_path / "policy.toml").evaluations["faces"]
    assert load_evaluation_set(evaluation).samples["id"].tolist() == ["a", "b"]
