"""Does one more wrong image ever help a bound? `python -m benchmarks.cluster_monotone`.

Draws sets of people with any number of images, starts from no error, and makes the images wrong one after
the other: in random order, person by person, or always the one that lifts the lower bound most (adversarial).
Reports how often a bound of the accuracy rises by more than .001, and the largest rise.
"""

import argparse
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval

HOLM = 1 - 0.05 / 34
MOST_STEPS = 60


def sizes_of(rng: np.random.Generator) -> NDArray[np.int64]:
    """Images of each person: alike, mixed, heavy-tailed, or one person with most of them."""
    people = int(rng.integers(2, 61))
    kind = rng.integers(4)
    if kind == 0:
        return np.full(people, rng.integers(1, 13))
    if kind == 1:
        return rng.integers(1, 13, people)
    if kind == 2:
        return np.minimum((rng.pareto(1.2, people) + 1).astype(np.int64), 300)
    sizes = rng.integers(1, 5, people)
    sizes[0] = rng.integers(20, 301)
    return sizes


def orders(
    sizes: NDArray[np.int64], rng: np.random.Generator, confidence: float
) -> Iterator[NDArray[np.int64]]:
    """Whose image becomes wrong at each step."""
    each = np.repeat(np.arange(len(sizes)), sizes)
    yield rng.permutation(each)[:MOST_STEPS]
    people = rng.permutation(len(sizes))
    yield np.repeat(people, sizes[people])[:MOST_STEPS]
    yield _adversarial(sizes, confidence)


def _adversarial(sizes: NDArray[np.int64], confidence: float) -> NDArray[np.int64]:
    right, order = sizes.copy(), []
    for _ in range(min(MOST_STEPS // 3, int(sizes.sum()) - 1)):
        candidates = np.flatnonzero(right)
        _, first = np.unique(
            np.stack([sizes[candidates], right[candidates]]), axis=1, return_index=True
        )
        candidates = candidates[first]
        x = np.repeat(right[None], len(candidates), axis=0)
        x[np.arange(len(candidates)), candidates] -= 1
        low, _ = bounds(x, sizes, confidence)
        worst = candidates[int(low.argmax())]
        right[worst] -= 1
        order.append(int(worst))
    return np.array(order, dtype=np.int64)


def bounds(
    right: NDArray[np.int64], sizes: NDArray[np.int64], confidence: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both bounds of the accuracy of each row of right answers."""
    clusters = ClusterCounts(right, np.broadcast_to(sizes, right.shape))
    low, high = clustered_rate_interval(clusters, confidence=confidence)
    return low, high


def rises(
    sizes: NDArray[np.int64], order: NDArray[np.int64], confidence: float
) -> NDArray[np.float64]:
    """How much each step lifts either bound."""
    wrong = np.zeros((len(order) + 1, len(sizes)), dtype=np.int64)
    np.add.at(wrong, (np.arange(1, len(order) + 1), order), 1)
    low, high = bounds(sizes - wrong.cumsum(axis=0), sizes, confidence)
    return np.maximum(np.diff(low), np.diff(high))


def main() -> None:
    """Print the numbers of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    print("| level | order of errors | sets | steps | rise above .001 | above .01 | largest |")
    print("|---|---|---|---|---|---|---|")
    for confidence in (0.95, HOLM):
        rng = np.random.default_rng(options.seed)
        names = ("random", "person by person", "adversarial")
        lifts: dict[str, list[NDArray[np.float64]]] = {name: [] for name in names}
        for _ in range(options.sets):
            sizes = sizes_of(rng)
            for name, order in zip(names, orders(sizes, rng, confidence), strict=True):
                lifts[name].append(rises(sizes, order, confidence))
        for name, found in lifts.items():
            steps = np.concatenate(found)
            print(
                f"| {confidence:.4f} | {name} | {len(found)} | {len(steps):,} | "
                f"{(steps > 0.001).sum()} | {(steps > 0.01).sum()} | {steps.max():.4f} |"
            )


if __name__ == "__main__":
    main()
