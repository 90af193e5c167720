from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import nn

from models import ads, baseline
from models.mirrored import Mirrored
from models.resnet18_thin import BasicBlock, ThinResNet18
from models.se_resnet import SEBottleneck, SEResNet, SqueezeExcitation
from pytest_fairness.classifiers import Classifier

LOADERS = [
    pytest.param(ads.load_ads, ads.WEIGHTS, id="ads"),
    pytest.param(baseline.load_baseline, baseline.WEIGHTS, id="baseline"),
]
README = Path(ads.__file__).with_name("README.md")
Loader = Callable[[], Classifier]


def images(count: int) -> torch.Tensor:
    return torch.rand(count, 3, 48, 48, generator=torch.Generator().manual_seed(6))


@torch.inference_mode()
def scores(classifier: Classifier, batch: torch.Tensor) -> torch.Tensor:
    return classifier.module(batch)


def randomise_batch_norms(module: nn.Module) -> None:
    generator = torch.Generator().manual_seed(7)
    for layer in module.modules():
        if isinstance(layer, nn.BatchNorm2d):
            for values in (layer.weight, layer.bias, layer.running_mean, layer.running_var):
                assert values is not None
                nn.init.uniform_(values, 0.2, 2.0, generator=generator)


@pytest.mark.parametrize(("load", "weights"), LOADERS)
def test_committed_model_gives_one_finite_logit_per_label(load: Loader, weights: Path) -> None:
    classifier = load()

    found = scores(classifier, images(3))

    assert found.shape == (3, len(classifier.labels))
    assert found.dtype == torch.float32
    assert found.isfinite().all()
    assert classifier.score == "logit"
    assert classifier.name == weights.stem


@pytest.mark.parametrize(("load", "weights"), LOADERS)
def test_weights_file_is_small_and_the_card_tells_its_parameters(
    load: Loader, weights: Path
) -> None:
    module = load().module
    assert isinstance(module, nn.Module)
    count = sum(parameter.numel() for parameter in module.parameters())

    assert weights.stat().st_size <= 4_000_000
    assert f"{count:,} parameters" in README.read_text(encoding="utf-8")


@pytest.mark.parametrize(("load", "weights"), LOADERS)
def test_scores_of_an_image_depend_on_nothing_but_the_image(load: Loader, weights: Path) -> None:
    classifier, batch = load(), images(5)
    together = scores(classifier, batch)

    assert torch.equal(scores(classifier, batch), together)
    torch.testing.assert_close(scores(classifier, batch[2:3]), together[2:3], rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(scores(classifier, batch.flip(3)), together, rtol=1e-4, atol=1e-4)


@pytest.mark.parametrize(("load", "weights"), LOADERS)
def test_committed_model_is_in_evaluation_mode(load: Loader, weights: Path) -> None:
    module = load().module

    assert isinstance(module, nn.Module)
    assert not any(part.training for part in module.modules())


def test_ads_reads_gender_from_four_of_many_labels_without_colours() -> None:
    classifier = ads.load_ads()

    assert len(classifier.labels) >= 100
    assert classifier.class_labels == {"man": ("man", "boy"), "woman": ("woman", "girl")}
    words = {word for label in classifier.labels for word in label.replace("-", " ").split()}
    assert words.isdisjoint({"white", "black", "blond", "red", "brown", "light", "dark", "skin"})


def test_baseline_has_a_binary_head() -> None:
    assert baseline.load_baseline().class_labels == {"woman": ("woman",), "man": ("man",)}


def test_gate_of_squeeze_excitation_is_the_formula_of_the_paper() -> None:
    layer = SqueezeExcitation(32, reduction=16)
    features = torch.rand(2, 32, 5, 5, generator=torch.Generator().manual_seed(8))
    z = features.flatten(2).mean(2)
    hidden = (z @ layer.squeeze.weight.T + layer.squeeze.bias).clamp(min=0)
    gate = 1 / (1 + torch.exp(-(hidden @ layer.excite.weight.T + layer.excite.bias)))

    assert hidden.shape == (2, 2)
    torch.testing.assert_close(layer(features), features * gate[..., None, None])


@pytest.mark.parametrize("stride", [1, 2])
def test_gate_sits_after_the_third_batch_norm_and_before_the_shortcut(stride: int) -> None:
    block = SEBottleneck(16, 8, stride).eval()
    randomise_batch_norms(block)
    features = torch.rand(2, 16, 8, 8, generator=torch.Generator().manual_seed(9))

    main = block.bn1(block.conv1(features)).relu()
    main = block.bn2(block.conv2(main)).relu()
    main = block.bn3(block.conv3(main))
    expected = (block.se(main) + block.shortcut(features)).relu()

    assert expected.shape == (2, 32, 8 // stride, 8 // stride)
    torch.testing.assert_close(block(features), expected)


def test_se_resnet_is_made_of_gated_bottlenecks_with_bias_in_the_gates() -> None:
    blocks = [part for part in SEResNet(3).modules() if isinstance(part, SEBottleneck)]

    assert len(blocks) == 6
    assert all(block.se.squeeze.bias is not None for block in blocks)
    assert all(block.se.excite.bias is not None for block in blocks)


def test_thin_resnet_has_the_eighteen_weighted_layers_of_its_name() -> None:
    network = ThinResNet18(2)
    blocks = [part for part in network.modules() if isinstance(part, BasicBlock)]
    layers = [
        name
        for name, part in network.named_modules()
        if isinstance(part, nn.Conv2d | nn.Linear) and "shortcut" not in name
    ]

    assert len(blocks) == 8
    assert len(layers) == 18


def test_basic_block_adds_its_shortcut_after_the_second_batch_norm() -> None:
    block = BasicBlock(4, 8, stride=2).eval()
    randomise_batch_norms(block)
    features = torch.rand(2, 4, 6, 6, generator=torch.Generator().manual_seed(10))

    main = block.bn2(block.conv2(block.bn1(block.conv1(features)).relu()))

    torch.testing.assert_close(block(features), (main + block.shortcut(features)).relu())


def test_mirrored_averages_the_scores_of_both_views() -> None:
    columns = nn.Flatten()
    batch = torch.arange(4.0).reshape(1, 1, 1, 4)

    assert Mirrored(columns)(batch).tolist() == [[1.5, 1.5, 1.5, 1.5]]
