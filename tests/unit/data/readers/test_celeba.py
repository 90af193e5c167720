"""CelebA as its authors distribute it: a list of attributes, partitions, identities, photographs."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness.errors import DataError
from pytest_fairness.policy.derive import Derivation

READER = "celeba"
ATTRIBUTES = """\
4
Blond_Hair Male Smiling\x20
000001.jpg -1  1  1
000002.jpg  1 -1 -1
000003.jpg -1 -1  1
000004.jpg -1  1 -1
"""
PARTITION = "000001.jpg 0\n000002.jpg 2\n000003.jpg 1\n000004.jpg 2\n"
IDENTITY = "000001.jpg 2880\n000002.jpg 2937\n000003.jpg 2880\n000004.jpg 2937\n"
SMILING = {"target": "Smiling", "attributes": {"Male": ("yes", "no")}}


@pytest.fixture
def celeba(write):
    write("list_attr_celeba.txt", ATTRIBUTES)
    write("list_eval_partition.txt", PARTITION)
    write("identity_CelebA.txt", IDENTITY)
    for number in range(1, 5):
        write(f"img_align_celeba/00000{number}.jpg", number)
    return write


def test_a_split_has_its_samples_attributes_and_identities(celeba, load):
    found = load(split=("test",), cluster="identity", **SMILING)
    assert found.samples.to_dict("list") == {
        "id": ["000002.jpg", "000004.jpg"],
        "target": ["no", "no"],
        "Male": ["no", "yes"],
        "identity": ["2937", "2937"],
    }
    assert [found.images.read(i).getpixel((0, 0))[0] for i in (0, 1)] == [2, 4]
    assert found.left_out == 0
    assert found.manifest["Blond_Hair"].tolist() == ["yes", "no"]


def test_all_splits_are_read_when_none_is_named(celeba, load):
    found = load(**SMILING)
    assert found.manifest["split"].tolist() == ["train", "test", "valid", "test"]
    assert found.samples["Male"].tolist() == ["yes", "no", "no", "yes"]


def test_files_may_lie_in_the_folders_of_the_download(write, load):
    write("Anno/list_attr_celeba.txt", ATTRIBUTES)
    write("Eval/list_eval_partition.txt", PARTITION)
    for number in range(1, 5):
        write(f"Img/img_align_celeba/00000{number}.jpg", number)
    assert len(load(split=("test", "valid"), **SMILING)) == 3


def test_gender_may_be_derived_as_the_target(celeba, load):
    gender = Derivation("gender", ("Male",), merge={"male": ("yes",), "female": ("no",)})
    found = load(target="gender", attributes={"Smiling": ("yes", "no")}, derive={"gender": gender})
    assert found.samples["target"].tolist() == ["male", "female", "female", "male"]


def test_partitions_and_identities_are_needed_only_where_they_are_asked_for(celeba, load, root):
    (root / "list_eval_partition.txt").unlink()
    (root / "identity_CelebA.txt").unlink()
    assert len(load(**SMILING)) == 4
    with pytest.raises(DataError, match="the list of partitions is missing, looked for"):
        load(split=("test",), **SMILING)
    with pytest.raises(DataError, match="the list of identities is missing"):
        load(cluster="identity", **SMILING)


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param(
            "list_attr_celeba.txt",
            ATTRIBUTES.replace("4\n", "202599\n", 1),
            r"list_attr_celeba\.txt: 4 samples, but line 1 says 202599",
            id="count",
        ),
        pytest.param(
            "list_attr_celeba.txt",
            ATTRIBUTES.removeprefix("4\n"),
            "line 1: expected the number of images",
            id="no count",
        ),
        pytest.param(
            "list_attr_celeba.txt",
            ATTRIBUTES.replace("-1 -1  1", "-1  0  1"),
            "line 5: Male = 0; allowed: 1 and -1",
            id="zero",
        ),
        pytest.param(
            "list_attr_celeba.txt",
            ATTRIBUTES.replace("-1 -1  1", "-1  x  1"),
            r"list_attr_celeba\.txt: cannot be read",
            id="text",
        ),
        pytest.param(
            "list_attr_celeba.txt",
            ATTRIBUTES.replace("-1 -1  1", "-1 -1  1 1"),
            r"list_attr_celeba\.txt: cannot be read",
            id="one value more",
        ),
        pytest.param(
            "list_eval_partition.txt",
            PARTITION.replace("000004.jpg 2\n", ""),
            r"list_eval_partition\.txt: 3 samples, but the list of attributes says 4",
            id="partition",
        ),
        pytest.param(
            "list_eval_partition.txt",
            PARTITION.replace("03.jpg 1", "03.jpg 3"),
            "line 3: split is '3'; allowed: '0', '1', '2'",
            id="split",
        ),
        pytest.param(
            "identity_CelebA.txt",
            IDENTITY.replace("000003", "000009"),
            "identity_CelebA.txt: no row for '000003.jpg'",
            id="identity",
        ),
    ],
)
def test_files_that_disagree_are_named(celeba, load, name, content, problem):
    celeba(name, content)
    with pytest.raises(DataError, match=problem):
        load(**SMILING)


@pytest.mark.parametrize(
    ("keys", "problem"),
    [
        pytest.param(
            {"split": ("val",)},
            "split 'val' has no samples; there are 'test', 'train', 'valid'; did you mean 'valid'",
            id="split",
        ),
        pytest.param(
            {"options": {"image": "x"}}, "no option 'image'; did you mean 'images'", id="option"
        ),
        pytest.param({"options": {"images": 1}}, "must be of kind str", id="kind"),
        pytest.param(
            {"options": {"images": "jpg"}}, "the folder of images is missing.*'jpg'", id="images"
        ),
        pytest.param({"masks": "masks"}, "reads masks of a .parquet file only", id="masks"),
    ],
)
def test_what_is_asked_for_and_not_there_is_named(celeba, load, keys, problem):
    with pytest.raises(DataError, match=problem):
        load(**SMILING, **keys)


def test_a_missing_photograph_is_named_with_its_line(celeba, load, root):
    (root / "img_align_celeba/000003.jpg").unlink()
    with pytest.raises(
        DataError, match=r"line 5, sample '000003\.jpg': image file .*000003\.jpg is"
    ):
        load(**SMILING)


def test_a_missing_root_is_named(load):
    with pytest.raises(DataError, match=r"set: no such folder \(root of evaluation 'faces'\)"):
        load(**SMILING)


def test_a_missing_list_says_where_it_was_looked_for(load, root):
    root.mkdir()
    with pytest.raises(
        DataError, match=r"looked for 'list_attr_celeba\.txt', 'Anno/list_attr_celeba\.txt'"
    ):
        load(**SMILING)


def test_no_image_is_opened_while_the_list_is_read(celeba, load, root, monkeypatch):
    from pytest_fairness.data.readers import list_samples
    from pytest_fairness.policy import Evaluation

    for path in (root / "img_align_celeba").iterdir():
        path.unlink()
    listing = list_samples(Evaluation("faces", reader="celeba", root=root))
    assert listing.rows.frame["image"].tolist()[0] == "000001.jpg"
    assert isinstance(listing.rows.frame["Male"].dtype, pd.CategoricalDtype)
    assert np.array_equal(listing.rows.frame.index, [1, 2, 3, 4])


KAGGLE = "image_id,Blond_Hair,Male,Smiling\n000001.jpg,-1,1,1\n000002.jpg,1,-1,-1\n"


@pytest.fixture
def kaggle(write):
    write("list_attr_celeba.csv", KAGGLE)
    write("list_eval_partition.csv", "image_id,partition\n000001.jpg,0\n000002.jpg,2\n")
    for number in (1, 2):
        write(f"img_align_celeba/img_align_celeba/00000{number}.jpg", number)
    return write


def test_the_csv_files_of_kaggle_are_read(kaggle, load):
    found = load(split=("test",), **SMILING)
    assert found.samples.to_dict("list") == {"id": ["000002.jpg"], "target": ["no"], "Male": ["no"]}
    kaggle("list_attr_celeba.csv", KAGGLE.replace("1,1,1", "1,x,1"))
    with pytest.raises(DataError, match=r"line 2: Male = 0\S*; allowed: 1 and -1"):
        load(**SMILING)
