"""32-bit numbers are computed as such: no TF32, whatever was set before, and all is undone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from pytest_fairness.classifiers import Classifier
from pytest_fairness.data import EvaluationSet
from pytest_fairness.inference import predict
from pytest_fairness.inference.as_found import strict_precision


def flags() -> tuple[Any, ...]:
    backends: Any = torch.backends
    return (
        torch.backends.cuda.matmul.allow_tf32,
        torch.backends.cudnn.allow_tf32,
        torch.get_float32_matmul_precision(),
        backends.cudnn.conv.fp32_precision == "tf32",
        backends.mkldnn.matmul.fp32_precision == "bf16",
    )


@pytest.fixture(autouse=True)
def restored() -> Iterator[None]:
    before = flags()
    yield
    torch.set_float32_matmul_precision(before[2])
    torch.backends.cudnn.allow_tf32 = before[1]


@pytest.mark.parametrize("matmul", ["highest", "high", "medium"])
@pytest.mark.parametrize("convolutions", [True, False])
def test_a_model_runs_without_tf32_and_the_settings_come_back(
    red: Classifier,
    evaluation_set: Callable[[int], EvaluationSet],
    matmul: str,
    *,
    convolutions: bool,
) -> None:
    torch.set_float32_matmul_precision(matmul)
    torch.backends.cudnn.allow_tf32 = convolutions
    before = flags()
    seen = []
    assert isinstance(red.module, torch.nn.Module)
    red.module.register_forward_hook(lambda *_: seen.append(flags()))
    found = predict(red, evaluation_set(3), device="cpu")
    assert set(seen) == {(False, False, "highest", False, False)}
    assert flags() == before
    assert found.metadata["precision"] == "strict"


def test_the_settings_come_back_after_an_error() -> None:
    before = flags()
    with pytest.raises(ZeroDivisionError), strict_precision():
        1 / 0  # noqa: B018
    assert flags() == before


def test_settings_by_their_new_names_come_back_too() -> None:
    backends: Any = torch.backends
    backends.cudnn.conv.fp32_precision = "ieee"  # now the former name cannot be read
    try:
        with strict_precision():
            assert torch.backends.cudnn.allow_tf32 is False
        assert backends.cudnn.conv.fp32_precision == "ieee"
        assert backends.cudnn.rnn.fp32_precision == "tf32"
    finally:
        backends.cudnn.conv.fp32_precision = "tf32"
