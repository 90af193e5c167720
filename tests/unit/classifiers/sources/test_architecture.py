"""torchvision and timm: architectures by name, local weights, the preprocessing that they carry."""

import numpy as np
import pytest
import torch
from safetensors.torch import save_file
from torchvision import models, transforms
from torchvision.transforms import functional

from pytest_fairness.classifiers import load_model
from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.errors import ModelError

NAME = "squeezenet1_1"  # the smallest that torchvision has


@pytest.fixture(scope="module")
def squeezenet(tmp_path_factory):
    """A network of torchvision with three classes and random weights, in two formats."""
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("squeezenet")
    module = models.get_model(NAME, num_classes=3).eval()
    save_file(module.state_dict(), folder / "net.safetensors")
    torch.save({"state_dict": module.state_dict(), "epoch": 7}, folder / "net.pth")
    return module, folder


def table(folder, **more):
    return {
        "kind": "torchvision",
        "architecture": NAME,
        "weights": str(folder / "net.safetensors"),
        "labels": ["a", "b", "c"],
        "preprocessing": "IMAGENET1K_V1",
    } | more


def test_local_weights_fill_an_architecture(squeezenet, image):
    module, folder = squeezenet
    made = load_model(table(folder), name="release")
    assert hash_weights(made.module) == hash_weights(module)
    assert (made.score, made.labels) == ("logit", ("a", "b", "c"))
    assert made.notes["architecture"] == f"torchvision {NAME}"
    old = load_model(table(folder, weights=str(folder / "net.pth"), weights_key="state_dict"))
    assert hash_weights(old.module) == hash_weights(module)


def test_the_transforms_of_published_weights_are_used(squeezenet, image):
    made = load_model(table(squeezenet[1]))
    published = models.get_model_weights(NAME)["IMAGENET1K_V1"].transforms()
    assert torch.allclose(made.preprocess(image), published(image), atol=1e-6)


def test_the_categories_of_published_weights_are_its_labels(tmp_path):
    torch.manual_seed(0)
    save_file(models.get_model(NAME).state_dict(), tmp_path / "net.safetensors")
    made = load_model({key: value for key, value in table(tmp_path).items() if key != "labels"})
    assert len(made.labels) == 1000
    assert made.labels[0] == "tench"


def test_ten_crops_are_cut_from_the_published_transforms(squeezenet, image):
    module, folder = squeezenet
    made = load_model(table(folder, views="ten-crop"))
    normalise = transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    resized = functional.resize(image, [256], antialias=True)
    crops = [functional.to_tensor(crop) for crop in functional.ten_crop(resized, [224])]
    with torch.inference_mode():
        expected = module(torch.stack([normalise(crop) for crop in crops])).mean(dim=0)
        got = made.module(made.preprocess(image)[None])[0]
    assert torch.allclose(got, expected, atol=1e-4)
    assert made.weights_sha256 == hash_weights(module)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"architecture": "resnet19"}, r"'resnet19' is not one of the .*did you mean 'resnet1"),
        ({"architecture": "raft_small"}, r"'raft_small' is not one of"),
        (
            {"preprocessing": "IMAGENET1K_V9"},
            r"the weights of squeezenet1_1 are IMAGENET1K_V1, DEFAULT;",
        ),
        ({"labels": ["a", "b"]}, r"weight 'classifier\.1\.\w+' has shape \(3"),
        ({"arguments": {"depth": 3}}, r"cannot be built with arguments = \{'depth': 3\}"),
        ({"weights": "gone.safetensors"}, r"gone\.safetensors: no such file"),
    ],
    ids=["unknown", "no classifier", "unknown weights", "labels", "arguments", "missing"],
)
def test_what_does_not_fit_is_named(change, message, squeezenet):
    with pytest.raises(ModelError, match=message):
        load_model(table(squeezenet[1], **change), name="release")


def test_labels_are_needed_where_nothing_else_names_them(squeezenet):
    written = table(squeezenet[1], preprocessing={"size": 224})
    del written["labels"]
    with pytest.raises(ModelError, match="kind 'torchvision' needs labels; name the score columns"):
        load_model(written)


def test_timm_brings_its_data_config(tmp_path, image):
    timm = pytest.importorskip("timm")
    torch.manual_seed(0)
    module = timm.create_model("test_resnet", num_classes=2).eval()
    save_file(module.state_dict(), tmp_path / "net.safetensors")
    made = load_model(
        {
            "kind": "timm",
            "architecture": "test_resnet",
            "weights": str(tmp_path / "net.safetensors"),
            "labels": ["no", "yes"],
        }
    )
    config = timm.data.resolve_model_data_config(module)
    transform = timm.data.create_transform(**config, is_training=False)
    assert np.allclose(made.preprocess(image), transform(image), atol=1e-6)
    with torch.inference_mode():
        images = made.preprocess(image)[None]
        assert torch.allclose(made.module(images), module(images))


@pytest.mark.parametrize("name", ["hf-hub:timm/resnet18.a1_in1k", "resnet18x", "local-dir:/tmp"])
def test_timm_downloads_nothing(name, tmp_path):
    pytest.importorskip("timm")
    written = {
        "kind": "timm",
        "architecture": name,
        "weights": "x.safetensors",
        "labels": ["a", "b"],
    }
    with pytest.raises(ModelError, match="is not one of the"):
        load_model(written)
