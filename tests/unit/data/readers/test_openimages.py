"""Open Images and Inclusive Images: lists of verified labels, of images, of class descriptions."""

import pytest

from pytest_fairness.data import MISSING
from pytest_fairness.data.listing import Source
from pytest_fairness.data.readers.openimages import class_descriptions
from pytest_fairness.errors import DataError
from pytest_fairness.policy import Evaluation

READER = "openimages"
MAN, WOMAN, GIRL, BOY = "/m/04yx4", "/m/03bt1vf", "/m/05r655", "/m/01bl7v"
V3 = f"""\
{MAN},Man
{WOMAN},Woman
{GIRL},Girl
{BOY},Boy
/m/02wvth,"Fiat 500 ""topolino\"""
/m/0aaaa1,Bank
/m/0bbbb2,bank
"""
LABELS = f"""\
ImageID,Source,LabelName,Confidence
000a1a1a1a1a1a1a,verification,{MAN},1
000a1a1a1a1a1a1a,verification,{WOMAN},0
000a1a1a1a1a1a1a,crowdsource-verification,/m/02wvth,1
1234567890123456,verification,{GIRL},1
1234567890123456,verification,{WOMAN},1
00e1e1e1e1e1e1e1,verification,{BOY},1
00e1e1e1e1e1e1e1,verification,{WOMAN},1
0000000000000004,verification,{MAN},0
0000000000000005,machine,{MAN},0.7
0000000000000004,verification,/m/0bbbb2,1
"""
GROUPS = {"male": ["Man", "Boy"], "female": ["woman", GIRL]}
IDS = ("000a1a1a1a1a1a1a", "1234567890123456", "00e1e1e1e1e1e1e1", "0000000000000004")
KEYS = {"options": {"groups": GROUPS}, "attributes": {"female": ("yes", "no")}}


@pytest.fixture
def openimages(write):
    write("class-descriptions.csv", V3)
    write("train_human_labels.csv", LABELS)
    for place, name in enumerate(IDS):
        write(f"train/{name}.jpg", place)
    return write


def test_groups_of_labels_become_columns_and_the_target(openimages, load):
    found = load(where={"target": ("male", "female")}, **KEYS)
    assert found.samples.to_dict("list") == {
        "id": ["000a1a1a1a1a1a1a", "1234567890123456"],
        "target": ["male", "female"],
        "female": ["no", "yes"],
    }
    assert found.left_out == 2  # one shows both, one shows neither
    assert found.manifest["labels"].tolist() == [f"{MAN}|/m/02wvth", f"{GIRL}|{WOMAN}"]
    assert found.images.read(1).getpixel((0, 0)) == (1, 0, 0)


def test_all_labels_of_an_image_are_a_set_that_mean_f2_reads(openimages, load):
    columns = {"female": GROUPS["female"]}
    found = load(labels="labels", attributes=KEYS["attributes"], options={"columns": columns})
    assert found.samples["labels"].tolist() == [
        f"/m/02wvth|{MAN}",
        f"{WOMAN}|{GIRL}",
        f"/m/01bl7v|{WOMAN}",
        "/m/0bbbb2",
    ]
    assert found.classes == ("right", "wrong")


def test_what_nobody_verified_is_missing_and_what_shows_several_says_so(openimages, load):
    found = load(target="labels", **KEYS)
    assert found.manifest["target"].fillna("?").tolist() == ["male", "female", "(several)", "?"]
    assert found.samples["female"].tolist() == ["no", "yes", "yes", MISSING]
    assert found.manifest["male"].fillna("?").tolist() == ["yes", "?", "yes", "no"]


def test_every_row_may_count_as_present(openimages, load):
    options = {"groups": GROUPS, "every_row": True, "image_ids": "ids.csv"}
    openimages("ids.csv", "ImageID\n" + "\n".join(IDS))
    found = load(target="labels", attributes=KEYS["attributes"], options=options)
    assert found.manifest["target"].tolist() == ["(several)", "female", "(several)", "male"]


def test_a_list_of_images_chooses_and_describes_them(openimages, load):
    openimages(
        "train-images-with-rotation.csv",
        f"ImageID,Subset,OriginalURL,Rotation\n{IDS[1]},train,http://x,90.0\n{IDS[0]},train,,\n",
    )
    found = load(**KEYS)
    assert found.samples["id"].tolist() == [IDS[1], IDS[0]]
    assert found.manifest["Rotation"].fillna("").tolist() == ["90.0", ""]


def test_attributes_may_come_from_a_table_beside_it(openimages, load):
    openimages("country.csv", f"id,country\n{IDS[2]},PE\n{IDS[0]},DE\n")
    options = {"groups": GROUPS, "attributes": "country.csv"}
    found = load(options=options, target="labels", attributes={"country": ("DE", "PE")})
    assert found.samples["country"].tolist() == ["DE", MISSING, "PE", MISSING]


def test_labels_in_the_form_of_the_challenge_are_read(openimages, load):
    openimages("tuning_labels.csv", f"{IDS[1]},{MAN} /m/02wvth\n{IDS[0]},{GIRL}\n")
    for name in IDS[:2]:
        openimages(f"tuning_images/{name}.jpg", 9)
    found = load(split=("tuning",), **KEYS | {"attributes": {"male": ("yes", "no")}})
    assert found.samples["id"].tolist() == [IDS[1], IDS[0]]
    assert found.samples["target"].tolist() == ["male", "female"]


def test_labels_of_version_6_are_read(write, load):
    write("oidv6-class-descriptions.csv", "LabelName,DisplayName\n" + V3)
    write("validation-annotations-human-imagelabels.csv", LABELS)
    for name in IDS:
        write(f"validation/{name}.jpg", 1)
    found = load(split=("validation",), where={"target": ("male", "female")}, **KEYS)
    assert found.samples["target"].tolist() == ["male", "female"]


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(V3, id="V3"),
        pytest.param("LabelName,DisplayName\n" + V3, id="V6"),
        pytest.param("\ufeffLabelName,DisplayName\n" + V3, id="with a byte order mark"),
    ],
)
def test_class_descriptions_have_a_header_or_none(write, root, text):
    path = write("class-descriptions.csv", text)
    found = class_descriptions(Source(Evaluation("faces"), root, {}), path)
    assert found["Man"] == (MAN,)
    assert found['Fiat 500 "topolino"'] == ("/m/02wvth",)
    assert len(found) == 7


def test_one_name_may_belong_to_several_labels(openimages, load):
    options = {"columns": {"money": ["Bank"]}}
    found = load(options=options, target="labels", attributes={"money": ("yes",)})
    assert found.samples["money"].tolist() == [MISSING, MISSING, MISSING, "yes"]
    assert "target" not in found.manifest


def test_further_columns_take_no_part_in_the_target(openimages, load):
    options = {"groups": GROUPS, "columns": {"child": ["Girl", "Boy"]}}
    found = load(
        options=options, attributes={"child": ("yes",)}, where={"target": ("male", "female")}
    )
    assert found.samples["target"].tolist() == ["male", "female"]
    assert found.samples["child"].tolist() == [MISSING, "yes"]


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        pytest.param(
            {"options": {"groups": {"male": ["Mann"]}}},
            "no label is called 'Mann'; did you mean 'man'",
            id="name",
        ),
        pytest.param({"options": {"groups": {"male": [1]}}}, "lists of label names", id="kind"),
        pytest.param({"split": ("test",)}, "list of labels is missing.*'test_labels.csv'", id="s"),
        pytest.param(
            {"split": ("test", "train")}, "this reader reads one split at a time", id="two splits"
        ),
        pytest.param({"options": {"image_ids": "no.csv"}}, "list of images is missing", id="ids"),
        pytest.param({"options": {"labels": "no.csv"}}, "labels is missing, .*'no.csv'", id="l"),
        pytest.param({"options": {"attributes": "a.csv"}}, "a.csv: no row belongs", id="table"),
    ],
)
def test_what_is_not_there_is_named(openimages, load, keys, problem):
    openimages("a.csv", "id,country\n7,PE\n")
    with pytest.raises(DataError, match=problem):
        load(target="labels", attributes={"male": ("yes", "no")}, **keys)


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        pytest.param(
            f"ImageID\n{IDS[0]}\n{IDS[0]}\n",
            r"appears twice in column 'ImageID' \(line 2 and line 3\)\. Each id must be unique",
            id="twice",
        ),
        pytest.param("ImageID\nffff\n", "none of its images has a label in", id="none"),
        pytest.param("Image\nffff\n", "no column 'ImageID'", id="column"),
    ],
)
def test_a_list_of_images_that_cannot_be_used_is_named(openimages, load, content, problem):
    openimages("ids.csv", content)
    with pytest.raises(DataError, match=f"ids.csv: .*{problem}"):
        load(**KEYS | {"options": {"image_ids": "ids.csv"}})
