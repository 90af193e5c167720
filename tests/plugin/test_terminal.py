"""In a terminal of 80 columns no line of the gate is longer; a log has one line for each thing."""

import os
import re
import struct
import subprocess
import sys
import threading

import pytest

fcntl = pytest.importorskip("fcntl")  # a terminal of a given width
termios = pytest.importorskip("termios")
WIDTH = 80
LONG = "a_group_whose_name_is_as_long_as_somebody_who_never_saw_a_terminal_would_write_it" * 2
STYLE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def in_a_terminal(folder, *command):
    """The lines that a command writes to a terminal of 80 columns."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, WIDTH, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name != "COLUMNS"}
    with subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=folder,
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env=environment | {"TERM": "xterm"},
    ) as process:
        os.close(theirs)
        seen: list[bytes] = []
        reader = threading.Thread(target=_read, args=(ours, seen), daemon=True)
        reader.start()
        process.wait(timeout=120)
        reader.join(timeout=10)
    os.close(ours)
    text = STYLE.sub("", b"".join(seen).decode("utf-8"))
    return [line.split("\r")[-1] for line in text.replace("\r\n", "\n").split("\n")]


def _read(terminal, seen):
    while True:
        try:
            content = os.read(terminal, 65_536)
        except OSError:  # the last process has closed it
            return
        if not content:
            return
        seen.append(content)


def section(lines):
    """The gate's own part: pytest itself writes longer lines about tests that fail."""
    first = next(i for i, line in enumerate(lines) if "fairness gate" in line)
    own = lines[first:]
    ends = (i for i, line in enumerate(own) if "short test summary" in line)
    return own[: next(ends, len(own))]


def renamed(gate, old, new):
    for file in ("policy.toml", "good.csv", "bad.csv"):
        path = gate.path / file
        path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", ["dark", LONG], ids=["plain", "long"])
@pytest.mark.parametrize("predictions", ["good.csv", "bad.csv"])
def test_no_line_of_a_run_is_wider_than_the_terminal(gate, name, predictions):
    renamed(gate, "dark", name)
    options = ("--fairness-policy=policy.toml", f"--fairness-predictions={predictions}")
    lines = in_a_terminal(gate.path, "pytest", "-q", "-p", "no:cacheprovider", *options)
    shown = section(lines)
    assert [line for line in shown if len(line) > WIDTH] == []
    assert sum(line.startswith("    ") for line in shown) > 3
    assert name in "".join(line.strip() for line in shown)
    assert any(line.startswith("5 questions: ") for line in shown)


def test_no_line_of_a_command_is_wider_than_the_terminal(gate):
    renamed(gate, "dark", LONG)
    for command in (
        ["policy", "diff", "policy.toml", "policy.toml"],
        ["plan", "--policy", "policy.toml", "--data", "good.csv"],
        ["verify", f"{LONG}.json"],
        ["profile", "good.csv", "--attributes", "tone"],
    ):
        lines = in_a_terminal(gate.path, "pytest_fairness.cli", *command)
        assert any(lines), command
        assert [line for line in lines if len(line) > WIDTH] == [], command


def test_a_log_has_one_line_for_each_thing(gate):
    renamed(gate, "dark", LONG)
    options = ("--fairness-policy=policy.toml", "--fairness-predictions=good.csv")
    result = gate.runpytest_subprocess(*options)
    result.stdout.fnmatch_lines([f"  pass * tone {LONG} * n 200 *"])
