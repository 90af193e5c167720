"""Attention on an evaluation set: a number a sample, and nothing where there is none."""

import io
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
import torch
from PIL import Image
from torch import nn
from torchvision import transforms
from typing_extensions import override

from pytest_fairness.analyses import attention_maps, heatmap_score, observe_attention
from pytest_fairness.classifiers import Classifier, Preprocessing
from pytest_fairness.data import EvaluationSet
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import DataError, ModelError

SIDE = 8
PARTS = ("left", "right", "hat")


def png(pixels: npt.NDArray[np.uint8]) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


@dataclass(frozen=True)
class Halves:
    """Left and right half; nobody wears a hat."""

    parts: tuple[str, ...] = PARTS

    def read(self, position: int) -> dict[str, npt.NDArray[np.bool_]]:
        del position
        left = np.zeros((SIDE, SIDE), dtype=bool)
        left[:, : SIDE // 2] = True
        return {"left": left, "right": ~left, "hat": np.zeros_like(left)}


class Sides(nn.Module):
    """`west` and `both` score the brightness of the left half and of everything."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(1, 2, 1, bias=False)
        nn.init.ones_(self.look.weight)
        self.head = nn.Linear(2, 2, bias=False)
        self.head.weight.data = torch.tensor([[1.0, 0.0], [0.5, 0.4]])

    @override
    def forward(self, images: torch.Tensor) -> torch.Tensor:
        half = images.shape[3] // 2
        everything = images[:, :1]
        west = torch.cat([everything[..., :half], torch.zeros_like(everything[..., half:])], dim=3)
        features = self.look(everything) * torch.cat([west.sign(), everything.sign()], dim=1)
        return self.head(self.keep(features).mean(dim=(2, 3)))

    def keep(self, features: torch.Tensor) -> torch.Tensor:
        return features


class Kept(Sides):
    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Identity()

    @override
    def keep(self, features: torch.Tensor) -> torch.Tensor:
        return self.features(features)


def model(preprocess: Callable[[Image.Image], torch.Tensor] | None = None) -> Classifier:
    return Classifier("sides", Kept(), ("west", "both"), preprocess or Preprocessing(size=8))


@pytest.fixture
def pictures() -> EvaluationSet:
    """Five images, black above and grey below; the fourth is black all over."""
    shades = [255, 200, 128, 0, 64]
    ids = [f"picture-{shade}" for shade in shades]
    samples = pd.DataFrame({"id": ids, "target": ["west"] * 5})
    entries: list[bytes] = []
    for shade in shades:
        pixels = np.zeros((SIDE, SIDE, 3), np.uint8)
        pixels[SIDE // 2 :] = shade
        entries.append(png(pixels))
    return EvaluationSet(
        name="pictures",
        source="pictures.parquet",
        samples=samples,
        levels={},
        classes=("west", "both"),
        images=Images(entries, ids, Rows(samples, "pictures.parquet", "pictures", DataError)),
        left_out=0,
        where={},
        sha256="0" * 64,
        masks=Halves(),
    )


ASKED = {"parts": PARTS, "against": ["both"], "target": "west", "layer": "features"}


@pytest.mark.parametrize("batch_size", [1, 2, 64])
def test_each_sample_has_the_score_that_is_known_by_hand(pictures, batch_size):
    seen = observe_attention(model(), pictures, batch_size=batch_size, **ASKED)
    bright = [0, 1, 2, 4]
    # A quarter of the image within a half: 4k / (t + u + 2k) = 1 / (1/4 + 1/2 + 1/2).
    assert seen.mask_scores["left"][bright].tolist() == pytest.approx([0.8] * 4, abs=1e-6)
    assert seen.mask_scores["right"][bright].tolist() == pytest.approx([0] * 4, abs=1e-6)
    assert seen.uniform["left"][bright].tolist() == pytest.approx([0.8] * 4, abs=1e-6)
    assert seen.layer == "features"


def test_black_image_has_a_zero_map_that_scores_nothing_and_no_heatmap_score(pictures):
    seen = observe_attention(model(), pictures, **ASKED)
    assert seen.zero_map.tolist() == [False, False, False, True, False]
    assert seen.mask_scores["left"][3] == 0
    assert np.isnan(seen.heatmap_scores["both"]).tolist() == seen.zero_map.tolist()


def test_part_that_an_image_does_not_have_has_no_score(pictures):
    seen = observe_attention(model(), pictures, **ASKED)
    assert np.isnan(seen.mask_scores["hat"]).all()
    assert np.isnan(seen.uniform["hat"]).all()


@pytest.mark.parametrize("size", [None, 224], ids=["native", "paper"])
def test_heatmap_score_is_that_of_the_two_labels_maps(pictures, size):
    seen = observe_attention(model(), pictures, heatmap_size=size, **ASKED)
    image = model().preprocess(pictures.images.read(1))[None]
    maps = attention_maps(Kept(), image, target=[0, 1], layer="features").maps
    scores = heatmap_score(maps, size=size)
    expected = scores.values[0, 0, 1].item()  # noqa: PD011
    assert seen.heatmap_scores["both"][1] == pytest.approx(expected, abs=1e-6)
    assert 0.5 < expected < 0.99


def test_masks_are_cropped_with_the_image(pictures):
    def right_part(image: Image.Image) -> torch.Tensor:
        cropped = transforms.functional.crop(image, 0, 3, SIDE, 5)  # 1 column left, 4 right
        tensor = transforms.functional.to_tensor(cropped)
        return transforms.functional.normalize(tensor, [0, 0, 0], [0.3, 0.4, 0.5])

    seen = observe_attention(model(right_part), pictures, parts=["left"], layer="features")
    assert seen.uniform["left"][0] == pytest.approx(4 * 0.2 / (1 + 3 * 0.2), abs=1e-5)


def test_predicted_class_is_explained_when_none_is_named(pictures):
    seen = observe_attention(model(), pictures, parts=["left"], layer="features")
    # `both`: 0.9 of the left half and 0.4 of the right one, so 9/13 and 4/13 of the map.
    common, square = 9 / 13 / 2, (9 / 13 + 1 / 2) ** 2 + (4 / 13) ** 2 + (1 / 2) ** 2
    assert seen.mask_scores["left"][0] == pytest.approx(4 * common / square, abs=1e-6)
    assert seen.heatmap_scores == {}


def test_progress_is_told(pictures):
    told: list[tuple[int, int]] = []
    observe_attention(
        model(), pictures, batch_size=2, progress=lambda *at: told.append(at), **ASKED
    )
    assert told == [(2, 5), (4, 5), (5, 5)]


def broken(pictures: EvaluationSet, **more: object) -> EvaluationSet:
    entries = list(pictures.images.entries)
    entries[1] = b"no picture"
    return replace(pictures, images=replace(pictures.images, entries=entries), **more)


def test_broken_image_stops_the_run(pictures):
    with pytest.raises(DataError, match="picture-200"):
        observe_attention(model(), broken(pictures), **ASKED)


def test_broken_image_that_the_evaluation_bears_is_named_and_has_no_scores(pictures):
    whole = observe_attention(model(), pictures, **ASKED)
    seen = observe_attention(model(), broken(pictures, max_errors=0.5), batch_size=3, **ASKED)
    assert seen.unreadable == ("picture-200",)
    assert np.isnan(seen.mask_scores["left"]).tolist() == [False, True, False, False, False]
    others = [0, 2, 3, 4]
    for part in PARTS:
        assert np.array_equal(
            seen.mask_scores[part][others], whole.mask_scores[part][others], equal_nan=True
        )


@pytest.mark.parametrize(
    ("change", "asked", "error", "message"),
    [
        pytest.param(
            {"masks": None}, {}, DataError, "has no masks, which scores .* need", id="none"
        ),
        pytest.param(
            {},
            {"parts": ["lefft"]},
            DataError,
            r"no masks of a part 'lefft'; did you mean 'left'\?; its parts are 'left', 'right'",
            id="unknown part",
        ),
        pytest.param(
            {}, {"against": ["south"]}, ModelError, "no class or label 'south'", id="label"
        ),
        pytest.param({}, {"batch_size": 0}, ModelError, "at least 1, got 0", id="batch"),
    ],
)
def test_what_cannot_be_observed_is_an_error(pictures, change, asked, error, message):
    with pytest.raises(error, match=message):
        observe_attention(model(), replace(pictures, **change), **ASKED | asked)


def test_images_of_several_shapes_are_an_error(pictures):
    def uneven(image: Image.Image) -> torch.Tensor:
        return torch.rand(3, 8, 8 + int(np.asarray(image)[-1, 0, 0]) % 3)

    with pytest.raises(ModelError, match=r"need one image .* a sample, all of one shape"):
        observe_attention(model(uneven), pictures, layer="features")
