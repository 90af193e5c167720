"""Names that a terminal would obey, or that a reader cannot see, are shown as escapes everywhere."""

import json

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pytest_fairness.cli import main

ESCAPE, RETURN, BIDI = "\x1b[2K\x1b]0;owned\x07", "\rPASSED", "\u202efair\u2066"
NASTY = f"x{ESCAPE}{RETURN}{BIDI}\n5 questions: 5 pass"
COLUMN = f"tone{NASTY}"
COLOURS = ("\x1b[0m", "\x1b[1m", "\x1b[31m", "\x1b[32m", "\x1b[33m")
POLICY = f"""\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.{json.dumps("faces" + NASTY)}]
positive = {json.dumps("yes" + NASTY)}
attributes = {{ {json.dumps(COLUMN)} = [{json.dumps("light" + NASTY)}, {json.dumps("dark" + NASTY)}] }}
reference = {{ {json.dumps(COLUMN)} = {json.dumps("light" + NASTY)} }}

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.7

[[rule]]
id = "gap"
metric = "false_positive_rate_difference"
max = 0.2

[[rule]]
id = "drop"
metric = "accuracy"
against = "baseline"
max_drop = 0.1
"""
GATE = """
def test_gate(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""


def frame(wrong: int) -> pd.DataFrame:
    rows = []
    for i in range(80):
        target = f"yes{NASTY}" if i % 4 < 2 else "no"
        other = "no" if target != "no" else f"yes{NASTY}"
        tone = ("light", "dark")[i % 2] + NASTY
        rows.append((f"{NASTY}{i}", tone, target, other if i % 2 and i < 2 * wrong else target))
    return pd.DataFrame(rows, columns=["id", COLUMN, "target", "prediction"])


def hidden(text: str) -> set[str]:
    """The characters of an output that are not shown as they are."""
    for colour in COLOURS:
        text = text.replace(colour, "")
    return {one for one in text if not one.isprintable() and one != "\n"}


@pytest.fixture
def hostile(pytester):
    (pytester.path / "policy.toml").write_text(POLICY, encoding="utf-8")
    pytester.makepyfile(test_gate=GATE)
    for name, wrong in (("before", 0), ("now", 36)):
        table = pa.Table.from_pandas(frame(wrong), preserve_index=False)
        pq.write_table(table, pytester.path / f"{name}.parquet")
    return pytester


def test_no_output_has_control_or_bidi_characters(hostile, capfd):
    run = ["--fairness-policy=policy.toml", "-v", "-rA"]
    first = hostile.runpytest_subprocess(
        *run,
        "--fairness-predictions=before.parquet",
        "--fairness-record=old.json",
        "-k",
        "not drop",
    )
    capfd.readouterr()
    assert not hidden(first.stdout.str())
    second = hostile.runpytest_subprocess(
        *run,
        "--fairness-predictions=now.parquet",
        "--fairness-baseline=old.json",
        "--fairness-record=new.json",
        "--fairness-report=new.txt",
    )
    out = second.stdout.str() + second.stderr.str()
    assert "fail" in out
    assert "changes since" in out
    assert not hidden(out)
    assert "\n5 questions: 5 pass" not in out
    report = (hostile.path / "new.txt").read_text(encoding="utf-8")
    assert not hidden(report)
    assert "\n5 questions: 5 pass" not in report
    capfd.readouterr()
    (hostile.path / "policy2.toml").write_text(POLICY.replace("0.7", "0.8"), encoding="utf-8")
    for command in (
        ["verify", "new.json"],
        ["accept", "new.json", "--to", "baseline"],
        ["accept", "new.json", "--to", "baseline", "--even-if-failed", "it is a test"],
        ["report", "new.json", "-o", "other.txt"],
        ["policy", "explain", "policy.toml"],
        ["policy", "diff", "policy.toml", "policy2.toml"],
        ["plan", "--policy", "policy.toml", "--predictions", "now.parquet"],
        ["plan", "--policy", "policy.toml", "--data", "now.parquet"],
        ["profile", "now.parquet", "--attributes", COLUMN, "--markdown", "profile.md"],
        ["verify", f"no{NASTY}.json"],
        ["plan", "--policy", "policy.toml", "--data", f"no{NASTY}.csv"],
    ):
        main(command)
        shown = "".join(capfd.readouterr())
        assert shown, command
        assert not hidden(shown), command
    assert not hidden((hostile.path / "profile.md").read_text(encoding="utf-8"))


def test_a_question_is_chosen_by_its_own_words_in_any_script(gate):
    text = (
        (gate.path / "policy.toml")
        .read_text(encoding="utf-8")
        .replace('"dark"', '"d\u00fcster sein"')
    )
    (gate.path / "policy.toml").write_text(text, encoding="utf-8")
    for expression, number in (
        ("d\u00fcster", 2),
        ("floor", 4),
        ("fpr-gap", 1),
        ("tone and accuracy", 2),
    ):
        result = gate.runpytest(
            "--fairness-policy=policy.toml",
            "--fairness-predictions=good.csv",
            "--collect-only",
            "-q",
            "-k",
            expression,
        )
        chosen = [line for line in result.outlines if line.startswith("test_gate.py::")]
        assert len(chosen) == number, expression
