"""Attention maps leave the model as it was, whatever the batches, the memory and the gradients."""

import pytest
import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.analyses import attention_maps
from pytest_fairness.errors import ModelError
from tests.unit.analyses.test_attention_maps import deep, linear, two_layers


class Notes(nn.Identity):
    """Notes whether gradients are on when it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[bool] = []

    @override
    def forward(self, features: torch.Tensor) -> torch.Tensor:
        self.seen.append(torch.is_grad_enabled())
        return features


def test_only_the_part_after_the_layer_is_differentiated():
    before, after = Notes(), Notes()
    network = nn.Sequential(
        nn.Conv2d(3, 4, 1), before, nn.ReLU(), after, *deep(nn.Linear(6, 2))[4:6]
    )
    network.append(nn.Linear(4, 2))
    attention_maps(network, torch.randn(2, 3, 4, 4), target=0, layer="2", closed_form=False)
    assert (before.seen[-1], after.seen[-1]) == (False, True)
    assert not any(before.seen)


@pytest.mark.parametrize("closed", [True, False], ids=["closed form", "backward"])
def test_model_is_left_as_found(closed):
    network = linear().train()
    network[1].eval()
    network[0].weight.requires_grad_(requires_grad=False)
    network[-1].bias.grad = torch.full((5,), 2.0)
    state = {name: value.clone() for name, value in network.state_dict().items()}
    flags = [part.training for part in network.modules()]
    needs = [weight.requires_grad for weight in network.parameters()]
    attention_maps(network, torch.randn(3, 3, 8, 8), target=[0, 1], closed_form=closed)
    with pytest.raises(ModelError):
        attention_maps(network, torch.randn(3, 3, 8, 8), target=9, closed_form=closed)
    assert [part.training for part in network.modules()] == flags
    assert [weight.requires_grad for weight in network.parameters()] == needs
    assert all(torch.equal(state[name], value) for name, value in network.state_dict().items())
    assert network[-1].bias.grad.tolist() == [2] * 5
    assert all(weight.grad is None for weight in list(network.parameters())[:-1])
    parts = list(network.modules())
    assert not any(part._forward_hooks or part._forward_pre_hooks for part in parts)
    assert torch.is_grad_enabled()


@pytest.mark.parametrize(
    "mode", [torch.no_grad, torch.inference_mode], ids=["no_grad", "inference"]
)
def test_maps_can_be_made_where_gradients_are_off(mode):
    network, images = linear(), torch.randn(3, 3, 8, 8)
    expected = attention_maps(network, images, target=0, closed_form=False)
    with mode():
        found = attention_maps(network, images, target=0, closed_form=False)
        assert not torch.is_grad_enabled()
    assert torch.equal(found.maps, expected.maps)


def test_batches_do_not_matter():
    network, images = two_layers(), torch.randn(7, 3, 8, 8)
    whole = attention_maps(network, images, target=[None, 2])
    parts = attention_maps(network, images, target=[None, 2], batch_size=3)
    assert torch.allclose(whole.maps, parts.maps, atol=1e-6)
    assert torch.allclose(whole.scores, parts.scores, atol=1e-6)


class Tight(nn.Module):
    """Has memory for two images at a time."""

    def __init__(self, most: int) -> None:
        super().__init__()
        self.most = most
        self.network = linear()
        self.sizes: list[int] = []

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.sizes.append(len(images))
        if len(images) > self.most:
            raise torch.OutOfMemoryError
        return self.network(images)


def test_batch_is_halved_where_memory_ends():
    images = torch.randn(9, 3, 8, 8)
    tight = Tight(2)
    found = attention_maps(tight, images, target=0, batch_size=8)
    expected = attention_maps(tight.network, images, target=0)
    assert torch.allclose(found.maps, expected.maps, atol=1e-6)
    assert max(tight.sizes[-3:]) <= 2


def test_one_image_that_does_not_fit_is_an_error():
    with pytest.raises(ModelError, match="one image does not fit into cpu"):
        attention_maps(Tight(0), torch.randn(2, 3, 8, 8))


def test_half_precision_on_request_is_close():
    network, images = linear(), torch.randn(4, 3, 8, 8)
    full = attention_maps(network, images, target=0)
    half = attention_maps(network, images, target=0, autocast=True)
    assert half.maps.dtype == torch.float32
    assert not torch.equal(half.maps, full.maps)
    assert torch.allclose(half.maps, full.maps, atol=0.05)
