"""The audited system's network, against what is known of it and against plain formulas."""

import json
import pickle
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms

from models.crops import Crops
from models.label_lists import read_label_list
from models.se_resnet101 import (
    CHECKPOINT,
    LABELS,
    RULE,
    load_se_resnet101,
    read_checkpoint,
    se_resnet101,
)
from models.se_resnet101_network import Bottleneck, SEResNet101, TenCrops
from pytest_fairness.errors import ModelError
from pytest_fairness.models import Classifier, LabelRule

K = 7178
GENDERS = ["Person", "Woman", "Man", "Tree", "Girl", "Boy"]


def small(outputs: int = len(GENDERS), pool="corner") -> SEResNet101:
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
    assert small(pool="full")(photographs(1, size)).shape == (1, len(GENDERS))


def test_convolutions_start_he_normal_by_their_fan_out():
    torch.manual_seed(17)
    network = SEResNet101(3, blocks=(1, 1, 1, 1), planes=(64, 64, 64, 64))
    weight = network.features.layer1[0].conv2.weight

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

    found = Crops("ten")(image)

    assert torch.equal(found, torch.stack([to_tensor(crop) for crop in cut(image)]))
    assert torch.equal(Crops("centre")(image), centre(image))
    assert torch.equal(found[4], centre(image))


def test_logits_of_ten_crops_are_averaged():
    network = small()
    crops = torch.rand(2, 10, 3, 224, 224, generator=torch.Generator().manual_seed(18))
    with torch.inference_mode():
        found = TenCrops(network)(crops)
        one_by_one = torch.stack([network(image).mean(0) for image in crops])

    torch.testing.assert_close(found, one_by_one)


# Checkpoints and label lists.


@pytest.fixture
def narrow(monkeypatch: pytest.MonkeyPatch) -> SEResNet101:
    """Checkpoints of a narrow network, and a loader that builds the same."""
    from models import se_resnet101_network

    monkeypatch.setattr(
        se_resnet101_network,
        "SEResNet101",
        lambda outputs, *, pool: SEResNet101(
            outputs, pool=pool, blocks=(1, 1, 1, 1), planes=(16, 16, 16, 16)
        ),
    )
    return small()


def save(
    network: SEResNet101, folder: Path, *, prefix: str = "classifier.", old: bool = True
) -> Path:
    """Write what the original training wrote, with torch 0.4's kind of file."""
    state = {f"{prefix}{name}": value for name, value in network.state_dict().items()}
    optimiser = torch.optim.SGD(network.parameters(), lr=0.01, momentum=0.9, nesterov=True)
    path = folder / "snapshot_epoch_25.pth.tar"
    torch.save(
        {"model": state, "optimizer": optimiser.state_dict(), "epoch": 25},
        path,
        _use_new_zipfile_serialization=not old,
    )
    return path


def listed(folder: Path, labels: list[str] = GENDERS) -> Path:
    path = folder / "labels.txt"
    path.write_text("\n".join(labels) + "\n", encoding="utf-8")
    return path


@pytest.mark.parametrize("prefix", ["classifier.", "module.classifier.", "module.", ""])
@pytest.mark.parametrize("old", [True, False], ids=["torch 0.4", "zip"])
def test_checkpoint_of_the_original_training_is_read(narrow, tmp_path, prefix, old):
    loaded = load_se_resnet101(
        save(narrow, tmp_path, prefix=prefix, old=old), labels=listed(tmp_path)
    )
    image = gradient(300, 256)

    with torch.inference_mode():
        found = loaded.module(loaded.preprocess(image)[None])
        expected = narrow(Crops("ten")(image)).mean(0, keepdim=True)

    torch.testing.assert_close(found, expected)
    assert not loaded.module.training
    assert loaded.labels == tuple(GENDERS)
    assert loaded.class_labels == {"Male": ("Man", "Boy"), "Female": ("Woman", "Girl")}
    assert loaded.tagging == RULE == LabelRule(threshold=0.55, least=2, most=5, top=150)


def test_safetensors_centre_crop_and_full_pool_are_options(narrow, tmp_path):
    from safetensors.torch import save_file

    save_file(narrow.state_dict(), tmp_path / "net.safetensors")
    loaded = load_se_resnet101(
        tmp_path / "net.safetensors", labels=listed(tmp_path), crops="centre", pool="full"
    )
    image = gradient(300, 256)

    with torch.inference_mode():
        found = loaded.module(loaded.preprocess(image)[None])
        expected = small(pool="full")(Crops("centre")(image)[None])

    torch.testing.assert_close(found, expected)


def test_batch_counts_that_old_checkpoints_lack_are_not_missed(narrow, tmp_path):
    state = {k: v for k, v in narrow.state_dict().items() if not k.endswith("batches_tracked")}
    torch.save({"model": state}, tmp_path / "old.pth")

    assert load_se_resnet101(tmp_path / "old.pth", labels=listed(tmp_path)).labels == tuple(GENDERS)


def test_gender_labels_may_be_open_images_ids(narrow, tmp_path):
    labels = listed(
        tmp_path, ["/m/01g317", "/m/03bt1vf", "/m/04yx4", "/m/07j7r", "/m/05r655", "/m/01bl7v"]
    )

    loaded = load_se_resnet101(save(narrow, tmp_path), labels=labels)

    assert loaded.class_labels == {
        "Male": ("/m/04yx4", "/m/01bl7v"),
        "Female": ("/m/03bt1vf", "/m/05r655"),
    }


class Malicious:
    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_code_in_a_checkpoint_or_a_label_list_does_not_run(narrow, tmp_path):
    ran = tmp_path / "ran"
    torch.save({"model": Malicious(ran)}, tmp_path / "bad.pth")
    (tmp_path / "bad.pkl").write_bytes(pickle.dumps({"Man": Malicious(ran)}))

    with pytest.raises(ModelError, match="without running code in it"):
        load_se_resnet101(tmp_path / "bad.pth", labels=listed(tmp_path))
    with pytest.raises(ModelError, match="which could run code"):
        read_label_list(tmp_path / "bad.pkl")
    assert not ran.exists()


def test_the_list_must_have_as_many_labels_as_the_checkpoint(narrow, tmp_path):
    labels = listed(tmp_path, [*GENDERS, "Chair"])

    with pytest.raises(ModelError, match=r"has 6 labels, but .*labels\.txt lists 7; give the list"):
        load_se_resnet101(save(narrow, tmp_path), labels=labels)


def test_a_list_without_a_gender_label_is_refused(narrow, tmp_path):
    labels = listed(tmp_path, ["Person", "Woman", "Man", "Tree", "Girl", "Child"])

    with pytest.raises(
        ModelError, match="neither 'Boy' nor its Open Images id '/m/01bl7v'; give `cl"
    ):
        load_se_resnet101(save(narrow, tmp_path), labels=labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        pytest.param(
            {"model": {"conv1.weight": torch.ones(1)}}, "names missing .* 1 unexpected", id="other"
        ),
        pytest.param({"epoch": 3}, "holds no state dict", id="nothing"),
    ],
)
def test_another_checkpoint_is_refused(narrow, tmp_path, content, message):
    torch.save(content, tmp_path / "x.pth")

    with pytest.raises(ModelError, match=message):
        load_se_resnet101(tmp_path / "x.pth", labels=listed(tmp_path))


def test_another_width_is_refused(narrow, tmp_path):
    wide = SEResNet101(6, blocks=(1, 1, 1, 1), planes=(32, 16, 16, 16))

    with pytest.raises(ModelError, match=r"has shape \(32.*, but the network has \(16"):
        load_se_resnet101(save(wide, tmp_path), labels=listed(tmp_path))


@pytest.mark.parametrize("cut", [0, 100, -9], ids=["empty", "head", "tail"])
def test_a_truncated_checkpoint_is_named(narrow, tmp_path, cut):
    path = save(narrow, tmp_path)
    path.write_bytes(path.read_bytes()[:cut])

    with pytest.raises(ModelError, match=r"25\.pth\.tar: not a checkpoint"):
        read_checkpoint(path)


def test_missing_files_are_named(tmp_path):
    with pytest.raises(ModelError, match=r"gone\.pth: no such checkpoint"):
        read_checkpoint(tmp_path / "gone.pth")
    with pytest.raises(ModelError, match=r"gone\.txt: no such label list"):
        read_label_list(tmp_path / "gone.txt")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        pytest.param("l.txt", b"\xef\xbb\xbfa\nb b\nc\n", id="text"),
        pytest.param("l.json", b'["a", "b b", "c"]', id="list"),
        pytest.param("l.json", b'{"c": 2, "a": 0, "b b": 1}', id="mapping"),
        pytest.param("l.pkl", pickle.dumps({"c": 2, "a": 0, "b b": 1}, protocol=3), id="pickle"),
    ],
)
def test_label_lists_are_read_in_the_order_of_the_scores(tmp_path, name, content):
    (tmp_path / name).write_bytes(content)

    assert read_label_list(tmp_path / name) == ("a", "b b", "c")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        pytest.param(
            "l.json", b'{"a": 0, "b": 2}', "2 labels must have the indices 0 to 1", id="gap"
        ),
        pytest.param("l.json", b"[1, 2]", "expected a list of labels", id="numbers"),
        pytest.param("l.json", b"{", "not a label list", id="broken"),
        pytest.param("l.txt", b"\n", "expected a list of labels", id="empty"),
        pytest.param("l.pkl", b"\x80", "not a label list", id="cut"),
        pytest.param("l.csv", b"a", r"read from \.txt, \.json, \.pkl", id="kind"),
    ],
)
def test_a_bad_label_list_says_what_was_got(tmp_path, name, content, message):
    (tmp_path / name).write_bytes(content)

    with pytest.raises(ModelError, match=message):
        read_label_list(tmp_path / name)


# The fixture.


def test_the_fixture_without_a_checkpoint_says_what_to_set(monkeypatch):
    monkeypatch.delenv(CHECKPOINT, raising=False)

    with pytest.raises(
        ModelError, match=f"got no {CHECKPOINT}: set {CHECKPOINT} to .* and {LABELS} to"
    ):
        se_resnet101.__wrapped__()


def test_the_fixture_reads_the_files_that_the_environment_names(narrow, tmp_path, monkeypatch):
    monkeypatch.setenv(CHECKPOINT, str(save(narrow, tmp_path)))
    (tmp_path / "labels.json").write_text(json.dumps(GENDERS))
    monkeypatch.setenv(LABELS, str(tmp_path / "labels.json"))

    found = se_resnet101.__wrapped__()

    assert isinstance(found, Classifier)
    assert found.name == "se_resnet101"
    assert re.match(r"Crops\(which='ten'", repr(found.preprocess))
