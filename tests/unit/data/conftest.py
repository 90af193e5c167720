"""A small evaluation set on disk that each test breaks in its own way."""

import csv
import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from pytest_fairness.policy.records import Evaluation

ROWS = (
    {"id": "a", "image": "a.png", "target": "man", "skin_tone": "light", "vendor": "one"},
    {"id": "b", "image": "b.png", "target": "woman", "skin_tone": "dark", "vendor": "one"},
    {"id": "c", "image": "c.png", "target": "man", "skin_tone": "dark", "vendor": "two"},
)
ATTRIBUTES = {"skin_tone": ("light", "dark")}


def png(value: int) -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (value, 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def rows() -> list[dict[str, Any]]:
    return [dict(row) for row in ROWS]


@pytest.fixture
def in_csv(tmp_path: Path) -> Callable[..., Evaluation]:
    """Write rows as a CSV file and their images as files; return the evaluation of them."""

    def write(rows: list[dict[str, Any]], **keys: Any) -> Evaluation:
        for number, row in enumerate(ROWS):
            (tmp_path / row["image"]).write_bytes(png(number))
        with (tmp_path / "faces.csv").open("w", newline="") as file:
            writer = csv.DictWriter(file, fieldnames=list(rows[0]))
            writer.writeheader()
            writer.writerows(rows)
        given: dict[str, Any] = {
            "attributes": ATTRIBUTES,
            "manifest": tmp_path / "faces.csv",
        } | keys
        return Evaluation("faces", **given)

    return write


@pytest.fixture
def in_parquet(tmp_path: Path) -> Callable[..., Evaluation]:
    """Write rows as a Parquet file with the images inside; return the evaluation of them."""

    def write(rows: list[dict[str, Any]], **keys: Any) -> Evaluation:
        held = [row | {"image": png(number)} for number, row in enumerate(rows)]
        pq.write_table(pa.Table.from_pylist(held), tmp_path / "faces.parquet")
        given: dict[str, Any] = {
            "attributes": ATTRIBUTES,
            "manifest": tmp_path / "faces.parquet",
        } | keys
        return Evaluation("faces", **given)

    return write
