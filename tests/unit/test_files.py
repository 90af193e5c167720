"""Names of files: other names give another file, in the folder, on every system."""

import os
import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, strategies as st

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.errors import FairnessError
from pytest_fairness.files import check_regular, file_name, parse_json, read_regular, read_text
from pytest_fairness.gate.audit.signing import open_envelope
from pytest_fairness.gate.audit.verify import verify
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy import Evaluation, load_policy

HOSTILE = st.one_of(
    st.text(),
    st.text(alphabet="ab-._~/\\:A", max_size=4),
    st.sampled_from(
        ["..", "../../evil", "/etc/passwd", "con", "NUL.txt", "com1", "-", "", "x" * 400]
    ),
)


def as_stored(name: str) -> str:
    """What a file system that ignores case and composition tells apart."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


@given(st.tuples(HOSTILE, HOSTILE), st.tuples(HOSTILE, HOSTILE))
def test_other_pairs_of_names_give_other_files(left, right):
    files = [as_stored(file_name(*pair, ending=".parquet")) for pair in (left, right)]
    assert (files[0] == files[1]) == (left == right)


@given(HOSTILE, HOSTILE)
def test_a_file_stays_in_its_folder_on_every_system(model, evaluation):
    name = file_name(model, evaluation, ending=".parquet")
    for kind in (PurePosixPath, PureWindowsPath):
        path = kind("folder") / name
        assert (path.name, path.parent) == (name, kind("folder"))
    assert not re.search(r'[\x00-\x1f<>:"/\\|?*]', name)
    assert not re.fullmatch("(con|prn|aux|nul|com[0-9]|lpt[0-9])", name.split(".")[0].lower())
    assert len(name.encode()) < 200
    assert not name.startswith((".", "-"))


@pytest.mark.parametrize(
    ("names", "file"),
    [
        (("ads", "emoji_people"), "ads-emoji_people.parquet"),
        (("resnet-50", "faces"), "resnet-50-faces.parquet"),
        (("m-a", "b"), "m-a-b.parquet"),
    ],
)
def test_plain_names_stay_readable(names, file):
    assert file_name(*names, ending=".parquet") == file


def test_the_split_between_two_names_is_told_apart():
    assert file_name("m", "a-b", ending=".parquet") != file_name("m-a", "b", ending=".parquet")
    assert file_name("Ads", "b", ending=".png").lower() != file_name("ads", "b", ending=".png")


@pytest.fixture(params=["pipe", "device", "folder"])
def endless(request, tmp_path):
    """What is no regular file, under any name."""

    def make(name):
        path = tmp_path / name
        if request.param == "pipe":
            os.mkfifo(path)
        elif request.param == "device":
            path.symlink_to("/dev/zero")
        else:
            path.mkdir()
        return path

    return make


@pytest.mark.parametrize(
    ("name", "read"),
    [
        ("policy.toml", load_policy),
        ("record.json", verify),
        ("faces.csv", lambda path: load_evaluation_set(Evaluation("faces", manifest=path))),
        ("faces.parquet", lambda path: load_evaluation_set(Evaluation("faces", manifest=path))),
        ("p.csv", lambda path: read_predictions(path, Evaluation("faces"))),
        ("p.parquet", lambda path: read_predictions(path, Evaluation("faces"))),
        ("p.jsonl", lambda path: read_predictions(path, Evaluation("faces"))),
    ],
)
def test_only_regular_files_are_read(name, read, endless):
    with pytest.raises(FairnessError, match=r"(not a regular file|s a directory)"):
        read(endless(name))


def test_an_image_that_is_a_pipe_is_an_error_of_its_sample(tmp_path):
    (tmp_path / "a.png").touch()
    (tmp_path / "faces.csv").write_text("id,image,target\na,a.png,x\n", encoding="utf-8")
    found = load_evaluation_set(Evaluation("faces", manifest=tmp_path / "faces.csv"))
    (tmp_path / "a.png").unlink()
    os.mkfifo(tmp_path / "a.png")
    with pytest.raises(FairnessError, match=r"sample 'a'.*not a regular file"):
        found.images.read(0)


def test_a_file_may_be_too_large(tmp_path):
    file = tmp_path / "file"
    file.write_bytes(b"abc")
    assert (read_regular(file, most=3), read_text(file, most=3)) == (b"abc", "abc")
    with pytest.raises(OSError, match="3 bytes, allowed are 2"):
        check_regular(file, most=2)


DEEP = 100_000


@pytest.mark.parametrize(
    ("name", "text", "read"),
    [
        ("p.toml", "x = " + "[" * DEEP, load_policy),
        ("p.toml", ".".join(["a"] * 3000) + " = 1", load_policy),
        ("r.json", "[" * DEEP, verify),
        ("r.json", '{"runs": ' + "[" * DEEP, verify),
        ("p.jsonl", "[" * DEEP, lambda path: read_predictions(path, Evaluation("faces"))),
        ("s.json", "[" * DEEP, lambda path: open_envelope(path, None)),
    ],
)
def test_what_is_nested_without_end_is_an_error(name, text, read, tmp_path):
    (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(FairnessError, match=name):
        read(tmp_path / name)
    with pytest.raises(ValueError, match="nested too deeply"):
        parse_json("[" * DEEP)
