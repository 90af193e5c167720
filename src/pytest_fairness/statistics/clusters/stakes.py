"""The empirical likelihood of clusters: the stake at which a bet on them grows most."""

import numpy as np

from pytest_fairness.statistics.arrays import Floats

__all__ = ["best_stake"]

# Stakes are sought to this share of the largest: the likelihood is flat at its top.
_STAKE, _STEPS = 1e-7, 60


def best_stake(gains: Floats, number: Floats, most: Floats, share: Floats) -> Floats:
    """Return the stake from 0 to `most` at which the clusters' gains grow most: Newton, bracketed.

    Args:
        gains: (R, K) gain of each kind of cluster at a stake of 1.
        number: (R, K) clusters of each kind.
        most: (R,) largest stake.
        share: (R,) share of it to begin with.
    """
    stakes = most.copy()
    rows = np.flatnonzero((number * gains / (1 + most[:, None] * gains)).sum(axis=1) < 0)
    gains, number, most = gains[rows], number[rows], most[rows]
    low, high, stake = np.zeros_like(most), most.copy(), most * share[rows]
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_STEPS):
            each = gains / (1 + stake[:, None] * gains)
            slope = (number * each).sum(axis=1)
            low, high = np.where(slope > 0, stake, low), np.where(slope > 0, high, stake)
            step = stake + slope / (number * each * each).sum(axis=1)
            # A step that stays where it is has arrived, though it is not beyond the bracket's end.
            ended = np.abs(step - stake) <= _STAKE * most
            within = ended | ((step > low) & (step < high))
            stake = np.where(within, step, (low + high) / 2)
            if ended.all():
                break
    stakes[rows] = np.minimum(np.maximum(stake, 0.0), most)
    return stakes
