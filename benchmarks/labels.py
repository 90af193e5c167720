"""How many labels chosen images save, and how often a verdict on them is wrong.

`python -m benchmarks.labels` makes the tables of docs/label.md (`--runs 60` takes about 10 CPU minutes).
A model answers a pool of images; labels come in rounds of 25 until the question is decided. "even"
labels images at random and judges with the gate's own interval at any number of looks; "chosen" is
`pytest-fairness label`. Confidence is good (calibrated, AUROC against correctness as told), useless (the
same for all images, plus noise) or wrong (upside down).
"""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_fairness.labelling.choosing import draw, weights_of
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.labelled.draws import Draws
from pytest_fairness.statistics.labelled.outcomes import outcomes_of
from pytest_fairness.statistics.metrics.names import metric_named

__all__ = ["Pool", "auroc", "chosen", "even", "pool_of"]

ERROR = 0.025
ROUND = 25
# Rate, limit, spread of the confidence (AUROC about .86 where it is good), images in the pool.
SAVING = [
    (0.9, 0.85, 4.0, 4000),
    (0.9, 0.85, 4.0, 20_000),
    (0.95, 0.9, 4.0, 4000),
    (0.8, 0.85, 2.3, 4000),
    (0.8, 0.85, 2.3, 20_000),
    (0.8, 0.9, 2.3, 1000),
]
AT_LIMIT = [(0.9, 0.9, 4.0, 2000), (0.6, 0.6, 2.0, 300), (0.97, 0.97, 4.0, 2000)]


@dataclass(frozen=True, slots=True)
class Pool:
    """Images with answers, of which the labels are hidden.

    Args:
        right: Whether the first outcome happens, (M,).
        chance: How likely the model holds it, (M,).
        called_positive: What the model answered, (M,).
    """

    right: NDArray[np.bool_]
    chance: Floats
    called_positive: NDArray[np.bool_]


def pool_of(rng: np.random.Generator, size: int, rate: float, spread: float, quality: str) -> Pool:
    """Draw a pool whose model is right with chance `rate`; confidence is Beta distributed."""
    truth = rng.beta(rate * spread, (1 - rate) * spread, size)
    right = rng.random(size) < truth
    told = {
        "good": truth,
        "useless": np.clip(0.75 + 0.2 * rng.standard_normal(size), 0.01, 0.99),
        "wrong": 1 - truth,
        "always sure": np.full(size, 0.999),
    }[quality]
    return Pool(right, told, np.ones(size, dtype=bool))


def chosen(pool: Pool, limit: float, *, most: int, seed: int) -> tuple[int, int]:
    """Return the verdict (1 pass, -1 fail, 0 none) and the labels it took."""
    accuracy = metric_named("accuracy").rate
    outcomes = outcomes_of(accuracy, called_positive=pool.called_positive, chance=pool.chance)
    everyone = np.ones(len(pool.right), dtype=bool)
    weights = weights_of([(everyone, outcomes.doubt(everyone))])
    drawn, _ = draw(weights, most, np.random.default_rng(seed))
    if len(drawn) < most:
        most = len(drawn) // ROUND * ROUND
    looks = np.arange(ROUND, most + 1, ROUND)
    seen = Draws(
        outcomes,
        drawn,
        pool.right[drawn],
        weights[None],
        np.zeros(len(drawn), dtype=np.int64),
        np.ones(len(pool.right)),
    )
    ends = []
    for draws, tested in ((seen, limit), (seen.complement, 1 - limit)):
        evidence = draws.log_evidence(np.array([tested]), looks)[0]
        there = np.flatnonzero(evidence >= np.log(1 / ERROR))
        ends.append(int(looks[there[0]]) if len(there) else most + 1)
    if min(ends) > most:
        return 0, most
    return (1 if ends[0] <= ends[1] else -1), min(ends)


def even(right: NDArray[np.bool_], limit: float, *, most: int) -> tuple[int, int]:
    """The same for images at random, judged by the gate's interval for any number of looks."""
    n = np.arange(ROUND, most + 1, ROUND)
    rates = GroupRates(RateCounts(np.cumsum(right[:most]).astype(np.int64)[n - 1], n))
    low, high = at_looks(rates, "any", whole=(0.0, 1.0)).alone(1 - 2 * ERROR)
    decided = np.flatnonzero((low >= limit) | (high < limit))
    if not len(decided):
        return 0, most
    first = int(decided[0])
    return (1 if low[first] >= limit else -1), int(n[first])


def _rows(
    cases: Sequence[tuple[float, ...]], qualities: tuple[str, ...], runs: int, most: int
) -> None:
    for rate, limit, spread, size in cases:
        uniform = [
            even(np.random.default_rng([s, 2]).random(most) < rate, limit, most=most)
            for s in range(10 * runs)
        ]
        base = np.array(uniform)
        for quality in qualities:
            pools = (
                pool_of(np.random.default_rng([s, 1]), int(size), rate, spread, quality)
                for s in range(runs)
            )
            rows = [
                (*chosen(one, limit, most=most, seed=s), auroc(one)) for s, one in enumerate(pools)
            ]
            found = np.array(rows)
            mean, usual = found[:, 1].mean(), base[:, 1].mean()
            verdicts = found[:, 0]
            print(
                f"| {rate} | {limit} | {int(size)} | {quality} | {found[:, 2].mean():.2f} "
                f"| {(verdicts > 0).mean():.3f} | {(verdicts < 0).mean():.3f} "
                f"| {(base[:, 0] > 0).mean():.3f} | {(base[:, 0] < 0).mean():.3f} "
                f"| {usual:.0f} | {mean:.0f} | {1 - mean / usual:+.0%} |",
                flush=True,
            )


def auroc(pool: Pool) -> float:
    """Return the AUROC of confidence against correctness."""
    ranks = stats.rankdata(pool.chance)
    right = int(pool.right.sum())
    wrong = len(pool.right) - right
    return float((ranks[pool.right].sum() - right * (right + 1) / 2) / max(right * wrong, 1))


def main() -> None:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=200, help="runs a row (default 200)")
    parser.add_argument("--only", choices=("saving", "error"), help="one of the tables")
    args = parser.parse_args()
    print(
        "| rate | limit | pool | confidence | AUROC | pass | fail | even: pass | fail | labels, even | labels, chosen | saved |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|---|---|")
    if args.only != "error":
        _rows(SAVING, ("good",), args.runs, 1000)
        _rows(SAVING[:1], ("useless", "wrong"), args.runs, 1000)
    if args.only != "saving":
        _rows(AT_LIMIT, ("good", "useless", "wrong", "always sure"), args.runs, 500)


if __name__ == "__main__":
    main()
