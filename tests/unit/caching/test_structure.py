"""The identity of a model: everything that may change a score changes it, in every process alike."""

import functools
import importlib
import io
import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest
import torch
import torchvision
from torch import nn
from torchvision import transforms

from pytest_fairness.caching.sources import Unidentified
from pytest_fairness.caching.structure import identity_of
from pytest_fairness.classifiers import Crops, Pixels, Preprocessing

NET = """
import math

import torch
from torch import nn

from {package}.parts import Scale

SLOPE = 0.5


def half(images):
    return images * SLOPE


class Net(nn.Module):
    power = 2

    def __init__(self, width=2):
        super().__init__()
        self.layer = nn.Linear(3, width)
        self.norm = nn.BatchNorm1d(width)
        self.scale = Scale(3.0)
        self.activation = torch.relu
        nn.init.constant_(self.layer.weight, 0.25)
        nn.init.constant_(self.layer.bias, 0.5)

    def forward(self, images):
        found = self.layer(half(images).mean(dim=(2, 3)))
        return self.scale(self.activation(self.norm(found))) ** self.power
"""
PARTS = """
from torch import nn


class Scale(nn.Module):
    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, values):
        return values * self.factor
"""


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Give a function that writes a package with a network, imports it and returns the module."""
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "dont_write_bytecode", True)

    def write(*, net=NET, parts=PARTS):
        package = "projects"
        folder = tmp_path / package
        folder.mkdir(exist_ok=True)
        (folder / "__init__.py").write_text("")
        (folder / "net.py").write_text(net.replace("{package}", package))
        (folder / "parts.py").write_text(parts)
        for name in [name for name in sys.modules if name.split(".")[0] == package]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return importlib.import_module(f"{package}.net")

    yield write
    for name in [name for name in sys.modules if name.split(".")[0] == "projects"]:
        del sys.modules[name]


def test_a_network_made_twice_is_the_same_one(project):
    net = project()
    assert identity_of(net.Net()) == identity_of(net.Net())
    assert identity_of(net.Net()) == identity_of(project().Net())


def one_weight(model):
    with torch.no_grad():
        model.layer.weight[0, 0] += 1e-7


def buffer(model):
    model.norm.running_mean[0] = 1e-7


def dtype(model):
    model.double()


def training(model):
    model.train(mode=not model.training)


def momentum_of_a_layer(model):
    model.norm.eps = 1e-3


def number(model):
    model.scale.factor = 3.5


def function_of_torch(model):
    model.activation = torch.tanh


def other_module(model):
    model.layer = nn.Sequential(model.layer)


def hook(model):
    model.layer.register_forward_hook(lambda *given: given[2] * 2)


def hidden_buffer(model):
    model.register_buffer("shift", torch.ones(1), persistent=False)


def plain_tensor(model):
    model.shift = torch.ones(2)


def order_in_memory(model):
    model.layer.weight = nn.Parameter(model.layer.weight.detach().t().contiguous().t())


CHANGES = [
    one_weight,
    buffer,
    dtype,
    training,
    momentum_of_a_layer,
    number,
    function_of_torch,
    other_module,
    hook,
    hidden_buffer,
    plain_tensor,
    order_in_memory,
]


@pytest.mark.parametrize("change", CHANGES)
def test_whatever_a_network_holds_is_part_of_its_identity(project, change):
    model = project().Net()
    before = identity_of(model)
    change(model)
    try:
        after = identity_of(model)
    except Unidentified:
        after = b""
    assert after != before


SOURCES = {
    "forward": {"net": NET.replace("half(images).mean", "half(images).amax")},
    "a number in a function": {"net": NET.replace("SLOPE = 0.5", "SLOPE = 0.25")},
    "a function that forward calls": {"net": NET.replace("images * SLOPE", "images - SLOPE")},
    "a value of the class": {"net": NET.replace("power = 2", "power = 3")},
    "a comment": {"net": NET.replace("SLOPE = 0.5", "SLOPE = 0.5  # half")},
    "a module that it imports": {"parts": PARTS.replace("values * self", "values + self")},
}


@pytest.mark.parametrize("change", SOURCES)
def test_whatever_its_source_says_is_part_of_its_identity(project, change):
    before = identity_of(project().Net())
    assert identity_of(project(**SOURCES[change]).Net()) != before


def test_what_a_module_holds_at_run_time_is_part_of_the_identity(project):
    net = project()
    before = identity_of(net.Net())
    net.SLOPE = 0.75
    assert identity_of(net.Net()) != before


def test_a_method_that_was_replaced_at_run_time_is_part_of_the_identity(project):
    net = project()
    before = identity_of(net.Net())
    net.Net.forward = lambda *given: given[1].mean(dim=(2, 3))[:, :2]
    try:
        after = identity_of(net.Net())
    except Unidentified:
        after = b""
    assert after != before


def test_a_layer_of_torch_whose_code_was_replaced_is_not_identified(monkeypatch):
    monkeypatch.setattr(nn.Linear, "forward", lambda *given: given[1])
    with pytest.raises(Unidentified, match=r"Linear\.forward was replaced by a function of"):
        identity_of(nn.Linear(2, 2))


IMPURE = {
    "the environment": ("import os\n", "os may decide scores by other means"),
    "the time": ("import time\n", "time may decide scores by other means"),
    "the environment by another module": (
        "import pathlib\nHOME = pathlib.os.environ\n",
        "net.py, line 2: (environ|os) may read what is not known to stay the same",
    ),
    "a file": ("def f():\n    return open('x')\n", "line 2: open may read"),
    "a file by its path": (
        "from pathlib import Path\ndef f():\n    return Path('x').read_text()\n",
        "line 3: read_text may read",
    ),
    "code of a text": ("def f():\n    return eval('1')\n", "line 2: eval may read"),
    "a package that is not known": ("import filelock\n", "filelock may decide scores"),
    "chance of Python": ("import random\n", "random may decide scores by other means"),
    "an import within a function": ("def f():\n    import os\n", "os may decide scores"),
    "an import by its name": ("from importlib import import_module\n", "importlib may decide"),
}


@pytest.mark.parametrize("what", IMPURE)
def test_code_that_can_look_outside_is_not_identified(project, what):
    text, reason = IMPURE[what]
    net = project(net=text + NET)
    with pytest.raises(Unidentified, match=reason):
        identity_of(net.Net())


def test_code_that_an_imported_module_runs_is_looked_at_too(project):
    net = project(parts="import os\n" + PARTS)
    with pytest.raises(Unidentified, match=r"parts.py, line 1: os may decide"):
        identity_of(net.Net())


def local_class():
    class Local(nn.Module):
        pass

    return Local()


UNKNOWN = {
    "a class made in a function": local_class,
    "a lambda of a test": lambda: lambda images: images,
    "a scripted module": lambda: torch.jit.trace(nn.Linear(2, 2), torch.zeros(1, 2)),
    "a traced graph": lambda: torch.fx.symbolic_trace(nn.Linear(2, 2)),
    "a compiled module": lambda: torch.compile(nn.Linear(2, 2)),
    "a generator of torch": torch.Generator,
    "a generator of numpy": lambda: np.random.default_rng(1),
    "an array of objects": lambda: np.array([object()]),
    "an open file": lambda: Path(__file__).open(),  # noqa: SIM115
    "a lock": threading.Lock,
    "the clock": lambda: time.time,
    "opening files": lambda: open,
    "the environment": lambda: os.environ,
    "a set of objects": lambda: {nn.Linear, nn.Conv2d},
    "a random crop": lambda: transforms.RandomCrop(4),
    "a jitter": lambda: transforms.Compose([transforms.ColorJitter()]),
    "a sparse tensor": lambda: torch.eye(2).to_sparse(),
    "a tensor without values": lambda: torch.empty(2, device="meta"),
    "a module of the standard library that is not pure": lambda: os,
}


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::DeprecationWarning")
@pytest.mark.parametrize("what", UNKNOWN)
def test_what_cannot_be_told_apart_is_not_identified(what):
    value = UNKNOWN[what]()
    with pytest.raises(Unidentified):
        identity_of(value)
    if isinstance(value, io.IOBase):
        value.close()


DIFFERENT = [
    1,
    1.0,
    True,
    "1",
    b"1",
    None,
    (1,),
    [1],
    {1},
    {1: None},
    0.1 + 0.2,
    0.3,
    ["1", "2"],
    ["12"],
    [["1"], "2"],
    torch.tensor([1]),
    torch.tensor([1.0]),
    torch.tensor([[1.0]]),
    np.array([1.0]),
    np.array([1.0], dtype=np.float32),
    Path("1"),
    functools.partial(torch.sum, dim=1),
    functools.partial(torch.sum, dim=0),
    torch.float32,
    torch.relu,
    torch.tanh,
    nn.ReLU(),
    nn.GELU(),
    nn.GELU(approximate="tanh"),
    Preprocessing(size=8),
    Preprocessing(size=9),
    Preprocessing(size=8, mean=(0.1, 0.0, 0.0)),
    Preprocessing(size=8, std=(0.5, 1.0, 1.0)),
    Pixels(),
    Pixels(channels="bgr"),
    Pixels(white=255),
    Crops(8, 8),
    Crops(9, 8),
    Crops(8, 8, ten=True),
    Crops(8, 8, interpolation="bicubic"),
    transforms.Compose([transforms.Resize(8), transforms.ToTensor()]),
    transforms.Compose([transforms.Resize(9), transforms.ToTensor()]),
    transforms.Compose(
        [transforms.Resize(8, transforms.InterpolationMode.NEAREST), transforms.ToTensor()]
    ),
    torchvision.models.ResNet18_Weights.IMAGENET1K_V1.transforms(),
    torchvision.models.ResNet50_Weights.IMAGENET1K_V2.transforms(),
]


def test_different_values_are_never_the_same():
    identities = [identity_of(value) for value in DIFFERENT]
    assert len(set(identities)) == len(DIFFERENT)


def test_an_object_that_is_there_twice_is_not_two_equal_ones():
    layer = nn.ReLU()
    assert identity_of(nn.Sequential(layer, layer)) != identity_of(
        nn.Sequential(nn.ReLU(), nn.ReLU())
    )


OTHER_PROCESS = """
import sys
sys.path.insert(0, sys.argv[1])
import torch, torchvision
from projects.net import Net
from pytest_fairness.caching.structure import identity_of
torch.manual_seed(1)
print(identity_of(Net(), {"b", "a", "c"}, torchvision.models.resnet18()).hex())
"""


def test_another_process_gives_the_same_identity(project, tmp_path):
    project()
    seen = {
        subprocess.run(
            [sys.executable, "-c", OTHER_PROCESS, str(tmp_path)],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            check=True,
        ).stdout
        for seed in ("1", "2")
    }
    assert len(seen) == 1
