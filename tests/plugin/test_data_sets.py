"""A gate on a data set in its own format: derived attributes, and images that cannot be read."""

import json

import numpy as np
import pytest
from PIL import Image

POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
reader = "utkface"
root = "faces"
target = "gender"
positive = "male"
attributes = { age_group = ["young", "old"] }
derive.age_group = { from = "age", bins = [0, 40], labels = ["young", "old"] }
on_error = "count"
max_errors = 0.1

[[rule]]
id = "floor"
metric = "accuracy"
by = ["age_group"]
min = 0.1
"""
GATE = """
import pytest

@pytest.mark.fairness("accuracy")
def test_group_accuracy(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
BRIGHT = """
import pytest

@pytest.fixture(scope="session")
def bright():
    from pytest_fairness import Classifier, Preprocessing

    def module(images):
        import torch
        light = images.mean(dim=(1, 2, 3))
        return torch.stack([light, 1 - light], dim=1)

    return Classifier(
        "bright",
        module,
        ("female", "male"),
        Preprocessing(size=8, mean=(0, 0, 0), std=(1, 1, 1)),
        score="probability",
    )
"""
OPTIONS = ("--fairness-policy=policy.toml", "--fairness-model=bright", "--fairness-record=r.json")


@pytest.fixture
def faces(pytester):
    """Forty faces, light ones of women; two of them are broken."""
    folder = pytester.path / "faces"
    folder.mkdir()
    for number in range(40):
        gender = number % 2
        pixels = np.full((8, 8, 3), 250 if gender else 5, np.uint8)
        name = f"{20 + number}_{gender}_0_201701{number:011d}.jpg"
        Image.fromarray(pixels).save(folder / name)
    for number in (3, 30):
        next(folder.glob(f"{20 + number}_*")).write_bytes(b"")
    (pytester.path / "policy.toml").write_text(POLICY, encoding="utf-8")
    pytester.makepyfile(test_gate=GATE)
    pytester.makeconftest(BRIGHT)
    return pytester


def test_broken_images_are_named_in_the_summary_and_in_the_record(faces):
    result = faces.runpytest_inprocess(*OPTIONS)
    result.assert_outcomes(passed=2)
    result.stdout.fnmatch_lines(
        "2 of 40 images of faces could not be read and have no prediction of bright "
        "(max_errors 10.0%): '23_1_0_20170100000000003.jpg', '50_0_0_20170100000000030.jpg'"
    )
    run = json.loads((faces.path / "r.json").read_text())["runs"][0]
    assert (run["n"], run["metadata"]["unreadable"]) == (38, "2")
    assert len(json.loads(run["metadata"]["unreadable_images"])) == 2


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        pytest.param(
            "0.1\n\n",
            "0.04\n\n",
            "*2 of 40 images of evaluation 'faces' cannot be read*",
            id="too many",
        ),
        pytest.param(
            'on_error = "count"\nmax_errors = 0.1\n',
            "",
            "*23_1_0_*: the image is empty*",
            id="not borne",
        ),
        pytest.param("[0, 40]", "[30, 40]", "*derive.age_group: age = 20 fits no bin*", id="bins"),
        pytest.param(
            '"faces"\n',
            '"face"\n',
            "*face: no such folder (root of evaluation 'faces')*",
            id="root",
        ),
    ],
)
def test_data_that_cannot_be_used_stop_the_release(faces, old, new, message):
    assert old in POLICY
    (faces.path / "policy.toml").write_text(POLICY.replace(old, new, 1), encoding="utf-8")
    result = faces.runpytest_inprocess(*OPTIONS)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])
    result.stdout.no_fnmatch_line("*Traceback*")
