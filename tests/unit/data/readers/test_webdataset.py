"""WebDataset shards: images are read by their place in the tar file."""

import gzip
import io
import json
import tarfile

import pytest

from pytest_fairness.data.images import Slice
from pytest_fairness.data.readers import list_samples
from pytest_fairness.errors import DataError
from pytest_fairness.policy import Evaluation

from .conftest import encoded

READER = "webdataset"
TONES = {"target": "cls", "attributes": {"tone": ("light", "dark")}}
FIRST = {
    "a/0001.jpg": encoded(11, "JPEG"),
    "a/0001.cls": b"0\n",
    "a/0001.json": json.dumps({"tone": "dark", "box": [1, 2], "image": "x", "age": 3}).encode(),
    "a/0002.PNG": encoded(22),
    "a/0002.seg.png": encoded(99),
    "a/0002.cls": b"1",
    "a/0002.json": b'{"tone": "light"}',
}
SECOND = {"./b.webp": encoded(33, "WEBP"), "./b.cls": b"1", "./b.json": b'{"tone": null}'}


@pytest.fixture
def shard(root):
    def write_shard(name, files, mode="w"):
        root.mkdir(exist_ok=True)
        with tarfile.open(root / name, mode) as tar:
            for file, content in files.items():
                member = tarfile.TarInfo(file)
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
        return root / name

    return write_shard


def test_samples_are_the_files_of_one_name(shard, load):
    shard("set-000000.tar", FIRST)
    shard("set-000001.tar", SECOND)
    found = load(**TONES)
    assert found.samples.to_dict("list") == {
        "id": ["a/0001", "a/0002", "b"],
        "target": ["0", "1", "1"],
        "tone": ["dark", "light", "(missing)"],
    }
    assert found.manifest["shard"].tolist() == ["set-000000.tar"] * 2 + ["set-000001.tar"]
    assert found.manifest["age"].fillna(-1).tolist() == [3, -1, -1]
    assert "image" not in found.manifest
    reds = [found.images.read(i).getpixel((0, 0))[0] for i in (2, 0, 1)]
    assert reds == pytest.approx([33, 11, 22], abs=4)  # in any order; JPEG and WebP are lossy


def test_an_image_is_a_place_in_its_shard(shard, root):
    path = shard("set.tar", FIRST)
    listing = list_samples(Evaluation("faces", reader="webdataset", root=root))
    place = listing.rows.frame["image"].iloc[1]
    assert isinstance(place, Slice)
    assert place.file == path
    assert path.read_bytes()[place.offset : place.offset + place.size] == FIRST["a/0002.PNG"]


def test_one_shard_or_a_pattern_may_be_read(shard, load):
    shard("test-0.tar", FIRST)
    path = shard("train-0.tar", SECOND)
    assert load(root=path, **TONES).samples["id"].tolist() == ["b"]
    assert len(load(options={"pattern": "test-*.tar"}, **TONES)) == 2


def test_a_shard_that_was_cut_after_it_was_listed_names_the_sample(shard, load):
    path = shard("set.tar", FIRST)
    found = load(**TONES)
    path.write_bytes(path.read_bytes()[:600])
    with pytest.raises(DataError, match=r"sample 'a/0002', .*set\.tar: .*bytes too early"):
        found.images.read(1)


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        pytest.param({"a.cls": b"1"}, "sample 'a' of set.tar has no image, only 'cls'", id="none"),
        pytest.param({"a.jpg": b"", "a.png": b""}, "sample 'a' has two images", id="two"),
        pytest.param({"a.jpg": b"", "a.json": b"{"}, r"a\.json is not JSON", id="json"),
        pytest.param({"a.jpg": b"", "a.json": b"[1]"}, "must hold an object, got list", id="list"),
        pytest.param({"a.jpg": b"", "a.txt": b"\xff"}, r"a\.txt is not text", id="text"),
    ],
)
def test_a_sample_that_cannot_be_used_is_named(shard, load, files, problem):
    shard("set.tar", files)
    with pytest.raises(DataError, match=problem):
        load(**TONES)


def test_a_key_that_comes_again_is_an_error(shard, load):
    shard("set-0.tar", FIRST)
    shard("set-1.tar", FIRST)
    with pytest.raises(DataError, match="sample id 'a/0001' appears twice, in row 0 and row 2"):
        load(**TONES)


def test_a_folder_without_plain_shards_is_named(shard, load, root, write):
    path = shard("set.tar", FIRST)
    write("set.tar.gz", gzip.compress(path.read_bytes()))
    path.unlink()
    with pytest.raises(DataError, match=r"no shards '\*\.tar'; there are 'set\.tar\.gz'"):
        load(**TONES)
    with pytest.raises(DataError, match=r"set\.tar\.gz: unpack it to a plain \.tar"):
        load(options={"pattern": "*"}, **TONES)


def test_a_file_that_is_no_tar_is_named(write, load):
    write("set.tar", "no tar file")
    with pytest.raises(DataError, match=r"set\.tar: not a readable tar file"):
        load(**TONES)
