"""How much longer does judging take than at a former commit? `python -m benchmarks.judging_since`.

The former commit is checked out into a folder of its own (`git worktree`). Both source trees judge the same drawn
counts of `benchmarks.judging`: independent images, and images of 500 people. Each run is a process of
its own, former and current in turn, and the least processor time of each counts. Goals: 1.1 times the
time for independent images, 2 times for clustered ones.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
# Before clusters were judged by their likelihood, limits with one end by one end, and looks.
FORMER = "e0449b7"
GOALS = {"single": 1.1, "clustered": 2.0}

# Run in each source tree; its benchmarks.judging draws the same counts from the same seed.
_WORKER = """
import json, sys, time
import numpy as np
from benchmarks.judging import _forget_tables, draw, judge_counts, policy
images, models = int(sys.argv[1]), int(sys.argv[2])
asked, found = policy(), {}
for name, evaluation in asked.evaluations.items():
    rng = np.random.default_rng(0)
    counts = [draw(images, clustered=name == "clustered", rng=rng) for _ in range(models)]
    judge_counts(asked, draw(1000, clustered=False, rng=rng), evaluation=asked.evaluations["single"], model="m")
    _forget_tables()
    start = time.process_time()
    verdicts = [v for one in counts for v in judge_counts(asked, one, evaluation=evaluation, model="m")]
    found[name] = {"seconds": time.process_time() - start, "questions": len(verdicts)}
print(json.dumps(found))
"""


def measure(tree: Path, images: int, models: int) -> dict[str, dict[str, Any]]:
    """Judge in a process of its own that imports everything from a source tree."""
    environment = os.environ | {
        "PYTHONPATH": f"{tree / 'src'}{os.pathsep}{tree}",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    command = [sys.executable, "-c", _WORKER, str(images), str(models)]
    done = subprocess.run(  # noqa: S603  (our own text)
        command, cwd=tree, env=environment, check=True, capture_output=True, text=True
    )
    found: dict[str, dict[str, Any]] = json.loads(done.stdout)
    return found


def main() -> None:
    """Print one row for each set and number of images."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--former", default=FORMER, metavar="COMMIT")
    parser.add_argument("--images", nargs="*", type=int, default=(10_000, 1_000_000))
    parser.add_argument("--models", type=int, default=3, help="models of 1,881 questions each")
    parser.add_argument("--rounds", type=int, default=3, help="interleaved pairs; the best counts")
    chosen = parser.parse_args()
    git = ["git", "-C", str(ROOT), "worktree"]
    with tempfile.TemporaryDirectory() as folder:
        former = Path(folder) / "former"
        add = [*git, "add", "--detach", str(former), chosen.former]
        subprocess.run(add, check=True, capture_output=True)  # noqa: S603  (a commit of ours)
        try:
            print("| images a set | set | questions | former, s | current, s | ratio | goal |")
            print("|---|---|---|---|---|---|---|")
            for images in chosen.images:
                pairs = [
                    [measure(tree, images, chosen.models) for tree in (former, ROOT)]
                    for _ in range(chosen.rounds)
                ]
                for name, goal in GOALS.items():
                    then, now = (
                        min(run[name]["seconds"] for run in runs)
                        for runs in zip(*pairs, strict=True)
                    )
                    questions = pairs[0][1][name]["questions"]
                    print(
                        f"| {images:,} | {name} | {questions:,} | {then:.2f} | {now:.2f} | "
                        f"{now / then:.2f} | {goal} |",
                        flush=True,
                    )
        finally:
            remove = [*git, "remove", "--force", str(former)]
            subprocess.run(remove, check=True, capture_output=True)  # noqa: S603


if __name__ == "__main__":
    main()
