"""Threads of a gate's model sleep while they wait, unless somebody said otherwise."""

import os
import subprocess
import sys

import pytest

SHOW = """
import os
def test_it():
    print("policy:", os.environ.get("OMP_WAIT_POLICY"))
"""
NAMES = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME", "KMP_LIBRARY")


def waits(gate: pytest.Pytester, *options: str, **environment: str) -> str:
    """What a test of a run sees; a process of its own, since torch is loaded in this one."""
    gate.makepyfile(test_show=SHOW)
    kept = {key: value for key, value in os.environ.items() if key not in NAMES}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-s", "-p", "no:cacheprovider", "test_show.py", *options],
        cwd=gate.path,
        env=kept | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    return done.stdout.partition("policy: ")[2].partition("\n")[0]


def test_threads_of_a_gate_sleep(gate):
    options = ("--fairness-policy=policy.toml", "--fairness-predictions=good.csv")
    assert waits(gate, *options) == "PASSIVE"


def test_a_run_without_a_policy_changes_nothing(gate):
    assert waits(gate) == "None"


@pytest.mark.parametrize(
    ("name", "value", "seen"),
    [("OMP_WAIT_POLICY", "ACTIVE", "ACTIVE"), ("GOMP_SPINCOUNT", "1000", "None")],
)
def test_what_the_environment_says_stays(gate, name, value, seen):
    options = ("--fairness-policy=policy.toml", "--fairness-predictions=good.csv")
    assert waits(gate, *options, **{name: value}) == seen


def test_nothing_is_changed_once_torch_is_loaded(gate):
    gate.makeconftest("import torch")
    options = ("--fairness-policy=policy.toml", "--fairness-predictions=good.csv")
    assert waits(gate, *options) == "None"
