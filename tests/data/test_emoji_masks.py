"""The part masks of the embedded drawings are what the data card says."""

import io
import json
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
import pytest
from PIL import Image

from fixtures.emoji_people.build import VENDORS
from fixtures.emoji_people.labels import Emoji, Person
from fixtures.emoji_people.masks import PARTS, by_layer, mask_png, part_mask, part_of
from fixtures.emoji_people.palettes import FIXED_HAIR, HAIR, SKIN
from pytest_fairness.data.masks import read_masks

FOLDER = Path(__file__).parents[2] / "fixtures" / "emoji_people"
FILE = FOLDER / "masks.parquet"
FILES = [FILE, FOLDER / "openmoji" / "masks.parquet"]
SPLITS = ["train", "evaluation", "emojione2", "noto_v1", "openmoji/people"]
DRAWN = ["noto", "twemoji", "fluent-flat", "emojione2", "noto-v1", "openmoji"]
BACKGROUND, SKIN_PART, HAIR_PART, REST = range(4)
Index = npt.NDArray[np.uint8]


def index_of(png: bytes) -> Index:
    with Image.open(io.BytesIO(png)) as picture:
        return np.asarray(picture)


@pytest.fixture(scope="module")
def people() -> pd.DataFrame:
    """Images of the drawn styles with their masks (64, 64) and the share of each part."""
    columns = ["id", "image", "vendor", "gender", "skin_tone", "age", "activity"]
    files = [FOLDER / f"{split}.parquet" for split in SPLITS]
    found = pd.concat([pd.read_parquet(file, columns=columns) for file in files])
    masks = pd.concat([pd.read_parquet(file) for file in FILES]).dropna()
    masks["index"] = masks["mask"].map(index_of)
    for number, part in enumerate(PARTS):
        masks[part] = [(index == number).mean() for index in masks["index"]]
    return found.merge(masks, on="id", validate="one_to_one")


@pytest.mark.parametrize("file", FILES, ids=["all others", "openmoji"])
def test_file_is_small_and_names_its_parts(file):
    assert file.stat().st_size < 600_000
    parts = pq.read_schema(file).metadata[b"parts"]
    assert json.loads(parts) == list(PARTS) == ["background", "skin", "hair", "rest"]


def test_every_drawing_has_a_mask_and_no_rendering_does(people):
    drawn = pd.concat(
        [pd.read_parquet(FOLDER / f"{split}.parquet", columns=["id", "vendor"])
         for split in SPLITS]
    )  # fmt: skip
    wanted = drawn[drawn.vendor.isin(DRAWN)]
    assert set(people.id) == set(wanted.id)
    known = pd.concat([pd.read_parquet(file) for file in FILES])
    assert sorted(known.id) == sorted(drawn.id)
    assert set(known.id[known["mask"].isna()]) == set(drawn.id) - set(wanted.id)
    assert set(people.vendor) == set(DRAWN) == {v.name for v in VENDORS} - {"fluent3d"}
    assert set(SKIN) == set(DRAWN) - {"openmoji"}  # whose files name their layers


def test_parts_are_numbers_of_the_list_on_the_pixels_of_the_image(people):
    assert {index.shape for index in people["index"]} == {(64, 64)}
    assert max(index.max() for index in people["index"]) == REST
    assert np.allclose(people[list(PARTS)].sum(axis=1), 1)


def test_masks_are_read_as_those_of_an_evaluation_set(people):
    masks = read_masks(FILES, people.id.tolist())
    found = masks.read(7)
    assert tuple(found) == PARTS
    assert np.array_equal(found["skin"], people["index"].iloc[7] == SKIN_PART)


def test_background_is_white_and_what_is_not_white_is_no_background(people):
    wrong, hidden, shown = 0, 0, 0
    some = people[people.skin_tone == "medium"]
    for png, index in zip(some.image, some["index"], strict=True):
        with Image.open(io.BytesIO(png)) as picture:
            pixels = np.asarray(picture.convert("RGB")).astype(int)
        ground = index == BACKGROUND
        wrong += int((ground & (pixels.min(axis=2) < 100)).sum())
        hidden += int((~ground & (pixels.min(axis=2) == 255)).sum())
        shown += int(ground.sum())
    # Edge pixels are mixed; white clothes, paper and light are no background.
    assert wrong / shown < 0.01
    assert hidden / shown < 0.03


@pytest.mark.parametrize(("part", "most"), [("skin", 0.036), ("hair", 0.09), ("background", 0.006)])
@pytest.mark.parametrize("vendor", DRAWN)
def test_part_has_the_same_size_in_every_tone_of_a_drawing(people, vendor, part, most):
    drawings = people[people.vendor == vendor].groupby(["gender", "age", "activity"])
    spread = drawings[part].agg(np.ptp)
    assert (drawings.size() == 6).all()
    assert spread.quantile(0.9) < 0.012
    assert spread.max() < most  # a few are drawn anew for some tones


@pytest.mark.parametrize("vendor", DRAWN)
def test_skin_takes_the_brightness_of_its_tone(people, vendor):
    order = ["light", "medium-light", "medium", "medium-dark", "dark"]
    chosen = people[(people.vendor == vendor) & (people["skin"] > 0.1)]
    light = chosen.groupby("skin_tone")[["image", "index"]].apply(skin_brightness).loc[order]
    assert light.is_monotonic_decreasing


def skin_brightness(people: pd.DataFrame) -> float:
    values = []
    for png, index in zip(people["image"], people["index"], strict=True):
        with Image.open(io.BytesIO(png)) as picture:
            values.append(np.median(np.asarray(picture.convert("RGB").convert("L"))[index == 1]))
    return float(np.median(values))


@pytest.mark.parametrize("vendor", ["noto", "twemoji", "fluent-flat"])
def test_bald_people_have_next_to_no_hair_and_women_more_than_men(people, vendor):
    some = people[(people.vendor == vendor) & (people.age == "adult")]
    assert some[some.activity == "bald"]["hair"].max() < 0.02  # eyebrows
    plain = some[some.activity == "plain"].groupby("gender")["hair"]
    assert plain.min()["woman"] > plain.max()["man"] > 0.1


@pytest.mark.parametrize("vendor", ["noto", "twemoji", "fluent-flat", "openmoji"])
@pytest.mark.parametrize("activity", ["blond hair", "red hair", "white hair", "curly hair"])
def test_hair_of_any_colour_is_hair(people, vendor, activity):
    some = people[(people.vendor == vendor) & (people.activity == activity)]
    assert some["hair"].min() > (0.03 if vendor == "openmoji" else 0.08)  # with small heads


def test_no_colour_is_skin_and_hair_of_one_tone():
    for vendor, tones in SKIN.items():
        fixed = frozenset[str]().union(*FIXED_HAIR[vendor].values())
        for tone, skin in tones.items():
            shared = skin & (HAIR[vendor][tone] | fixed)
            assert shared <= {"#ef9645", "#f9ca55"}, (vendor, tone)  # twemoji's golden beard


def test_part_is_told_by_colour_tone_and_activity():
    def emoji(tone: str, activity: str = "plain") -> Emoji:
        return Emoji("", "", "", Person("woman", "adult", activity), tone, ())

    assert part_of("noto", emoji("medium"), ("#ba8d68",)) == "skin"
    assert part_of("noto", emoji("light"), ("#ba8d68",)) == "rest"
    assert part_of("noto", emoji("medium"), ("#543930",)) == "hair"
    assert part_of("twemoji", emoji("dark", "red hair"), ("#e95f28",)) == "hair"
    assert part_of("twemoji", emoji("dark", "cook"), ("#e95f28",)) == "rest"


def test_part_of_openmoji_is_told_by_the_layer_and_outlines_are_the_rest():
    pytest.importorskip("resvg_py", reason="needs the dependency group `data`")
    svg = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 64 64">
        <g id="color"><path fill="#a57939" d="M0 0h16v64H0z"/></g>
        <g id="hair"><path fill="#a57939" d="M16 0h16v64H16z"/></g>
        <g id="skin-2"><path fill="#fadcbc" stroke="#000" stroke-width="6" d="M32 0h16v64H32z"/></g></svg>"""
    mask = part_mask(svg, by_layer)
    assert [mask[32, x] for x in (8, 24, 40, 56)] == [REST, HAIR_PART, SKIN_PART, BACKGROUND]
    assert mask[32, 33] == REST


def test_mask_survives_its_png():
    index = (np.arange(64 * 64) % 4).astype(np.uint8).reshape(64, 64)
    png = mask_png(index)
    assert np.array_equal(index_of(png), index)
    assert png[24] == 2  # bits a pixel
