"""Masks of parts come from a Parquet file beside the images, or one clear message."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.errors import DataError
from pytest_fairness.policy.records import Evaluation

PARTS = ["background", "hair", "mouth"]


def png(values: np.ndarray, mode: str | None = None) -> bytes:
    buffer = io.BytesIO()
    picture = Image.fromarray(values.astype(np.uint8))
    (picture if mode is None else picture.convert(mode)).save(buffer, "PNG")
    return buffer.getvalue()


def number(value: int) -> np.ndarray:
    pixels = np.zeros((4, 4))
    pixels[0, :2] = value
    return pixels


def write_masks(
    path: Path, masks: dict[str, bytes | None], parts: object = PARTS, **columns: Any
) -> None:
    metadata = {} if parts is None else {"parts": json.dumps(parts)}
    table = pa.table({"id": list(masks), "mask": list(masks.values())} | columns)
    pq.write_table(table.replace_schema_metadata(metadata), path)


Write = Callable[..., Evaluation]


@pytest.fixture
def with_masks(in_parquet: Write, rows: list[dict[str, Any]]) -> Write:
    def write(**keys: Any) -> Evaluation:
        return in_parquet(rows, masks="masks.parquet", **keys)

    return write


def test_masks_are_found_by_id_and_split_into_parts(with_masks: Write, tmp_path: Path) -> None:
    # In another order than the manifest, with one sample more.
    masks = {name: png(number(i % 3)) for i, name in enumerate(["c", "b", "z", "a"])}
    write_masks(tmp_path / "masks.parquet", masks)
    found = load_evaluation_set(with_masks()).masks
    assert found is not None
    assert found.parts == ("background", "hair", "mouth")
    read = found.read(1)  # "b": value 1
    assert {part: int(mask.sum()) for part, mask in read.items()} == {
        "background": 14,
        "hair": 2,
        "mouth": 0,
    }
    assert read["hair"].dtype == np.bool_
    np.testing.assert_array_equal(read["hair"][0], [True, True, False, False])
    assert not found.read(0)["hair"].any()  # "a": value 0


def test_masks_follow_the_rows_that_where_keeps(with_masks: Write, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks.parquet", {"c": png(number(2))})
    found = load_evaluation_set(with_masks(where={"vendor": ("two",)}))
    assert found.masks is not None
    assert found.masks.read(0)["mouth"].sum() == 2


def test_an_evaluation_set_without_masks_has_none(
    in_parquet: Write, rows: list[dict[str, Any]]
) -> None:
    assert load_evaluation_set(in_parquet(rows)).masks is None


@pytest.mark.parametrize(
    ("mode", "values"),
    [pytest.param("P", 2, id="palette"), pytest.param("1", 255, id="one bit")],
)
def test_a_mask_may_have_a_palette_or_one_bit(
    with_masks: Write, tmp_path: Path, mode: str, values: int
) -> None:
    picture = Image.fromarray(number(values).astype(np.uint8))
    if mode == "P":
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
    else:
        picture = picture.convert("1")
    buffer = io.BytesIO()
    picture.save(buffer, "PNG")
    write_masks(tmp_path / "masks.parquet", dict.fromkeys("abc", buffer.getvalue()))
    found = load_evaluation_set(with_masks()).masks
    assert found is not None
    assert found.read(0)["mouth" if mode == "P" else "hair"].sum() == 2


def test_a_null_says_that_a_sample_has_no_mask(with_masks: Write, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks.parquet", {"a": png(number(0)), "b": None, "c": png(number(0))})
    found = load_evaluation_set(with_masks()).masks
    assert found is not None
    assert not any(mask.any() for mask in found.read(1).values())
    assert tuple(found.read(1)) == tuple(found.read(0))


def test_every_sample_needs_its_mask(with_masks: Write, tmp_path: Path) -> None:
    write_masks(tmp_path / "masks.parquet", {"a": png(number(0))})
    with pytest.raises(
        DataError, match=r"masks\.parquet: sample 'b' has no mask \(2 of 3 samples have none\)"
    ):
        load_evaluation_set(with_masks())


@pytest.mark.parametrize(
    ("masks", "parts", "problem"),
    [
        pytest.param(None, PARTS, "masks cannot be read: .*give a Parquet file", id="no file"),
        pytest.param(dict.fromkeys("abc", b"x"), None, "must name the parts.*got None", id="none"),
        pytest.param(dict.fromkeys("abc", b"x"), ["a", "a"], "different names", id="twice"),
        pytest.param(dict.fromkeys("abc", b"x"), {"a": 0}, "a JSON list", id="no list"),
        pytest.param(
            dict.fromkeys("abc", "text"), PARTS, "the bytes of PNG files, got string", id="text"
        ),
    ],
)
def test_a_malformed_file_of_masks_is_named(
    with_masks: Write, tmp_path: Path, masks: Any, parts: object, problem: str
) -> None:
    if masks is not None:
        write_masks(tmp_path / "masks.parquet", masks, parts)
    with pytest.raises(DataError, match=rf"masks\.parquet: .*{problem}"):
        load_evaluation_set(with_masks())


def test_two_masks_of_one_sample_are_refused(with_masks: Write, tmp_path: Path) -> None:
    columns = {"id": ["a", "b", "c", "a"], "mask": [png(number(0))] * 4}
    write_masks(tmp_path / "masks.parquet", {}, **columns)
    with pytest.raises(DataError, match="sample id 'a' has more than one mask"):
        load_evaluation_set(with_masks())


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(png(number(3)), "pixel value 3, but there are 3 parts", id="unnamed part"),
        pytest.param(png(number(1), "RGB"), "one channel .*got mode 'RGB'", id="colours"),
        pytest.param(png(number(1))[:40], "truncated, corrupt", id="truncated"),
        pytest.param(b"", "is empty", id="empty"),
    ],
)
def test_a_mask_that_cannot_be_used_names_the_sample(
    with_masks: Write, tmp_path: Path, content: bytes, problem: str
) -> None:
    write_masks(tmp_path / "masks.parquet", dict.fromkeys("abc", content))
    found = load_evaluation_set(with_masks()).masks
    assert found is not None
    with pytest.raises(DataError, match=f"mask of sample 'c': .*{problem}"):
        found.read(2)
