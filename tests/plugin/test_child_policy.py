"""A policy that extends another cannot pass what its parent fails, in a run of pytest too."""

import json

from pytest_fairness.gate.audit.verify import verify

EXTENDS = 'schema = 1\nextends = "policy.toml"\n'
VACUOUS = '[[rule]]\nid = "more"\nmetric = "accuracy"\nmax = 1.0\n'
RAISED = '[[rule]]\nid = "floor"\nmin_samples = 1000000\n'
REPLACED = '[[rule]]\nid = "fpr-gap"\nreference = "all"\nmin_samples = 1000000\n'


def run(gate, text, *args):
    (gate.path / "team.toml").write_text(EXTENDS + text, encoding="utf-8")
    return gate.runpytest_inprocess(
        "--fairness-policy=team.toml",
        "--fairness-predictions=bad.csv",
        "--fairness-record=record.json",
        *args,
    )


def test_a_child_that_opens_a_question_of_its_parent_is_red(gate):
    result = run(gate, RAISED)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["*; fails by policy.toml alone; *", "*tone dark *fails by policy.toml alone, *"]
    )
    record = json.loads((gate.path / "record.json").read_text(encoding="utf-8"))
    failed = {one["question"]: one["fails_by"] for one in record["verdicts"] if one["fails_by"]}
    questions = ("sex-female", "sex-male", "tone-dark")
    assert failed == {f"floor[predictions-faces-{one}]": "policy.toml" for one in questions}
    assert verify(gate.path / "record.json").differences == []


def test_a_question_that_the_child_replaced_is_red_without_a_test_of_its_own(gate):
    result = run(gate, REPLACED)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["FAILED without a test of its own, since only policy.toml asks the question: FPR *"]
    )
    assert verify(gate.path / "record.json").differences == []


def test_rules_that_cannot_fail_are_told_with_their_line(gate):
    result = run(gate, VACUOUS)
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["WARNING team.toml:6: rule 'more' cannot fail by sex: max = 1, and every value is in *"]
    )
