"""Grad-CAM against models whose answer is known by hand, autograd, captum and grad-cam."""

import pytest
import torch
from torch import nn
from torchvision.models.densenet import DenseNet
from typing_extensions import override

from models.mirrored import Mirrored
from models.resnet18_thin import ThinResNet18
from pytest_fairness.analyses import attention_maps, mask_score
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.errors import ModelError


class Quadrant(nn.Module):
    """Sees one quadrant only: its score is the mean brightness there."""

    def __init__(self, row: int, column: int) -> None:
        super().__init__()
        self.place = (slice(4 * row, 4 * row + 4), slice(4 * column, 4 * column + 4))
        self.look = nn.Identity()
        self.head = nn.Linear(1, 2)
        nn.init.zeros_(self.head.bias)
        self.head.weight.data = torch.tensor([[1.0], [-1.0]])

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        seen = torch.zeros_like(images[:, :1])
        seen[:, 0, self.place[0], self.place[1]] = images[:, 0, self.place[0], self.place[1]]
        return self.head(self.look(seen).mean(dim=(2, 3)))


def quadrants() -> torch.Tensor:
    masks = torch.zeros(4, 8, 8)
    for place in range(4):
        row, column = divmod(place, 2)
        masks[place, 4 * row : 4 * row + 4, 4 * column : 4 * column + 4] = 1
    return masks


@pytest.mark.parametrize("place", range(4), ids=["top left", "top right", "low left", "low right"])
def test_classifier_of_one_quadrant_is_seen_to_look_there_and_nowhere_else(place):
    found = attention_maps(Quadrant(*divmod(place, 2)), torch.ones(2, 3, 8, 8), layer="look")
    scores = mask_score(found.maps, quadrants())
    expected = torch.zeros(2, 4)
    expected[:, place] = 1
    assert torch.allclose(scores.values, expected, atol=1e-6)
    assert scores.uniform[0, 0].item() == pytest.approx(4 / 7)


def test_label_that_nothing_speaks_for_has_a_zero_map():
    found = attention_maps(Quadrant(0, 0), torch.ones(1, 3, 8, 8), target=[0, 1], layer="look")
    assert found.zero_map.tolist() == [[False, True]]
    scores = mask_score(found.maps[:, 1], quadrants())
    assert scores.values.tolist() == [0, 0, 0, 0]
    assert scores.zero_maps == 4


def test_absent_label_is_explained_by_what_speaks_against_it():
    images = torch.ones(1, 3, 8, 8)
    raw = attention_maps(Quadrant(0, 0), images, target=[0, 1], sign="positive", layer="look")
    both = attention_maps(Quadrant(0, 0), images, target=[0, 1], sign="absolute", layer="look")
    assert raw.zero_map.tolist() == [[False, True]]
    assert both.zero_map.tolist() == [[False, False]]
    assert torch.equal(both.maps[:, 0], both.maps[:, 1])


def test_map_is_the_hand_worked_weighted_sum():
    network = nn.Sequential(nn.Identity(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(2, 1))
    network[3].weight.data = torch.tensor([[8.0, -4.0]])
    features = torch.tensor([[[[1.0, 2.0], [0.0, 1.0]], [[1.0, 0.0], [3.0, 1.0]]]])
    arguments = {"target": 0, "layer": "0"}
    raw = attention_maps(network, features, scaled=False, **arguments)
    assert raw.maps[0, 0].tolist() == [[1, 4], [0, 1]]  # ReLU of 2 x first - 1 x second
    scaled = attention_maps(network, features, **arguments)
    assert scaled.maps[0, 0].flatten().tolist() == pytest.approx([0.25, 1, 0, 0.25])


def deep(*head: nn.Module) -> nn.Sequential:
    torch.manual_seed(0)
    trunk = (nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(), nn.MaxPool2d(2))
    return nn.Sequential(*trunk, nn.AdaptiveAvgPool2d(1), nn.Flatten(), *head)


def linear() -> nn.Sequential:
    return deep(nn.Dropout(0.5), nn.Linear(6, 5))


def two_layers() -> nn.Sequential:
    return deep(nn.Linear(6, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 5))


@pytest.mark.parametrize("sign", ["positive", "absolute"])
@pytest.mark.parametrize("build", [linear, two_layers], ids=["linear", "two layers"])
def test_closed_form_is_what_a_backward_pass_finds(build, sign):
    network, images = build(), torch.randn(7, 3, 8, 8)
    arguments = {"target": [None, 0, 1, 2, 3, 4], "sign": sign, "scaled": False}
    quick = attention_maps(network, images, **arguments)
    slow = attention_maps(network, images, closed_form=False, **arguments)
    assert (quick.closed_form, slow.closed_form) == (True, False)
    assert quick.maps.max() > 1e-3
    assert torch.allclose(quick.maps, slow.maps, atol=1e-5)
    assert torch.equal(quick.columns, slow.columns)


@pytest.mark.parametrize(
    "head",
    [
        pytest.param((nn.Linear(6, 8), nn.Tanh(), nn.Linear(8, 3)), id="another activation"),
        pytest.param((nn.Linear(6, 3), nn.Softmax(dim=1)), id="softmax in the model"),
        pytest.param((nn.LayerNorm(6), nn.Linear(6, 3)), id="norm before the head"),
        pytest.param(
            (nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 6), nn.ReLU(), nn.Linear(6, 3)), id="deep"
        ),
    ],
)
def test_head_that_is_not_simple_is_differentiated(head):
    network, images = deep(*head), torch.randn(3, 3, 8, 8)
    found = attention_maps(network, images, target=1, scaled=False)
    assert not found.closed_form
    assert torch.allclose(found.maps, by_autograd(network, images, "3", 1), atol=1e-6)


def by_autograd(network: nn.Module, images: torch.Tensor, layer: str, label: int) -> torch.Tensor:
    """Grad-CAM as it is written down, with a full backward pass."""
    kept: list[torch.Tensor] = []
    hook = network.get_submodule(layer).register_forward_hook(lambda *call: kept.append(call[2]))
    network.eval()
    scores = network(images)
    hook.remove()
    (grad,) = torch.autograd.grad(scores[:, label].sum(), kept[0])
    weights = grad.mean(dim=(2, 3), keepdim=True)
    return (weights * kept[0]).sum(dim=1, keepdim=True).relu().detach()


def test_layer_whose_output_is_overwritten_keeps_its_map():
    torch.manual_seed(0)
    network = DenseNet(4, (1, 1), num_init_features=8, num_classes=3).eval()  # ReLU in place
    images = torch.randn(2, 3, 32, 32)
    found = attention_maps(network, images, target=0, scaled=False)
    assert (found.layer, found.closed_form) == ("features", False)
    features = network.features(images)
    assert (features < 0).any()
    score = network.classifier(features.relu().mean(dim=(2, 3)))[:, 0].sum()
    (grad,) = torch.autograd.grad(score, features)
    expected = (grad.mean(dim=(2, 3), keepdim=True) * features).sum(dim=1, keepdim=True).relu()
    assert torch.allclose(found.maps, expected.detach(), atol=1e-6)


@pytest.mark.parametrize("label", [0, 3])
def test_maps_are_those_of_captum(label):
    attr = pytest.importorskip("captum.attr")
    network, images = linear().eval(), torch.randn(4, 3, 8, 8)
    expected = attr.LayerGradCam(network, network[3]).attribute(
        images, target=label, relu_attributions=True
    )
    found = attention_maps(network, images, target=label, scaled=False)
    assert torch.allclose(found.maps, expected.detach(), atol=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("build", [linear, two_layers], ids=["linear", "two layers"])
def test_maps_are_those_of_the_grad_cam_package(build):
    cam = pytest.importorskip("pytorch_grad_cam")
    targets = pytest.importorskip("pytorch_grad_cam.utils.model_targets")
    network, images = build().eval(), torch.randn(4, 3, 4, 4)  # a 2 x 2 map
    with cam.GradCAM(model=network, target_layers=[network[3]]) as peer:
        expected = peer(images, [targets.ClassifierOutputTarget(2)] * 4)
    found = attention_maps(network, images, target=2)
    # It enlarges its maps to the image, whose corners are those of the small map.
    corners = torch.from_numpy(expected[:, ::3, ::3])
    assert torch.allclose(found.maps[:, 0], corners, atol=1e-5)


def test_predicted_class_is_the_highest_score():
    network, images = linear(), torch.randn(20, 3, 8, 8)
    network[-1].bias.data -= attention_maps(network, images).scores.mean(dim=0)
    found = attention_maps(network, images)
    assert torch.equal(found.columns[:, 0], found.scores.argmax(dim=1))
    assert found.columns.unique().numel() > 1
    for column in found.columns.unique():
        rows = found.columns[:, 0] == column
        named = attention_maps(network, images[rows], target=int(column))
        assert torch.allclose(found.maps[rows], named.maps, atol=1e-6)


def classifier(module: nn.Module, **more: object) -> Classifier:
    labels = ("boy", "hat", "man", "girl", "woman")
    classes = {"man": ("man", "boy"), "woman": ("woman", "girl")}
    return Classifier("people", module, labels, Preprocessing(size=8), classes=classes, **more)


def test_class_is_explained_by_its_highest_label_and_the_prediction_by_a_class():
    images = torch.randn(20, 3, 8, 8)
    found = attention_maps(classifier(linear()), images, target=[None, "man", "girl", 1])
    assert found.targets == ("(predicted)", "man", "girl", "1")
    scores = found.scores
    man = torch.where(scores[:, 2] >= scores[:, 0], 2, 0)
    woman = torch.where(scores[:, 4] >= scores[:, 3], 4, 3)
    is_man = scores[:, [0, 2]].amax(dim=1) >= scores[:, [3, 4]].amax(dim=1)
    assert torch.equal(found.columns[:, 0], torch.where(is_man, man, woman))
    assert torch.equal(found.columns[:, 1], man)
    assert set(found.columns[:, 2].tolist()) == {3}
    assert set(found.columns[:, 3].tolist()) == {1}


def test_predicted_class_is_the_one_that_the_classifiers_own_reduction_gives():
    images = torch.randn(40, 3, 8, 8)
    summed = attention_maps(classifier(linear(), reduce="logsumexp"), images)
    scores = summed.scores
    is_man = scores[:, [0, 2]].logsumexp(dim=1) > scores[:, [3, 4]].logsumexp(dim=1)
    assert torch.equal(torch.isin(summed.columns[:, 0], torch.tensor([0, 2])), is_man)


@pytest.mark.parametrize(
    ("target", "message"),
    [
        pytest.param("womn", r"no class or label 'womn'; did you mean 'woman'\?", id="unknown"),
        pytest.param(5, "target '5' is column 5, but the model gives 5 scores", id="too high"),
        pytest.param(-1, "count from 0, got target -1", id="negative"),
    ],
)
def test_target_that_the_model_does_not_have_is_an_error(target, message):
    with pytest.raises(ModelError, match=message):
        attention_maps(classifier(linear()), torch.randn(1, 3, 8, 8), target=target)


def test_probabilities_have_no_sign():
    model = classifier(linear(), score="probability")
    with pytest.raises(ModelError, match=r"the scores are of kind 'probability'; use sign"):
        attention_maps(model, torch.randn(1, 3, 8, 8), sign="absolute")


@pytest.mark.parametrize("closed", [True, False], ids=["closed form", "backward"])
def test_mirrored_model_has_mirrored_maps(closed):
    torch.manual_seed(0)
    network = Mirrored(ThinResNet18(3, width=2)).eval()
    images = torch.randn(3, 3, 48, 64)
    arguments = {"target": [0, 1, 2], "scaled": False, "closed_form": closed}
    found = attention_maps(network, images, **arguments)
    turned = attention_maps(network, images.flip(3), **arguments)
    assert torch.allclose(found.maps, turned.maps.flip(3), atol=1e-6)
    assert found.maps.max() > 0
    one, other = (
        attention_maps(network.network, some, layer="stages", **arguments | {"scaled": False})
        for some in (images, images.flip(3))
    )
    both_above = (one.maps > 0) & (other.maps.flip(3) > 0)
    mean = (one.maps + other.maps.flip(3)) / 2
    assert both_above.any()
    assert torch.allclose(found.maps[both_above], mean[both_above], atol=1e-6)


class Shifted(nn.Module):
    """Runs its network on an image and on the image moved by a pixel."""

    def __init__(self) -> None:
        super().__init__()
        self.network = linear()

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        return self.network(images) + self.network(images.roll(1, dims=3))


def test_views_that_are_no_mirror_images_are_an_error():
    with pytest.raises(
        ModelError, match=r"layer 'network.3' ran 2 times .* give the network inside"
    ):
        attention_maps(Shifted(), torch.randn(2, 3, 8, 8))


def test_scores_that_do_not_depend_on_the_layer_are_an_error():
    class Deaf(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.features = nn.Conv2d(3, 2, 1)

        @override
        def forward(self, images: torch.Tensor) -> torch.Tensor:
            self.features(images)
            return images.mean(dim=(2, 3))

    with pytest.raises(ModelError, match="the scores do not depend on layer 'features'"):
        attention_maps(Deaf(), torch.randn(2, 3, 8, 8))


@pytest.mark.parametrize(
    ("images", "more", "message"),
    [
        pytest.param(torch.rand(3, 8, 8), {}, r"images must be \(N, C, H, W\)", id="one image"),
        pytest.param(torch.rand(0, 3, 8, 8), {}, "N of at least 1", id="no image"),
        pytest.param(torch.rand(1, 3, 8, 8), {"batch_size": 0}, "at least 1, got 0", id="batch"),
        pytest.param(torch.rand(1, 3, 8, 8), {"sign": "both"}, "got 'both'", id="sign"),
        pytest.param(torch.rand(1, 3, 8, 8), {"target": []}, "no target to explain", id="targets"),
    ],
)
def test_bad_arguments_are_refused(images, more, message):
    with pytest.raises(ValueError, match=message):
        attention_maps(linear(), images, **more)


class OneScore(nn.Module):
    """A network with one score an image, that of its second label, or with both of them."""

    def __init__(self, shape: str) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.look = nn.Conv2d(3, 6, 3, padding=1)
        self.bend = nn.ReLU()
        self.second = nn.Linear(6, 1)
        self.shape = shape

    @override
    def forward(self, images: torch.Tensor):
        second = self.second(self.bend(self.look(images)).mean(dim=(2, 3)))
        both = torch.cat([-second, second], dim=1)
        outputs = {"both": both, "(N, 1)": second, "(N,)": second[:, 0], "dict": {"logit": second}}
        return outputs[self.shape]


@pytest.mark.parametrize("shape", ["(N, 1)", "(N,)", "dict"])
@pytest.mark.parametrize("target", [None, "no", "yes"])
@pytest.mark.parametrize("sign", ["positive", "absolute"])
def test_one_score_an_image_is_explained_as_that_of_the_second_label(shape, target, sign):
    """The column of the second label was read as that of the first one, or as a missing one."""
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    alone, both = (
        attention_maps(
            Classifier("m", OneScore(form), ("no", "yes"), Preprocessing(size=8)),
            images,
            target=target,
            sign=sign,
        )
        for form in (shape, "both")
    )
    assert torch.allclose(alone.maps, both.maps, atol=1e-6)
    assert torch.equal(alone.columns, both.columns)
    assert torch.allclose(alone.scores, both.scores)
