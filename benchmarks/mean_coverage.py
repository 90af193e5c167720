"""Errors of the intervals of means of a bounded number: `python -m benchmarks.mean_coverage`.

Values of samples are drawn from three points, so every sample is enumerated: values that never, or
rarely, reach their limits, that are nearly all the same, or zeros and ones. Beside the shipped
interval stand Student's t with one sample added at either limit, and the mixture of bets that is
right at any number of looks. Differences are enumerated for two points a group. Clusters of unequal
sizes are simulated.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from scipy import special, stats

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import SampleClusters
from pytest_fairness.statistics.estimators.sample_means import sample_means
from pytest_fairness.statistics.intervals.bounded_means import mean_interval, subtracted
from pytest_fairness.statistics.intervals.rates import Interval

LEVELS = (0.95, 0.9985, 0.9998)
BETS = 0.9 * 2.0 ** -np.arange(9)


class Values(NamedTuple):
    """Three values of a sample, ascending, and their chances."""

    name: str
    points: Floats
    chances: Floats

    @property
    def mean(self) -> float:
        """The true mean."""
        return float(self.points @ self.chances)


def distributions(n: int, rng: np.random.Generator, number: int) -> Iterator[Values]:
    """Yield distributions of each kind; rare values are expected 0.02 to n times among n."""
    for index in range(number):
        rare, other = np.exp(rng.uniform(np.log(0.02), np.log(n), 2)) / n
        common = rng.choice([0.05, 0.2, 0.5, 0.8, 0.95])
        name, points, chances = (
            ("common, rare zeros and ones", (0, common, 1), (rare, other)),
            ("common, rare zeros", (0, common, 1), (rare, 0)),
            ("common, rare ones", (0, common, 1), (0, other)),
            ("narrow", (0.95 * common, common, 1.05 * common), (rare, other)),
            ("broad", (0, rng.random(), 1), tuple(rng.dirichlet([1, 1, 1])[:2])),
            ("anywhere", tuple(np.sort(rng.random(3))), (rare, other)),
            ("zeros and ones", (0, 0.5, 1), (1 - other, other)),
        )[index % 7]
        middle = 1 - sum(chances)
        if middle > -1e-12:
            yield Values(
                name, np.array(points), np.array([chances[0], max(middle, 0.0), chances[1]])
            )


def tables(n: int, values: Values) -> tuple[Integers, Floats]:
    """Return how often each point is seen (T, 3), but for the rarest, and the chances (T,)."""
    ends = [
        np.arange(max(0, int(n * p - reach)), min(n, int(n * p + reach)) + 1)
        for p in (values.chances[0], values.chances[2])
        for reach in [7 * np.sqrt(n * p * (1 - p)) + 14]
    ]
    low, high = (grid.ravel() for grid in np.meshgrid(*ends, indexing="ij"))
    seen = np.stack([low, n - low - high, high], axis=1)[low + high <= n]
    chances = stats.multinomial.pmf(seen, n, values.chances)
    likely = np.flatnonzero(np.asarray(chances) > 1e-12)
    return seen[likely], np.asarray(chances)[likely]


def shipped(points: Floats, seen: Integers, confidence: float) -> Floats:
    """Lower bounds of the shipped interval."""
    present = seen > 0
    size = present.sum(axis=1)
    sums = np.broadcast_to(points, seen.shape)[present]
    starts = np.cumsum(size) - size
    times = seen[present].astype(float)
    return mean_interval(sums, np.ones(len(sums)), starts, confidence=confidence, times=times).low


def student(points: Floats, seen: Integers, confidence: float) -> Floats:
    """Lower bounds of Student's t with one sample added at either limit."""
    n = seen.sum(axis=1)
    centre = (seen @ points + 1) / (n + 2)
    variance = ((seen @ points**2 + 1) / (n + 2) - centre**2) / (n + 1)
    return np.asarray(centre - special.stdtrit(n + 1, (1 + confidence) / 2) * np.sqrt(variance))


def bets(points: Floats, seen: Integers, confidence: float) -> Floats:
    """Lower bounds of the mixture of bets."""
    low, high = np.zeros(len(seen)), seen @ points / seen.sum(axis=1)
    least = np.log(2 / (1 - confidence)) + np.log(len(BETS))
    for _ in range(30):
        middle = (low + high) / 2
        won = BETS[:, None, None] * (points / np.maximum(middle, 1e-300)[:, None] - 1)
        beyond = special.logsumexp((np.log1p(won) * seen).sum(axis=2), axis=0) >= least
        low, high = np.where(beyond, middle, low), np.where(beyond, high, middle)
    return low


METHODS: dict[str, Callable[[Floats, Integers, float], Floats]] = {
    "shipped": shipped,
    "Student's t": student,
    "mixture of bets": bets,
}


def mean_rows(n: int, number: int, seed: int, names: Sequence[str]) -> Iterator[str]:
    """Yield a row for each kind of distribution: errors as multiples of the promised one."""
    rng = np.random.default_rng([seed, n])
    worst: dict[tuple[str, str, float], float] = {}
    widths: dict[tuple[str, str], list[float]] = {}
    for values in distributions(n, rng, number):
        seen, chances = tables(n, values)
        for name in names:
            for confidence in LEVELS:
                low = METHODS[name](values.points, seen, confidence)
                error = chances[low > values.mean + 1e-9].sum() / ((1 - confidence) / 2)
                key = values.name, name, confidence
                worst[key] = max(worst.get(key, 0.0), float(error))
                if confidence == LEVELS[0]:
                    width = float(chances @ (seen @ values.points / n - low))
                    widths.setdefault((values.name, name), []).append(width)
    for kind in dict.fromkeys(kind for kind, _ in widths):
        plain = np.array(widths[kind, "Student's t"])
        for name in names:
            ratio = np.median(np.array(widths[kind, name]) / np.maximum(plain, 1e-12))
            errors = " | ".join(f"{worst[kind, name, level]:.2f}" for level in LEVELS)
            yield f"| {kind} | {n} | {name} | {errors} | {ratio:.2f} |"


def difference_rows(n1: int, n2: int, number: int, seed: int) -> Iterator[str]:
    """Yield a row of the differences of two means, of values at two points each."""
    rng = np.random.default_rng([seed, n1, n2])
    worst = dict.fromkeys(LEVELS, 0.0)
    for _ in range(number):
        groups = []
        for n in (n1, n2):
            low, high = np.sort(rng.choice([0, 0.1, 0.5, 0.9, 1], 2, replace=False))
            rare = min(float(np.exp(rng.uniform(np.log(0.02), np.log(n)))) / n, 1.0)
            groups.append((n, np.array([low, high]), rare if rng.random() < 0.5 else 1 - rare))
        for confidence in LEVELS:
            all_chances, truth, means, bounds = [], [], [], []
            for index, (n, points, rate) in enumerate(groups):
                count = np.arange(n + 1)
                times = np.stack([n - count, count], axis=1)
                all_chances.append(stats.binom.pmf(count, n, rate))
                truth.append(points[0] * (1 - rate) + points[1] * rate)
                means.append(_column(times @ points / n, index))
                bounds.append(partial(_two_points, points, times, index))
            low, high = subtracted(
                (means[0], means[1]), (bounds[0], bounds[1]), confidence=confidence
            )
            gap = truth[0] - truth[1]
            for missed in (low > gap + 1e-9, high < gap - 1e-9):
                error = all_chances[0] @ missed @ all_chances[1] / ((1 - confidence) / 2)
                worst[confidence] = max(worst[confidence], float(error))
    errors = " | ".join(f"{worst[level]:.2f}" for level in LEVELS)
    yield f"| difference, two points a group | {n1} vs {n2} | shipped | {errors} | |"


def _column(values: Floats, index: int) -> Floats:
    """Values of the first group along rows, of the second along columns."""
    return values[:, None] if index == 0 else values[None, :]


def _two_points(points: Floats, times: Integers, index: int, confidence: Floats) -> Interval:
    levels = np.repeat(confidence, len(times))
    rows = np.tile(times, (len(confidence), 1))
    present = rows > 0
    size = present.sum(axis=1)
    sums = np.broadcast_to(points, rows.shape)[present]
    seen = rows[present].astype(float)
    starts = np.cumsum(size) - size
    bounds = mean_interval(sums, np.ones(len(sums)), starts, confidence=levels, times=seen)
    shape = (len(confidence), -1, 1) if index == 0 else (len(confidence), 1, -1)
    return Interval(*(end.reshape(shape) for end in bounds))


def people(rng: np.random.Generator) -> dict[str, Integers]:
    """How many samples each person has."""
    return {
        "15 people x 4": np.full(15, 4),
        "30 x 20": np.full(30, 20),
        "76 x 4": np.full(76, 4),
        "60 people, 1 to 20": np.resize(np.arange(1, 21), 60),
        "100, heavy tail (Pareto 1.2)": np.minimum(np.ceil(rng.pareto(1.2, 100) + 0.5), 60),
        "one of 300, 50 of 1": np.array([300, *[1] * 50]),
        "five of 100, 50 of 2": np.array([100] * 5 + [2] * 50),
    }


# What the samples of a person are near, and its mean: anywhere, about the same for all, and for a
# few far from the rest.
Centres = tuple[Callable[[np.random.Generator, tuple[int, ...]], Floats], float]
CENTRES: tuple[Centres, ...] = (
    (lambda rng, shape: rng.beta(2, 1, shape), 2 / 3),
    (lambda rng, shape: rng.beta(20, 20, shape), 0.5),
    (lambda rng, shape: np.where(rng.random(shape) < 0.05, 0.02, 0.9), 0.856),
)


def cluster_rows(runs: int, seed: int) -> Iterator[str]:
    """Yield a row for each kind of clusters: largest one-sided errors of means and differences."""
    rng = np.random.default_rng(seed)
    for name, sizes in people(rng).items():
        errors: dict[tuple[str, float], list[float]] = {}
        for centres in CENTRES:
            for shared in (False, True):
                for key, found in _clustered(sizes.astype(int), centres, runs, rng, shared=shared):
                    errors.setdefault(key, []).extend(found)
        cells = [f"{max(errors[kind, level]):.4f}" for level in LEVELS[:2] for kind in QUANTITIES]
        yield f"| {name} | {' | '.join(cells)} |"


QUANTITIES = ("mean", "apart", "shared")


def _clustered(
    sizes: Integers,
    centres: Centres,
    runs: int,
    rng: np.random.Generator,
    *,
    shared: bool,
) -> Iterator[tuple[tuple[str, float], list[float]]]:
    """Yield the shares of the runs whose lower and upper bound miss the truth, with their key."""
    person, number = np.repeat(np.arange(len(sizes)), sizes), len(sizes)
    own = centres[0](rng, (runs, 2, number))
    if shared:
        own[:, 1] = own[:, 0]
    middle = own[:, :, person]
    values = rng.beta(8 * middle + 0.01, 8 * (1 - middle) + 0.01)
    truth = (8 * centres[1] + 0.01) / 8.02
    both = np.concatenate([person, person if shared else person + number])
    groups = np.repeat(np.arange(2 * runs), len(person))
    means = sample_means(
        values.reshape(-1), groups, 2 * runs, clusters=SampleClusters(np.tile(both, runs))
    )
    pairs = 2 * np.arange(runs), 2 * np.arange(runs) + 1
    for confidence in LEVELS[:2]:
        gaps = means.pairs(*pairs, kind="difference", confidence=confidence)
        for kind, (low, high), value in (
            ("mean", means.alone(confidence), truth),
            ("shared" if shared else "apart", gaps, 0.0),
        ):
            yield (kind, confidence), [float((low > value).mean()), float((high < value).mean())]


def main() -> None:
    """Print the tables of docs/statistics.md."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sizes", type=int, nargs="*", default=[5, 20, 100, 400, 1000])
    parser.add_argument("--number", type=int, default=140)
    parser.add_argument("--runs", type=int, default=1000)
    parser.add_argument("--quick", action="store_true", help="leave out the mixture of bets")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    levels = " | ".join(f"{level:.2%}" for level in LEVELS)
    print(f"| values | n | interval | {levels} | width |\n" + "|" + "---|" * 7)
    names = [name for name in METHODS if not (options.quick and name == "mixture of bets")]
    for n in options.sizes:
        for row in mean_rows(n, options.number, options.seed, names):
            print(row, flush=True)
        for row in difference_rows(n, max(n // 3, 5), options.number // 2, options.seed):
            print(row, flush=True)
    heads = [f"{kind}, {level:.2%}" for level in LEVELS[:2] for kind in QUANTITIES]
    print(f"| samples of each person | {' | '.join(heads)} |\n" + "|" + "---|" * 7)
    for row in cluster_rows(options.runs, options.seed):
        print(row, flush=True)


if __name__ == "__main__":
    main()
