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
    low, high = np.zeros_like(most), most.copy()
    capped = (number * gains / (1 + most[:, None] * gains)).sum(axis=1) >= 0
    stake = most * share
    with np.errstate(divide="ignore", invalid="ignore"):
        for _ in range(_STEPS):
            each = gains / (1 + stake[:, None] * gains)
            slope = (number * each).sum(axis=1)
            low, high = np.where(slope > 0, stake, low), np.where(slope > 0, high, stake)
            step = stake + slope / (number * each * each).sum(axis=1)
            step = np.where((step > low) & (step < high), step, (low + high) / 2)
            ended = capped | (np.abs(step - stake) <= _STAKE * most)
            stake = step
            if ended.all():
                break
    return np.where(capped, most, stake)
