"""`--fairness-baseline`: this run beside the last release, and how one becomes the baseline."""

import json
from typing import Any

import pytest

from pytest_fairness import RunRecord
from pytest_fairness.cli import main

BASELINE_RULES = """
[[rule]]
id = "kept"
metric = "accuracy"
by = ["tone"]
against = "baseline"
max_drop = 0.05
"""
REGRESSION = """

@pytest.mark.fairness(against="baseline")
def test_no_group_got_worse(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
OPTIONS = ("--fairness-policy=policy.toml", "-p", "no:cacheprovider")
GOOD, BAD = "--fairness-predictions=good.csv", "--fairness-predictions=bad.csv"


@pytest.fixture
def project(gate):
    """The project of the other tests, with a rule against the baseline and a test that asks it."""
    add_to(gate.path / "policy.toml", BASELINE_RULES)
    add_to(gate.path / "test_gate.py", REGRESSION)
    return gate


@pytest.fixture
def run(project):
    """Run the gate in this process."""
    return lambda *options: project.runpytest_inprocess(*OPTIONS, *options)


def add_to(path, text):
    path.write_text(path.read_text(encoding="utf-8") + text, encoding="utf-8")


def change(path, old, new):
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def accept(project, *more):
    return main(["accept", "record.json", *more])


def test_only_a_marker_with_against_asks_the_rules_against_the_baseline(run):
    listed = run(GOOD, "--collect-only", "-q")
    listed.stdout.fnmatch_lines(
        [
            "test_gate.py::test_no_group_got_worse[[]*:predictions-faces-tone-light_v_baseline[]]",
            "test_gate.py::test_no_group_got_worse[[]*:predictions-faces-tone-dark_v_baseline[]]",
        ]
    )
    listed.stdout.no_fnmatch_line("*test_group_accuracy*v_baseline*")
    listed.stdout.no_fnmatch_line("*test_no_group_got_worse*sex*")


def test_a_test_without_a_marker_asks_them_too(project, run):
    (project.path / "test_gate.py").write_text(
        "def test_all(fairness_question, fairness_gate):\n    fairness_gate(fairness_question)\n",
        encoding="utf-8",
    )
    result = run(GOOD, "--fairness-baseline=good.csv")
    result.assert_outcomes(passed=7)


def test_a_policy_without_such_rules_leaves_the_test_out_and_says_so(project, run):
    change(project.path / "policy.toml", BASELINE_RULES, "")
    result = run(GOOD)
    result.assert_outcomes(passed=5)
    result.stdout.fnmatch_lines(["no rule of this policy asks: test_no_group_got_worse"])
    alone = run(GOOD, "-rs", "-k", "test_no_group_got_worse")
    alone.assert_outcomes(skipped=1, deselected=5)
    alone.stdout.fnmatch_lines(["*policy.toml: no rule against the baseline"])


def test_a_rule_that_no_test_asks_is_named_with_the_marker_it_needs(project, run):
    change(project.path / "test_gate.py", REGRESSION, "")
    result = run(GOOD, "--fairness-baseline=good.csv")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["FAILED policy.toml:*'kept' was never judged*fairness('accuracy', against='baseline')"]
    )


def test_a_marker_takes_no_other_word(project, run):
    change(project.path / "test_gate.py", 'against="baseline"', 'against="last"')
    result = run(GOOD)
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*takes metric names and against=\"baseline\"; got 'last'*"])


def test_without_a_baseline_the_question_is_not_skipped(run):
    result = run(GOOD, "-v")
    assert result.ret == 0  # by this policy an inconclusive question warns
    result.stdout.fnmatch_lines_random(
        [
            "*test_no_group_got_worse*tone-dark_v_baseline*INCONCLUSIVE*",
            "  inconclusive  tone dark vs baseline *no baseline: give --fairness-baseline",
        ]
    )


def test_predictions_of_the_last_release_are_a_baseline(run):
    result = run(BAD, "--fairness-baseline=good.csv")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        [
            (
                "accuracy drop, tone dark vs baseline: +0.800 * -> fail; accuracy 0.10 (20 of 200), in "
                "the baseline 0.90 (180 of 200); paired on 400 images; 160 right -> wrong, 0 wrong -> "
                "right; McNemar p *; worst: *; rule kept, policy.toml:*"
            ),
            "predictions on faces: changes since good.csv*; paired on 400 images",
            "  tone dark *0.900 -> 0.100  n 200  0 wrong -> right, 160 right -> wrong: *, ...",
        ]
    )


def test_changes_are_listed_though_every_rule_passes(run):
    result = run(GOOD, "--fairness-baseline=bad.csv")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        ["  tone dark *0.100 -> 0.900  n 200  160 wrong -> right, 0 right -> wrong"]
    )


def test_a_record_brings_its_predictions_to_the_next_run(project, run):
    run(GOOD, "--fairness-record=out/last.json")
    kept = project.path / "out" / "last.predictions-faces.parquet"
    record: Any = RunRecord.from_json(project.path / "out" / "last.json")
    assert record.runs[0].predictions.file == kept.name
    assert kept.is_file()
    paired = run(BAD, "--fairness-baseline=out/last.json")
    paired.stdout.fnmatch_lines(["*changes since out/last.json*; paired on 400 images"])
    kept.unlink()
    counted = run(BAD, "--fairness-baseline=faces=out/last.json")
    assert counted.ret == 1
    counted.stdout.fnmatch_lines(
        [
            (
                "accuracy drop, tone dark vs baseline: *unpaired: the baseline has counts only, "
                "last.predictions-faces.parquet is not beside it*"
            )
        ]
    )


def test_workers_send_the_predictions_and_the_changes(project):
    result = project.runpytest(
        *OPTIONS, BAD, "--fairness-baseline=good.csv", "--fairness-record=now.json", "-n", "2"
    )
    assert result.ret == 1
    result.stdout.fnmatch_lines(["*changes since good.csv*; paired on 400 images"])
    record: Any = RunRecord.from_json(project.path / "now.json")
    assert (project.path / record.runs[0].predictions.file).is_file()
    assert record.runs[0].baseline.paired


def test_a_model_keeps_its_predictions_too(model_gate):
    result = model_gate.runpytest_inprocess(
        *OPTIONS, "--fairness-model=bright", "--fairness-record=now.json"
    )
    assert result.ret == 0
    again = model_gate.runpytest_inprocess(
        *OPTIONS, "--fairness-model=bright", "--fairness-baseline=now.json"
    )
    again.stdout.fnmatch_lines(["bright on faces: changes since now.json*; paired on 80 images"])


def test_rules_and_levels_that_vanished_fail_a_full_run_only(project, run):
    run(GOOD, "--fairness-record=last.json")
    policy = project.path / "policy.toml"
    change(policy, 'id = "fpr-gap"', 'id = "fpr-difference"')
    result = run(GOOD, "--fairness-baseline=last.json")
    assert result.ret == 1
    result.stdout.fnmatch_lines(
        ["FAILED gone since the baseline: rule fpr-gap: the policy no longer has it"]
    )
    part = run(GOOD, "--fairness-baseline=last.json", "-k", "dark", "--fairness-partial")
    assert part.ret == 0
    part.stdout.no_fnmatch_line("*gone since the baseline*")


def test_the_ini_file_names_the_baseline(project, run):
    run(GOOD, "--fairness-record=record.json")
    assert accept(project) == 0
    project.makeini("[pytest]\nfairness_baseline = baseline/record.json\n")
    run(GOOD).stdout.fnmatch_lines(["*changes since baseline/record.json*; paired on 400 images"])
    (project.path / "baseline" / "record.json").unlink()
    missing = run(GOOD)
    assert missing.ret == 4
    missing.stderr.fnmatch_lines(
        ["*baseline/record.json: no such baseline *pytest-fairness accept RECORD*"]
    )
    assert run(GOOD, "-o", "fairness_baseline=").ret == 0


def test_a_run_that_writes_its_baseline_does_not_pass(project, run):
    run(GOOD, "--fairness-record=record.json")
    before = (project.path / "record.json").read_bytes()
    result = run(BAD, "--fairness-baseline=record.json", "--fairness-record=record.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(
        [
            (
                "*record.json: this file is the baseline, and a run that writes a baseline does not also "
                "pass as a gate; *pytest-fairness accept RECORD*"
            )
        ]
    )
    assert (project.path / "record.json").read_bytes() == before


def test_an_accepted_record_is_not_written_over_though_it_is_not_in_use(project, run):
    run(GOOD, "--fairness-record=record.json")
    assert accept(project) == 0
    result = run(BAD, "--fairness-record=baseline/record.json")
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*baseline/record.json: this file is the baseline*"])


def test_predictions_of_the_baseline_are_not_written_over(model_gate):
    options = (*OPTIONS, "--fairness-model=bright", "--fairness-save-predictions=kept")
    model_gate.runpytest_inprocess(*options)
    result = model_gate.runpytest_inprocess(
        *options, "--fairness-baseline=kept/bright-faces.parquet"
    )
    assert result.ret == 4
    result.stderr.fnmatch_lines(["*kept/bright-faces.parquet: this file is the baseline*"])


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("none.json", "*'none.json' is not a file; give a run record (.json), or predictions as*"),
        ("other=good.csv", "*no [[]evaluation.other[]]; allowed: faces*"),
        ("broken.json", "*broken.json: not a run record of schema version*"),
    ],
    ids=["missing", "evaluation", "no record"],
)
def test_a_baseline_that_cannot_be_used_is_refused_before_anything_runs(
    project, run, option, message
):
    (project.path / "broken.json").write_text(json.dumps({"a": 1}), encoding="utf-8")
    result = run(GOOD, f"--fairness-baseline={option}")
    assert result.ret == 4
    result.stderr.fnmatch_lines([message])


@pytest.fixture
def strict(project):
    """The project, where an inconclusive question stops the release."""
    change(project.path / "policy.toml", '"warn"', '"fail"')
    return project


def test_the_first_day_of_a_rule_is_red_and_begins_the_baseline_when_somebody_says_so(
    strict, run, capsys
):
    assert run(GOOD, "--fairness-record=record.json").ret == 1
    capsys.readouterr()
    assert accept(strict) == 1
    told = capsys.readouterr().err
    assert "2 questions have no baseline to be compared with yet" in told
    assert "--first" in told
    assert accept(strict, "--first") == 0
    assert "2 questions compared from now on, e.g. kept[" in capsys.readouterr().out
    baseline = RunRecord.from_json(strict.path / "baseline" / "record.json")
    assert baseline.accepted is not None
    assert [one.partition("[")[0] for one in baseline.accepted.first] == ["kept", "kept"]
    assert baseline.state == "FAILED"  # it was not compared, and says so
    compared = "--fairness-baseline=baseline/record.json"
    assert run(GOOD, compared).ret == 0
    assert run(BAD, compared, "--fairness-record=worse.json").ret == 1


def test_the_first_day_excuses_nothing_else(strict, run, capsys):
    run(BAD, "--fairness-record=record.json")
    capsys.readouterr()
    assert accept(strict, "--first") == 1
    assert "questions stop the release" in capsys.readouterr().err
    assert not (strict.path / "baseline").exists()


def test_a_baseline_that_can_answer_must_be_asked(strict, run, capsys):
    run(GOOD, "--fairness-record=record.json")
    assert accept(strict, "--first") == 0
    run(GOOD, "--fairness-record=again.json")  # without the baseline, again
    capsys.readouterr()
    assert main(["accept", "again.json"]) == 1
    assert main(["accept", "again.json", "--first"]) == 1
    assert "no question of this record lacks a baseline" in capsys.readouterr().err
    run(GOOD, "--fairness-baseline=baseline/record.json", "--fairness-record=compared.json")
    assert main(["accept", "compared.json"]) == 0


def test_a_group_that_the_baseline_lacks_begins_beside_it(strict, run, capsys):
    light = (strict.path / "good.csv").read_text(encoding="utf-8").splitlines()
    some = [line for line in light if ",dark," not in line]
    (strict.path / "light.csv").write_text("\n".join(some), encoding="utf-8")
    run("--fairness-predictions=light.csv", "--fairness-record=record.json")
    assert accept(strict, "--even-if-failed", "no dark images yet") == 0
    run(GOOD, "--fairness-baseline=baseline/record.json", "--fairness-record=now.json")
    capsys.readouterr()
    assert main(["accept", "now.json"]) == 1
    assert "1 question has no baseline" in capsys.readouterr().err
    assert main(["accept", "now.json", "--first"]) == 0
