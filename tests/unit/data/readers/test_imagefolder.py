"""A folder of images: subfolders are classes, other levels, or parts of the set."""

import pytest

from pytest_fairness.data import MISSING
from pytest_fairness.errors import DataError
from tests.unit.data.readers.conftest import encoded

READER = "imagefolder"
TONES = {"tone": ("light", "dark")}


def test_folders_name_the_levels(write, load):
    write("man/light/b.png", 1)
    write("man/dark/a.PNG", 2)
    write("woman/light/c.webp", 3)
    write("woman/light/._c.webp", "not an image")
    write(".cache/x/y.png", 4)
    found = load(options={"folders": ["target", "tone"]}, attributes=TONES)
    assert found.samples.to_dict("list") == {
        "id": ["man/dark/a.PNG", "man/light/b.png", "woman/light/c.webp"],
        "target": ["man", "man", "woman"],
        "tone": ["dark", "light", "light"],
    }
    assert found.images.read(0).getpixel((0, 0)) == (2, 0, 0)


def test_attributes_come_from_a_table(write, load):
    write("test/man/1.png", 1)
    write("test/man/2.png", 2)
    write("train/man/1.png", 3)
    write("labels.csv", "path,tone\ntrain/man/1.png,dark\ntest/man/1.png,light\n")
    found = load(options={"attributes": "labels.csv"}, split=("test",), attributes=TONES)
    assert found.samples["id"].tolist() == ["test/man/1.png", "test/man/2.png"]
    assert found.samples["tone"].tolist() == ["light", MISSING]


@pytest.mark.parametrize(
    ("table", "problem"),
    [
        pytest.param(
            "path,target\nman/1.png,x\n",
            "column 'target' is also a column of the data set",
            id="own",
        ),
        pytest.param(
            "path,tone\nman/1.png,x\nman/1.png,y\n",
            r"'man/1.png' appears twice in column 'path' \(line 2 and line 3\)\. Each id must be",
            id="twice",
        ),
        pytest.param(
            "path,tone\n1.png,x\n",
            "no row belongs to a sample; its ids are like '1.png', the samples' like 'man/1.png'",
            id="other ids",
        ),
    ],
)
def test_a_table_that_does_not_fit_is_named(write, load, table, problem):
    write("man/1.png", 1)
    write("labels.csv", table)
    with pytest.raises(DataError, match=rf"labels\.csv: .*{problem}"):
        load(options={"attributes": "labels.csv"}, attributes=TONES)


def test_an_image_in_another_depth_is_named(write, load):
    write("man/light/a.png", 1)
    write("man/b.png", 1)
    with pytest.raises(
        DataError, match=r"1 image does not lie in 1 folder \('target'\): 'man/light/a\.png'"
    ):
        load(attributes={"target": ("man",)})


def test_an_empty_folder_is_named(load, root):
    root.mkdir()
    with pytest.raises(DataError, match="no images below this folder"):
        load(attributes=TONES)


def test_every_image_is_read_or_named(write, load):
    write("man/1.png", 1)
    write("man/2.jfif", encoded(2, "JPEG"))
    write("woman/3.png", 3)
    write("woman/notes.txt", "not an image")
    write("woman/LICENSE", "not an image")
    assert load().samples["id"].tolist() == ["man/1.png", "man/2.jfif", "woman/3.png"]
    write("woman/4.heic", b"some image")
    write("woman/5", encoded(5))
    with pytest.raises(
        DataError, match=r"2 files of a kind .*: 'woman/4\.heic', 'woman/5'; convert"
    ):
        load()
