"""UTKFace: file names say age, gender and race; a few names of the original lack one."""

import pytest

from pytest_fairness.data import MISSING
from pytest_fairness.errors import DataError
from pytest_fairness.policy.derive import Derivation

READER = "utkface"
RACES = ("White", "Black", "Asian", "Indian", "Other")
GENDER = {"target": "gender", "attributes": {"race": RACES}}
# Names as the set has them, the last five among its known malformed ones.
NAMES = {
    "26_1_2_20170116184024662.jpg.chip.jpg": ("26", "female", "Asian"),
    "100_0_0_20170112213500903.jpg.chip.jpg": ("100", "male", "White"),
    "1_1_4_20161219140642920.jpg": ("1", "female", "Other"),
    "61_1_20170109142408075.jpg.chip.jpg": ("61", "female", None),
    "39_1_20170116174525125.jpg.chip.jpg": ("39", "female", None),
    "53__0_20170116184028385.jpg": ("53", None, "White"),
    "24_0_1_20170116220224657 .jpg.chip.jpg": ("24", "male", "Black"),
    "55_0_0_20170116232725357jpg.chip.jpg": ("55", "male", "White"),
}


@pytest.fixture
def utkface(write):
    for place, name in enumerate(NAMES):
        write(f"UTKFace/{name}", place)
    write("UTKFace/.DS_Store", "")
    return write


def test_names_become_attributes_and_what_they_lack_is_missing(utkface, load):
    found = load(where={"gender": ("male", "female")}, **GENDER)
    columns = found.manifest[["age", "gender", "race"]].astype(object)
    said = columns.where(columns.notna(), None).itertuples(index=False, name=None)
    names = found.samples["id"].str.removeprefix("UTKFace/")
    expected = {name: row for name, row in NAMES.items() if row[1]}
    assert dict(zip(names, said, strict=True)) == expected
    assert found.levels["race"] == (*RACES, MISSING)
    assert (len(found), found.left_out) == (7, 1)
    position = found.samples["id"].tolist().index("UTKFace/1_1_4_20161219140642920.jpg")
    assert found.images.read(position).getpixel((0, 0)) == (2, 0, 0)


def test_a_missing_target_is_an_error_that_names_the_file(utkface, load):
    with pytest.raises(DataError, match=r"sample 'UTKFace/53__0_.*`target` is missing"):
        load(**GENDER)


def test_ages_may_be_binned(utkface, load):
    ages = Derivation("age_group", ("age",), bins=(0, 18, 60), labels=("young", "adult", "old"))
    found = load(
        target="race",
        attributes={"age_group": ages.labels},
        derive={"age_group": ages},
        where={"race": tuple(race for race in RACES if race != "Indian"), "gender": ("male",)},
    )
    assert sorted(found.samples["age_group"]) == ["adult", "adult", "old"]


def test_a_name_of_another_form_is_named_unless_it_is_ignored(utkface, load):
    utkface("UTKFace/cover.jpg", 0)
    with pytest.raises(
        DataError, match=r"1 of 9 file names are not of the form .*'UTKFace/cover\.jpg'.*`ignore`"
    ):
        load(**GENDER)
    kept = load(options={"ignore": ["cover.jpg"]}, where={"gender": ("male", "female")}, **GENDER)
    assert len(kept) == 7


def test_a_folder_without_images_is_named(write, load):
    write("readme.txt", "")
    with pytest.raises(DataError, match="set: no images below this folder"):
        load(**GENDER)


def test_names_of_the_original_photographs_are_read_whatever_their_ending(write, load):
    for name in (
        "44_1_4_20170116235150272.pg",
        "55_0_0_20170116232725357jpg",
        "61_3_20170109150557335.jpg",
    ):
        write(name, 1)
    write("other.pg", 2)
    with pytest.raises(DataError, match=r"1 file of a kind that is not read: 'other\.pg'"):
        load(**GENDER)
    found = load(options={"ignore": ["other.pg"]}, where={"gender": ("male", "female")}, **GENDER)
    assert found.samples["race"].tolist() == ["Other", "White"]
    assert found.manifest["gender"].tolist() == ["female", "male"]
    assert found.left_out == 1
