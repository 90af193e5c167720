"""Models whose answers are no function of the image are refused, or told where the policy allows it."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import torch

from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.errors import ModelError
from pytest_fairness.inference import predict

Make = Callable[[int], EvaluationSet]
Module = Callable[[torch.Tensor], torch.Tensor]


def two(red: torch.Tensor) -> torch.Tensor:
    return torch.stack([red, 1 - red], dim=1)


def mean(images: torch.Tensor) -> torch.Tensor:
    return images[:, 0].mean(dim=(1, 2))


def batch_statistics(images: torch.Tensor) -> torch.Tensor:
    red = mean(images)
    return two(red - red.mean() + 0.5)


def dropout(images: torch.Tensor) -> torch.Tensor:
    return two(torch.nn.functional.dropout(mean(images), 0.5, training=True))


def counting() -> Module:
    calls = itertools.count()
    return lambda images: two(mean(images) * 0 + next(calls))


class Untrained(torch.nn.Module):
    """A network that stays in training mode, whatever it is told."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = torch.nn.BatchNorm2d(3, affine=False, track_running_stats=False)

    def forward(self, images: torch.Tensor) -> torch.Tensor:  # type: ignore[explicit-override]
        return two(mean(self.norm(images)))


FAULTS: dict[str, tuple[Any, str]] = {
    "batch statistics": (batch_statistics, "the other images of a batch seem to change an answer"),
    "a norm without running statistics": (
        Untrained(),
        "the other images of a batch seem to change",
    ),
    "dropout left on": (dropout, "something is random, or the model keeps a state"),
    "a state": (counting, "something is random, or the model keeps a state"),
}


@pytest.mark.parametrize(("module", "cause"), FAULTS.values(), ids=FAULTS)
@pytest.mark.parametrize("size", [(130, 64), (5, 64), (5, 1), (2, 1), (2, 64)], ids=str)
def test_a_model_whose_answers_are_no_function_of_the_image_is_refused(
    red: Classifier, evaluation_set: Make, module: Any, cause: str, size: tuple[int, int]
) -> None:
    n, batch_size = size
    torch.manual_seed(0)
    made = counting() if module is counting else module
    model = replace(red, module=made, score="logit")
    with pytest.raises(ModelError, match="its answers are no function of the image") as caught:
        predict(model, evaluation_set(n), device="cpu", batch_size=batch_size)
    assert cause in str(caught.value)
    assert "'person-" in str(caught.value)
    assert 'nondeterministic = "tell"' in str(caught.value)


def test_random_preprocessing_is_refused(red: Classifier, evaluation_set: Make) -> None:
    def noisy(image: Any) -> torch.Tensor:
        return Preprocessing(size=4)(image) + torch.rand(())

    with pytest.raises(ModelError, match="something is random"):
        predict(replace(red, preprocess=noisy), evaluation_set(40), device="cpu")


def test_where_the_policy_allows_it_the_record_tells_which_images(
    red: Classifier, evaluation_set: Make
) -> None:
    model = replace(red, module=batch_statistics, score="logit", nondeterministic="tell")
    metadata = predict(model, evaluation_set(130), device="cpu").metadata
    assert metadata["asked_again"] == "16"
    ids = json.loads(metadata["asked_again_images"])
    assert len(ids) == int(metadata["asked_again_differ"]) > 0
    assert "batch statistics" in metadata["asked_again_cause"]


@pytest.mark.parametrize(("n", "asked"), [(1, "1"), (3, "3"), (16, "16"), (17, "16"), (200, "16")])
def test_all_images_of_a_tiny_set_are_asked_again_and_sixteen_of_others(
    red: Classifier, evaluation_set: Make, n: int, asked: str
) -> None:
    metadata = predict(red, evaluation_set(n), device="cpu").metadata
    assert (metadata["asked_again"], metadata["asked_again_differ"]) == (asked, "0")
    assert "asked_again_images" not in metadata


def test_rounding_is_no_difference_and_a_changed_answer_always_is(
    red: Classifier, evaluation_set: Make
) -> None:
    calls = itertools.count()

    def rounding(images: torch.Tensor) -> torch.Tensor:
        return two(mean(images)) + 1e-6 * next(calls)

    found = predict(replace(red, module=rounding), evaluation_set(20), device="cpu")
    assert found.metadata["asked_again_differ"] == "0"

    def flips(images: torch.Tensor) -> torch.Tensor:
        tiny = 1e-6 * (-1) ** next(calls)
        return two(mean(images) * 0 + 0.5 + tiny)

    with pytest.raises(
        ModelError, match=r"16 images were asked again; 9 got other scores \(by up to 2e-06\), 9"
    ):
        predict(replace(red, module=flips), evaluation_set(20), device="cpu", batch_size=32)
