"""Names of files: other names give another file, in the folder, on every system."""

import re
import unicodedata
from pathlib import PurePosixPath, PureWindowsPath

import pytest
from hypothesis import given, strategies as st

from pytest_fairness.files import file_name

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
