"""A device is chosen, or the available ones are named."""

import pytest
import torch

from pytest_fairness.errors import ModelError
from pytest_fairness.inference import choose_device


def pretend(monkeypatch: pytest.MonkeyPatch, *, cuda: int = 0, mps: bool = False) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: cuda)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: cuda > 0)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("cuda", "mps", "name", "device"),
    [
        pytest.param(0, False, "auto", "cpu", id="cpu only"),
        pytest.param(1, False, "auto", "cuda", id="cuda first"),
        pytest.param(0, True, "auto", "mps", id="apple"),
        pytest.param(1, True, "cpu", "cpu", id="cpu although there is cuda"),
        pytest.param(2, False, "cuda:1", "cuda:1", id="second cuda"),
    ],
)
def test_device_is_chosen(
    monkeypatch: pytest.MonkeyPatch, *, cuda: int, mps: bool, name: str, device: str
) -> None:
    pretend(monkeypatch, cuda=cuda, mps=mps)
    assert choose_device(name) == torch.device(device)


@pytest.mark.parametrize(
    ("cuda", "name", "here"),
    [
        pytest.param(0, "cuda", "here are cpu", id="no cuda"),
        pytest.param(1, "cuda:1", "here are cuda, cuda:0, cpu", id="no second cuda"),
        pytest.param(0, "gpu", "here are cpu", id="no such name"),
        pytest.param(0, "mps", "here are cpu", id="no apple"),
    ],
)
def test_unavailable_device_names_those_that_are(
    monkeypatch: pytest.MonkeyPatch, cuda: int, name: str, here: str
) -> None:
    pretend(monkeypatch, cuda=cuda)
    with pytest.raises(ModelError, match=f"device '{name}' is not available; {here}; choose"):
        choose_device(name)
