"""The default gate with an empty and with a full cache of scores, as a ratio of the same run.

    python -m benchmarks.cache

CPU seconds of the process stand beside the wall's, since other work of a machine counts for the second only.
"""

import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]


class Timed(NamedTuple):
    """Seconds of a whole run of pytest, and what its record says of the scores."""

    wall: float
    cpu: float
    scores: float
    cache: str


def gate(folder: Path, *options: str) -> Timed:
    """Run the default gate in a process of its own."""
    record = folder / "record.json"
    command = [sys.executable, "-m", "pytest", "fairness_tests", "-q", "-p", "no:cacheprovider"]
    environment = {**os.environ, "FAIRNESS_CACHE_DIR": str(folder / "cache")}
    before, started = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(  # noqa: S603
        [*command, f"--fairness-record={record}", *options],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.DEVNULL,
        check=False,
    )
    wall, after = time.perf_counter() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    told = json.loads(record.read_text(encoding="utf-8"))["runs"][0]["metadata"]
    return Timed(wall, cpu, float(told["seconds"]), told["cache"])


def main() -> None:
    """Print a line for each run."""
    with tempfile.TemporaryDirectory() as name:
        runs = {
            "--fairness-no-cache": gate(Path(name), "--fairness-no-cache"),
            "empty cache": gate(Path(name)),
            "full cache": gate(Path(name)),
        }
    floor = runs["--fairness-no-cache"]
    print(f"{'run':<20} {'wall s':>8} {'CPU s':>8} {'of CPU':>7} {'scores s':>9}  cache")
    for what, one in runs.items():
        part = one.cpu / floor.cpu
        print(
            f"{what:<20} {one.wall:8.1f} {one.cpu:8.1f} {part:7.2f} {one.scores:9.3f}  {one.cache}"
        )


if __name__ == "__main__":
    main()
