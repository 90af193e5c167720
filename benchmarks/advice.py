"""What becomes of a model at its limit whose team follows the advice "n about N would be enough".

It collects 1.1 times as many images and judges again, until the question is decided: many looks at one
set. `python -m benchmarks.looks` prints its numbers.
"""

from dataclasses import dataclass

import numpy as np

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.looks import Looks

__all__ = ["Advice", "follow_advice"]

LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Advice:
    """What becomes of models at their limit whose team follows the advice.

    Args:
        passed: Share of the runs that end with a pass.
        blocked: Share that end with a failure.
        looks: Mean number of looks.
    """

    passed: float
    blocked: float
    looks: float


def follow_advice(
    looks: Looks, *, rate: float = 0.9, runs: int, seed: int, most: int = 200_000
) -> Advice:
    """Judge, collect 1.1 times what would be enough, and judge again until it is decided.

    Args:
        looks: How often the policy allows to look.
        rate: The true rate, which is the smallest that is allowed.
        runs: Number of runs.
        seed: Of the draws.
        most: Samples at which a team gives up.
    """
    rng = np.random.default_rng(seed)
    n = np.full(runs, 100)
    x = rng.binomial(n, rate)
    passed = np.zeros(runs, dtype=bool)
    blocked, number = passed.copy(), np.ones(runs)
    open_ = np.arange(runs)
    while len(open_):
        rows = at_looks(GroupRates(RateCounts(x[open_], n[open_])), looks, whole=(0.0, 1.0))
        low, high = rows.alone(LEVEL)
        passed[open_], blocked[open_] = low >= rate, high < rate
        needed = np.ceil(1.1 * _enough(rows, rate, most))
        goes_on = ~passed[open_] & ~blocked[open_] & (needed <= most)
        open_, needed = open_[goes_on], needed[goes_on].astype(np.int64)
        needed = np.maximum(needed, n[open_] + 1)
        x[open_] += rng.binomial(needed - n[open_], rate)
        n[open_] = needed
        number[open_] += 1
    return Advice(float(passed.mean()), float(blocked.mean()), float(number.mean()))


def _enough(rows: Measured, limit: float, most: int) -> Floats:
    """The size at which the interval of each rate settles its limit, found by halving."""
    kept = rows.values >= limit
    least, enough = np.log(rows.counts.n), np.full(len(kept), np.log(2 * most))
    for _ in range(14):
        middle = (least + enough) / 2
        low, high = rows.alone(LEVEL, size=np.exp(middle))
        settled = np.where(kept, low >= limit, high < limit)
        least, enough = np.where(settled, least, middle), np.where(settled, middle, enough)
    return np.asarray(np.exp(enough))
