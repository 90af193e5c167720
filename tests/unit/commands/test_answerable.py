"""The warning of `init` and `profile` about questions that no model can pass."""

from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness.cli import main
from tests.unit.commands.conftest import GOOD, init, samples

TOLD = "questions cannot be answered by this evaluation set, whatever the model does:"
PROFILED = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
manifest = "faces.csv"
target = "label"
attributes = { sex = ["Female", "Male"], race = ["African", "Asian", "Latin"] }

[[rule]]
metric = "accuracy"
by = ["sex", "race*sex"]
min = 0.8
"""


def test_init_warns_of_questions_that_the_people_cannot_answer(project, capsys):
    """Twelve people are too few for any rate of at least 0.8 (.025^(1/12) = .735)."""
    assert init(*GOOD, "--cluster", "person") == 0
    out = capsys.readouterr().out
    (line,) = [line for line in out.splitlines() if TOLD in line]
    assert line.startswith("WARNING ")
    assert "accuracy: " in out[out.index(TOLD) :]
    assert "more people" in out[out.index(TOLD) :]


def test_init_warns_of_nothing_where_there_are_enough_people(project, capsys):
    more = samples()
    many = pd.concat([more.assign(person=f"q{i}-" + more["person"]) for i in range(60)])
    many.to_csv("faces/manifest.csv", index=False)
    assert init(*GOOD, "--cluster", "person") == 0
    assert "WARNING" not in capsys.readouterr().out


@pytest.fixture
def faces(tmp_path, monkeypatch):
    """A manifest without images, and a policy about it."""
    monkeypatch.chdir(tmp_path)
    sizes = {("Female", "African"): 18, ("Female", "Asian"): 12}
    sizes |= {("Male", "African"): 14, ("Male", "Asian"): 17}
    rows = [key for key, n in sizes.items() for _ in range(n)]
    frame = pd.DataFrame(rows, columns=["sex", "race"]).assign(label="face")
    frame.to_csv("faces.csv", index=False)
    Path("policy.toml").write_text(PROFILED, encoding="utf-8")


def profiled(capsys, *arguments):
    assert main(["profile", *arguments, "--no-images"]) == 0
    return capsys.readouterr().out


def test_profile_warns_of_questions_that_the_images_cannot_answer(faces, capsys):
    """.025^(1/n) is below 0.8 for fewer than 17 right images; nobody is Latin."""
    out = profiled(capsys, "policy.toml")
    assert f"WARNING 4 of 8 {TOLD}\n" in out
    told = " ".join(out[out.index("WARNING") :].split())
    assert "African, Male (needs about 3 more samples)" in told
    assert "Asian, Female (needs about 5 more samples)" in told
    assert "Latin, Female (" in told
    assert "African, Female" not in told


def test_profile_warns_of_nothing_where_every_question_can_be_answered(faces, capsys):
    text = Path("policy.toml").read_text(encoding="utf-8")
    Path("policy.toml").write_text(text.replace(', "race*sex"', ""), encoding="utf-8")
    assert "WARNING" not in profiled(capsys, "policy.toml")
    assert "WARNING" not in profiled(capsys, "faces.csv", "--attribute=sex")


def test_what_cannot_be_read_is_left_to_the_command(faces, capsys):
    """A policy that asks of a column which is not there: the profile says so, the warning is silent."""
    text = Path("policy.toml").read_text(encoding="utf-8")
    Path("policy.toml").write_text(text.replace('"label"', '"gone"'), encoding="utf-8")
    main(["profile", "policy.toml", "--no-images"])
    assert TOLD not in capsys.readouterr().out
