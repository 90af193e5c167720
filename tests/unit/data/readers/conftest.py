"""Folders of data sets in the format of the originals, each with a few tiny images."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from pytest_fairness.data import EvaluationSet, load_evaluation_set
from pytest_fairness.policy import Evaluation

Load = Callable[..., EvaluationSet]
Write = Callable[..., Path]


def encoded(red: int = 0, kind: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (red, 0, 0)).save(buffer, kind)
    return buffer.getvalue()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "set"


@pytest.fixture
def write(root: Path) -> Write:
    """Write a file below the root: text, bytes, or a PNG image of this red."""

    def write_file(name: str, content: str | bytes | int) -> Path:
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, int):
            content = encoded(content)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture
def load(root: Path, request: pytest.FixtureRequest) -> Load:
    """Load the set by the reader that the module names."""

    def load_set(**keys: Any) -> EvaluationSet:
        given = {"reader": request.module.READER, "root": root} | keys
        return load_evaluation_set(Evaluation("faces", **given))

    return load_set


def red(found: EvaluationSet, position: int) -> int:
    pixel = found.images.read(position).getpixel((0, 0))
    assert isinstance(pixel, tuple)
    return int(pixel[0])
