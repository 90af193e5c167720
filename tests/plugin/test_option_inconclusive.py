"""How an inconclusive question travels: to pytest, JUnit XML and plugins that know three outcomes."""

import xml.etree.ElementTree as ET

import pytest

from pytest_fairness.gate.record.run_record import RunRecord

RUN = ("--fairness-policy=policy.toml", "--fairness-predictions=few.csv")
WAYS = ["warned", "skipped", "passed"]
WITH_AND_WITHOUT_XDIST = pytest.mark.parametrize(
    "workers", [(), ("-n", "2")], ids=["alone", "xdist"]
)


@pytest.fixture
def few(gate):
    """The gate with 80 images: too few to decide every question."""
    lines = (gate.path / "good.csv").read_text(encoding="utf-8").splitlines()
    (gate.path / "few.csv").write_text("\n".join(lines[:81]), encoding="utf-8")
    return gate


def outcomes_of_junit(path):
    """What a reader of JUnit XML, which knows three outcomes, counts."""
    cases = list(ET.parse(path).iter("testcase"))  # noqa: S314  (our own file)
    skipped = [case.find("skipped") for case in cases if case.find("skipped") is not None]
    return len(cases), [one.attrib["message"] for one in skipped]


@WITH_AND_WITHOUT_XDIST
def test_by_default_an_inconclusive_question_is_a_line_of_the_summary_of_warnings(few, workers):
    result = few.runpytest(*RUN, *workers, "--junit-xml=junit.xml")
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [
            "*= warnings summary =*",
            "test_gate.py::test_fpr_difference*dark_v_light*",
            "  policy.toml:4: InconclusiveWarning: inconclusive: the data cannot tell whether the *",
        ]
    )
    assert result.parseoutcomes()["inconclusive"] > 0
    total, skipped = outcomes_of_junit(few.path / "junit.xml")
    assert (total, skipped) == (5, [])


@WITH_AND_WITHOUT_XDIST
def test_skipped_shows_the_message_as_the_reason(few, workers):
    result = few.runpytest(
        *RUN, "--fairness-inconclusive=skipped", "-rs", "--junit-xml=junit.xml", *workers
    )
    assert result.ret == 0
    told = "FPR difference, tone dark vs light: *-> inconclusive; *rule fpr-gap, policy.toml:17"
    result.stdout.fnmatch_lines([f"SKIPPED [[]1[]] test_gate.py:*: {told}"])
    result.stdout.no_fnmatch_line("*InconclusiveWarning*")
    number = result.parseoutcomes()["skipped"]
    total, skipped = outcomes_of_junit(few.path / "junit.xml")
    assert (total, len(skipped)) == (5, number)
    assert any("-> inconclusive" in text for text in skipped)


def test_passed_says_nothing_beside_the_table(few):
    result = few.runpytest(*RUN, "--fairness-inconclusive=passed", "-rs")
    assert result.ret == 0
    result.stdout.no_fnmatch_line("*InconclusiveWarning*")
    result.stdout.no_fnmatch_line("SKIPPED*")
    result.stdout.fnmatch_lines(["  inconclusive *"])


@pytest.mark.parametrize("policy", ["warn", "fail"])
def test_no_way_changes_the_record_or_the_exit_code(few, policy):
    text = (few.path / "policy.toml").read_text(encoding="utf-8")
    (few.path / "policy.toml").write_text(text.replace('"warn"', f'"{policy}"'), encoding="utf-8")
    records, codes = [], []
    for way in WAYS:
        options = (f"--fairness-inconclusive={way}", "--fairness-record=record.json", "-Werror")
        codes.append(few.runpytest(*RUN, *options).ret)
        record = RunRecord.from_json(few.path / "record.json")
        records.append((record.passed, record.complete, record.verdicts))
    assert set(codes) == {0 if policy == "warn" else 1}
    assert all(record == records[0] for record in records)
    assert any(verdict.outcome == "inconclusive" for verdict in records[0][2])


def test_a_plugin_that_reads_outcomes_only_sees_what_was_chosen(few):
    few.makeconftest(
        "def pytest_runtest_logreport(report):\n"
        "    if report.when == 'call':\n"
        "        print('SEEN', report.outcome)\n"
    )
    seen = {}
    for way in WAYS:
        result = few.runpytest(*RUN, f"--fairness-inconclusive={way}", "-s")
        seen[way] = [line.split()[-1] for line in result.outlines if "SEEN" in line]
    assert set(seen["passed"]) == set(seen["warned"]) == {"passed"}
    assert set(seen["skipped"]) == {"passed", "skipped"}


def test_an_unanswerable_question_travels_too(gate):
    text = (gate.path / "policy.toml").read_text(encoding="utf-8")
    (gate.path / "policy.toml").write_text(
        text.replace("min = 0.7", "min = 0.7\nmin_samples = 1000000"), encoding="utf-8"
    )
    run = ("--fairness-policy=policy.toml", "--fairness-predictions=good.csv")
    warned = gate.runpytest(*run)
    warned.stdout.fnmatch_lines(["*unanswerable: no model can pass with this evaluation set*"])
    skipped = gate.runpytest(*run, "--fairness-inconclusive=skipped")
    assert skipped.parseoutcomes()["skipped"] == 4
    assert (warned.ret, skipped.ret) == (0, 0)


def test_the_ini_file_chooses_and_the_command_line_decides(few):
    few.makeini("[pytest]\nfairness_inconclusive = skipped\n")
    assert "skipped" in few.runpytest(*RUN).parseoutcomes()
    assert "skipped" not in few.runpytest(*RUN, "--fairness-inconclusive=passed").parseoutcomes()


def test_an_unknown_way_is_a_usage_error(few):
    result = few.runpytest(*RUN, "--fairness-inconclusive=skiped")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["*--fairness-inconclusive: got 'skiped'; did you mean 'skipped'? Allowed: warned, *"]
    )
    few.makeini("[pytest]\nfairness_inconclusive = never\n")
    result = few.runpytest(*RUN)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*fairness_inconclusive (ini file): got 'never'; allowed: *"])
