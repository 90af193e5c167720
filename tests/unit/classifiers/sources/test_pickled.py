"""Whole models that were pickled: refused with a way out, or allowed for one run."""

import logging
import pickle
import shutil
import warnings
import zipfile

import numpy as np
import pytest
import torch
from typing_extensions import override

from pytest_fairness.classifiers import load_model
from pytest_fairness.classifiers.files.checkpoint import read_checkpoint
from pytest_fairness.errors import ModelError, PolicyError
from tests.unit.classifiers.conftest import READING
from tests.unit.classifiers.sources.test_factory import Brightness

joblib = pytest.importorskip("joblib")  # comes with scikit-learn
PIXELS = {"preprocessing": {"size": 8}}


def dump(thing, path):
    """Write in the way of the ending."""
    if path.suffix == ".joblib":
        joblib.dump(thing, path)
    elif path.suffix in {".pkl", ".pickle"}:
        path.write_bytes(pickle.dumps(thing))
    else:
        torch.save(thing, path)
    return path


ENDINGS = ["pt", "pth", "bin", "ckpt", "pkl", "pickle", "joblib"]


@pytest.mark.parametrize("ending", ENDINGS)
def test_a_malicious_file_is_refused_and_does_not_run(ending, evil, mark, tmp_path):
    path = dump({"model": evil}, tmp_path / f"model.{ending}")
    with pytest.raises(ModelError, match="--fairness-allow-pickle") as refused:
        load_model({"path": str(path), **READING})
    assert not mark.exists()
    assert "posix.system" in str(refused.value)
    assert "python -c" in str(refused.value)


@pytest.mark.parametrize("ending", ["zip", "tar.gz", "h5"])
def test_a_container_that_is_no_model_is_not_opened(ending, evil, mark, tmp_path):
    path = tmp_path / f"model.{ending}"
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("model.pkl", pickle.dumps(evil))
    with pytest.raises(
        ModelError, match=r"is no folder; give a folder .*or a file that ends in \.pt2"
    ):
        load_model({"path": str(path), **READING}, allow_pickle=True)
    assert not mark.exists()


@pytest.mark.parametrize("ending", ["pt2", "onnx", "safetensors"])
def test_a_malicious_pickle_behind_a_safe_ending_does_not_run(ending, evil, mark, tmp_path):
    path = shutil.copy(dump(evil, tmp_path / "model.pkl"), tmp_path / f"model.{ending}")
    with pytest.raises((ModelError, PolicyError)):
        load_model({"path": str(path), **READING}, allow_pickle=True)
    assert not mark.exists()


def run_command(message):
    """Do what the `python -c` of a message says."""
    code = message.split('python -c "')[1].rsplit('"', 1)[0].replace("\\\n", "")
    logging.disable()  # a remark of torch 2.14 has a broken format, which pytest makes an error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            exec(code, {})  # noqa: S102
    finally:
        logging.disable(logging.NOTSET)


def test_the_command_of_the_message_converts_a_checkpoint(net, tmp_path):
    path = tmp_path / "net.pt"
    torch.save({"best": {"state_dict": net.state_dict()}, "seen": {print}}, path)
    with pytest.raises(ModelError) as refused:
        read_checkpoint(path, key="best.state_dict")
    run_command(str(refused.value))
    assert read_checkpoint(tmp_path / "net.safetensors")[0].keys() == net.state_dict().keys()


class AnySize(torch.nn.Module):
    """Takes images of any size, as the command of the message tries one of 224 pixels."""

    @override
    def forward(self, images):
        return images.mean(dim=(2, 3))[:, :2]


def test_the_command_of_the_message_converts_a_module(tmp_path):
    path = dump(AnySize(), tmp_path / "model.pt")
    with pytest.raises(ModelError) as refused:
        load_model({"path": str(path), **READING})
    run_command(str(refused.value))
    made = load_model(
        {"path": str(tmp_path / "model.pt2"), **READING, "preprocessing": {"size": 224}}
    )
    images = torch.rand(3, 3, 224, 224)
    assert torch.allclose(made.module(images), AnySize()(images))


def test_a_pickled_module_is_read_where_that_is_allowed(net, tmp_path):
    path = dump(net, tmp_path / "model.pt")
    with pytest.raises(ModelError, match="a pickled module"):
        load_model({"path": str(path), **READING})
    made = load_model({"path": str(path), **READING}, allow_pickle=True)
    images = torch.rand(2, 3, 8, 8)
    assert torch.equal(made.module(images), net(images))
    assert made.notes["unpickled"] == "model.pt (allowed by --fairness-allow-pickle)"


@pytest.mark.parametrize("ending", ["pkl", "joblib"])
def test_a_pickled_estimator_is_read_where_that_is_allowed(ending, tmp_path):
    path = dump(Brightness(), tmp_path / f"model.{ending}")
    with pytest.raises(ModelError, match=r"skl2onnx"):
        load_model({"path": str(path), **PIXELS})
    made = load_model({"path": str(path), **PIXELS}, allow_pickle=True)
    assert made.labels == ("dark", "light")
    assert np.allclose(made.module(torch.full((1, 3, 8, 8), 0.25)).numpy(), [[0.75, 0.25]])
    assert made.weights_sha256 == made.notes["model_sha256"]


def test_what_fails_in_unpickling_is_named(tmp_path):
    path = tmp_path / "model.pkl"
    path.write_bytes(b"cno_such_module\nthing\n.")
    with pytest.raises(
        ModelError, match="unpickling it was allowed, and failed: ModuleNotFoundError"
    ):
        load_model({"path": str(path), **PIXELS}, allow_pickle=True)


def test_a_pickle_without_a_model_is_named(tmp_path):
    path = dump([1, 2], tmp_path / "model.pkl")
    with pytest.raises(ModelError, match=r"is list; return a Classifier, an nn.Module"):
        load_model({"path": str(path), **PIXELS}, allow_pickle=True)
