"""Bounds of a difference of two answers to the same images, whose clusters one or two columns make."""

import numpy as np

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import effective_pairs, matched_interval
from pytest_fairness.statistics.clusters.two_way import lies_within, together
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.inversion import crossing
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["effective_images", "same_images_interval"]

# Logarithm of the largest worth of an image.
_FAR = 16.0
# Bounds of p1 - p2 closer than this are the same: a row is told apart from its end at -1 or 1.
_CLOSE = 1e-9


def same_images_interval(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    confidence: float,
    growth: Floats | float = 1.0,
) -> Interval:
    """Return the interval of p1 - p2 of two answers to the same images.

    Args:
        first: Successes and n of the first answers, (P, C).
        second: The same of the second answers, in the same clusters.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (P,).

    Returns:
        Bounds (P,), nan where there is no image. Of clusters that one column makes, those of
        `matched_interval`.

    Example:
        >>> designs = ClusterCounts(np.array([[4] * 75 + [3]]), np.full((1, 76), 4))
        >>> same = ClusterCounts(np.array([[4] * 76]), np.full((1, 76), 4))
        >>> low, high = same_images_interval(designs, same, confidence=0.95)
        >>> print(f"{low[0]:.3f} {high[0]:.3f}")
        -0.047 0.046
    """
    if first.ways is None:
        return matched_interval(
            first, second, kind="difference", confidence=confidence, growth=growth
        )
    each = _each_way(first, second, confidence, growth)
    lower, upper = _worth(first, second, each, confidence, growth)
    counts = _pairs(first, second, growth)
    bounds = np.stack(
        [
            paired_interval(*(count * lower for count in counts), confidence=confidence).low,
            paired_interval(*(count * upper for count in counts), confidence=confidence).high,
        ]
    )
    for within, alone in zip(lies_within(first), each, strict=True):
        bounds[:, within] = np.stack(alone)[:, within]
    return Interval(*bounds)


def effective_images(
    first: ClusterCounts,
    second: ClusterCounts,
    *,
    confidence: float,
    growth: Floats | float = 1.0,
) -> Floats:
    """Return how many independent images tell as much of the difference, (P,): the fewer of both bounds.

    Args:
        first: Successes and n of the first answers, (P, C).
        second: The same of the second answers, in the same clusters.
        confidence: Two-sided confidence level, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (P,).
    """
    if first.ways is None:
        return effective_pairs(first, second, confidence=confidence, growth=growth)
    each = _each_way(first, second, confidence, growth)
    worth = _worth(first, second, each, confidence, growth)
    n = first.n.sum(axis=1) * np.asarray(growth)
    return np.asarray(np.where(n > 0, n * np.minimum(np.minimum(*worth), 1.0), 0.0))


def _each_way(
    first: ClusterCounts, second: ClusterCounts, confidence: float, growth: Floats | float
) -> list[Interval]:
    """The interval by each column alone."""
    return [
        matched_interval(*ways, kind="difference", confidence=confidence, growth=growth)
        for ways in zip(first.each_way, second.each_way, strict=True)
    ]


def _worth(
    first: ClusterCounts,
    second: ClusterCounts,
    each: list[Interval],
    confidence: float,
    growth: Floats | float,
) -> tuple[Floats, Floats]:
    """Effective n divided by n of the lower and of the upper bound."""
    counts = _pairs(first, second, growth)
    both: list[Floats] = []
    for bounds in zip(*each, strict=True):
        upper = len(both) == 1
        # An image that is counted for both of its people is two images of each of them.
        times = 2.0 if first.ways is not None and first.ways.alike else 1.0
        worths = [_worth_of(bound, counts, confidence, upper=upper) / times for bound in bounds]
        both.append(together(worths, first))
    return both[0], both[1]


def _worth_of(
    bound: Floats, counts: tuple[Floats, ...], confidence: float, *, upper: bool
) -> Floats:
    """The share of the images, were they independent, whose bound this is; above 1 for more."""

    def excess(log_share: Floats) -> Floats:
        share = np.exp(log_share)
        interval = paired_interval(*(count * share for count in counts), confidence=confidence)
        return bound - interval.low if not upper else interval.high - bound

    nothing = np.isnan(bound)
    least = np.where(nothing, 0.0, -np.log(np.maximum(counts[2], 1.0)) - 1)
    worth = crossing(excess, least, np.where(nothing, 0.0, _FAR), close=_CLOSE)
    return np.where(nothing, np.nan, np.exp(worth))


def _pairs(
    first: ClusterCounts, second: ClusterCounts, growth: Floats | float
) -> tuple[Floats, Floats, Floats]:
    """Images that are a success of one answer alone, as alike as each cell allows, and all images."""
    gained = first.successes - second.successes
    times = np.asarray(growth, dtype=np.float64)
    one, other = (np.maximum(way, 0).sum(axis=1) * times for way in (gained, -gained))
    return one, other, first.n.sum(axis=1) * times
