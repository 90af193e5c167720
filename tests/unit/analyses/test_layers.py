"""The layer that is read: found in common architectures, or named."""

from functools import partial

import pytest
import torch
from torch import nn
from torchvision import models
from torchvision.models.convnext import CNBlockConfig, ConvNeXt
from torchvision.models.resnet import BasicBlock, ResNet
from torchvision.models.swin_transformer import SwinTransformer
from typing_extensions import override

from models.mirrored import Mirrored
from models.resnet18_thin import ThinResNet18
from models.se_resnet import SEResNet
from pytest_fairness.analyses import attention_maps
from pytest_fairness.analyses.attention.layers import tokens_grid
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.errors import ModelError

VIT = partial(
    models.VisionTransformer,
    image_size=64,
    patch_size=16,
    num_layers=2,
    num_heads=2,
    hidden_dim=16,
    mlp_dim=32,
    num_classes=3,
)


@pytest.mark.parametrize(
    ("build", "layer", "grid", "closed"),
    [
        pytest.param(
            lambda: ResNet(BasicBlock, [1, 1, 1, 1], 3), "layer4", (2, 2), True, id="resnet"
        ),
        pytest.param(
            lambda: models.efficientnet_b0(num_classes=3), "features", (2, 2), True, id="efficient"
        ),
        pytest.param(
            lambda: ConvNeXt([CNBlockConfig(8, 16, 1), CNBlockConfig(16, None, 1)], num_classes=3),
            "features",
            (8, 8),
            False,  # a layer norm stands before the linear layer
            id="convnext",
        ),
        pytest.param(VIT, "encoder.layers.encoder_layer_1.ln_1", (4, 4), False, id="vit"),
        pytest.param(
            lambda: SwinTransformer([4, 4], 8, [2, 2], [1, 2], [4, 4], num_classes=3),
            "permute",
            (8, 8),
            True,
            id="swin",
        ),
        pytest.param(
            lambda: Mirrored(SEResNet(3, planes=(4, 4, 4, 4), blocks=(1, 1, 1, 1))),
            "network.stages",
            (4, 4),
            True,
            id="our se-resnet",
        ),
        pytest.param(
            lambda: Mirrored(ThinResNet18(3, width=2)),
            "network.stages",
            (4, 4),
            True,
            id="our thin resnet",
        ),
    ],
)
def test_the_last_layer_that_knows_where_things_are_is_found(build, layer, grid, closed):
    torch.manual_seed(0)
    found = attention_maps(build().eval(), torch.rand(2, 3, 64, 64), target=[None, 1])
    assert found.layer == layer
    assert tuple(found.maps.shape) == (2, 2, *grid)
    assert found.closed_form is closed


def test_tokens_lie_on_a_grid_of_the_images_proportions_without_the_class_token():
    assert tokens_grid(197, (224, 224)) == (14, 14)
    assert tokens_grid(196, (224, 224)) == (14, 14)
    assert tokens_grid(1 + 2 * 6, (32, 96)) == (2, 6)
    assert tokens_grid(1 + 2 * 6, (64, 64)) is None
    assert tokens_grid(1, (64, 64)) is None


def test_class_token_has_no_place_in_the_map():
    torch.manual_seed(1)
    network = VIT().eval()
    nn.init.normal_(network.heads.head.weight)
    images = torch.rand(1, 3, 64, 64)
    kept: list[torch.Tensor] = []
    norm = network.encoder.layers[-1].ln_1
    handle = norm.register_forward_hook(lambda *call: kept.append(call[2]))
    score = network(images)[0, 2]
    handle.remove()
    (grad,) = torch.autograd.grad(score, kept[0])
    weights = grad[0, 1:].mean(dim=0)
    expected = (kept[0][0, 1:] @ weights).relu().reshape(4, 4).detach()
    maps = attention_maps(network, images, target=2, scaled=False).maps[0, 0]
    assert torch.allclose(maps, expected, atol=1e-6)
    assert maps.max() > 0


class Small(nn.Module):
    """A feature map, a pool and a head, beside a layer that never runs."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, stride=2, padding=1)
        self.second = nn.Conv2d(4, 5, 3, padding=1)
        self.head = nn.Linear(5, 2)
        self.spare = nn.Conv2d(3, 3, 1)

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.head(self.second(self.first(images).relu()).mean(dim=(2, 3)))


def test_any_layer_with_a_map_can_be_named():
    found = attention_maps(Small(), torch.rand(1, 3, 8, 8), target=0, layer="first")
    assert (found.layer, tuple(found.maps.shape)) == ("first", (1, 1, 4, 4))
    assert not found.closed_form


@pytest.mark.parametrize(
    ("layer", "problem"),
    [
        pytest.param("third", "the model has no layer 'third'", id="unknown"),
        pytest.param("spare", "layer 'spare' gives no tensor in a forward pass", id="not run"),
        pytest.param("head", r"layer 'head' gives no feature map but .* \(1, 2\)", id="vector"),
    ],
)
def test_layer_without_a_map_is_an_error_that_lists_those_with_one(layer, problem):
    candidates = r"layers with one are 'first' \(4 x 4 x 4\), 'second' \(5 x 4 x 4\)"
    with pytest.raises(ModelError, match=f"model 'module': {problem}; {candidates}"):
        attention_maps(Small(), torch.rand(1, 3, 8, 8), layer=layer)


def test_maps_of_a_single_cell_are_not_taken():
    with pytest.raises(ModelError, match=r"for images of 2 x 2; give larger images, or the nn"):
        attention_maps(Small(), torch.rand(1, 3, 2, 2))


def test_model_that_is_no_module_has_no_layers():
    function = Classifier("plain", torch.Tensor.flatten, ("a", "b"), Preprocessing(size=4))
    with pytest.raises(ModelError, match=r"model 'plain' is a method_descriptor"):
        attention_maps(function, torch.rand(1, 3, 4, 4))


class Graph(nn.Module):
    """One opaque program, as an exported model is."""

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return images.flatten(1)[:, :2]


def test_exported_model_is_told_to_have_no_layers():
    model = Classifier("shipped", nn.Sequential(Graph()), ("a", "b"), Preprocessing(size=8))
    with pytest.raises(
        ModelError, match=r"or the nn.Module itself, since an exported model has no"
    ):
        attention_maps(model, torch.rand(1, 3, 8, 8))
