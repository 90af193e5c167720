"""Swapped labels are told, and a rare class or a guess is not."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness.gate.run import judge
from pytest_fairness.report.models import model_lines

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
    "rule": [{"metric": "accuracy", "min": 0.01}],
}


def told(target, prediction):
    sex = ["f", "m"] * (len(target) // 2)
    table = pd.DataFrame({"sex": sex, "target": target, "prediction": prediction})
    record = judge(POLICY, table)
    lines = [line for line in model_lines(record) if "below_chance" in line or "WARNING" in line]
    return record.runs[0].metadata.get("below_chance", ""), lines


def test_labels_in_the_wrong_order_are_told_in_record_and_summary():
    target = np.array(["a"] * 50 + ["b"] * 50)
    prediction = np.where(target == "a", "b", "a")
    prediction[:9] = "a"  # 9 of 100 are right
    text, lines = told(target, prediction)
    # Half of the targets are of each class, so chance is a half whatever the answers are.
    assert text == "accuracy 0.090 over 100 images, chance 0.500"
    (line,) = lines
    assert line.startswith(f"WARNING model on faces: {text}. ")
    assert line.endswith("are the labels in the order of the score columns?")


@pytest.mark.parametrize(
    ("target", "prediction"),
    [
        (["a"] * 95 + ["b"] * 5, ["b"] * 100),  # always the rare class: as good as chance
        (["a", "b"] * 50, ["a", "a", "b", "b"] * 25),  # a guess
        (["a", "b"] * 50, ["a", "b"] * 50),
        (["a", "b"] * 3, ["b", "a"] * 3),  # too few to tell
    ],
    ids=["one class", "guess", "right", "few"],
)
def test_nothing_else_is_told(target, prediction):
    assert told(target, prediction) == ("", [])


def test_a_false_alarm_is_rare():
    rng = np.random.default_rng(0)
    alarms = [
        bool(told(rng.choice(["a", "b"], 100), rng.choice(["a", "b"], 100, p=(0.8, 0.2)))[0])
        for _ in range(30)
    ]
    assert not any(alarms)
