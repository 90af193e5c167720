"""32-bit numbers are computed as such: no TF32, whatever was set before, and all is undone."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from statsmodels.stats.proportion import proportion_confint
from typing_extensions import override

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.errors import ModelError
from pytest_fairness.inference import left_as_found, precision, predict
from pytest_fairness.inference.answers import flips
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


class NearTie(torch.nn.Module):
    """The redder half of the images wins by less than half precision can tell."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = torch.nn.Linear(1, 2, bias=False)
        torch.nn.init.constant_(self.linear.weight, 0.0)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        red = images[:, 0].mean(dim=(1, 2))[:, None]
        exact = self.linear(red).dtype == torch.float32
        man = torch.where(red > 0.5, 1e-4 if exact else 0.0, -1.0)
        return torch.cat([man, torch.zeros_like(man)], dim=1)


Make = Callable[[int], EvaluationSet]


def near_tie() -> Classifier:
    # Equal scores mean the first class of the evaluation, a woman.
    return Classifier("m", NearTie(), ("man", "woman"), Preprocessing(size=4))


def test_answers_that_another_precision_changes_are_counted(evaluation_set: Make) -> None:
    """By hand: the redder 10 of 20 images are men strictly, and ties in bf16."""
    metadata = predict(near_tie(), evaluation_set(20), device="cpu", precision="bf16").metadata
    assert metadata["precision"] == "bf16"
    assert metadata["precision_compared"] == "20"
    assert metadata["precision_flips"] == "10"
    low, high = proportion_confint(10, 20, method="beta")
    assert float(metadata["precision_flips_low"]) == pytest.approx(low, rel=1e-5)
    assert float(metadata["precision_flips_high"]) == pytest.approx(high, rel=1e-5)
    assert json.loads(metadata["precision_flipped"]) == [f"person-{i}" for i in range(10, 20)]


def test_a_strict_run_is_compared_with_nothing(evaluation_set: Make) -> None:
    metadata = predict(near_tie(), evaluation_set(20), device="cpu").metadata
    assert metadata["precision"] == "strict"
    assert not [key for key in metadata if key.startswith("precision_")]


def test_only_some_images_of_a_large_set_run_twice(
    evaluation_set: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(flips, "MOST", 7)
    metadata = predict(near_tie(), evaluation_set(20), device="cpu", precision="bf16").metadata
    assert metadata["precision_compared"] == "7"
    assert json.loads(metadata["precision_flipped"])[-1] == "person-19"


@pytest.mark.parametrize(
    ("asked", "module", "message"),
    [
        ("tf32", torch.nn.Identity(), "has an effect on CUDA cards only, and the device is cpu"),
        ("bf16", torch.relu, "it is no network of torch"),
        ("half", torch.nn.Identity(), "precision 'half' is not known; allowed are strict, tf32"),
    ],
)
def test_a_precision_without_effect_is_refused(asked: Any, module: Any, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        precision.check_precision(asked, module, torch.device("cpu"), model="m")


def test_tf32_is_on_for_its_run_alone(red: Classifier) -> None:
    """What is particular to cards is read from the settings, which every machine has."""
    before = flags()
    assert isinstance(red.module, torch.nn.Module)
    with left_as_found(red.module, torch.device("cpu")), strict_precision(tf32=True):
        assert flags()[:3] == (True, True, "high")
        with strict_precision():  # the images that are compared
            assert flags()[:3] == (False, False, "highest")
        assert flags()[:3] == (True, True, "high")
    assert flags() == before
