"""A repository for `init` to write a gate into."""

import sys
import tomllib
from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness.cli import main

POLICY = Path("fairness_tests/policy.toml")
ONNX = ("--model", "candidate.onnx", "--labels", "woman,man", "--score", "logit")
PIXELS = ("--size", "8", "--mean", "0.5,0.5,0.5", "--std", "0.25,0.25,0.25")
DATA = ("--manifest", "faces/manifest.csv", "--target", "gender", "--positive", "man")
GOOD = (*ONNX, *PIXELS, *DATA)
FACTORY = """
from pytest_fairness import Classifier, Preprocessing

def build():
    return Classifier("own", lambda images: images, ("woman", "man"), Preprocessing(size=8))

def bare():
    return lambda images: images
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """A repository with a model file and 24 samples; only the first image is looked at."""
    monkeypatch.chdir(tmp_path)
    Path("faces").mkdir()
    Path("candidate.onnx").write_bytes(b"a graph")
    Path("faces/0.png").write_bytes(b"an image")
    samples().to_csv("faces/manifest.csv", index=False)
    yield tmp_path
    for name in [name for name in sys.modules if name.split(".")[0] == "ours"]:
        del sys.modules[name]  # another test's repository may have such a package, too


def samples() -> pd.DataFrame:
    rows = [
        (
            "0.png",
            "woman" if i % 4 < 2 else "man",
            ["light", "dark"][i % 2],
            ["10", "9", "70"][i % 3],
            f"p{i // 2}",
            "ab"[i % 2],
            i * 1.5,
        )
        for i in range(24)
    ]
    names = ["file", "gender", "skin_tone", "age", "person", "camera", "height"]
    return pd.DataFrame(rows, columns=names)


def init(*arguments: str) -> int:
    return main(["init", *arguments])


def refused(capsys, *arguments: str) -> str:
    """The message of a wrong use, after which nothing was written."""
    before = {path for path in Path().rglob("*") if "__pycache__" not in path.parts}
    assert init(*arguments) == 4
    assert {path for path in Path().rglob("*") if "__pycache__" not in path.parts} == before
    return capsys.readouterr().err


def written() -> dict:
    return tomllib.loads(POLICY.read_text(encoding="utf-8"))
