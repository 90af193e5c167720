"""A data set that the library `datasets` saved to disk."""

import sys

import pytest

from pytest_fairness.data import MISSING
from pytest_fairness.data.images import Cell
from pytest_fairness.errors import DataError

from .conftest import encoded

READER = "huggingface"
TONES = {"target": "gender", "attributes": {"tone": ("light", "dark")}}
datasets = pytest.importorskip("datasets")


def made(n: int = 3, **columns):
    features = {
        "image": datasets.Image(),
        "gender": datasets.ClassLabel(names=["woman", "man"]),
        "tone": datasets.Value("string"),
        "boxes": datasets.Sequence(datasets.Value("int64")),
    }
    rows = {
        "image": [{"bytes": encoded(i), "path": None} for i in range(n)],
        "gender": [i % 2 for i in range(n)],
        "tone": ["light" if i else None for i in range(n)],
        "boxes": [[i] for i in range(n)],
    }
    return datasets.Dataset.from_dict(rows | columns, features=datasets.Features(features))


def test_classes_have_their_names_and_images_stay_encoded(root, load):
    made().save_to_disk(root)
    found = load(**TONES)
    assert found.samples.to_dict("list") == {
        "id": ["row-0", "row-1", "row-2"],
        "target": ["woman", "man", "woman"],
        "tone": [MISSING, "light", "light"],
    }
    assert [found.images.read(i).getpixel((0, 0))[0] for i in range(3)] == [0, 1, 2]
    assert list(found.manifest) == ["gender", "tone"]


def test_chosen_and_shuffled_rows_stay_so(root, load):
    made(5).select([4, 2, 0]).save_to_disk(root)
    found = load(target="gender", attributes={"tone": ("light",)})
    assert [found.images.read(i).getpixel((0, 0))[0] for i in range(3)] == [4, 2, 0]


def test_images_stay_in_the_mapped_file_when_rows_are_chosen(root, load):
    made(4).save_to_disk(root)
    found = load(where={"gender": ("man",)}, **TONES)
    assert [found.images.read(i).getpixel((0, 0))[0] for i in range(2)] == [1, 3]
    assert all(isinstance(entry, Cell) for entry in found.images.entries)
    assert len(found.images.entries[0].column) == 4


def test_a_broken_image_names_the_sample_and_the_folder(root, load):
    images = [{"bytes": b"no image", "path": None}] * 3
    made(image=images).save_to_disk(root)
    with pytest.raises(DataError, match=rf"row 1, sample 'row-1', {root}: the image is truncated"):
        load(**TONES).images.read(1)


def test_several_files_and_splits_are_read(root, load):
    parts = {"train": made(4), "test": made(2)}
    datasets.DatasetDict(parts).save_to_disk(root, num_shards={"train": 2, "test": 1})
    found = load(split=("test",), **TONES)
    assert len(found) == 2
    whole = load(**TONES)
    assert whole.manifest["split"].tolist() == ["train"] * 4 + ["test"] * 2
    assert whole.images.read(3).getpixel((0, 0)) == (3, 0, 0)
    with pytest.raises(DataError, match="no split 'val'; there are 'train', 'test'"):
        load(split=("val",), **TONES)


def test_an_unknown_class_is_missing(root, load):
    made(gender=[0, -1, None]).save_to_disk(root)
    with pytest.raises(DataError, match=r"row 1, .*`target` is missing .*\(2 such samples\)"):
        load(**TONES)


def test_images_may_be_paths(root, load, tmp_path):
    paths = [tmp_path / f"{i}.png" for i in range(3)]
    for i, path in enumerate(paths):
        path.write_bytes(encoded(i))
    images = [{"bytes": None, "path": str(path)} for path in paths]
    made(image=images).save_to_disk(root)
    assert load(**TONES).images.read(2).getpixel((0, 0)) == (2, 0, 0)


def test_an_image_without_bytes_is_an_error(root, load):
    images = [{"bytes": encoded(1), "path": None}, None, {"bytes": encoded(1), "path": None}]
    made(image=images).save_to_disk(root)
    with pytest.raises(DataError, match="column 'image' lacks the image of 1 of 3 samples"):
        load(**TONES)


def test_a_split_of_a_set_without_splits_is_an_error(root, load):
    made().save_to_disk(root)
    with pytest.raises(DataError, match=r"split 'test' is asked for, but it holds one data set"):
        load(split=("test",), **TONES)


def test_another_folder_is_named(write, load):
    write("x.txt", "")
    with pytest.raises(DataError, match=r"set: not a data set that `save_to_disk` wrote"):
        load(**TONES)


def test_without_the_package_the_message_says_how_to_get_it(root, load, monkeypatch):
    root.mkdir()
    monkeypatch.setitem(sys.modules, "datasets", None)
    with pytest.raises(DataError, match=r"pip install 'pytest-fairness\[datasets\]'"):
        load(**TONES)
