"""Only a run that asked and answered all questions releases; any other says what it is."""

import pytest

from pytest_fairness.gate.record.run_record import RunRecord

POLICY = "--fairness-policy=policy.toml"
BAD, GOOD = "--fairness-predictions=bad.csv", "--fairness-predictions=good.csv"
RECORD = "--fairness-record=record.json"
OTHER = "def test_other(): pass\n"
TWO_SETS = """
[evaluation.{name}]
positive = "yes"
attributes = {{ sex = ["female", "male"], tone = ["light", "dark"] }}
reference = {{ sex = "male", tone = "light" }}
"""
WAIVER = """
[[waiver]]
rule = "fpr-gap"
reason = "vendor fix due"
approved_by = "model-risk"
until = 2099-01-01

[[required]]
group = { tone = "dark" }
min_samples = 10
"""


def replace_gate(gate: pytest.Pytester, text: str = OTHER) -> None:
    (gate.path / "test_gate.py").write_text(text, encoding="utf-8")


def add(gate: pytest.Pytester, text: str) -> None:
    with (gate.path / "policy.toml").open("a", encoding="utf-8") as file:
        file.write(text)


def lines_of(run: pytest.RunResult) -> list[str]:
    return [line for line in run.outlines if line.strip()]


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "xdist"])
@pytest.mark.parametrize("chosen", [("-k", "dark"), ("-m", "not slow", "-k", "not sex")], ids=str)
def test_the_last_line_of_a_part_says_that_it_is_no_release_run(gate, chosen, options):
    run = gate.runpytest(POLICY, GOOD, *chosen, *options)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    assert lines_of(run)[-2].startswith("NOT A RELEASE RUN: ")
    assert lines_of(run)[-2].endswith("of 5 questions of the policy not asked")
    run.stdout.fnmatch_lines(
        ["FAILED tests were left out: run all of them, or write --fairness-par*"]
    )
    partial = gate.runpytest(POLICY, GOOD, "--fairness-partial", *chosen, *options)
    assert partial.ret == pytest.ExitCode.OK
    assert lines_of(partial)[-2].startswith("NOT A RELEASE RUN (--fairness-partial): ")


def test_a_full_run_has_no_such_line(gate):
    run = gate.runpytest(POLICY, GOOD)
    assert run.ret == pytest.ExitCode.OK
    run.stdout.no_fnmatch_line("*NOT A RELEASE RUN*")


def test_an_option_of_the_environment_that_leaves_tests_out_is_red(gate, monkeypatch):
    monkeypatch.setenv("PYTEST_ADDOPTS", "-k dark")
    assert gate.runpytest(POLICY, GOOD).ret == pytest.ExitCode.TESTS_FAILED


def test_predictions_of_one_of_two_evaluations_do_not_release(gate):
    add(gate, TWO_SETS.format(name="hands"))
    run = gate.runpytest(POLICY, "--fairness-predictions=faces=good.csv", RECORD)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(
        [
            "FAILED policy.toml:*never judged for 4*; give its predictions: --fairness-pred*=hands=FILE"
        ]
    )
    assert lines_of(run)[-2] == "NOT A RELEASE RUN: 5 of 10 questions of the policy not asked"
    record = RunRecord.from_json(gate.path / "record.json")
    assert record.state == "INCOMPLETE"
    both = ("--fairness-predictions=faces=good.csv", "--fairness-predictions=hands=good.csv")
    assert gate.runpytest(POLICY, *both).ret == pytest.ExitCode.OK


def test_a_part_says_in_its_record_what_it_did_not_check(gate):
    add(gate, WAIVER)
    gate.runpytest(POLICY, GOOD, RECORD, "-k", "female")
    record = RunRecord.from_json(gate.path / "record.json")
    assert record.not_checked == ["[[waiver]]", "[[required]]"]
    assert {stop.kind for stop in record.stops} == {"not judged", "not checked"}
    assert record.state == "INCOMPLETE"


@pytest.mark.parametrize(
    "options",
    [(GOOD,), ("--fairness-model=ads",), (GOOD, RECORD), ("--fairness-release",)],
    ids=["predictions", "model", "record", "release"],
)
def test_a_run_that_names_what_to_judge_and_asks_nothing_is_red(gate, options):
    replace_gate(gate)
    run = gate.runpytest(POLICY, "test_gate.py", *options)
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["FAILED no test of this run asks a question of the policy*"])


def test_a_project_whose_gate_moved_away_is_red_by_default_and_its_unit_tests_are_not(gate):
    replace_gate(gate)
    gate.makeini("[pytest]\nfairness_policy = policy.toml\n")
    run = gate.runpytest()
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(["FAILED no test of this run asks*--fairness-partial that this run*"])
    assert gate.runpytest("test_gate.py").ret == pytest.ExitCode.OK
    assert gate.runpytest("--fairness-partial").ret == pytest.ExitCode.OK
    assert gate.runpytest("-o", "fairness_policy=").ret == pytest.ExitCode.OK


@pytest.mark.parametrize("option", ["--fixtures", "--collect-only", "--setup-plan", "--help"])
def test_what_only_shows_tests_is_no_run(gate, option):
    run = gate.runpytest(POLICY, GOOD, RECORD, option)
    assert run.ret == pytest.ExitCode.OK
    assert not (gate.path / "record.json").exists()


def test_a_release_refuses_to_be_partial(gate):
    run = gate.runpytest(POLICY, GOOD, "--fairness-release", "--fairness-partial")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*--fairness-partial: a run that decides about a release asks all*"])
    gate.makeini("[pytest]\nfairness_release = true\n")
    assert gate.runpytest(POLICY, GOOD, "--fairness-partial").ret == pytest.ExitCode.USAGE_ERROR
    assert gate.runpytest(POLICY, GOOD).ret == pytest.ExitCode.OK
    assert gate.runpytest(POLICY, GOOD, "-k", "dark").ret == pytest.ExitCode.TESTS_FAILED


def test_a_release_needs_a_policy(gate):
    run = gate.runpytest("--fairness-release", "test_gate.py")
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(["*--fairness-release: there is no policy to judge by*"])


CANNOT_TELL = """
[[rule]]
id = "strict"
metric = "accuracy"
by = ["tone"]
min = 0.88
"""


@pytest.mark.parametrize("switch", ["--fairness-exit-codes", "ini"])
@pytest.mark.parametrize(
    ("options", "policy", "code"),
    [
        ((GOOD,), "", 0),
        ((BAD,), "", 1),
        ((GOOD,), CANNOT_TELL, 10),
        ((BAD,), CANNOT_TELL, 1),
        ((GOOD, "-k", "dark"), "", 11),
        ((GOOD, "-k", "dark"), CANNOT_TELL, 11),
        ((BAD, "-k", "fpr"), "", 1),
        (("--fairness-predictions=broken.csv",), "", 11),
    ],
    ids=[
        "pass",
        "fail",
        "cannot tell",
        "fail and cannot tell",
        "part",
        "part, cannot tell",
        "failing part",
        "unusable",
    ],
)
def test_exit_codes_tell_what_stops_a_release(gate, options, policy, code, switch):
    text = (gate.path / "policy.toml").read_text(encoding="utf-8")
    text = text.replace('inconclusive = "warn"', 'inconclusive = "fail"')
    (gate.path / "policy.toml").write_text(text + policy, encoding="utf-8")
    (gate.path / "broken.csv").write_text("target\na\n", encoding="utf-8")
    if switch == "ini":
        gate.makeini("[pytest]\nfairness_exit_codes = true\n")
    options = (*options, *([] if switch == "ini" else [switch]))
    assert gate.runpytest(POLICY, *options).ret == code
    assert gate.runpytest(POLICY, *options, "-o", "fairness_exit_codes=false").ret == (
        code if switch != "ini" else min(code, 1)
    )


def test_another_failing_test_is_a_failure_under_any_exit_codes(gate):
    (gate.path / "test_other.py").write_text("def test_other(): assert 0\n", encoding="utf-8")
    assert gate.runpytest(POLICY, GOOD, "--fairness-exit-codes", "-k", "other or dark").ret == 1
