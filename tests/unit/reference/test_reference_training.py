from dataclasses import fields
from io import BytesIO
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

from models.accuracy import group_accuracies, summary
from models.augment import Augmentation, augment
from models.training_data import load_people, vocabulary

STRONG = Augmentation(
    rotation=20, scale=0.3, shift=0.1, hue=180, saturation=0.5, brightness=0.4, grey=0.3,
    repaint=0.5, background=0.5, sharpness=1.0, cutout=0.5, tone_mix=0.5,
)  # fmt: skip


def batch(count: int = 6) -> torch.Tensor:
    return torch.rand(count, 3, 16, 16, generator=torch.Generator().manual_seed(1))


def changed(images: torch.Tensor, how: Augmentation, *, seed: int = 0) -> torch.Tensor:
    return augment(images, images.flip(0), how, generator=torch.Generator().manual_seed(seed))


def test_augmentation_of_nothing_is_the_image_or_its_mirror_image() -> None:
    images = batch()

    found = changed(images, Augmentation())

    kinds = {
        next(
            name
            for name, view in (("as it was", image), ("mirrored", image.flip(2)))
            if torch.allclose(copy, view, atol=1e-4)
        )
        for image, copy in zip(images, found, strict=True)
    }
    assert kinds == {"as it was", "mirrored"}


def test_augmented_images_stay_images_and_follow_the_generator() -> None:
    images = batch()
    original = images.clone()
    found = changed(images, STRONG)

    assert found.shape == images.shape
    assert found.min() >= 0
    assert found.max() <= 1
    assert torch.equal(found, changed(images, STRONG))
    assert not torch.equal(found, changed(images, STRONG, seed=1))
    assert torch.equal(images, original)


@pytest.mark.parametrize("change", [field.name for field in fields(Augmentation)])
def test_each_change_changes_the_images(change: str) -> None:
    images = batch()
    plain = changed(images, Augmentation())

    assert not torch.allclose(changed(images, Augmentation(**{change: 0.9})), plain, atol=1e-4)


def test_moving_a_white_image_leaves_it_white() -> None:
    white = torch.ones(4, 3, 16, 16)

    found = changed(white, Augmentation(rotation=30, scale=0.5, shift=0.3))

    torch.testing.assert_close(found, white)


def test_grey_images_have_three_equal_channels() -> None:
    found = changed(batch(), Augmentation(grey=1.0))

    torch.testing.assert_close(found, found[:, :1].expand_as(found), atol=2e-3, rtol=0)


def png(colour: str) -> bytes:
    file = BytesIO()
    Image.new("RGB", (64, 64), colour).save(file, "PNG")
    return file.getvalue()


def manifest() -> pd.DataFrame:
    rows = [
        {
            "vendor": vendor,
            "gender": gender,
            "skin_tone": tone,
            "age": "adult",
            "activity": activity,
            "image": png(colour),
            "keywords": [gender, activity, f"{activity} twin", "red hair", f"{tone} skin tone"],
        }
        for vendor in ("noto", "twemoji")
        for activity in ("cook", "walking", "judge")
        for gender in ("man", "woman")
        for tone, colour in (("default", "yellow"), ("light", "pink"), ("dark", "brown"))
        for _ in range(2)
    ]
    return pd.DataFrame(rows)


def test_vocabulary_keeps_one_of_each_set_of_synonyms_and_no_colours() -> None:
    assert vocabulary(manifest()) == ("cook", "judge", "man", "walking", "woman")


def test_people_are_kept_by_style_and_tone_with_their_other_tones(tmp_path: Path) -> None:
    path = tmp_path / "people.parquet"
    manifest().to_parquet(path)

    people = load_people(
        path, vendors=["noto"], skin_tones=dict.fromkeys(("woman", "man"), ("default", "light"))
    )

    assert people.pixels.shape == (24, 3, 48, 48)
    assert people.pixels[0, :, 0, 0].tolist() == [255, 255, 0]
    same = people.frame.iloc[people.tones[5].numpy()]
    assert set(same["skin_tone"]) == {"default", "light"}
    assert same[["vendor", "gender", "activity"]].nunique().tolist() == [1, 1, 1]
    assert people.targets(("man", "nobody"))[0].tolist() == [True, False]
    assert people.is_man.sum().item() == 12


def test_summary_counts_women_and_men_of_each_tone() -> None:
    frame = pd.DataFrame(
        {
            "gender": ["man", "man", "woman", "woman"] * 2,
            "skin_tone": ["light"] * 4 + ["dark"] * 4,
            "age": ["adult", "child"] * 4,
        }
    )
    called_man = np.array([True, True, False, False, True, False, True, False])

    found = summary(frame, called_man)

    assert group_accuracies(frame, called_man).to_dict() == {
        "overall": 0.75, "dark": 0.5, "light": 1.0, "adult": 0.75, "child": 0.75,
        "dark man": 0.5, "dark woman": 0.5, "light man": 1.0, "light woman": 1.0,
    }  # fmt: skip
    assert found == {
        "accuracy": 0.75, "women": 0.75, "men": 0.75, "worst": 0.5,
        "fpr_gap": 0.5, "tpr_gap": 0.5, "ratio": 1.0,
    }  # fmt: skip
