"""How often do intervals of odds, F1 and macro scores contain the truth?

`python -m benchmarks.composite_coverage` draws two groups whose true confusion rates are known: fair
models, unfair ones, rates of exactly 0 and 1, and groups of 5.
"""

import argparse
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING

import numpy as np

from benchmarks.remembered import remembered_pairs
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition
from pytest_fairness.statistics.metrics.names import metric_named

if TYPE_CHECKING:
    from pytest_fairness.statistics.estimators.measured import Kind

__all__ = ["TRUTHS", "Coverage", "simulate_composite"]


LEVEL = 0.95
METRICS = (
    "average_odds_difference",
    "equalized_odds_difference",
    "equalized_odds_ratio",
    "balanced_accuracy",
    "balanced_accuracy_difference",
    "balanced_accuracy_ratio",
    "f1",
    "f1_difference",
    "f1_ratio",
    "macro_f1",
    "macro_f1_difference",
    "macro_precision_difference",
)
# Share of each class that is called right, in both groups.
TRUTHS: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = {
    "fair": ((0.8, 0.8), (0.8, 0.8)),
    "fair, uneven": ((0.95, 0.6), (0.95, 0.6)),
    "fair, near 1": ((0.99, 0.98), (0.99, 0.98)),
    "fair, always right": ((1.0, 1.0), (1.0, 1.0)),
    "fair, one class never": ((1.0, 0.0), (1.0, 0.0)),
    "gap": ((0.9, 0.8), (0.7, 0.75)),
    "gap, one way each": ((0.9, 0.6), (0.75, 0.75)),
    "gap, from always right": ((1.0, 1.0), (0.9, 0.85)),
    "fair, three classes": ((0.95, 0.7, 0.5), (0.95, 0.7, 0.5)),
    "gap, three classes": ((0.95, 0.9, 0.99), (0.8, 0.9, 0.6)),
}


@dataclass(frozen=True, slots=True)
class Coverage:
    """Share of the intervals that contain the truth, lie above it, and lie below it."""

    covered: float
    above: float
    below: float


def simulate_composite(name: str, truth: str, size: int, *, runs: int, seed: int) -> Coverage:
    """Simulate one metric of two groups, each class of which has as many images.

    Args:
        name: Metric.
        truth: One of `TRUTHS`.
        size: Images of each group.
        runs: Number of runs.
        seed: Seed of the draws.
    """
    rng = np.random.default_rng([seed, zlib.crc32(f"{truth} {size}".encode())])
    metric, both = metric_named(name), TRUTHS[truth]
    definition = metric.measure
    if not isinstance(definition, CompositeDefinition):
        msg = f"{name} is not made of several rates"
        raise TypeError(msg)
    joints = np.stack([_joint(right) for right in both])
    classes = joints.shape[-1]
    per_class = np.full(classes, max(size // classes, 1))
    drawn = [rng.multinomial(per_class, joint, size=(runs, classes)) for joint in joints]
    confusion = np.concatenate(drawn)
    found = measure(definition, confusion, positive=1)
    exact = measure(definition, np.round(joints * 10**9).astype(np.int64), positive=1)
    first = np.arange(runs)
    if metric.comparison == "none":
        low, high = found.alone(LEVEL, groups=first)
        value = exact.values[0]
    else:
        kind: Kind = "difference" if metric.comparison == "difference" else "ratio"
        low, high = found.pairs(first, first + runs, kind=kind, confidence=LEVEL)
        value = exact.compare(np.array([0]), np.array([1]), kind=kind)[0]
    known = ~np.isnan(low) & ~np.isnan(value)
    if not known.any():
        return Coverage(np.nan, np.nan, np.nan)
    above = float((low > value + 1e-7)[known].mean())
    below = float((high < value - 1e-7)[known].mean())
    return Coverage(1 - above - below, above, below)


def _joint(right: tuple[float, ...]) -> Floats:
    """Chances of each call (columns) by true class (rows); wrong calls are spread evenly."""
    classes = len(right)
    wrong = (1 - np.array(right)) / (classes - 1)
    return np.asarray(np.where(np.eye(classes, dtype=bool), np.diag(right), wrong[:, None]))


def rows(sizes: list[int], *, runs: int, seed: int) -> Iterator[str]:
    """Yield the lines of the table."""
    yield "| metric | images a group | mean coverage | smallest | where | largest one-sided error |"
    yield "|" + "---|" * 6
    with remembered_pairs():
        for name, size in product(METRICS, sizes):
            asked = [
                truth
                for truth, (right, _) in TRUTHS.items()
                if len(right) == 2 or metric_named(name).measure.name.startswith("macro")
            ]
            found = {
                truth: one
                for truth in asked
                if not np.isnan(
                    (one := simulate_composite(name, truth, size, runs=runs, seed=seed)).covered
                )
            }
            covered = {truth: one.covered for truth, one in found.items()}
            worst = min(covered, key=lambda truth: covered[truth])
            error = max(max(one.above, one.below) for one in found.values())
            yield (
                f"| {name} | {size} | {np.mean(list(covered.values())):.3f} | "
                f"{covered[worst]:.3f} | {worst} | {error:.3f} |"
            )


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=2000)
    parser.add_argument("--sizes", type=int, nargs="*", default=[5, 20, 100, 400])
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for row in rows(options.sizes, runs=options.runs, seed=options.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
