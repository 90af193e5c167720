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
