"""A borrowed model comes back as it was."""

import pytest
import torch
from hypothesis import given, strategies as st
from torch import nn

from pytest_fairness.inference import left_as_found

CPU = torch.device("cpu")


FLAGS = st.lists(st.booleans(), min_size=4, max_size=4)


@given(FLAGS)
def test_every_submodule_gets_its_own_flag_back(flags: list[bool]) -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout()))
    for part, flag in zip(module.modules(), flags, strict=True):
        part.training = flag
    with left_as_found(module, CPU):
        assert not any(part.training for part in module.modules())
    assert [part.training for part in module.modules()] == flags


@given(FLAGS)
def test_flags_come_back_after_an_error_too(flags: list[bool]) -> None:
    module = nn.Sequential(nn.Linear(2, 2), nn.Sequential(nn.Dropout()))
    for part, flag in zip(module.modules(), flags, strict=True):
        part.training = flag
    with pytest.raises(ZeroDivisionError), left_as_found(module, CPU):
        _ = 1 / 0
    assert [part.training for part in module.modules()] == flags


def test_module_goes_back_to_its_device(monkeypatch: pytest.MonkeyPatch) -> None:
    module = nn.Linear(2, 2)
    moves: list[torch.device] = []
    monkeypatch.setattr(module, "to", moves.append)
    with left_as_found(module, torch.device("meta")):
        assert moves == [torch.device("meta")]
    assert moves == [torch.device("meta"), CPU]


def test_module_without_weights_needs_no_device() -> None:
    with left_as_found(nn.Identity(), CPU):
        pass


@pytest.mark.parametrize("enabled", [False, True], ids=["off", "on"])
def test_gradients_are_left_as_found(*, enabled: bool) -> None:
    with torch.set_grad_enabled(enabled):
        with left_as_found(nn.Identity(), CPU):
            assert torch.is_inference_mode_enabled()
        assert torch.is_grad_enabled() is enabled
        assert not torch.is_inference_mode_enabled()


def test_function_is_only_run_without_gradients() -> None:
    with left_as_found(torch.relu, CPU):
        assert torch.is_inference_mode_enabled()
    assert not torch.is_inference_mode_enabled()
