"""How long `judge` takes on predictions from elsewhere, beside their bare count: `python -m benchmarks.judge_speed`.

24 groups, 4 rules. A frame of texts in memory, beside pyarrow's `group_by` of the same columns. Parquet files, each in a
whole process with its start and its peak memory, beside a process that only counts with pyarrow. A table of 200
rows. A gate of six questions, and the plugin merely installed, beside bare pytest. All in turn in one
run; the least processor time counts.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from benchmarks import many_questions
from pytest_fairness import judge

LEVELS = {"race": [f"race{i}" for i in range(6)], "sex": ["f", "m"], "age": ["old", "young"]}
COLUMNS = [*LEVELS, "target", "prediction"]
_RULES: list[dict[str, Any]] = [
    {"metric": "accuracy", "min": 0.8},
    {"metric": "true_positive_rate", "min": 0.8},
    {"metric": "false_positive_rate_difference", "max": 0.1},
    {"metric": "disparate_impact", "between": [0.8, 1.25]},
]
POLICY: dict[str, Any] = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {
        "faces": {
            "positive": "yes",
            "attributes": LEVELS,
            "reference": {name: levels[0] for name, levels in LEVELS.items()},
        }
    },
    "rule": [rule | {"by": ["race*sex*age"]} for rule in _RULES],
}
_JUDGE = "import json, sys; from pytest_fairness import judge; judge(json.loads(sys.argv[1]), sys.argv[2])"
_COUNT = """
import sys
import pyarrow.parquet as pq, pyarrow as pa
names = sys.argv[2].split(",")
with pq.ParquetFile(sys.argv[1], read_dictionary=names) as file:
    parts = [
        pa.Table.from_batches([batch]).group_by(names).aggregate([([], "count_all")])
        for batch in file.iter_batches(batch_size=2**20, columns=names)
    ]
"""


def table(rows: int) -> pa.Table:
    """Return predictions of a model that is right in nine of ten images."""
    rng = np.random.default_rng(0)
    columns = {
        name: pa.DictionaryArray.from_arrays(
            rng.integers(0, len(levels), rows).astype(np.int8), levels
        )
        for name, levels in LEVELS.items()
    }
    target = rng.integers(0, 2, rows).astype(np.int8)
    prediction = np.where(rng.random(rows) < 0.9, target, 1 - target).astype(np.int8)
    for name, codes in (("target", target), ("prediction", prediction)):
        columns[name] = pa.DictionaryArray.from_arrays(codes, ["no", "yes"])
    return pa.table({name: column.cast(pa.string()) for name, column in columns.items()})


def write(path: Path, rows: int) -> None:
    """Write predictions part by part."""
    part = table(min(rows, 1_000_000))
    with pq.ParquetWriter(path, part.schema) as writer:
        for _ in range(max(rows // len(part), 1)):
            writer.write_table(part)


def seconds(work: Callable[[], Any], rounds: int) -> float:
    """Return the least processor time of some rounds."""
    taken = []
    for _ in range(rounds):
        start = time.process_time()
        work()
        taken.append(time.process_time() - start)
    return min(taken)


def process(*arguments: str) -> tuple[float, float]:
    """Return the processor time of a Python process, and its peak memory in MB."""
    with subprocess.Popen(  # noqa: S603  (our own text)
        [sys.executable, *arguments], env=os.environ, stdout=subprocess.DEVNULL
    ) as started:
        _, status, used = os.wait4(started.pid, 0)
        started.returncode = os.waitstatus_to_exitcode(status)
    if started.returncode:
        raise RuntimeError(arguments)
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def row(what: str, floor: str, floor_s: float, ours: float, note: str = "") -> None:
    """Print one row."""
    print(
        f"| {what} | {floor} {floor_s:.3f} | {ours:.3f} | {ours / floor_s:.2f} | {note} |",
        flush=True,
    )


def frames(rows: int, rounds: int) -> None:
    """Judge a frame of texts."""
    frame = table(rows).to_pandas()

    def bare() -> None:
        arrays = {name: pa.array(frame[name]) for name in COLUMNS}
        pa.table(arrays).group_by(COLUMNS).aggregate([([], "count_all")])

    judge(POLICY, frame.head(200))
    floor, ours = seconds(bare, rounds), seconds(lambda: judge(POLICY, frame), rounds)
    row(f"frame of {rows:,} rows", "pyarrow group_by", floor, ours)
    small = frame.head(200)
    by_sex = POLICY | {"rule": [rule | {"by": ["sex"]} for rule in _RULES]}
    for what, policy in (("2 groups", by_sex), ("24 groups, none decided", POLICY)):
        taken = seconds(partial(judge, policy, small), rounds)
        print(f"| frame of 200 rows, {what} | - | {taken:.3f} | - | |")


def files(rows: list[int], rounds: int) -> None:
    """Judge Parquet files in whole processes."""
    with tempfile.TemporaryDirectory() as folder:
        for number in rows:
            path = Path(folder) / "predictions.parquet"
            write(path, number)
            arguments = ("-c", _JUDGE, json.dumps(POLICY), str(path))
            pairs = [
                (process("-c", _COUNT, str(path), ",".join(COLUMNS)), process(*arguments))
                for _ in range(rounds)
            ]
            (floor, _), (ours, megabytes) = (min(runs) for runs in zip(*pairs, strict=True))
            row(f"Parquet of {number:,} rows", "pyarrow", floor, ours, f"{megabytes:.0f} MB")


def gates(rounds: int) -> None:
    """Run pytest without the plugin, with it, and with a gate of six questions."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        many_questions.write_gate(folder, 1, groups=6)
        (folder / "test_empty.py").write_text("def test_nothing():\n    pass\n")
        predictions = "--fairness-predictions=predictions.parquet"
        runs = [
            (
                many_questions.run(folder, "test_empty.py", "-p", "no:pytest_fairness"),
                many_questions.run(folder, "test_empty.py"),
                many_questions.run(
                    folder, "test_gate.py", "--fairness-policy=policy.toml", predictions
                ),
            )
            for _ in range(rounds)
        ]
    bare, installed, gate = (min(one.processor for one in each) for each in zip(*runs, strict=True))
    row("plugin merely installed", "bare pytest", bare, installed)
    row("gate of 6 questions, predictions", "bare pytest", bare, gate)


def main() -> None:
    """Print one row for each job."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frame", type=int, default=1_000_000)
    parser.add_argument("--files", nargs="*", type=int, default=[10_000_000])
    parser.add_argument("--rounds", type=int, default=3)
    chosen = parser.parse_args()
    print("| job | floor, s | ours, s | ratio | peak memory |")
    print("|---|---|---|---|---|")
    frames(chosen.frame, chosen.rounds)
    files(chosen.files, chosen.rounds)
    gates(chosen.rounds)


if __name__ == "__main__":
    main()
