"""`pytest-fairness label`: choose images, fill in labels, judge, until all is settled."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pytest_fairness.cli import main

POLICY = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
positive = "yes"
classes = ["no", "yes"]
attributes = { tone = ["light", "dark"] }
reference = { tone = "light" }

[[rule]]
id = "floor"
metric = "accuracy"
by = ["tone"]
min = 0.7
"""
GAP = """
[[rule]]
id = "gap"
metric = "false_positive_rate_difference"
by = ["tone"]
max = 0.3
"""
BEYOND = """
[[rule]]
metric = "balanced_accuracy"
by = ["tone"]
min = 0.5
"""
SIZE = 600


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """600 images with scores; accuracy .9 of light, .45 of dark. The truth is kept apart."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(5)
    dark = np.arange(SIZE) % 3 == 0
    right = rng.random(SIZE) < np.where(dark, 0.45, 0.9)
    answer = rng.random(SIZE) < 0.5
    sure = np.where(right, rng.beta(8, 2, SIZE), rng.beta(4, 4, SIZE)).clip(0.01, 0.99)
    frame = pd.DataFrame(
        {
            "id": [f"img{i:03}" for i in range(SIZE)],
            "tone": np.where(dark, "dark", "light"),
            "prediction": np.where(answer, "yes", "no"),
            "confidence": sure.round(4),
        }
    )
    frame.to_csv("scores.csv", index=False)
    truth = np.where(answer == right, "yes", "no")
    pd.DataFrame({"id": frame["id"], "truth": truth}).to_csv("truth.csv", index=False)
    Path("policy.toml").write_text(POLICY, encoding="utf-8")
    return tmp_path


def label(*more: str, count: int = 60) -> int:
    files = ["--predictions", "scores.csv", "--labels", "labels.csv", "--next", str(count)]
    return main(["label", "policy.toml", *files, *more])


def fill_in() -> pd.DataFrame:
    truth = pd.read_csv("truth.csv", dtype=str).set_index("id")["truth"]
    frame = pd.read_csv("labels.csv", dtype=str, keep_default_na=False)
    frame["target"] = frame["id"].map(truth)
    frame.to_csv("labels.csv", index=False)
    return frame


def edit(line: int, column: str, value: str) -> None:
    lines = Path("labels.csv").read_text(encoding="utf-8").splitlines()
    cells = lines[line - 1].split(",")
    cells[["id", "round", "probability", "target"].index(column)] = value
    lines[line - 1] = ",".join(cells)
    Path("labels.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")


def test_rounds_go_on_until_every_question_is_settled(folder, capsys):
    assert label() == 0
    first = capsys.readouterr().out
    assert "60 images were chosen: fill in the column target of labels.csv" in first
    frame = pd.read_csv("labels.csv", dtype=str, keep_default_na=False)
    assert list(frame.columns) == ["id", "round", "probability", "target"]
    assert (frame["target"] == "").all()
    code, out = 0, ""
    for _ in range(9):
        fill_in()
        code = label()
        out = capsys.readouterr().out
        if "No more labels are needed." in out:
            break
    assert code == 1  # dark fails
    assert "accuracy, tone light: 0." in out
    assert "limit at least 0.70 -> pass (round " in out
    assert "limit at least 0.70 -> fail (round " in out
    assert "2 of 2 questions are settled, 0 are open." in out
    assert len(pd.read_csv("labels.csv")) < SIZE / 2


def test_what_is_settled_stays_so_and_gets_no_more_labels(folder, capsys):
    label(count=100)
    fill_in()
    label(count=100)
    record = json.loads(Path("labels.record.json").read_text(encoding="utf-8"))
    settled = set(record["settled"])
    assert settled == {"floor[model-faces-tone-dark]"}
    tone = pd.read_csv("scores.csv").set_index("id")["tone"]
    assert set(tone[record["rounds"][1]["ids"]]) == {"light"}
    fill_in()
    label(count=0)
    again = json.loads(Path("labels.record.json").read_text(encoding="utf-8"))
    assert again["settled"]["floor[model-faces-tone-dark]"]["round"] == 1


def test_the_same_seed_chooses_the_same_images_and_another_one_others(folder):
    chosen = []
    for seed in ("3", "3", "4"):
        label("--seed", seed)
        chosen.append(Path("labels.csv").read_text(encoding="utf-8"))
        Path("labels.csv").unlink()
        Path("labels.record.json").unlink()
    assert chosen[0] == chosen[1] != chosen[2]


def test_differences_are_judged_and_what_cannot_be_is_named(folder, capsys):
    Path("policy.toml").write_text(POLICY + GAP + BEYOND, encoding="utf-8")
    label(count=150)
    fill_in()
    label(count=0)
    out = capsys.readouterr().out
    assert "FPR difference, tone dark vs light: +0." in out
    assert "balanced_accuracy is no single rate, and label judges rates only" in out
    assert "of 3 questions are settled" in out


def test_a_policy_without_any_question_for_labels_is_refused(folder, capsys):
    head = POLICY.split("[[rule]]", maxsplit=1)[0]
    Path("policy.toml").write_text(head + BEYOND, encoding="utf-8")
    assert label() == 4
    assert "no question that label can answer" in capsys.readouterr().err
    assert not Path("labels.csv").exists()


def test_a_set_that_is_labelled_to_the_end_is_not_open_any_more(folder, capsys):
    Path("policy.toml").write_text(POLICY.replace("0.7", "0.9"), encoding="utf-8")
    label(count=SIZE)
    fill_in()
    assert label() == 1
    out = capsys.readouterr().out
    assert "-> inconclusive: all its images are labelled" in out
    assert "No more labels are needed." in out


HOSTILE = {
    "probability": (lambda: edit(3, "probability", "0.5"), "line 3: probability of sample 'img"),
    "round": (lambda: edit(3, "round", "2"), "line 3: round of sample 'img"),
    "twice": (lambda: edit(3, "id", ids()[0]), "line 3: sample 'img"),
    "unknown id": (lambda: edit(4, "id", "img999"), "line 4: sample 'img999' was not chosen"),
    "class": (lambda: edit(5, "target", "yess"), "'yess' is not a class; did you mean 'yes'?"),
    "missing": (lambda: edit(6, "target", ""), "line 6, sample 'img"),
}


def ids() -> list[str]:
    return list(pd.read_csv("labels.csv", dtype=str)["id"])


@pytest.mark.parametrize("case", HOSTILE)
def test_a_labels_file_that_was_edited_is_an_error_with_its_line(folder, capsys, case):
    change, message = HOSTILE[case]
    label()
    fill_in()
    change()
    before = Path("labels.csv").read_bytes()
    assert label() == 1
    assert message in capsys.readouterr().err
    assert Path("labels.csv").read_bytes() == before


def test_a_label_that_was_used_must_not_change(folder, capsys):
    label()
    frame = fill_in()
    label()
    fill_in()
    other = {"yes": "no", "no": "yes"}[frame["target"][0]]
    edit(2, "target", other)
    assert label() == 1
    error = capsys.readouterr().err
    assert f"line 2, sample '{frame['id'][0]}': the target was" in error
    assert "since round 1" in error


def test_a_line_that_was_removed_is_missed(folder, capsys):
    label()
    frame = fill_in()
    frame[1:].to_csv("labels.csv", index=False)
    assert label() == 1
    assert f"sample '{frame['id'][0]}' has no line any more" in capsys.readouterr().err


@pytest.mark.parametrize("what", ["predictions file", "policy", "seed"])
def test_nothing_can_be_changed_after_the_first_round(folder, capsys, what):
    label()
    fill_in()
    more = []
    if what == "predictions file":
        text = Path("scores.csv").read_text(encoding="utf-8").replace("img000,dark,yes", "x")
        frame = pd.read_csv("scores.csv")
        frame.loc[7, "confidence"] = 0.123
        frame.to_csv("scores.csv", index=False)
        assert text
    elif what == "policy":
        Path("policy.toml").write_text(POLICY.replace("0.7", "0.6"), encoding="utf-8")
    else:
        more = ["--seed", "9"]
    assert label(*more) == 1
    assert f"the {what} is another one than in round 1" in capsys.readouterr().err


@pytest.mark.parametrize("lost", ["labels.csv", "labels.record.json"])
def test_a_lost_file_is_an_error(folder, capsys, lost):
    label()
    Path(lost).unlink()
    assert label() == 1
    assert "restore" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("value", "message"),
    [("", "not a number"), ("1.5", "outside 0 to 1"), ("-0.1", "outside 0 to 1")],
)
def test_a_score_must_be_a_probability(folder, capsys, value, message):
    frame = pd.read_csv("scores.csv", dtype=str)
    frame.loc[9, "confidence"] = value
    frame.to_csv("scores.csv", index=False)
    assert label() == 1
    error = capsys.readouterr().err
    assert "scores.csv, line 11, sample 'img009': column 'confidence'" in error
    assert message in error


def test_predictions_without_scores_say_which_columns_are_missing(folder, capsys):
    pd.read_csv("scores.csv").drop(columns="confidence").to_csv("scores.csv", index=False)
    assert label() == 1
    assert "no scores" in capsys.readouterr().err


def test_classes_must_be_declared_before_anybody_labelled(folder, capsys):
    text = POLICY.replace('classes = ["no", "yes"]\n', "")
    Path("policy.toml").write_text(text, encoding="utf-8")
    assert label() == 4
    assert "`classes` is missing" in capsys.readouterr().err


def test_a_score_of_the_positive_class_will_do(folder, capsys):
    frame = pd.read_csv("scores.csv")
    sure = frame.pop("confidence")
    frame["score"] = np.where(frame.pop("prediction") == "yes", sure / 2 + 0.5, 0.5 - sure / 2)
    frame.to_csv("scores.csv", index=False)
    assert label() == 0
    assert len(ids()) == 60


def test_what_fails_by_an_inherited_policy_fails_here_too(folder, capsys):
    """A child that asks for more images than there are leaves its own question open."""
    Path("org.toml").write_text(POLICY, encoding="utf-8")
    child = 'schema = 1\nextends = "org.toml"\n[[rule]]\nid = "floor"\nmin_samples = 100000\n'
    Path("policy.toml").write_text(child, encoding="utf-8")
    label(count=300)
    fill_in()
    label(count=300)
    out = capsys.readouterr().out
    assert "-> fail (round 1); fails by org.toml alone" in out
    assert "1 of 2 questions are settled, 1 is open." in out
