"""What no answers can do with clusters of given sizes: the laws that `reach` stands on."""

import numpy as np
import pytest

from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import effective_pairs, most_pairs
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval
from pytest_fairness.statistics.clusters.rates import (
    clustered_rate_interval,
    most_effective,
    rate_bound_factors,
)
from pytest_fairness.statistics.clusters.reach import Range, most_of_clusters, pair_may_keep
from pytest_fairness.statistics.intervals.chosen import (
    difference_interval,
    paired_interval,
    paired_ratio_interval,
    ratio_interval,
)

LEVELS = (0.9, 0.95, 0.9985, 0.9999)


def drawn(rng, groups, clusters, most):
    n = rng.integers(0, most + 1, (groups, clusters))
    n[:, 0] = np.maximum(n[:, 0], 1)
    right = rng.random((groups, 1)) * (rng.random((groups, clusters)) < 0.8)
    return ClusterCounts(np.round(n * np.where(rng.random(n.shape) < 0.3, 1, right)).astype(int), n)


@pytest.mark.parametrize("confidence", LEVELS)
def test_no_answers_have_a_larger_effective_n(confidence):
    rng = np.random.default_rng(3)
    for clusters in (1, 3, 12):
        n = drawn(rng, 1, clusters, 9).n[0]
        low, high = most_effective(n, confidence=confidence)
        x = rng.binomial(n, rng.random((60, 1)))
        even = np.round(n * rng.random((60, 1))).astype(int)
        counts = ClusterCounts(np.concatenate([x, even]), np.tile(n, (120, 1)))
        factors = rate_bound_factors(counts, confidence=confidence)
        right = counts.successes.sum(axis=1)
        assert (factors.lower * n.sum() <= low[right] + 1e-3).all()
        assert (factors.upper * n.sum() <= high[right] + 1e-3).all()


def test_no_bound_of_clusters_exceeds_the_one_of_so_many_images():
    rng = np.random.default_rng(4)
    counts = drawn(rng, 300, 12, 9)
    number = (counts.n > 0).sum(axis=1)
    low, high = clustered_rate_interval(counts, confidence=0.95)
    most = np.array([most_of_clusters(one, confidence=0.95) for one in number])
    assert (low <= most + 1e-9).all()
    assert (high >= 1 - most - 1e-9).all()


@pytest.mark.parametrize("confidence", LEVELS)
def test_score_intervals_of_a_larger_effective_n_are_narrower_within_the_margin(confidence):
    rng = np.random.default_rng(5)
    size = 6_000
    n1, n2 = (np.exp(rng.uniform(0, 5, size)) for _ in range(2))
    more1, more2 = (np.exp(rng.uniform(0, 2, size)) for _ in range(2))
    rates = np.where(
        rng.random((2, size)) < 0.3, rng.integers(0, 2, (2, size)), rng.random((2, size))
    )

    def share(ratio):
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.where(np.isinf(ratio), 1.0, ratio / (1 + ratio))

    for interval, scale in ((difference_interval, np.asarray), (ratio_interval, share)):
        few, many = (
            [
                scale(end)
                for end in interval(
                    rates[0] * a, a, rates[1] * b, b, confidence=confidence, method="corrected"
                )
            ]
            for a, b in ((n1, n2), (n1 * more1, n2 * more2))
        )
        assert np.nanmax(few[0] - many[0]) < 0.01
        assert np.nanmax(many[1] - few[1]) < 0.01


@pytest.mark.parametrize("confidence", [0.51, *LEVELS])
def test_no_pairs_are_surer_than_as_many_without_a_difference(confidence):
    rng = np.random.default_rng(6)
    size = 6_000
    n = np.exp(rng.uniform(0, 5, size))
    fewer = np.where(rng.random(size) < 0.5, n, np.maximum(n * rng.random(size), 1))
    first = fewer * rng.random(size) * np.exp(-rng.exponential(2, size))
    second = np.where(rng.random(size) < 0.3, np.minimum(first, fewer - first), 0) + 0.0
    second = np.where(rng.random(size) < 0.5, second, (fewer - first) * rng.random(size) ** 4)
    none = np.zeros(size)
    seen = paired_interval(first, second, fewer, confidence=confidence)
    sure = paired_interval(none, none, n, confidence=confidence)
    assert (np.maximum(-sure.low, sure.high) <= np.maximum(-seen.low, seen.high) + 1e-9).all()
    both = (fewer - first - second) * np.where(rng.random(size) < 0.5, 1, rng.random(size))
    seen = paired_ratio_interval(both, first, second, confidence=confidence)
    sure = paired_ratio_interval(n, none, none, confidence=confidence)
    with np.errstate(divide="ignore"):
        reach = np.fmax(1 / seen.low, seen.high)
    assert (np.maximum(1 / sure.low, sure.high) <= reach * (1 + 1e-9)).all()


@pytest.mark.parametrize("clusters", [4, 12, 30])
def test_no_answers_have_more_effective_pairs(clusters):
    rng = np.random.default_rng(7)
    sizes = rng.integers(1, 7, (2, clusters))
    most = most_pairs(*sizes, confidence=0.95)
    x = rng.binomial(sizes[:, None, :], rng.random((2, 80, 1)))
    first, second = (ClusterCounts(x[i], np.tile(sizes[i], (80, 1))) for i in range(2))
    assert (effective_pairs(first, second, confidence=0.95) <= most + 1e-9).all()


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("shared", [True, False], ids=["matched", "apart"])
def test_answers_are_never_surer_than_what_is_shown(kind, shared):
    """Many random answers to larger sets; the smallest limit that any keeps is never ruled out."""
    rng = np.random.default_rng(8)
    for clusters in (3, 8, 25):
        n1, n2 = rng.integers(1, 6, (2, clusters))
        gone = np.zeros(clusters, dtype=int)
        sizes = [n1, n2] if shared else [np.r_[n1, gone], np.r_[gone, n2]]
        level = np.where(rng.random((60, 1)) < 0.3, 1.0, rng.random((60, 1)))
        even = np.stack([np.round(part * level).astype(int) for part in sizes])
        noisy = np.stack([rng.binomial(part, level) for part in sizes])
        x = np.concatenate([even, noisy], axis=1)
        n = np.stack([np.tile(part, (120, 1)) for part in sizes])
        counts = ClusterCounts(x.reshape(240, -1), n.reshape(240, -1))
        first, second = np.arange(120), np.arange(120) + 120
        low, high = clustered_pair_interval(counts, first, second, kind=kind, confidence=0.95)
        if kind == "difference":
            most = np.nanmin(np.maximum(-low, high))
            limit = Range(-most - 1e-6, most + 1e-6)
        else:
            with np.errstate(divide="ignore"):
                most = np.nanmin(np.fmax(1 / low, high))
            limit = Range(1 / most - 1e-9, most + 1e-6)
        assert pair_may_keep(sizes[0], sizes[1], limit, kind=kind, confidence=0.95)
