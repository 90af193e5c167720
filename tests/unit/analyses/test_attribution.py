"""Integrated gradients and occlusion of models whose right answer is known."""

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness import Classifier, ModelError, Preprocessing
from pytest_fairness.analyses import attribute

pytest.importorskip("captum")


class Corner(nn.Module):
    """Class 1 is the brightness of the top left quarter."""

    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.tensor(2.0))

    @override
    def forward(self, images):
        bright = self.scale * images[:, :, :4, :4].mean((1, 2, 3))
        return torch.stack([-bright, bright], 1)


def model_of(module):
    return Classifier("corner", module, ("off", "on"), Preprocessing(8))


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
def test_only_the_pixels_that_count_are_named(method):
    images = torch.rand(3, 3, 8, 8) + 0.5
    maps = attribute(
        model_of(Corner()),
        images,
        torch.ones(3, dtype=torch.long),
        method=method,
        window=2,
        stride=2,
    )
    assert maps.shape == (3, 8, 8)
    assert (maps[:, :4, :4] > 0).all()
    assert maps[:, 4:].abs().max() == 0
    assert maps[:, :, 4:].abs().max() == 0


def test_integrated_gradients_sum_to_the_change_of_the_score():
    images = torch.rand(2, 3, 8, 8)
    module = Corner()
    maps = attribute(model_of(module), images, torch.ones(2, dtype=torch.long), batch_size=1)
    scores = module(images)[:, 1] - module(torch.zeros_like(images))[:, 1]
    assert maps.sum((1, 2)).tolist() == pytest.approx(scores.tolist(), abs=1e-4)


class OneScore(Corner):
    """The same with one score an image, that of the second class."""

    @override
    def forward(self, images):
        return super().forward(images)[:, 1:]


@pytest.mark.parametrize("method", ["integrated_gradients", "occlusion"])
@pytest.mark.parametrize("column", [0, 1])
def test_one_score_an_image_is_that_of_the_second_class(method, column):
    images, columns = torch.rand(2, 3, 8, 8), torch.full((2,), column)
    alone, both = (
        attribute(model_of(module), images, columns, method=method)
        for module in (OneScore(), Corner())
    )
    assert torch.allclose(alone, both, atol=1e-6)


def test_the_module_is_left_as_found():
    module = Corner().train()
    attribute(model_of(module), torch.rand(1, 3, 8, 8), torch.tensor([0]))
    assert module.training
    assert module.scale.requires_grad
    assert module.scale.grad is None


def test_a_function_has_no_gradients_but_can_be_occluded():
    corner = Corner().eval()

    def function(images):
        return corner(images)

    model = model_of(function)
    images, columns = torch.rand(1, 3, 8, 8), torch.tensor([1])
    with pytest.raises(
        ModelError, match=r'need an nn.Module, got function; use method="occlusion"'
    ):
        attribute(model, images, columns)
    assert attribute(model, images, columns, method="occlusion").shape == (1, 8, 8)
