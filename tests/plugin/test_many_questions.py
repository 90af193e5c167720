"""The work of a gate for each question does not grow with the number of questions."""

from collections import Counter

import pandas as pd
import pytest

from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.run_record import Verdict

GATE = """
import pytest

@pytest.mark.fairness
def test_question(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""


def run_gate(pytester, groups):
    """Run a gate of one question a group, and return how often questions are named, and verdicts read."""
    levels = [f"g{i}" for i in range(groups)]
    pytester.makefile(
        ".toml",
        policy=f"""
        schema = 1
        [decision]
        inconclusive = "warn"
        [evaluation.faces]
        attributes = {{ group = {levels} }}
        [[rule]]
        metric = "accuracy"
        min = 0.01
        min_samples = 1
        """,
    )
    pytester.makepyfile(test_gate=GATE)
    rows = [(level, target, target) for level in levels for target in ("a", "b") for _ in range(4)]
    frame = pd.DataFrame(rows, columns=["group", "target", "prediction"])
    frame.to_csv(pytester.path / "predictions.csv", index=False)
    calls: Counter[str] = Counter()

    def counting(what, original):
        def call(*arguments):
            calls[what] += 1
            return original(*arguments)

        return call

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(Question, "name", property(counting("named", Question.name.fget)))
        parse = Verdict.model_validate_json
        patched.setattr(Verdict, "model_validate_json", counting("read", parse))
        result = pytester.runpytest_inprocess(
            "--fairness-policy=policy.toml", "--fairness-predictions=predictions.csv"
        )
    result.assert_outcomes(passed=groups)
    return calls["named"] / groups, calls["read"]


def test_each_question_is_named_as_often_in_a_large_gate_as_in_a_small_one(pytester):
    (few, read_few), (many, read_many) = (run_gate(pytester, groups) for groups in (5, 40))
    assert many <= few
    assert read_few == read_many == 0  # this process made the verdicts itself
