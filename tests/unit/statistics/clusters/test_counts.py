"""Which cluster decides how wide an interval is."""

import numpy as np
import pytest

from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.comparisons.matched import MatchedOutcomes
from pytest_fairness.statistics.comparisons.movement import Movement, cluster_moves, pair_tables
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.composites import MeanRates
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.estimators.sample_means import sample_means


def rates_of(*sizes: list[int]) -> GroupRates:
    n = np.array(sizes)
    return GroupRates(RateCounts(n.sum(axis=1), n.sum(axis=1)), ClusterCounts(n, n))


def test_a_cluster_dominates_when_its_squared_share_is_more_than_that_of_all_others():
    """300 of 350 images: .857^2 of .735; 10 of 110, beside 100 with one: .008 of .017, just not."""
    assert rates_of([300, *[1] * 50]).dominant[0, 0] == pytest.approx(300 / 350)
    assert np.isnan(rates_of([10, *[1] * 100]).dominant[0, 0])
    assert rates_of([11, *[1] * 100]).dominant[0, 0] == pytest.approx(11 / 111)
    assert np.isnan(rates_of([0, 0], [3, 3]).dominant).all()
    together = rates_of([30, 1, 1], [300, 300, 300]).dominant
    assert together[0, 0] == pytest.approx(30 / 32)
    assert np.isnan(together[0, 1])


def test_every_measure_tells_its_dominant_cluster():
    rates = rates_of([1, 1, 1], [8, 1, 1])
    expected = [[np.nan, 0.8]]
    np.testing.assert_allclose(rates.dominant, expected)
    np.testing.assert_allclose(at_looks(rates, "any", whole=(0, 1)).dominant, expected)
    even = rates_of([1, 1, 1], [1, 1, 1])
    np.testing.assert_allclose(MeanRates(rates.counts, (even, rates)).dominant, expected)
    values, groups = np.linspace(0, 1, 13), np.repeat([0, 1], [3, 10])
    clusters = SampleClusters(np.r_[0, 1, 2, [0] * 8, 1, 2])
    np.testing.assert_allclose(
        sample_means(values, groups, 2, clusters=clusters).dominant, expected
    )
    right = values > 0.5
    moves = cluster_moves(right, right, groups, clusters, size=2)
    tables = pair_tables(right, right, groups, size=2)
    np.testing.assert_allclose(Movement.paired(tables, moves).dominant, expected)
    assert MatchedOutcomes(right, right, right, clusters).dominant == pytest.approx(9 / 13)


def test_independent_samples_have_no_dominant_cluster():
    n = np.array([5, 6])
    assert np.isnan(GroupRates(RateCounts(n, n)).dominant).all()
    assert np.isnan(Movement(RateCounts(n, n), RateCounts(n, n)).dominant).all()
    assert np.isnan(sample_means(np.ones(2), np.array([0, 1]), 2).dominant).all()
    flags = np.ones(3, dtype=bool)
    assert np.isnan(MatchedOutcomes(flags, flags, flags).dominant).all()
