"""Which samples a failure is explained by."""

import pandas as pd
import pytest

from pytest_fairness import judge, load_policy, read_predictions
from pytest_fairness.inference.predictions import Predictions, prediction_table
from pytest_fairness.report.worst import worst_samples

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "fail", "decide": "estimate"},
    "evaluation": {
        "faces": {
            "classes": ["no", "yes"],
            "positive": "yes",
            "attributes": {"tone": ["light", "dark"]},
            "reference": {"tone": "light"},
        }
    },
    "rule": [
        {"metric": "accuracy", "min": 0.9},
        {"metric": "false_positive_rate", "max": 0.1},
        {"metric": "false_negative_rate", "max": 0.1},
        {"metric": "false_positive_rate_difference", "max": 0.1},
    ],
}

# id, tone, target, prediction, score of yes
ROWS = [
    ("l1", "light", "yes", "yes", 3.0),
    ("l2", "light", "no", "no", -2.0),
    ("d1", "dark", "no", "yes", 0.5),
    ("d2", "dark", "no", "yes", 4.0),
    ("d3", "dark", "yes", "no", -1.0),
    ("d4", "dark", "yes", "yes", 1.0),
]


def found_of(*, scores=True):
    frame = pd.DataFrame(ROWS, columns=["id", "tone", "target", "prediction", "score"])
    plain = read_predictions(frame.drop(columns="score"), load_policy(POLICY).evaluations["faces"])
    if not scores:
        return plain
    yes = frame["score"].to_numpy()
    table = prediction_table(
        frame[["id", "target", "tone"]], frame["prediction"], {"no": -yes, "yes": yes}
    )
    return Predictions(table, "net", "faces", plain.classes, plain.levels, plain.metadata)


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("accuracy", ["d2", "d3", "d1"]),
        ("false_positive_rate", ["d2", "d1"]),
        ("false_negative_rate", ["d3"]),
        ("false_positive_rate_difference", ["d2", "d1"]),
    ],
)
def test_a_rule_looks_at_the_errors_it_counts_the_surest_first(metric, expected):
    predictions = found_of()
    verdict = next(
        one
        for one in judge(POLICY, predictions).verdicts
        if one.metric == metric and one.group == {"tone": "dark"}
    )
    assert worst_samples(verdict, predictions, most=5, positive="yes") == expected
    assert worst_samples(verdict, predictions, most=1, positive="yes") == expected[:1]


def test_without_scores_errors_come_by_name_and_a_group_without_errors_has_none():
    predictions = found_of(scores=False)
    light, dark = judge(POLICY, predictions).verdicts[:2]
    assert worst_samples(dark, predictions, most=5, positive="yes") == ["d1", "d2", "d3"]
    assert worst_samples(light, predictions, most=5, positive="yes") == []
