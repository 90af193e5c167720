"""The embedded image set is what its data card says."""

import hashlib
import io
import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pytest
from PIL import Image

from fixtures.emoji_people.build import SCHEMA, VENDORS
from fixtures.emoji_people.labels import TONES

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "fixtures" / "emoji_people"
REFERENCE = ROOT.parent / "shared" / "reference" / "emoji_manifest_core.csv"
SKIN_TONES = list(TONES[1:])


@pytest.fixture(scope="module")
def splits() -> dict[str, pd.DataFrame]:
    return {name: pd.read_parquet(FOLDER / f"{name}.parquet") for name in ("train", "evaluation")}


@pytest.fixture(scope="module")
def people(splits: dict[str, pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(splits.values(), ignore_index=True)


def decoded(png: bytes, mode: str) -> npt.NDArray[np.float64]:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture.convert("RGB").convert(mode), np.float64)


def test_files_stay_below_six_megabytes() -> None:
    assert sum(path.stat().st_size for path in FOLDER.glob("*.parquet")) <= 6_000_000


def test_columns_are_those_of_the_schema(splits: dict[str, pd.DataFrame]) -> None:
    assert all(list(split.columns) == SCHEMA.names for split in splits.values())
    assert not any(split.isna().any(axis=None) for split in splits.values())


def test_no_artist_is_in_both_splits(splits: dict[str, pd.DataFrame]) -> None:
    assert set(splits["train"].vendor) == {"noto", "twemoji"}
    assert set(splits["evaluation"].vendor) == {"fluent-flat", "fluent3d"}
    assert set(splits["train"].design).isdisjoint(splits["evaluation"].design)


@pytest.mark.parametrize(
    ("vendor", "women", "men"),
    [("noto", 85, 84), ("twemoji", 85, 84), ("fluent-flat", 85, 84), ("fluent3d", 79, 78)],
    ids=["noto", "twemoji", "fluent-flat", "fluent3d"],
)
@pytest.mark.parametrize("tone", TONES)
def test_every_vendor_has_all_its_people_in_each_tone(
    people: pd.DataFrame, vendor: str, women: int, men: int, tone: str
) -> None:
    chosen = people[(people.vendor == vendor) & (people.skin_tone == tone)]
    assert chosen.gender.value_counts().to_dict() == {"woman": women, "man": men}


def test_age_is_as_thin_as_the_data_card_says(people: pd.DataFrame) -> None:
    assert people.age.value_counts().to_dict() == {"adult": 3840, "older": 96, "child": 48}


def test_ids_are_unique_and_name_vendor_and_code_points(people: pd.DataFrame) -> None:
    assert people.id.is_unique
    assert (people.id == people.vendor + "/" + people.codepoints).all()


def test_sha256_is_that_of_the_stored_bytes(people: pd.DataFrame) -> None:
    assert people.sha256.tolist() == [hashlib.sha256(png).hexdigest() for png in people.image]


def test_every_image_is_64_pixels_wide_and_high(people: pd.DataFrame) -> None:
    assert {decoded(png, "RGB").shape for png in people.image} == {(64, 64, 3)}


def test_no_image_is_blank(people: pd.DataFrame) -> None:
    assert min(decoded(png, "L").std() for png in people.image) > 10


def test_keywords_offer_a_vocabulary_of_a_hundred_labels(splits: dict[str, pd.DataFrame]) -> None:
    counts = splits["train"].keywords.explode().value_counts()
    assert (counts >= 24).sum() >= 100
    assert {"man", "woman", "boy", "girl"} <= set(counts.index)


def test_gender_word_among_keywords_agrees_with_gender(people: pd.DataFrame) -> None:
    said = people.keywords.map(lambda words: {"man", "woman", "boy", "girl"} & set(words))
    child = people.age == "child"
    woman = people.gender == "woman"
    assert (said[woman & child] == {"girl"}).all()
    assert (said[woman & ~child] == {"woman"}).all()
    assert (said[~woman & child] == {"boy"}).all()
    assert (said[~woman & ~child] == {"man"}).all()


def test_one_design_holds_all_tones(people: pd.DataFrame) -> None:
    assert (people.groupby("design").skin_tone.nunique() == len(TONES)).all()


def test_identical_drawings_share_a_design(people: pd.DataFrame) -> None:
    drawings = people[["sha256", "design"]].drop_duplicates()
    assert drawings.sha256.is_unique


def test_only_astronauts_and_supervillains_hide_their_gender(people: pd.DataFrame) -> None:
    hidden = people[~people.gender_visible]
    assert hidden.groupby(["vendor", "activity"]).size().to_dict() == {
        ("noto", "astronaut"): 12,
        ("noto", "supervillain"): 10,
    }


def test_every_label_equals_the_reference(people: pd.DataFrame) -> None:
    if not REFERENCE.exists():
        pytest.skip(f"no reference manifest at {REFERENCE.relative_to(ROOT.parent)}")
    names = {"license": "licence"}
    columns = [
        *("vendor", "gender", "skin_tone", "skin_tone_as_packaged", "age", "activity"),
        *("codepoints", "label", "licence", "attribution", "source", "gender_visible"),
    ]
    reference = pd.read_csv(REFERENCE).rename(columns=names)
    assert len(reference) == 3984
    pd.testing.assert_frame_equal(
        people.set_index("id")[columns].sort_index(),
        reference.set_index(reference.path.str.removesuffix(".png"))[columns].sort_index(),
        check_names=False,
        check_dtype=False,
    )


def skin_luminance(people: pd.DataFrame, tone_column: str) -> pd.DataFrame:
    """Return the median luminance of the skin per drawing (rows) and tone (columns)."""
    base = people.codepoints.str.replace(r"-1f3f[b-f]", "", regex=True)
    drawings = zip(people.vendor, base, people[tone_column], strict=True)
    images = dict(zip(drawings, people.image, strict=True))
    return pd.DataFrame(skin_rows(images)).set_index(["vendor", "base"])


def skin_rows(images: dict[tuple[str, str, str], bytes]) -> Iterator[dict[str, object]]:
    for vendor, base in dict.fromkeys(key[:2] for key in images):
        # Skin is where the default drawing is yellow; hair has another hue in flat drawings only,
        # so the 3D finish borrows the mask of its flat twin.
        hsv = decoded(
            images["fluent-flat" if vendor == "fluent3d" else vendor, base, "default"], "HSV"
        )
        hue, saturation, value = hsv[..., 0] * 360 / 255, hsv[..., 1], hsv[..., 2]
        skin = (hue > 42) & (hue < 50) & (saturation > 110) & (value > 225)
        if skin.sum() >= 20:
            tones = {
                tone: np.median(decoded(images[vendor, base, tone], "L")[skin])
                for tone in SKIN_TONES
            }
            yield {"vendor": vendor, "base": base, **tones}


def share_getting_darker(luminance: pd.DataFrame) -> "pd.Series[float]":
    """Return the share of drawings, per vendor, that get darker from each tone to the next."""
    darker = (luminance[SKIN_TONES].diff(axis=1).iloc[:, 1:] < 0).all(axis=1)
    return darker.astype(float).groupby("vendor").mean()


def test_skin_gets_darker_from_tone_to_tone(people: pd.DataFrame) -> None:
    luminance = skin_luminance(people, "skin_tone")
    assert len(luminance) >= 660
    assert (luminance.groupby("vendor").median().diff(axis=1).iloc[:, 1:] < 0).all(axis=None)
    assert (share_getting_darker(luminance) > 0.98).all()


def test_audit_catches_the_swapped_tones_of_the_package(people: pd.DataFrame) -> None:
    share = share_getting_darker(skin_luminance(people, "skin_tone_as_packaged"))
    assert share["fluent3d"] < 0.02
    assert (share.drop("fluent3d") > 0.98).all()


def test_every_licence_has_its_text_and_every_author_credit(people: pd.DataFrame) -> None:
    texts = {path.stem: path.read_text("utf-8") for path in (FOLDER / "LICENSES").iterdir()}
    opening = {
        "Apache-2.0": "Apache License",
        "CC-BY-4.0": "Creative Commons Attribution 4.0 International Public License",
        "MIT-Microsoft": "Copyright (c) Microsoft Corporation",
        "MIT-emojibase": "Miles Johnson",
        "Unicode-3.0": "UNICODE LICENSE V3",
    }
    assert texts.keys() == opening.keys()
    assert all(words in texts[name] for name, words in opening.items())
    assert set(people.licence) == {"Apache-2.0", "CC-BY-4.0", "MIT"}
    credits_ = (FOLDER / "ATTRIBUTION.md").read_text("utf-8")
    for vendor in VENDORS:
        name, version = vendor.package.rsplit("@", 1)
        assert re.search(rf"`{re.escape(name)}` {re.escape(version)}", credits_)
