import io
from dataclasses import replace

import pandas as pd
import pytest
import torch
import torchvision
from PIL import Image
from torch import nn
from typing_extensions import override

from pytest_fairness.analyses.probes import (
    capture_activations,
    choose_layers,
    pool_activations,
)
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError, ModelError


class Net(nn.Module):
    """Doubles the image, then averages; the doubling runs twice a pass."""

    def __init__(self) -> None:
        super().__init__()
        self.twice = nn.Conv2d(3, 3, 1, bias=False)
        with torch.no_grad():
            self.twice.weight.copy_(2 * torch.eye(3)[..., None, None])
        self.drop = nn.Dropout(0.5)
        self.head = nn.Linear(3, 2)
        self.pair = nn.MultiheadAttention(2, 1)
        self.seen: list[int] = []

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        self.seen.append(len(images))
        self.twice(images)
        features = self.twice(self.drop(images) * 0 - 1)
        self.pair(features[:, :2, 0, 0], features[:, :2, 0, 0], features[:, :2, 0, 0])
        return self.head(features.mean(dim=(2, 3)))


@pytest.fixture
def net() -> Classifier:
    return Classifier("net", Net().train(), ("a", "b"), Preprocessing(size=6))


@pytest.fixture
def ten() -> EvaluationSet:
    """Ten images whose red is 0, 10, … 90."""
    entries = []
    for i in range(10):
        buffer = io.BytesIO()
        Image.new("RGB", (6, 6), (10 * i, 0, 0)).save(buffer, "PNG")
        entries.append(buffer.getvalue())
    ids = [str(i) for i in range(10)]
    samples = pd.DataFrame({"id": ids, "target": "a"})
    rows = Rows(samples, "faces", "faces", DataError)
    return EvaluationSet(
        "faces", "faces", samples, {}, ("a", "b"), Images(entries, ids, rows), 0, {}, "0" * 64
    )


def test_a_layer_is_recorded_image_by_image_at_its_first_run(net, ten):
    found = capture_activations(net, ten, layers=["twice"], pool=2, batch_size=3)
    assert found.layers["twice"].shape == (10, 3, 2, 2)
    expected = 2 * torch.arange(0, 100, 10) / 255
    torch.testing.assert_close(found.layers["twice"][:, 0, 1, 1], expected)
    assert found.calls == {"twice": 2}
    assert found.ids == tuple("0123456789")


def test_the_model_is_left_as_it_was_found(net, ten):
    capture_activations(net, ten)
    assert net.module.training
    assert net.module.drop.training
    hooks = [
        len(part._forward_hooks) + len(part._forward_pre_hooks) for part in net.module.modules()
    ]
    assert sum(hooks) == 0


def test_hooks_are_removed_after_an_error_too(net, ten):
    net.module.head = nn.Linear(4, 2)
    with pytest.raises(ModelError, match="fails on a batch"):
        capture_activations(net, ten)
    assert not net.module.twice._forward_hooks
    assert not net.module._forward_pre_hooks


def test_an_automatic_layer_without_one_row_an_image_is_named_as_silent(net, ten):
    found = capture_activations(net, ten)
    assert list(found.layers) == ["twice", "head"]
    assert found.silent == ("pair",)


def test_unreadable_images_are_left_out_where_the_set_allows_for_some(net, ten):
    entries = [b"broken" if i == 4 else ten.images.entries[i] for i in range(10)]
    some = replace(ten, images=replace(ten.images, entries=entries), max_errors=0.1)
    found = capture_activations(net, some, layers=["twice"], pool=1, batch_size=3)
    assert found.ids == tuple("012356789")
    assert found.positions.tolist() == [0, 1, 2, 3, 5, 6, 7, 8, 9]
    assert found.layers["twice"][4, 0, 0, 0].item() == pytest.approx(100 / 255)


def test_a_named_layer_without_one_row_an_image_is_an_error(net, ten):
    with pytest.raises(ModelError, match="'pair' gives no tensor"):
        capture_activations(net, ten, layers=["pair"])


def test_an_unknown_layer_is_an_error_that_lists_the_known(net, ten):
    with pytest.raises(ModelError, match=r"unknown are \['twize'\].*'twice'"):
        capture_activations(net, ten, layers=["twize"])


def test_a_function_has_no_layers(ten):
    function = Classifier(
        "f", lambda images: images[:, :2, 0, 0], ("a", "b"), Preprocessing(size=6)
    )
    with pytest.raises(ModelError, match=r"read from an nn\.Module"):
        capture_activations(function, ten)


@pytest.mark.parametrize(
    ("name", "found"),
    [
        pytest.param(
            "resnet18",
            "conv1 bn1 layer1.0 layer1.1 layer2.0 layer2.1 layer3.0 layer3.1 layer4.0 layer4.1 fc",
            id="blocks",
        ),
        pytest.param(
            "alexnet",
            "features.2 features.5 features.7 features.9 features.12 classifier.3 classifier.5 "
            "classifier.6",
            id="single operations",
        ),
        pytest.param(
            "vit_b_16",
            " ".join(
                ["conv_proj"]
                + [f"encoder.layers.encoder_layer_{i}" for i in range(12)]
                + ["encoder.ln", "heads"]
            ),
            id="an encoder",
        ),
    ],
)
def test_layers_are_the_blocks_of_a_network(name, found):
    with torch.device("meta"):
        module = torchvision.models.get_model(name, weights=None)
    wrapped = nn.Sequential(module)
    expected = [f"0.{layer}" for layer in found.split()]
    assert choose_layers(wrapped, 99) == expected
    few = choose_layers(wrapped, 4)
    assert (len(few), few[0], few[-1]) == (4, expected[0], expected[-1])


def test_a_backbone_within_a_model_is_entered():
    with torch.device("meta"):
        backbone = torchvision.models.get_model("resnet18", weights=None)
    module = nn.Sequential()
    module.add_module("backbone", backbone)
    module.add_module("head", nn.Linear(1000, 2))
    found = choose_layers(module, 99)
    assert found[:3] == ["backbone.conv1", "backbone.bn1", "backbone.layer1.0"]
    assert found[-2:] == ["backbone.fc", "head"]


def test_maps_are_averaged_over_windows_or_subsampled():
    maps = torch.arange(16.0).view(1, 1, 4, 4)
    averaged = pool_activations(maps, 2)
    assert averaged.flatten().tolist() == [2.5, 4.5, 10.5, 12.5]
    assert pool_activations(maps, 2, pooling="subsample").flatten().tolist() == [5, 7, 13, 15]
    assert pool_activations(maps, 8).equal(maps)
    tokens = torch.arange(12.0).view(1, 6, 2)
    assert pool_activations(tokens, 1).flatten().tolist() == [5.0, 6.0]


@pytest.mark.parametrize(
    ("shape", "size"),
    [pytest.param((2,), 8, id="one axis"), pytest.param((2, 3, 4, 4), 0, id="no positions")],
)
def test_what_cannot_be_pooled_is_an_error(shape, size):
    with pytest.raises(ModelError, match="must be"):
        pool_activations(torch.ones(shape), size)
