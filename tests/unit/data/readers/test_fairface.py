"""FairFace: a list of labels a split, and images in folders of the same names."""

import pytest

from pytest_fairness.errors import DataError

READER = "fairface"
TRAIN = """\
file,age,gender,race,service_test
train/1.jpg,50-59,Male,East Asian,True
train/2.jpg,more than 70,Female,Latino_Hispanic,False
"""
VAL = """\
file,age,gender,race,service_test
val/1.jpg,3-9,Male,East Asian,False
"""
RACES = ("East Asian", "Latino_Hispanic", "Black")
GENDER = {"target": "gender", "attributes": {"race": RACES}}


@pytest.fixture
def fairface(write):
    write("fairface_label_train.csv", TRAIN)
    write("fairface_label_val.csv", VAL)
    for place, name in enumerate(("train/1.jpg", "train/2.jpg", "val/1.jpg")):
        write(name, place)
    return write


def test_a_split_has_its_labels(fairface, load):
    found = load(split=("train",), **GENDER)
    assert found.samples.to_dict("list") == {
        "id": ["train/1.jpg", "train/2.jpg"],
        "target": ["Male", "Female"],
        "race": ["East Asian", "Latino_Hispanic"],
    }
    assert found.manifest["age"].tolist() == ["50-59", "more than 70"]
    assert found.images.read(1).getpixel((0, 0)) == (1, 0, 0)


def test_all_lists_that_are_there_are_read(fairface, load, root):
    found = load(**GENDER)
    assert found.manifest["split"].tolist() == ["train", "train", "val"]
    (root / "fairface_label_train.csv").unlink()
    assert load(**GENDER).samples["id"].tolist() == ["val/1.jpg"]


def test_images_may_lie_in_the_folder_of_their_download(write, load):
    write("fairface_label_val.csv", VAL)
    write("fairface-img-margin025-trainval/val/1.jpg", 7)
    options = {"images": "fairface-img-margin025-trainval"}
    assert load(options=options, **GENDER).images.read(0).getpixel((0, 0)) == (7, 0, 0)


def test_a_wrong_value_is_named_with_its_line(fairface, load):
    fairface("fairface_label_val.csv", VAL + "val/2.jpg,3-9,Male,Martian,False\n")
    fairface("val/2.jpg", 3)
    with pytest.raises(
        DataError, match=r"_val\.csv, line 3, sample 'val/2\.jpg': race = 'Martian' is not declared"
    ):
        load(split=("val",), **GENDER)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        pytest.param({"split": ("test",)}, "split 'test'; FairFace has train and val", id="split"),
        pytest.param(
            {"split": ("val",)}, "no column 'race'; .* this one has 'file', 'age'", id="v"
        ),
    ],
)
def test_what_is_not_there_is_named(fairface, load, keys, problem):
    fairface("fairface_label_val.csv", "file,age,gender\nval/1.jpg,3-9,Male\n")
    with pytest.raises(DataError, match=problem):
        load(**GENDER, **keys)


def test_a_folder_without_lists_is_named(write, load):
    write("train/1.jpg", 0)
    with pytest.raises(
        DataError, match=r"list of labels is missing, .*'fairface_label_train\.csv'"
    ):
        load(**GENDER)
