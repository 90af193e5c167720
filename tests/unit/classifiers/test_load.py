"""`load_model` and what the run record keeps of how a model was loaded and read."""

import sys

import pytest

from pytest_fairness import load_model
from pytest_fairness.errors import ModelError
from tests.unit.classifiers.conftest import READING

TABLES = {
    "timm": {"kind": "timm", "architecture": "x", "weights": "w.safetensors", "labels": ["a", "b"]},
    "transformers": {"kind": "huggingface", "path": "folder"},
    "onnx": {"path": "net.onnx", **READING},
}


@pytest.mark.parametrize("package", TABLES)
def test_a_missing_package_is_named_with_the_command_that_installs_it(
    package, monkeypatch, tmp_path
):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "config.json").write_text("{}")
    (tmp_path / "net.onnx").write_bytes(b"")
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ModelError, match=rf'pip install "pytest-fairness\[{package}\]"'):
        load_model(TABLES[package], folder=tmp_path, name="release")


@pytest.mark.parametrize("name", ["net.pt2", "net.onnx", "net.pt", "net.pkl", "folder"])
def test_a_missing_file_is_named(name, tmp_path):
    table = {"path": name} if name == "folder" else {"path": name, **READING}
    with pytest.raises(ModelError, match=rf"{name}: no such file or folder of a model; correct"):
        load_model(table, folder=tmp_path, name="release")


def test_a_package_that_is_not_needed_is_not_imported(tmp_path):
    import subprocess

    code = (
        "import sys; from pytest_fairness import load_model\n"
        "heavy = {'torch', 'numpy', 'pandas', 'onnx', 'onnxruntime', 'timm', 'transformers'}\n"
        "assert not heavy & sys.modules.keys(), heavy & sys.modules.keys()\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)
