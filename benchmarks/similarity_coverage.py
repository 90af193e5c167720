"""Does the interval of `topographic_similarity` contain the truth? `python -m benchmarks.similarity_coverage`.

Channels encode the class and, more or less, the level; noise is partly shared by a cluster, and
clusters hold unequal numbers of images. Beside the jackknife-t, the coverage of a percentile
bootstrap of the plain cosine over clusters is printed.
"""

import argparse
import itertools
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.analyses.topography import topographic_similarity

CHANNELS = 60
SETTINGS = tuple(itertools.product((0.0, 0.5, 1.0), (0.3, 1.5), (20, 76)))


class Layer(NamedTuple):
    """A simulated layer and the true cosine of levels 0 and 1."""

    values: NDArray[np.float64]
    levels: NDArray[np.int64]
    classes: NDArray[np.int64]
    cluster: NDArray[np.int64]
    truth: float


def draw(of_level: float, noise: float, clusters: int, rng: np.random.Generator) -> Layer:
    """Draw three levels x two classes in every cluster, with one to three images a cell."""
    cells = np.array(list(itertools.product(range(clusters), range(3), range(2))))
    cells = np.repeat(cells, rng.integers(1, 4, size=len(cells)), axis=0)
    cluster, levels, classes = cells.T
    means = rng.normal(size=(1, 2, CHANNELS)) + of_level * rng.normal(size=(3, 1, CHANNELS))
    shared = rng.normal(size=(clusters, CHANNELS)) + rng.normal(size=(clusters, CHANNELS)) * 0.5
    values = means[levels, classes] + noise * (
        shared[cluster] + rng.normal(size=(len(cells), CHANNELS))
    )
    one, other, _ = (means - means.mean(axis=(0, 1))).reshape(3, -1)
    truth = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
    return Layer(values, levels, classes, cluster, float(truth))


def bootstrap(layer: Layer, rng: np.random.Generator, draws: int = 200) -> tuple[float, float]:
    """Percentile interval of the plain cosine, clusters drawn with replacement."""
    count = int(layer.cluster.max()) + 1
    place = np.ravel_multi_index((layer.cluster, layer.levels, layer.classes), (count, 3, 2))
    sums = np.zeros((count * 6, CHANNELS))
    np.add.at(sums, place, layer.values)
    sizes = np.bincount(place, minlength=count * 6).reshape(count, 6)
    weights = rng.multinomial(count, np.full(count, 1 / count), size=draws)
    means = np.tensordot(weights, sums.reshape(count, 6, CHANNELS), axes=1)
    means /= (weights @ sizes)[..., None]
    contrast = (means - means.mean(axis=1, keepdims=True)).reshape(draws, 3, -1)
    one, other = contrast[:, 0], contrast[:, 1]
    lengths = np.linalg.norm(one, axis=1) * np.linalg.norm(other, axis=1)
    low, high = np.quantile((one * other).sum(axis=1) / lengths, [0.025, 0.975])
    return float(low), float(high)


def main() -> None:
    """Print the coverage of every setting."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=400)
    runs = parser.parse_args().runs
    print(
        f"{'level':>5} {'noise':>5} {'clusters':>8} {'truth':>6} {'estimate':>8} {'coverage':>8} "
        f"{'above':>6} {'below':>6} {'bootstrap':>9} {'undefined':>9}"
    )
    for of_level, noise, clusters in SETTINGS:
        rng = np.random.default_rng(0)
        rows = []
        undefined = 0
        for _ in range(runs):
            layer = draw(of_level, noise, clusters, rng)
            pair = topographic_similarity(
                layer.values,
                layer.levels,
                rng=rng,
                classes=layer.classes,
                cluster=layer.cluster,
            ).pairs[0]
            if pair.reason:
                undefined += 1
                continue
            low, high = bootstrap(layer, rng)
            above, below = pair.low > layer.truth + 1e-12, pair.high < layer.truth - 1e-12
            hit = low <= layer.truth <= high
            rows.append((layer.truth, pair.value, not (above or below), above, below, hit))
        truth, value, covered, above, below, hit = np.mean(rows, axis=0)
        print(
            f"{of_level:5.1f} {noise:5.1f} {clusters:8d} {truth:6.3f} {value:8.3f} {covered:8.3f} "
            f"{above:6.3f} {below:6.3f} {hit:9.3f} {undefined:9d}"
        )


if __name__ == "__main__":
    main()
