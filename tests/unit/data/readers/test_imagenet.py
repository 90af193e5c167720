"""ImageNet's validation images: in folders of synsets, or flat beside the development kit."""

import io

import numpy as np
import pytest
from scipy.io import savemat

from pytest_fairness.data import MISSING
from pytest_fairness.errors import DataError

READER = "imagenet"
# ILSVRC id, wnid, words, children; the last one is no class.
SYNSETS = (
    (1, "n02119789", "kit fox, Vulpes macrotis", 0),
    (2, "n01440764", "tench, Tinca tinca", 0),
    (3, "n02100735", "English setter", 0),
    (4, "n00001740", "entity", 3),
)
TRUTH = "data/ILSVRC2012_validation_ground_truth.txt"
KIT = "ILSVRC2012_devkit_t12"
KEYS = {"target": "wnid", "attributes": {"index": ("0", "1", "2")}}


def meta() -> bytes:
    fields = [("ILSVRC2012_ID", "O"), ("WNID", "O"), ("words", "O"), ("num_children", "O")]
    buffer = io.BytesIO()
    savemat(buffer, {"synsets": np.array(list(SYNSETS), dtype=fields).reshape(-1, 1)})
    return buffer.getvalue()


@pytest.fixture
def devkit(write):
    write(f"{KIT}/{TRUTH}", "3\n1\n2\n1\n")
    write(f"{KIT}/data/meta.mat", meta())
    for number in range(1, 5):
        write(f"val/ILSVRC2012_val_0000000{number}.JPEG", number)
    return write


def test_flat_images_have_the_classes_of_the_development_kit(devkit, load):
    found = load(**KEYS)
    assert found.samples.to_dict("list") == {
        "id": [f"ILSVRC2012_val_0000000{number}.JPEG" for number in range(1, 5)],
        "target": ["n02100735", "n02119789", "n01440764", "n02119789"],
        "index": ["1", "2", "0", "2"],
    }
    assert found.manifest["name"].tolist() == ["English setter", "kit fox", "tench", "kit fox"]
    assert found.images.read(3).getpixel((0, 0)) == (4, 0, 0)


def test_images_in_folders_of_synsets_need_no_development_kit(write, load):
    write("val/n02119789/ILSVRC2012_val_00000002.JPEG", 2)
    write("val/n01440764/ILSVRC2012_val_00000003.JPEG", 3)
    found = load(**KEYS)
    assert found.samples["target"].tolist() == ["n01440764", "n02119789"]
    assert found.samples["index"].tolist() == ["0", "1"]
    assert "name" not in found.manifest


def test_names_and_ranks_of_synsets_come_from_their_list(write, load):
    write("val/n02119789/ILSVRC2012_val_00000002.JPEG", 2)
    write("LOC_synset_mapping.txt", "".join(f"{w} {words}\n" for _, w, words, _ in SYNSETS[:3]))
    found = load(**KEYS)
    assert (found.samples["index"].tolist(), found.manifest["name"].tolist()) == (
        ["2"],
        ["kit fox"],
    )
    write("val/n99999999/x.JPEG", 1)
    with pytest.raises(DataError, match="synset 'n99999999' has no name"):
        load(**KEYS)


def test_attributes_come_from_a_table_by_the_name_of_the_image(devkit, load):
    devkit("people.csv", "id,tone\nILSVRC2012_val_00000002.JPEG,dark\n")
    found = load(
        target="wnid", attributes={"tone": ("dark",)}, options={"attributes": "people.csv"}
    )
    assert found.samples["tone"].tolist() == [MISSING, "dark", MISSING, MISSING]


@pytest.mark.parametrize(
    ("name", "content", "problem"),
    [
        pytest.param(f"{KIT}/{TRUTH}", "3\n1\n2\n", "4 images, but .* has 3 lines", id="count"),
        pytest.param(f"{KIT}/{TRUTH}", "3\n1\n2\n4\n", "class 4 is none of", id="inner synset"),
        pytest.param(f"{KIT}/data/meta.mat", "x" * 200, "not the meta.mat of", id="meta"),
        pytest.param("val/cat.jpg", 1, "'cat.jpg' is not named like ILSVRC2012_val", id="name"),
        pytest.param("val/n02119789/a.JPEG", 1, "4 images lie beside folders", id="mixed"),
    ],
)
def test_files_that_do_not_fit_are_named(devkit, load, name, content, problem):
    devkit(name, content)
    with pytest.raises(DataError, match=problem):
        load(**KEYS)


def test_a_folder_that_is_no_synset_is_named(write, load):
    write("val/cat/a.JPEG", 1)
    with pytest.raises(DataError, match="folder 'cat' is not named by a synset"):
        load(**KEYS)


def test_a_missing_development_kit_is_named(write, load):
    write("val/ILSVRC2012_val_00000001.JPEG", 1)
    with pytest.raises(DataError, match="ground truth of the development kit is missing, looked"):
        load(**KEYS)
