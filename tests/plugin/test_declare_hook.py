"""`pytest_fairness_declare` in a conftest, and the reports that a run writes."""

import pytest

from pytest_fairness.cli import main
from pytest_fairness.doors import registry
from pytest_fairness.doors.registry import names

FILE = "--fairness-predictions=good.csv"
BASE = ("--fairness-policy=policy.toml", FILE, "-p", "no:cacheprovider")
CONFTEST = """
from pytest_fairness import Analysis, ObservedDefinition, Report

def right(predictions, evaluation, positive):
    table = predictions.table.to_pandas()
    return (table["target"] == table["prediction"]).astype(float).to_numpy()

def names(record):
    return ",".join(verdict.rule for verdict in record.verdicts)

def pytest_fairness_declare(register):
    hit = ObservedDefinition("hit", "hit", binary=True, derive=f"{__name__}:right")
    register(Analysis("aim", "what is hit", (hit,)))
    register(Report("names", f"{__name__}:names", ".names"))
"""
RULE = """
[[rule]]
metric = "hit"
by = ["sex"]
min = 0.5
"""
GATE = """
def test_hits(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
ACCURACY = """
import pytest

@pytest.mark.fairness("accuracy")
def test_accuracy(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
NAMES = 'return ",".join(verdict.rule for verdict in record.verdicts)'


@pytest.fixture
def project(gate):
    gate.makeconftest(CONFTEST)
    policy = gate.path / "policy.toml"
    policy.write_text(policy.read_text(encoding="utf-8") + RULE, encoding="utf-8")
    gate.makepyfile(test_gate=GATE)
    return gate


def test_what_a_conftest_declares_is_judged_marked_reported_and_forgotten(project, monkeypatch):
    monkeypatch.setattr(registry, "_SHELVES", {})
    before = names("analyses"), names("reports")
    result = project.runpytest_inprocess(*BASE, "-m", "aim", "--fairness-report=out/a.names")
    result.assert_outcomes(passed=2, deselected=5)
    assert (project.path / "out/a.names").read_text() == "hit,hit"
    assert (names("analyses"), names("reports")) == before


def test_the_workers_of_xdist_know_what_a_conftest_declares(project):
    result = project.runpytest_subprocess(*BASE, "-n2", "--fairness-report=names=here.txt")
    result.assert_outcomes(passed=7)
    assert (project.path / "here.txt").read_text().split(",").count("hit") == 2


def test_without_the_declaration_the_policy_is_refused_with_the_names_it_may_use(project):
    project.makeconftest("")
    result = project.runpytest_inprocess(*BASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*rule 'hit': unknown metric 'hit'*llowed: accuracy, *"])


def test_a_name_that_is_taken_is_a_usage_error_before_anything_runs(project):
    project.makeconftest(CONFTEST.replace('"aim"', '"attention"'))
    result = project.runpytest_inprocess(*BASE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*conftest and pytest-fairness both declare 'attention'*"])


def test_markers_of_analyses_are_listed(pytester):
    result = pytester.runpytest_inprocess("--markers")
    result.stdout.fnmatch_lines(["@pytest.mark.attention: questions about where the model looks."])


def test_a_stored_record_gives_the_report_that_the_run_wrote(gate, capsys):
    result = gate.runpytest_inprocess(
        *BASE, "--fairness-record=r.json", "--fairness-report=run.txt"
    )
    result.stdout.fnmatch_lines(["report: run.txt"])
    assert main(["report", "r.json", "-o", "later.txt"]) == 0
    assert main(["report", "r.json", "-o", "later.log", "--as", "text"]) == 0
    text = (gate.path / "run.txt").read_text(encoding="utf-8")
    assert "predictions on faces: accuracy" in text
    assert text.splitlines()[-1].startswith("5 questions: ")
    assert (gate.path / "later.txt").read_text(encoding="utf-8") == text
    assert (gate.path / "later.log").read_text(encoding="utf-8") == text


def test_a_report_says_what_stops_the_release_beside_the_verdicts(gate):
    gate.makepyfile(test_gate=ACCURACY)
    result = gate.runpytest_inprocess(*BASE, "--fairness-report=run.txt")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "FAILED questions of its policy were not judged\n" in (gate.path / "run.txt").read_text()


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("a.doc", "*a.doc: no report owns the ending '.doc'; allowed: .txt (text); or name the*"),
        ("tekst=a.doc", "*unknown report 'tekst'; did you mean 'text'? Allowed: text*"),
    ],
)
def test_an_unknown_report_is_told_before_anything_runs(option, message, gate):
    result = gate.runpytest_inprocess(*BASE, f"--fairness-report={option}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("return 1 / 0", "FAILED report 'names' (conftest:names) failed: ZeroDivisionError: *"),
        ("return 3", "FAILED report 'names' (conftest:names) returned int; it must return a text"),
    ],
)
def test_a_report_that_fails_makes_the_run_red_and_leaves_the_record(body, message, project):
    project.makeconftest(CONFTEST.replace(NAMES, body))
    result = project.runpytest_inprocess(
        *BASE, "--fairness-record=r.json", "--fairness-report=a.names"
    )
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([message])
    assert (project.path / "r.json").exists()


def test_a_part_of_the_questions_leaves_no_report(gate):
    result = gate.runpytest_inprocess(*BASE, "--fairness-partial", "--fairness-report=a.txt")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*leaves no record or report; drop --fairness-report*"])


def test_a_report_may_not_take_the_place_of_the_baseline(gate):
    result = gate.runpytest_inprocess(
        *BASE, "--fairness-baseline=good.csv", "--fairness-report=text=good.csv"
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR


def test_the_command_line_refuses_a_report_that_nobody_declares(tmp_path, capsys):
    assert main(["report", "gone.json", "-o", str(tmp_path / "a.doc")]) == 4
    assert "no report owns the ending '.doc'" in capsys.readouterr().err
