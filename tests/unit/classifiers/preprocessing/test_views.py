"""Ten crops and mirror images: against torchvision, and by what must not change."""

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from pytest_fairness.classifiers import Classifier, flip_averaged, load_model, ten_crop_averaged
from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.classifiers.preprocessing.pixels import Crops, Pixels, preprocessing_of
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import PixelSpec

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CROPS = Crops(resize=12, crop=8, pixels=Pixels(MEAN, STD))


def classifier(module, preprocess=CROPS):
    return Classifier("mine", module, ("no", "yes"), preprocess)


@pytest.fixture
def photo():
    noise = np.random.default_rng(0).integers(0, 256, (30, 41, 3), dtype=np.uint8)
    return Image.fromarray(noise)


@pytest.mark.parametrize("interpolation", ["nearest", "bilinear", "bicubic"])
def test_a_centre_crop_is_that_of_torchvision(interpolation, photo):
    expected = transforms.Compose(
        [
            transforms.Resize(12, transforms.InterpolationMode(interpolation)),
            transforms.CenterCrop(8),
            transforms.ToTensor(),
            transforms.Normalize(MEAN, STD),
        ]
    )(photo)
    spec = PixelSpec(resize=12, crop=8, mean=MEAN, std=STD, interpolation=interpolation)
    assert torch.allclose(preprocessing_of(spec)(photo), expected, atol=1e-6)


def test_ten_crops_are_those_of_torchvision_averaged_as_scores(net, photo):
    steps = transforms.Compose([transforms.ToTensor(), transforms.Normalize(MEAN, STD)])
    crops = transforms.Compose([transforms.Resize(12), transforms.TenCrop(8)])(photo)
    with torch.inference_mode():
        expected = torch.stack([net(steps(crop)[None])[0] for crop in crops]).mean(dim=0)
        made = ten_crop_averaged(classifier(net))
        got = made.module(torch.stack([made.preprocess(photo)] * 2))
    assert torch.allclose(got, expected.expand(2, 2), atol=1e-5)


@pytest.mark.parametrize("averaged", [flip_averaged, ten_crop_averaged])
def test_a_mirror_image_gets_the_same_scores(averaged, net, photo):
    made = averaged(classifier(net))
    mirrored = photo.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    with torch.inference_mode():
        one, other = (made.module(made.preprocess(view)[None]) for view in (photo, mirrored))
        plain = net(CROPS(photo)[None])
    assert torch.allclose(one, other, atol=1e-4)
    assert not torch.allclose(one, plain, atol=1e-4)


@pytest.mark.parametrize("averaged", [flip_averaged, ten_crop_averaged])
def test_views_keep_the_hash_of_the_weights_and_change_that_of_the_preprocessing(averaged, net):
    made = averaged(classifier(net))
    assert made.weights_sha256 == hash_weights(net)
    assert repr(made.preprocess) != repr(CROPS)
    assert "0x" not in repr(made.preprocess)


def test_ten_crops_need_something_to_cut_from(net):
    with pytest.raises(
        ModelError, match="ten crops need a preprocessing with resize and crop, got fun"
    ):
        ten_crop_averaged(classifier(net, preprocess=lambda image: image))


@pytest.mark.parametrize(("channels", "expected"), [("rgb", [0, 1, 2]), ("bgr", [2, 1, 0])])
@pytest.mark.parametrize("white", [1, 255])
def test_order_and_scale_of_the_channels(channels, expected, white):
    image = Image.new("RGB", (4, 4), (51, 102, 204))
    spec = PixelSpec(
        size=4, channels=channels, white=white, mean=(1.0, 2.0, 3.0), std=(2.0, 1.0, 4.0)
    )
    got = preprocessing_of(spec)(image)[:, 0, 0]
    values = torch.tensor([0.2, 0.4, 0.8])[expected] * white
    assert torch.allclose(got, (values - torch.tensor([1.0, 2, 3])) / torch.tensor([2.0, 1, 4]))


def test_grey_is_one_channel():
    image = Image.new("RGB", (4, 4), (255, 0, 0))
    got = preprocessing_of(PixelSpec(size=2, channels="grey", mean=(0.1, 0, 0), std=(2.0, 1, 1)))(
        image
    )
    assert got.shape == (1, 2, 2)
    assert got[0, 0, 0] == pytest.approx((76 / 255 - 0.1) / 2)  # ITU-R 601: 0.299 of red


def test_a_policy_asks_for_views(net, tmp_path):
    from safetensors.torch import save_file

    save_file(net.state_dict(), tmp_path / "net.safetensors")
    table = {
        "factory": "tests.unit.classifiers.conftest:small_net",
        "weights": str(tmp_path / "net.safetensors"),
        "labels": ["no", "yes"],
        "score": "logit",
        "preprocessing": {"resize": 12, "crop": 8},
    }
    assert load_model({**table, "views": "ten-crop"}).preprocess.ten
    flipped = load_model({**table, "views": "flip"})
    assert flipped.weights_sha256 == hash_weights(net)
