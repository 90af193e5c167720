"""What the summary says about how models were loaded and read."""

import pytest

from pytest_fairness.gate.run import judge
from pytest_fairness.report.models import model_lines
from pytest_fairness.report.terminal import table_lines

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
GROUPED = {"reduce": "max", "reduce_compared": "max, sum", "reduce_disagreements": "1"}


def record(**metadata):
    import pandas as pd

    rows = pd.DataFrame({"sex": ["f", "m"], "target": ["a", "b"], "prediction": ["a", "b"]})
    found = judge(POLICY, rows, model="ads")
    run = found.runs[0].model_copy(update={"metadata": metadata})
    return found.model_copy(update={"runs": [run]})


@pytest.mark.parametrize(
    ("metadata", "lines"),
    [
        (
            GROUPED,
            ["ads on faces: label groups are read by max; max, sum disagree on 1 of 2 samples"],
        ),
        (GROUPED | {"reduce_disagreements": "0"}, []),
        (
            {"unpickled": "m.pkl (allowed by --fairness-allow-pickle)"},
            ["ads: code in m.pkl (allowed by --fairness-allow-pickle) could run when it was read"],
        ),
        ({"legacy": "TorchScript is deprecated"}, ["ads: TorchScript is deprecated"]),
        ({}, []),
    ],
    ids=["disagreement", "agreement", "pickle", "legacy", "nothing"],
)
def test_what_could_change_how_numbers_are_trusted_is_said(metadata, lines):
    found = record(**metadata)
    assert model_lines(found) == lines
    shown = [line.text for line in table_lines(found)]
    assert [line for line in lines if line not in shown] == []


def test_a_line_of_two_runs_is_said_once():
    found = record(legacy="TorchScript is deprecated")
    twice = found.model_copy(update={"runs": found.runs * 2})
    assert model_lines(twice) == ["ads: TorchScript is deprecated"]


TOLD = {
    "contradiction": ({"contradictions": '["score = 3"]'}, "ads on faces: score = 3"),
    "below chance": (
        {"below_chance": "accuracy 0.09"},
        "WARNING ads on faces: accuracy 0.09. A model",
    ),
    "asked again": (
        {"asked_again": "16", "asked_again_differ": "9", "asked_again_cause": "by chance"},
        "WARNING ads on faces: 9 of 16 images that were asked again got another answer",
    ),
    "prefix": ({"weights_prefix": "module."}, "ads: 'module.' before the name of every weight"),
    "single": (
        {"single_score": "of label 'b'"},
        "ads: gives one score an image, read as that of label",
    ),
}


@pytest.mark.parametrize(("metadata", "line"), TOLD.values(), ids=TOLD)
def test_what_was_seen_of_a_model_is_told_in_the_summary(metadata, line):
    (found,) = model_lines(record(**metadata))
    assert found.startswith(line)


def test_images_that_got_the_same_answer_again_are_not_told():
    assert model_lines(record(asked_again="16", asked_again_differ="0")) == []
