"""How often do intervals err whose clusters two columns make? `python -m benchmarks.two_way_coverage`.

An image is one of a person and a camera (crossed), or shows two people who are both drawn from one set
(pairs). Whether an answer is right depends on a normal number: an effect of the person, an effect of the camera or of
the other person, one of both together, and one of the image. It is right where the sum is below a threshold.
Images are dealt evenly, or people and cameras have them with a heavy tail.

Two groups are people (each person in one group, cameras in both), or images (everybody in both). `images`
compares two answers to the same images.

Reports, over the cells of each design: mean coverage, the largest error of each side, and, with `--alone`, the
largest error of a side where only the first column is named. `--each` also reports every cell.
"""

import argparse
import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from benchmarks.cluster_coverage import HOLM
from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters, clusters_of
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval
from pytest_fairness.statistics.clusters.same_images import same_images_interval
from pytest_fairness.statistics.intervals.rates import Interval

KINDS = ("rate", "difference of people", "difference of images", "images")
RATES = (0.5, 0.9, 0.98)
# Number of people, of cameras (0: pairs of people), of images.
DESIGNS = {
    "76 people, 10 cameras, 304 images": (76, 10, 304),
    "60 people, 30 cameras, 600 images": (60, 30, 600),
    "200 people, 40 cameras, 800 images": (200, 40, 800),
    "pairs of 40 people, 300 images": (40, 0, 300),
    "pairs of 100 people, 300 images": (100, 0, 300),
    "24 people, 8 cameras, 60 images": (24, 8, 60),
    "40 people, 12 cameras, 150 images": (40, 12, 150),
    "pairs of 20 people, 60 images": (20, 0, 60),
    "pairs of 40 people, 150 images": (40, 0, 150),
}
# Shares of the variance: person, camera or other person, both together.
CROSSED = ((0.0, 0.0, 0.0), (0.3, 0.3, 0.0), (0.6, 0.3, 0.0), (0.2, 0.2, 0.4), (0.05, 0.9, 0.0))
PAIRS = ((0.0, 0.0, 0.0), (0.2, 0.2, 0.0), (0.45, 0.45, 0.0), (0.2, 0.2, 0.4))


@dataclass(frozen=True, slots=True)
class Cell:
    """One setting.

    Args:
        design: Name of the numbers.
        heavy: Whether people and cameras have images with a heavy tail (Pareto 1.2).
        shares: Shares of the variance.
        rate: Rate of every group.
    """

    design: str
    heavy: bool
    shares: tuple[float, float, float]
    rate: float


@dataclass(frozen=True, slots=True)
class Images:
    """Images of a cell: their clusters, the person (N,), and whether answers are right, (2, runs, N)."""

    clusters: SampleClusters
    person: NDArray[np.int64]
    right: NDArray[np.bool_]


def cells(design: str) -> list[Cell]:
    """All settings of a design."""
    shares = CROSSED if DESIGNS[design][1] else PAIRS
    return [Cell(design, *some) for some in itertools.product((False, True), shares, RATES)]


def draw(cell: Cell, runs: int, rng: np.random.Generator) -> Images:
    """Draw who is on the images, then the answers of each run; half of each effect is that of one answer alone."""
    people, cameras, n = DESIGNS[cell.design]
    first = _dealt(people, n, rng, heavy=cell.heavy)
    second = _dealt(cameras or people, n, rng, heavy=cell.heavy)
    while not cameras and (same := first == second).any():
        second[same] = rng.integers(0, people, int(same.sum()))
    prefix = "c" if cameras else "p"
    clusters = clusters_of([[f"p{i}" for i in first], [f"{prefix}{i}" for i in second]])
    a, b, both = cell.shares
    of_person = _effects(runs, people, rng)
    of_second = _effects(runs, cameras, rng) if cameras else of_person
    total = np.sqrt(a) * of_person[..., first] + np.sqrt(b) * of_second[..., second]
    total += np.sqrt(both) * _effects(runs, clusters.number, rng)[..., clusters.cells]
    total += np.sqrt(max(1 - a - b - both, 0.0)) * rng.standard_normal((2, runs, n))
    return Images(clusters, first, total < special.ndtri(cell.rate))


def _effects(runs: int, number: int, rng: np.random.Generator) -> NDArray[np.float64]:
    """Effects of both answers, (2, runs, number), with a correlation of one half."""
    shared, *own = rng.standard_normal((3, runs, number))
    return np.asarray(np.stack([shared + one for one in own]) / np.sqrt(2))


def _dealt(number: int, n: int, rng: np.random.Generator, *, heavy: bool) -> NDArray[np.int64]:
    weight = rng.pareto(1.2, number) + 1 if heavy else np.ones(number)
    return np.asarray(rng.choice(number, n, p=weight / weight.sum()), dtype=np.int64)


def counts_of(
    images: Images, answers: NDArray[np.bool_], chosen: NDArray[np.bool_]
) -> ClusterCounts:
    """Count the chosen images of each run by cluster, (runs, C)."""
    clusters = images.clusters
    number = clusters.number
    of_cell = np.eye(number, dtype=np.int64)[clusters.cells[chosen]]
    n = np.broadcast_to(of_cell.sum(axis=0), (len(answers), number))
    return ClusterCounts(answers[:, chosen].astype(np.int64) @ of_cell, n, clusters.ways)


def interval_of(images: Images, kind: str, *, confidence: float, columns: int = 2) -> Interval:
    """Return the intervals of all runs of a kind."""
    everything = np.ones(len(images.person), dtype=bool)
    if kind in ("rate", "images"):
        now, then = (_by(counts_of(images, some, everything), columns) for some in images.right)
        if kind == "rate":
            return clustered_rate_interval(now, confidence=confidence)
        return same_images_interval(now, then, confidence=confidence)
    of = images.person if kind == "difference of people" else np.arange(len(images.person))
    groups = [
        _by(counts_of(images, images.right[side], of % 2 == side), columns) for side in (0, 1)
    ]
    first, second = groups
    both = first.beside(second)
    ones = np.arange(len(first.n))
    return clustered_pair_interval(
        both, ones, ones + len(ones), kind="difference", confidence=confidence
    )


def _by(counts: ClusterCounts, columns: int) -> ClusterCounts:
    """By both columns, or by the first alone."""
    if columns == 2 or counts.ways is None:
        return counts
    return counts._replace(ways=counts.ways._replace(alike=False)).each_way[0]


def errors(interval: Interval, truth: float) -> tuple[float, float]:
    """Share of intervals that lie above and below the truth."""
    above, below = interval.low > truth + 1e-9, interval.high < truth - 1e-9
    return float(above.mean()), float(below.mean())


def main() -> None:
    """Print the table of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", nargs="*", default=KINDS, choices=KINDS)
    parser.add_argument("--designs", nargs="*", default=tuple(DESIGNS), choices=tuple(DESIGNS))
    parser.add_argument("--levels", nargs="*", type=float, default=(0.95, HOLM))
    parser.add_argument("--every", type=int, default=1, help="only every so many-th cell")
    parser.add_argument("--alone", action="store_true", help="the first column alone, too")
    parser.add_argument("--each", action="store_true", help="every cell, too")
    options = parser.parse_args()
    print(
        "| question | design | level | cells | mean coverage | low errs | high errs | one column |"
    )
    print("|" + "---|" * 8)
    for kind, level, design in itertools.product(options.kinds, options.levels, options.designs):
        rng = np.random.default_rng(options.seed)
        both, alone = [], []
        for cell in cells(design)[:: options.every]:
            images = draw(cell, options.runs, rng)
            truth = cell.rate if kind == "rate" else 0.0
            both.append(errors(interval_of(images, kind, confidence=level), truth))
            if options.alone:
                one = interval_of(images, kind, confidence=level, columns=1)
                alone.append(max(errors(one, truth)))
            if options.each:
                print(f"{kind}, {level:.4f}, {cell}: {both[-1]}", flush=True)
        low, high = np.array(both).T
        by_one = f"{max(alone):.4f}" if alone else ""
        print(
            f"| {kind} | {design} | {level:.4f} | {len(both)} | {1 - np.mean(low + high):.3f} | "
            f"{low.max():.4f} | {high.max():.4f} | {by_one} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
