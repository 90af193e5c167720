"""The page on data sets and the readers are in step, and its snippets are policies."""

import re
from pathlib import Path

import pytest

from pytest_fairness.data.readers import list_samples
from pytest_fairness.doors.registry import built_in_names, declared, load_object
from pytest_fairness.errors import DataError
from pytest_fairness.planning.at_hand import read_at_hand
from pytest_fairness.policy import Evaluation, load_policy

ROOT = Path(__file__).parents[4]
PAGE = (ROOT / "docs" / "datasets.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## `(\w+)`\n(.*?)(?=^## |\Z)", PAGE, re.MULTILINE | re.DOTALL))
FOLDER = ROOT / "src" / "pytest_fairness" / "data" / "readers"
READERS = built_in_names("readers")
NO_READERS = {"__init__", "files", "tables"}


def snippet(section: str) -> str:
    found = re.search(r"```toml\n(.*?)```", section, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_page_describes_every_reader_and_no_other():
    assert list(SECTIONS) == [*dict.fromkeys(SECTIONS)]
    assert set(SECTIONS) == set(READERS)
    assert {file.stem for file in FOLDER.glob("*.py")} - NO_READERS == set(READERS)


@pytest.mark.parametrize("name", READERS)
def test_each_reader_is_declared_with_its_module(name):
    assert load_object(declared("readers", name).read).__module__.endswith(f".readers.{name}")


@pytest.mark.parametrize("name", READERS)
def test_each_section_says_how_to_get_it_its_licence_and_its_caveats(name):
    for word in ("Obtain:", "Licence:", "Caveats:"):
        assert word in SECTIONS[name]


@pytest.mark.parametrize("name", READERS)
def test_each_option_is_described(name):
    options = declared("readers", name).options
    words = set(re.findall(r"`(\w+)`", SECTIONS[name]))
    assert set(options) <= words


@pytest.mark.parametrize("name", READERS)
def test_each_snippet_is_a_policy_whose_options_the_reader_takes(name, tmp_path):
    path = tmp_path / "policy.toml"
    head = 'schema = 1\n[decision]\ninconclusive = "fail"\n[[rule]]\nmetric = "error_rate"\nmax = 0.5\n'
    path.write_text(head + snippet(SECTIONS[name]), encoding="utf-8")
    (evaluation,) = load_policy(path).evaluations.values()
    assert evaluation.reader == name
    taken = declared("readers", name).options
    assert {key: isinstance(value, taken[key]) for key, value in evaluation.options.items()} == (
        dict.fromkeys(evaluation.options, True)
    )


def test_a_plan_reads_the_samples_of_any_reader(tmp_path):
    for name in ("man/1.png", "man/2.png", "woman/3.png"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    evaluation = Evaluation(
        "faces",
        reader="imagefolder",
        root=tmp_path,
        options={"folders": ["gender"]},
        target="gender",
        attributes={"gender": ("man", "woman")},
    )
    at_hand = read_at_hand(evaluation)
    assert at_hand.predictions is not None
    assert at_hand.predictions.table["target"].to_pylist() == ["man", "man", "woman"]


def test_masks_of_a_file_serve_every_reader_and_others_are_refused(tmp_path):
    (tmp_path / "man").mkdir()
    (tmp_path / "man/1.png").touch()
    evaluation = Evaluation("faces", reader="imagefolder", root=tmp_path, masks="masks.parquet")
    listing = list_samples(evaluation)
    assert listing.masks is not None
    with pytest.raises(DataError, match=rf"{tmp_path}/masks\.parquet: masks cannot be read"):
        listing.masks(listing.rows.frame, ["man/1.png"])
    folder = Evaluation("faces", reader="imagefolder", root=tmp_path, masks="masks")
    with pytest.raises(DataError, match=r"masks: reader 'imagefolder' reads masks of a \.parquet"):
        list_samples(folder)
