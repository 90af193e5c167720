"""What waiting threads cost on a busy machine: `python -m benchmarks.waiting`.

A network runs with as many threads as there are cores, each way in a process of its own: with OpenMP's
default (waiting threads spin) and with `OMP_WAIT_POLICY=PASSIVE` (they sleep), which the plugin sets;
alone, and beside processes that keep one core, and every core, busy. One thread is the floor.
"""

import argparse
import os
import subprocess
import sys

_WORKER = """
import sys, time, torch
from models.resnet18_thin import ThinResNet18
torch.manual_seed(0)
network, images = ThinResNet18(2).eval(), torch.rand(64, 3, 48, 48)
with torch.inference_mode():
    network(images)
    found = []
    for _ in range(int(sys.argv[1])):
        start = time.perf_counter()
        network(images)
        found.append(time.perf_counter() - start)
print(sorted(found)[len(found) // 2] * 1000)
"""
_BUSY = "while True: pass"


def milliseconds(rounds: int, **environment: str) -> float:
    """Return the median time of a batch of 64 images."""
    command = [sys.executable, "-c", _WORKER, str(rounds)]
    done = subprocess.run(  # noqa: S603  (our own text)
        command, env=os.environ | environment, check=True, capture_output=True, text=True
    )
    return float(done.stdout)


def main() -> None:
    """Print one row for each number of busy processes."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--rounds", type=int, default=15)
    args = parser.parse_args()
    cores = os.cpu_count() or 1
    print(
        "| busy processes | one thread, ms | threads spin, ms | threads sleep, ms | spin / sleep |"
    )
    print("|---|---|---|---|---|")
    for busy in sorted({0, 1, cores}):
        others = [subprocess.Popen([sys.executable, "-c", _BUSY]) for _ in range(busy)]  # noqa: S603
        try:
            one = milliseconds(args.rounds, OMP_NUM_THREADS="1")
            spin = milliseconds(args.rounds, OMP_NUM_THREADS=str(cores))
            sleep = milliseconds(args.rounds, OMP_NUM_THREADS=str(cores), OMP_WAIT_POLICY="PASSIVE")
        finally:
            for other in others:
                other.kill()
        print(f"| {busy} | {one:.0f} | {spin:.0f} | {sleep:.0f} | {spin / sleep:.1f} |")


if __name__ == "__main__":
    main()
