"""How long a gate of thousands of questions takes as pytest items: `python -m benchmarks.many_questions`.

A gate judges predictions from a file, one test a question. The floor is a run of as many empty
parametrised tests. Both are whole processes with their start, in turn, and the least
time of each counts. Goal: 1.5 times the floor, 200 MB, and no more time a question when they are many.
"""

import argparse
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

GROUPS = 141

_EMPTY = """
import pytest


@pytest.mark.parametrize("number", range({questions}))
def test_nothing(number):
    pass
"""
_GATE = """
import pytest


@pytest.mark.fairness
def test_question(fairness_question, fairness_gate):
    fairness_gate(fairness_question)
"""
METRICS = ("accuracy", "true_positive_rate", "false_positive_rate", "precision", "selection_rate")


class Run(NamedTuple):
    """What one process took: seconds of wall clock and of processor, and its largest memory in MB."""

    wall: float
    processor: float
    megabytes: float


def write_gate(folder: Path, rules: int, *, groups: int = GROUPS) -> None:
    """Write a policy of so many rules over some groups, predictions of 20,000 images, and the test."""
    rng = np.random.default_rng(0)
    n = 20_000
    levels = [f"level{i}" for i in range(groups)]
    target = rng.integers(0, 2, n)
    prediction = np.where(rng.random(n) < 0.9, target, 1 - target)
    names = np.array(["no", "yes"])
    table = pa.table(
        {
            "id": [f"image-{i}" for i in range(n)],
            "target": names[target],
            "prediction": names[prediction],
            "group": np.array(levels)[rng.integers(0, groups, n)],
        }
    )
    pq.write_table(table, folder / "predictions.parquet")
    text = 'schema = 1\n[decision]\ninconclusive = "warn"\n[evaluation.faces]\npositive = "yes"\n'
    text += f"attributes = {{ group = {levels} }}\n".replace("'", '"')
    for i in range(rules):
        metric = METRICS[i % len(METRICS)]
        limit = "max = 0.99" if metric == "false_positive_rate" else "min = 0.01"
        text += f'[[rule]]\nid = "rule{i}"\nmetric = "{metric}"\n{limit}\nmin_samples = 5\n'
    (folder / "policy.toml").write_text(text)
    (folder / "test_gate.py").write_text(_GATE)


def run(folder: Path, *arguments: str) -> Run:
    """Run pytest in a process of its own."""
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    start = time.perf_counter()
    with subprocess.Popen(  # noqa: S603  (our own text)
        command, cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    ) as process:
        output = process.stdout.read() if process.stdout else ""
        _, status, used = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise RuntimeError(output[-2_000:])
    wall = time.perf_counter() - start
    return Run(wall, used.ru_utime + used.ru_stime, _megabytes(used))


def _megabytes(used: resource.struct_rusage) -> float:
    return used.ru_maxrss / 1024


def main() -> None:
    """Print one row for each number of questions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rules", nargs="*", type=int, default=(7, 70), help="141 questions each")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved pairs; the best counts")
    chosen = parser.parse_args()
    print("| questions | empty tests, s | gate, s | ratio | gate, MB | gate, ms a question |")
    print("|---|---|---|---|---|---|")
    for rules in chosen.rules:
        questions = rules * GROUPS
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            write_gate(folder, rules)
            (folder / "test_empty.py").write_text(_EMPTY.format(questions=questions))
            predictions = "--fairness-predictions=predictions.parquet"
            gate = ("test_gate.py", "--fairness-policy=policy.toml", predictions)
            pairs = [
                (run(folder, "test_empty.py"), run(folder, *gate)) for _ in range(chosen.rounds)
            ]
        empty, judged = (
            min(runs, key=lambda one: one.processor) for runs in zip(*pairs, strict=True)
        )
        print(
            f"| {questions:,} | {empty.processor:.1f} | {judged.processor:.1f} | "
            f"{judged.processor / empty.processor:.2f} | {judged.megabytes:.0f} | "
            f"{1000 * judged.processor / questions:.2f} |",
            flush=True,
        )
    print("processor time; goal: 1.5 times the floor, 200 MB")


if __name__ == "__main__":
    main()
