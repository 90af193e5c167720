"""The audited system's network, against what is known of it and against plain formulas."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from models.se_resnet101 import PREPROCESSING
from models.se_resnet101_network import Bottleneck, SEResNet101

K = 7178


def small(outputs: int = 6, pool="corner") -> SEResNet101:
    """The same network with one narrow block a stage."""
    torch.manual_seed(11)
    network = SEResNet101(outputs, pool=pool, blocks=(1, 1, 1, 1), planes=(16, 16, 16, 16))
    randomise(network)
    return network.eval()


def randomise(module: nn.Module) -> None:
    """Batch norms as after training, so that leaving one out shows."""
    generator = torch.Generator().manual_seed(12)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                nn.init.uniform_(values, 0.5, 1.5, generator=generator)


def photographs(count: int = 2, size: int = 224) -> torch.Tensor:
    return torch.rand(count, 3, size, size, generator=torch.Generator().manual_seed(13))


# The network as drawn in the paper's section on the audited system.


def test_shapes_at_each_stage_of_a_224_pixel_image():
    with torch.device("meta"):
        network, batch = SEResNet101(K), torch.empty(2, 3, 224, 224)
    shapes: dict[str, tuple[int, ...]] = {}
    for name, part in network.features.named_children():
        part.register_forward_hook(
            lambda _, __, out, name=name: shapes.update({name: (*out.shape,)})
        )

    scores = network(batch)

    assert shapes == {
        "conv1": (2, 64, 112, 112),
        "bn1": (2, 64, 112, 112),
        "maxpool": (2, 64, 55, 55),  # 56 if it were padded
        "layer1": (2, 256, 55, 55),
        "layer2": (2, 512, 28, 28),
        "layer3": (2, 1024, 14, 14),
        "layer4": (2, 2048, 7, 7),
    }
    assert scores.shape == (2, K)


def test_parameters_are_those_of_a_count_by_hand():
    """Written out in numbers, from the layers that the paper's system is described by."""
    stem = 3 * 64 * 49 + 2 * 64  # 7x7 convolution without bias, one batch norm
    # 1x1, 3x3, 1x1 convolutions; batch norms; the gate with its biases; the shortcut where it is.
    first = {
        64: (64 * 64 + 36_864 + 16_384) + 768 + (2 * 256 * 16 + 16 + 256) + (64 * 256 + 512),
        128: (256 * 128 + 147_456 + 65_536)
        + 1_536
        + (2 * 512 * 32 + 32 + 512)
        + (256 * 512 + 1_024),
        256: (512 * 256 + 589_824 + 262_144)
        + 3_072
        + (2 * 1024 * 64 + 64 + 1024)
        + (512 * 1024 + 2_048),
        512: (1024 * 512 + 2_359_296 + 1_048_576)
        + 6_144
        + (2 * 2048 * 128 + 128 + 2048)
        + (1024 * 2048 + 4_096),
    }
    later = {
        64: (256 * 64 + 36_864 + 16_384) + 768 + 8_464,
        128: (512 * 128 + 147_456 + 65_536) + 1_536 + 33_312,
        256: (1024 * 256 + 589_824 + 262_144) + 3_072 + 132_160,
        512: (2048 * 512 + 2_359_296 + 1_048_576) + 6_144 + 526_464,
    }
    blocks = {64: 3, 128: 4, 256: 23, 512: 3}
    by_hand = stem + sum(first[p] + (blocks[p] - 1) * later[p] for p in blocks)
    with torch.device("meta"):
        network = SEResNet101(K)

    found = {
        name: sum(p.numel() for p in part.parameters()) for name, part in network.named_children()
    }

    assert by_hand == 47_277_872
    assert found == {"features": by_hand, "classifier": 2048 * K + K}


def test_names_are_those_of_the_original_checkpoints():
    with torch.device("meta"):
        names = set(SEResNet101(K).state_dict())

    assert {
        "features.conv1.weight",
        "features.bn1.num_batches_tracked",
        "features.layer1.0.downsample.0.weight",
        "features.layer3.22.se.fc.2.bias",
        "features.layer4.2.bn3.running_var",
        "classifier.bias",
    } <= names
    assert not any("layer1.1.downsample" in name for name in names)


@pytest.mark.parametrize("stride", [1, 2], ids=["same size", "halved"])
def test_stride_sits_on_the_first_convolution_and_the_gate_before_the_shortcut(stride):
    torch.manual_seed(14)
    block = Bottleneck(16, 8, stride).eval()
    randomise(block)
    features = torch.rand(2, 16, 9, 9, generator=torch.Generator().manual_seed(15))

    # A strided 1x1 convolution sees every second cell only.
    main = block.bn1(
        nn.functional.conv2d(features[:, :, ::stride, ::stride], block.conv1.weight)
    ).relu()
    main = block.bn2(nn.functional.conv2d(main, block.conv2.weight, padding=1)).relu()
    main = block.bn3(nn.functional.conv2d(main, block.conv3.weight))
    z = main.mean(dim=(2, 3))
    squeeze, excite = block.se.fc[0], block.se.fc[2]
    hidden = (z @ squeeze.weight.T + squeeze.bias).clamp(min=0)
    gate = 1 / (1 + torch.exp(-(hidden @ excite.weight.T + excite.bias)))
    expected = (main * gate[:, :, None, None] + block.downsample(features)).relu()

    assert hidden.shape == (2, 2)  # 32 channels, reduction 16
    torch.testing.assert_close(block(features), expected)


def test_corner_pool_sees_the_top_left_25_of_49_cells():
    network = small()
    last = torch.rand(3, 64, 7, 7, generator=torch.Generator().manual_seed(16))

    pooled = network.features._pooled(last)

    torch.testing.assert_close(pooled, nn.AvgPool2d(5)(last).flatten(1))
    changed = last.clone()
    changed[:, :, 5:, :], changed[:, :, :, 5:] = 99.0, 99.0
    assert torch.equal(network.features._pooled(changed), pooled)


def test_full_pool_is_the_mean_of_all_cells_and_gives_other_scores():
    images = photographs()
    corner, full = small(), small(pool="full")
    last = torch.rand(3, 64, 7, 7, generator=torch.Generator().manual_seed(16))

    torch.testing.assert_close(full.features._pooled(last), last.flatten(2).mean(2))
    with torch.inference_mode():
        assert not torch.allclose(full(images), corner(images))


@pytest.mark.parametrize(("size", "cells"), [(96, 3), (320, 10)], ids=["small", "large"])
def test_corner_pool_refuses_other_sizes_and_the_full_pool_takes_them(size, cells):
    with pytest.raises(
        ValueError, match=f"5 to 9 cells a side, got {cells}x{cells}; give images of"
    ):
        small()(photographs(1, size))
    assert small(pool="full")(photographs(1, size)).shape == (1, 6)


def test_convolutions_start_he_normal_by_their_fan_out():
    torch.manual_seed(17)
    network = SEResNet101(3, blocks=(1, 1, 1, 1), planes=(64, 64, 64, 64))
    weight = network.get_parameter("features.layer1.0.conv2.weight")

    assert weight.std().item() == pytest.approx((2 / (3 * 3 * 64)) ** 0.5, rel=0.02)
    assert network.features.conv1.weight.std().item() == pytest.approx(
        (2 / (49 * 64)) ** 0.5, rel=0.03
    )
    assert abs(weight.mean().item()) < 1e-3


# The images.


def gradient(width: int, height: int) -> Image.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    pixels = np.stack([rows * 255 / height, columns * 255 / width, (rows + columns) % 256], axis=2)
    return Image.fromarray(pixels.astype(np.uint8))


@pytest.mark.parametrize("size", [(300, 500), (500, 300), (120, 90)], ids=["high", "wide", "small"])
def test_crops_are_those_of_the_original_transforms(size):
    image = gradient(*size)
    normalise = transforms.Normalize(mean=[0.485, 0.456, 0.406], std=[0.229, 0.224, 0.225])
    to_tensor = transforms.Compose([transforms.ToTensor(), normalise])
    cut = transforms.Compose([transforms.Resize(256), transforms.TenCrop(224)])
    centre = transforms.Compose([transforms.Resize(256), transforms.CenterCrop(224), to_tensor])

    ten = replace(PREPROCESSING, ten=True)(image)

    assert ten.shape == (10, 3, 224, 224)
    torch.testing.assert_close(ten, torch.stack([to_tensor(crop) for crop in cut(image)]))
    torch.testing.assert_close(PREPROCESSING(image), centre(image))
