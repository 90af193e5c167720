"""TorchScript archives: legacy, read without Python code, refused where they touch files."""

import pickle
import warnings
import zipfile

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers import load_model
from pytest_fairness.errors import ModelError
from tests.unit.classifiers.conftest import READING


def script(module, path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(module), path)
    return path


@pytest.fixture
def archive(net, tmp_path):
    return script(net, tmp_path / "net.pt")


@pytest.mark.parametrize("kind", [{}, {"kind": "torchscript"}], ids=["by content", "by name"])
def test_an_archive_gives_the_scores_of_the_model(kind, net, archive, scores, image):
    made = load_model({"path": str(archive), **READING, **kind}, name="old")
    expected = net(torch.stack([made.preprocess(image)] * 3))
    assert torch.allclose(scores(made), expected, atol=1e-6)
    assert made.notes["legacy"].startswith("TorchScript is deprecated by PyTorch; export")


def with_pickle(archive, target, evil, member):
    with zipfile.ZipFile(archive) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            evil_part = name.split("/", 1)[1] == member
            new.writestr(name, pickle.dumps((evil,), 2) if evil_part else old.read(name))
    return target


@pytest.mark.parametrize("member", ["data.pkl", "constants.pkl"])
@pytest.mark.parametrize("allow", [False, True], ids=["refused", "allowed"])
def test_a_malicious_pickle_in_an_archive_never_runs(member, allow, archive, evil, mark):
    path = with_pickle(archive, archive.with_name("evil.pt"), evil, member)
    with pytest.raises(ModelError, match="not a whole TorchScript archive"):
        load_model({"path": str(path), **READING}, allow_pickle=allow)
    assert not mark.exists()


class Saves(nn.Module):
    """TorchScript code that writes a file."""

    def __init__(self, path: str) -> None:
        super().__init__()
        self.path = path

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        torch.save(images, self.path)
        return images.mean(dim=(2, 3))[:, :2]


class Maps(Saves):
    """TorchScript code that makes a file and writes through it."""

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.mean(dim=(2, 3))[:, :2] + torch.from_file(self.path, True, 2)  # noqa: FBT003


@pytest.mark.parametrize(
    ("module", "operator"), [(Saves, "torch.save"), (Maps, "torch.from_file")], ids=["save", "map"]
)
def test_code_that_touches_files_is_refused(module, operator, mark, tmp_path):
    path = script(module(str(mark)), tmp_path / "writes.pt")
    with pytest.raises(ModelError, match=rf"TorchScript code calls {operator}, which can read or"):
        load_model({"path": str(path), **READING})
    made = load_model({"path": str(path), **READING}, allow_pickle=True)
    assert made.notes["unpickled"] == "writes.pt (allowed by --fairness-allow-pickle)"
    made.module(torch.zeros(1, 3, 8, 8))
    assert mark.exists(), "the code would have written it"


def test_operators_of_other_libraries_are_refused(archive, tmp_path):
    with zipfile.ZipFile(archive, "a") as file:
        file.writestr("net/code/__torch__/more.py", "x = ops.image.write_file(a, b)\n")
    with pytest.raises(ModelError, match=r"calls ops.image.write_file, which"):
        load_model({"path": str(archive), **READING})


def test_weights_given_as_an_archive_are_told_apart(net, archive, tmp_path):
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    table = {"path": str(tmp_path / "weights.pt"), **READING}
    with pytest.raises(ModelError, match="holds weights without their network; name it"):
        load_model(table)
    with pytest.raises(ModelError, match="not a TorchScript archive; for weights name"):
        load_model(table | {"kind": "torchscript"})
    factory = {"factory": "torch.nn:Flatten", "weights": str(archive), **READING}
    with pytest.raises(
        ModelError, match=r'a TorchScript archive, which holds a whole.*kind = "torchs'
    ):
        load_model(factory)
