"""Weights fit to the last name and shape, or the file is refused."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.files.weights import fill, hash_weights, load_weights
from pytest_fairness.errors import ModelError


def net(out: int = 2) -> nn.Module:
    return nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, out))


@pytest.fixture
def saved(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    save_file(net().state_dict(), tmp_path / "net.safetensors")
    return tmp_path / "net.safetensors"


def test_weights_are_loaded_in_evaluation_mode(saved: Path) -> None:
    module = net()
    before = hash_weights(module)
    loaded = load_weights(module, saved)
    assert loaded is module
    assert not loaded.training
    assert hash_weights(loaded) == hash_weights(load_weights(net(), str(saved))) != before


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"gone\.safetensors: no such file of weights"):
        load_weights(net(), tmp_path / "gone.safetensors")


@pytest.mark.parametrize("cut", [0, 4, 100, -8], ids=["empty", "header", "names", "values"])
def test_truncated_file_is_named(saved: Path, cut: int) -> None:
    saved.write_bytes(saved.read_bytes()[:cut])
    with pytest.raises(ModelError, match=r"net\.safetensors: not a whole safetensors file \("):
        load_weights(net(), saved)


def test_names_that_do_not_fit_are_shown(saved: Path) -> None:
    other = nn.ModuleDict({"head": nn.Linear(3, 4)})
    with pytest.raises(
        ModelError,
        match=r"2 missing \[head\.bias, head\.weight\], 9 unexpected \[0\.bias, 0\.weight, 1\.bias"
        r", …\]; build",
    ):
        load_weights(other, saved)


def test_shape_that_does_not_fit_shows_both(saved: Path) -> None:
    with pytest.raises(
        ModelError,
        match=r"weight '2\.(bias|weight)' has shape \(2.*\), but Sequential expects \(5.*\); build",
    ):
        load_weights(net(out=5), saved)


def test_refused_weights_leave_the_module_alone(saved: Path) -> None:
    module = net(out=5)
    before = hash_weights(module)
    with pytest.raises(ModelError):
        load_weights(module, saved)
    assert hash_weights(module) == before
    assert module.training


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda m: m[0].weight.data.mul_(1.001), id="value"),
        pytest.param(lambda m: m[1].num_batches_tracked.add_(1), id="buffer"),
        pytest.param(lambda m: m.to(torch.bfloat16), id="type"),
        pytest.param(lambda m: m.append(nn.Linear(2, 2)), id="name"),
    ],
)
def test_hash_follows_every_change(change: object) -> None:
    module = net()
    before = hash_weights(module)
    assert callable(change)
    change(module)
    assert hash_weights(module) != before


def test_hash_covers_a_modules_own_state() -> None:
    class Counting(nn.Module):
        seen = 0

        @override
        def get_extra_state(self) -> int:
            return self.seen

    module = Counting()
    before = hash_weights(module)
    module.seen = 1
    assert hash_weights(module) != before


class Wrapped(nn.Module):
    """A network whose own submodule is called `module`."""

    def __init__(self) -> None:
        super().__init__()
        self.module = nn.Linear(2, 1)


PREFIXES = ["", "module.", "model.", "_orig_mod.", "module._orig_mod.", "net.backbone.module."]


@pytest.mark.parametrize("prefix", PREFIXES)
@pytest.mark.parametrize("make", [Wrapped, lambda: nn.Sequential(nn.Linear(2, 1))])
def test_a_prefix_of_all_names_is_taken_off_and_said(make, prefix, tmp_path):
    trained, fresh = make(), make()
    weights = {f"{prefix}{name}": tensor for name, tensor in trained.state_dict().items()}
    assert fill(fresh, weights, path=tmp_path) == prefix
    assert hash_weights(fresh) == hash_weights(trained)
    assert not fresh.training


def test_a_prefix_is_taken_off_before_the_error_says_what_does_not_fit(tmp_path):
    weights = {"module.0.weight": torch.zeros(1, 2), "module.0.extra": torch.zeros(1)}
    with pytest.raises(ModelError) as caught:
        fill(nn.Sequential(nn.Linear(2, 1)), weights, path=tmp_path / "w.pt")
    text = "without 'module.' before each name: 1 missing [0.bias], 1 unexpected [0.extra]"
    assert text in str(caught.value)


def test_a_name_without_the_prefix_keeps_it_on_all(tmp_path):
    weights = {"module.0.weight": torch.zeros(1, 2), "0.bias": torch.zeros(1)}
    with pytest.raises(ModelError, match=r"unexpected \[module.0.weight\]"):
        fill(nn.Sequential(nn.Linear(2, 1)), weights, path=tmp_path / "w.pt")
