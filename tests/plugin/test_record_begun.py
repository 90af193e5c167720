"""A run that dies leaves no record that passes, no half a file, and nothing lost."""

import random
import signal
import subprocess
import sys
import time

import pytest

from pytest_fairness.cli import main
from pytest_fairness.gate.record.begun import former_file
from pytest_fairness.gate.record.run_record import RunRecord

POLICY = "--fairness-policy=policy.toml"
BAD, GOOD = "--fairness-predictions=bad.csv", "--fairness-predictions=good.csv"
RECORD = "--fairness-record=record.json"
DIES = """
import os, pytest

@pytest.fixture(autouse=True)
def dies():
    os._exit(0)
"""


@pytest.fixture
def passed(gate: pytest.Pytester) -> pytest.Pytester:
    """A project with the record of a run that passed."""
    assert gate.runpytest(POLICY, GOOD, RECORD).ret == pytest.ExitCode.OK
    assert main(["verify", str(gate.path / "record.json")]) == 0
    return gate


@pytest.mark.parametrize("options", [(), ("-n2",)], ids=["alone", "xdist"])
def test_a_run_that_dies_leaves_an_unfinished_record_and_keeps_the_former(passed, options):
    (passed.path / "record.intoto.json").write_text("signed", encoding="utf-8")
    before = (passed.path / "record.json").read_bytes()
    passed.makeconftest(DIES)
    for _ in range(1 if options else 2):  # the second death does not lose it either
        passed.runpytest_subprocess(POLICY, GOOD, RECORD, *options)
        record = RunRecord.from_json(passed.path / "record.json")
        assert not record.passed
        assert main(["verify", str(passed.path / "record.json")]) != 0
        assert not (passed.path / "record.intoto.json").exists()
        if not options:
            assert not record.finished
            assert (passed.path / "record.former.json").read_bytes() == before


def test_a_run_that_ends_removes_what_it_kept_of_the_former(passed):
    passed.runpytest(POLICY, BAD, RECORD)
    assert sorted(file.name for file in passed.path.glob("record.*json")) == ["record.json"]
    assert RunRecord.from_json(passed.path / "record.json").state == "FAILED"


def test_an_unfinished_record_cannot_become_the_baseline(passed, capsys):
    passed.makeconftest(DIES)
    passed.runpytest_subprocess(POLICY, GOOD, RECORD)
    assert main(["accept", str(passed.path / "record.json"), "--to", str(passed.path / "b")]) == 1
    assert "its run has not ended, or died before it could" in capsys.readouterr().err


def test_a_look_is_known_after_a_run_that_died(passed):
    lines = (passed.path / "good.csv").read_text(encoding="utf-8").splitlines()
    (passed.path / "less.csv").write_text("\n".join(lines[:-40]), encoding="utf-8")
    passed.runpytest(POLICY, "--fairness-predictions=less.csv", RECORD)
    passed.makeconftest(DIES)
    passed.runpytest_subprocess(POLICY, GOOD, RECORD)
    (passed.path / "conftest.py").unlink()
    passed.runpytest(POLICY, GOOD, RECORD)
    look = RunRecord.from_json(passed.path / "record.json").runs[0].look
    assert (look.number, look.n_before, look.n) == (2, 360, 400)
    assert look.source == "record.json"


@pytest.mark.parametrize(
    "option",
    [
        "--fairness-record=file/record.json",
        "--fairness-report=file/report.txt",
        "--fairness-record=.",
    ],
)
def test_what_cannot_be_written_is_told_before_anything_runs(gate, option):
    (gate.path / "file").write_text("a file, not a folder", encoding="utf-8")
    run = gate.runpytest(POLICY, GOOD, option)
    assert run.ret == pytest.ExitCode.USAGE_ERROR
    run.stderr.fnmatch_lines(
        ["ERROR: file/*: cannot be written: *", "ERROR: .: a folder; give a file"][
            option.endswith(".") :
        ][:1]
    )
    run.stdout.no_fnmatch_line("*passed*")


FULL_DISK = """
import errno
from pathlib import Path

import pytest_fairness.files as files

def full(part):
    raise OSError(errno.ENOSPC, "No space left on device", "record.json")

def pytest_collection_finish():
    files.os.fsync = full
"""


def test_a_disk_that_is_full_at_the_end_is_red_and_the_table_is_shown(passed):
    passed.makeconftest(FULL_DISK)
    run = passed.runpytest_subprocess(POLICY, GOOD, RECORD, "--junitxml=junit.xml")
    assert run.ret == pytest.ExitCode.TESTS_FAILED
    run.stdout.fnmatch_lines(
        [
            "5 questions: 5 pass*",
            "FAILED record.json: cannot be read or written: No space left on device",
        ]
    )
    run.stdout.no_fnmatch_line("*Traceback*")
    run.stdout.no_fnmatch_line("record: record.json")
    assert not RunRecord.from_json(passed.path / "record.json").passed
    assert (passed.path / "junit.xml").exists()
    assert not list(passed.path.glob(".*.part"))


SLOW = """
import time
import pytest

@pytest.fixture(autouse=True)
def slow():
    yield
    time.sleep(0.02)
"""


@pytest.mark.parametrize("stop", [signal.SIGTERM, signal.SIGKILL], ids=["SIGTERM", "SIGKILL"])
def test_a_run_killed_at_any_moment_is_never_green_and_leaves_no_stale_record(gate, stop):
    gate.makeconftest(SLOW)
    record, draw = gate.path / "record.json", random.Random(int(stop))  # noqa: S311
    assert gate.runpytest(POLICY, GOOD, RECORD).ret == 0
    former = record.read_bytes()
    command = [sys.executable, "-m", "pytest", POLICY, GOOD, RECORD, "-p", "no:cacheprovider"]
    started = time.perf_counter()
    subprocess.run(command, cwd=gate.path, check=True, capture_output=True)
    whole = time.perf_counter() - started
    for _ in range(10):
        record.write_bytes(former)
        former_file(record).unlink(missing_ok=True)
        process = subprocess.Popen(
            command, cwd=gate.path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )
        time.sleep(whole * draw.uniform(0.2, 1.0))
        process.send_signal(stop)
        process.communicate()
        now = record.read_bytes() if record.exists() else b""
        if now == former:  # it had not begun: the record is that of the run before, and not green
            assert process.returncode != 0
            continue
        left = RunRecord.from_json(record)  # never half a file
        if not left.finished:
            assert process.returncode != 0
            assert former_file(record).read_bytes() == former
