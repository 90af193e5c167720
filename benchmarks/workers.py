"""What several processes cost a run on predictions from a file: `python -m benchmarks.workers`.

Six questions on 2,000 and on 200,000 rows, alone and under `-n 2`, and for comparison a test that does
nothing: what pytest and xdist cost themselves. Best of several rounds; processor time is that of all
processes together, and says what a machine with fewer cores than processes waits for.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

POLICY = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
positive = "yes"
attributes = { sex = ["female", "male"], tone = ["light", "dark"] }
reference = { sex = "male", tone = "light" }

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.7

[[rule]]
id = "fpr-gap"
metric = "false_positive_rate_difference"
max = 0.2
"""
GATE = """\
def test_gate(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
SIZES = (2_000, 200_000)


class Timing(NamedTuple):
    """Seconds of a run: by the clock, and of the processors."""

    wall: float
    cpu: float


def predictions(rows: int) -> pd.DataFrame:
    """Return answers of which one in ten is wrong."""
    number = np.arange(rows)
    target = np.where(number // 2 % 2, "yes", "no")
    other = np.where(number // 2 % 2, "no", "yes")
    return pd.DataFrame(
        {
            "id": number,
            "sex": np.where(number // 4 % 2, "female", "male"),
            "tone": np.where(number % 2, "dark", "light"),
            "target": target,
            "prediction": np.where(number % 40 < 4, other, target),
        }
    )


def timed(folder: Path, options: Sequence[str]) -> Timing:
    """Return what one run of pytest takes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    subprocess.run(  # noqa: S603  (our own command)
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *options],
        cwd=folder,
        check=True,
        stdout=subprocess.DEVNULL,
        env=os.environ | {"PYTEST_ADDOPTS": ""},
    )
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Timing(wall, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)


def best(folder: Path, options: Sequence[str], rounds: int) -> Timing:
    """Return the best of several rounds, of each number."""
    timings = [timed(folder, options) for _ in range(rounds)]
    return Timing(min(one.wall for one in timings), min(one.cpu for one in timings))


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    rounds = parser.parse_args().rounds
    folder = Path(tempfile.mkdtemp())
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    (folder / "policy.toml").write_text(POLICY, encoding="utf-8")
    (folder / "test_gate.py").write_text(GATE, encoding="utf-8")
    (folder / "test_idle.py").write_text("def test_idle():\n    pass\n", encoding="utf-8")
    runs = {"nothing": ["test_idle.py"]}
    for rows in SIZES:
        predictions(rows).to_csv(folder / f"{rows}.csv", index=False)
        given = [f"--fairness-predictions={rows}.csv", "test_gate.py"]
        runs[f"{rows:,} rows"] = ["--fairness-policy=policy.toml", *given]
    print("| what | alone, s | -n 2, s | ratio | alone, CPU s | -n 2, CPU s | ratio |")
    print("|---|---|---|---|---|---|---|")
    for name, options in runs.items():
        alone = best(folder, options, rounds)
        shared = best(folder, [*options, "-n", "2"], rounds)
        print(
            f"| {name} | {alone.wall:.1f} | {shared.wall:.1f} | {shared.wall / alone.wall:.1f} | "
            f"{alone.cpu:.1f} | {shared.cpu:.1f} | {shared.cpu / alone.cpu:.1f} |"
        )


if __name__ == "__main__":
    main()
