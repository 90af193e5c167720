"""Waterbirds as its generator writes it, with the masks of CUB beside the images."""

import io

import numpy as np
import pytest
from PIL import Image

from pytest_fairness.errors import DataError

READER = "waterbirds"
METADATA = """\
img_id,img_filename,y,split,place,place_filename
1,001.Black_footed_Albatross/Black_0046_18.jpg,1,0,0,/b/bamboo_forest/00000081.jpg
2,001.Black_footed_Albatross/Black_0009_34.jpg,1,2,1,/o/ocean/00000082.jpg
3,009.Brewer_Blackbird/Brewer_0028_26.jpg,0,2,1,/o/ocean/00000083.jpg
"""
BIRD = {"target": "y", "attributes": {"place": ("land", "water")}}


@pytest.fixture
def waterbirds(write):
    write("metadata.csv", METADATA)
    for place, line in enumerate(METADATA.splitlines()[1:]):
        write(line.split(",")[1], place)
    return write


def grey(*values: int) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(np.array([values], np.uint8)).save(buffer, "PNG")
    return buffer.getvalue()


def test_numbers_become_words(waterbirds, load):
    found = load(split=("test",), **BIRD)
    assert found.samples["target"].tolist() == ["waterbird", "landbird"]
    assert found.samples["place"].tolist() == ["water", "water"]
    assert found.manifest["species"].tolist() == [
        "001.Black_footed_Albatross",
        "009.Brewer_Blackbird",
    ]
    assert found.manifest["place_filename"].tolist()[1] == "/o/ocean/00000083.jpg"
    assert found.images.read(1).getpixel((0, 0)) == (2, 0, 0)
    assert found.masks is None


@pytest.mark.parametrize(
    "name",
    [
        pytest.param("009.Brewer_Blackbird/mask/Brewer_0028_26.jpg", id="same name"),
        pytest.param("009.Brewer_Blackbird/mask/Brewer_0028_26.png", id="as png"),
        pytest.param("mask/009.Brewer_Blackbird/Brewer_0028_26.png", id="beside the classes"),
    ],
)
def test_the_bird_is_where_half_of_the_annotators_saw_it(waterbirds, load, name):
    waterbirds(name, grey(0, 102, 128, 255))
    masks = load(masks="mask", where={"y": ("landbird",)}, **BIRD).masks
    assert masks is not None
    assert masks.parts == ("background", "bird")
    assert {part: mask.tolist() for part, mask in masks.read(0).items()} == {
        "background": [[True, True, False, False]],
        "bird": [[False, False, True, True]],
    }


def test_a_missing_mask_says_where_it_was_looked_for(waterbirds, load):
    masks = load(masks="mask", **BIRD).masks
    with pytest.raises(DataError, match=r"no mask of sample '001\..*0046_18\.jpg', looked for"):
        masks.read(0)


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        pytest.param("18.jpg,1,0", "18.jpg,2,0", "line 2: y is '2'; allowed: '0', '1'", id="class"),
        pytest.param("34.jpg,1,2", "34.jpg,1,3", "line 3: split is '3'", id="split"),
        pytest.param(
            "26.jpg,0,2,1",
            "26.jpg,0,2,",
            "line 4: place is missing; allowed: '0', '1'",
            id="missing",
        ),
        pytest.param(",place,", ",where,", "no column 'place'", id="column"),
    ],
)
def test_a_list_of_another_kind_is_named(waterbirds, load, old, new, problem):
    waterbirds("metadata.csv", METADATA.replace(old, new))
    with pytest.raises(DataError, match=rf"metadata\.csv.*{problem}"):
        load(**BIRD)


def test_a_split_that_is_not_there_is_named(waterbirds, load):
    with pytest.raises(DataError, match="split 'val' has no samples; there are 'test', 'train'"):
        load(split=("val",), **BIRD)
