"""Treatment equality through the gate: alone, as difference and as ratio."""

import pandas as pd
import pytest

from pytest_fairness import PolicyError, RunRecord, judge


def policy(metric: str, **rule) -> dict:
    faces = {
        "positive": "yes",
        "attributes": {"tone": ["dark", "light"]},
        "reference": {"tone": "light"},
    }
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": faces},
        "rule": [{"metric": metric, **rule}],
    }


def table(dark: tuple[int, int], light: tuple[int, int]) -> pd.DataFrame:
    """Predictions with so many false negatives and false positives, and 20 right ones a group."""
    rows = []
    for tone, (missed, false) in (("dark", dark), ("light", light)):
        rows += [(tone, "yes", "no")] * missed + [(tone, "no", "yes")] * false
        rows += [(tone, "yes", "yes"), (tone, "no", "no")] * 10
    return pd.DataFrame(rows, columns=["tone", "target", "prediction"])


def test_a_policy_asks_for_it_alone_as_difference_and_as_ratio():
    answers = table((90, 10), (40, 40))
    for metric, rule, value, outcome in (
        ("treatment_equality", {"max": 20.0}, 9.0, "pass"),
        ("treatment_equality", {"max": 3.0}, 9.0, "fail"),
        ("treatment_equality_difference", {"max": 2.0}, 8.0, "fail"),
        ("treatment_equality_ratio", {"between": [0.5, 2.0]}, 9.0, "fail"),
        ("treatment_equality_ratio", {"max": 40.0}, 9.0, "pass"),
    ):
        (verdict, *_) = judge(policy(metric, **rule), answers).verdicts
        assert verdict.value == pytest.approx(value)
        assert verdict.outcome == outcome
        (part,) = verdict.parts
        assert (part.name, part.successes, part.n) == ("share of FN", 90, 100)


def test_a_difference_of_infinite_odds_is_undefined_and_says_why(tmp_path):
    record = judge(policy("treatment_equality_difference", max=1.0), table((9, 0), (4, 0)))
    (verdict,) = record.verdicts
    assert (verdict.value, verdict.outcome) == (None, "inconclusive")
    assert "FN/FP is infinite in both groups" in verdict.reason
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record


def test_no_group_is_the_best_in_it():
    rule = {"max": 1.0, "reference": "best"}
    with pytest.raises(PolicyError, match="no group is the best in FN/FP"):
        judge(policy("treatment_equality_difference", **rule), table((9, 1), (4, 2)))
