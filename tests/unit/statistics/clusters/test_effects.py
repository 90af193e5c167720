"""Dependent samples are worth fewer: by hand, at the edges, and by simulation."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from benchmarks.cluster_coverage import Cell, simulate
from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.clusters.effects import worth
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

FIRST, SECOND = np.array([0]), np.array([1])


def clusters_of(successes, n) -> ClusterCounts:
    return ClusterCounts(np.atleast_2d(successes), np.atleast_2d(n))


def rates_of(clusters: ClusterCounts, *, aware: bool = True) -> GroupRates:
    whole = RateCounts(clusters.successes.sum(axis=1), clusters.n.sum(axis=1))
    return GroupRates(whole, clusters if aware else None)


def test_images_that_always_agree_are_worth_one_a_cluster_by_hand():
    # 20 clusters of 5, all right or all wrong: residuals 2.5 / 100 each, variance
    # 20 / 19 * 20 * 0.025^2 = 0.013158, against 0.25 / 100: design effect 5.263.
    assert worth(clusters_of([5, 0] * 10, [5] * 20))[0] == pytest.approx(1 / 5.2632, rel=1e-4)


def test_a_cluster_robust_variance_is_that_of_statsmodels():
    import statsmodels.api as sm

    rng = np.random.default_rng(0)
    n = rng.integers(1, 9, 30)
    successes = rng.binomial(n, rng.beta(2, 1, 30))
    groups = np.repeat(np.arange(30), n)
    outcome = np.concatenate([np.arange(m) < x for x, m in zip(successes, n, strict=True)])
    fit = sm.OLS(outcome.astype(float), np.ones(n.sum())).fit(
        cov_type="cluster", cov_kwds={"groups": groups, "use_correction": False}
    )
    rate = outcome.mean()
    effect = fit.cov_params()[0, 0] * 30 / 29 / (rate * (1 - rate) / n.sum())
    assert worth(clusters_of(successes, n))[0] == pytest.approx(1 / max(effect, 1.0))


def test_clusters_of_one_image_are_nearly_independent_images():
    rng = np.random.default_rng(1)
    single = clusters_of(rng.binomial(1, 0.7, 400), np.ones(400, dtype=int))
    assert worth(single)[0] == pytest.approx(1, abs=0.01)
    aware, plain = rates_of(single).alone(0.95), rates_of(single, aware=False).alone(0.95)
    assert aware.high[0] - aware.low[0] == pytest.approx(plain.high[0] - plain.low[0], rel=0.02)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=2, max_size=40))
def test_an_interval_is_never_narrower_than_that_of_independent_images(found):
    successes, extra = np.array(found).T
    clusters = clusters_of(successes, successes + extra)
    if clusters.n.sum() == 0:
        return
    aware, plain = rates_of(clusters).alone(0.95), rates_of(clusters, aware=False).alone(0.95)
    assert aware.low[0] <= plain.low[0] + 1e-9
    assert aware.high[0] >= plain.high[0] - 1e-9


def test_a_group_of_one_cluster_knows_next_to_nothing():
    # 10 images of one child: as wide as a single image, at one degree of freedom.
    clusters = clusters_of([[9, 0, 0], [0, 50, 40]], [[10, 0, 0], [0, 60, 60]])
    low, high = rates_of(clusters).alone(0.95)
    assert high[0] - low[0] > 0.9
    gap = rates_of(clusters).pairs(FIRST, SECOND, kind="difference", confidence=0.95)
    assert gap.high[0] - gap.low[0] > 0.7


def test_a_group_that_is_always_right_is_worth_one_image_a_cluster():
    clusters = clusters_of([[5] * 8, [3, 4] * 4], [[5] * 8, [5] * 8])
    assert worth(clusters)[0] == pytest.approx(8 / 40)
    assert 0 < worth(clusters)[1] <= 1


def test_a_mean_of_any_outcome_needs_its_variance_by_hand():
    # Ten clusters of 4 with sums 3 and 1, of values with the variance 0.01: residuals 1 / 40 each,
    # variance 10 / 9 x 10 x 0.025^2 = 0.00694, against 0.01 / 40 of independent samples.
    clusters = clusters_of([3.0, 1.0] * 5, [4] * 10)
    found = worth(clusters, np.array([0.01]))[0]
    assert found == pytest.approx(0.01 / 40 / (100 / 9 * 0.025**2))


def test_an_empty_group_has_no_sample_that_counts():
    assert worth(clusters_of([[0, 0], [1, 3]], [[0, 0], [4, 4]]))[0] == 0


def test_the_other_order_of_a_pair_gives_the_mirrored_interval():
    rng = np.random.default_rng(3)
    n = np.full((2, 30), 4)
    clusters = ClusterCounts(rng.binomial(n, 0.6), n)
    rates = rates_of(clusters)
    one = rates.pairs(FIRST, SECOND, kind="difference", confidence=0.95)
    other = rates.pairs(SECOND, FIRST, kind="difference", confidence=0.95)
    assert one.low[0] == pytest.approx(-other.high[0], abs=1e-6)


def test_more_clusters_of_the_same_kind_narrow_the_interval():
    rates = rates_of(clusters_of([5, 0, 4, 5] * 5, [5] * 20))
    sizes = [rates.alone(0.95, size=size) for size in (100, 400, 1600)]
    widths = [float(high[0] - low[0]) for low, high in sizes]
    assert widths[0] > 1.8 * widths[1] > 3 * widths[2]


@pytest.mark.parametrize("kind", ["rate", "difference", "ratio"])
@pytest.mark.parametrize("shared", [True, False], ids=["shared clusters", "own clusters"])
def test_intervals_cover_the_truth_where_those_of_independent_images_do_not(kind, shared):
    cell = Cell("30 x 20", correlation=0.9, rates=(0.8, 0.7), shared=shared)
    rng = np.random.default_rng(11)
    aware = simulate(cell, kind, runs=1000, rng=rng)
    assert aware.covered >= 0.93
    if kind == "rate" or not shared:
        assert simulate(cell, kind, runs=1000, rng=rng, clustered=False).covered < 0.85


def test_matched_pairs_of_one_cluster_are_worth_less_than_independent_pairs():
    from pytest_fairness.statistics.comparisons.matched import MatchedOutcomes

    # 20 designs of 5 pairs each; in four designs all pairs flip, from right to wrong.
    flipped = np.repeat(np.arange(20) < 4, 5)
    reference_right = np.ones(100, dtype=bool)
    clusters = np.repeat(np.arange(20), 5)
    plain = MatchedOutcomes(~flipped, reference_right, flipped)
    aware = MatchedOutcomes(~flipped, reference_right, flipped, SampleClusters(clusters))
    for interval in ("flip_interval", "accuracy_interval"):
        one, other = (getattr(outcomes, interval)(0.95) for outcomes in (plain, aware))
        assert other.low < one.low
        assert other.high > one.high
        width, wider = (float(found.high - found.low) for found in (one, other))
        assert wider > 1.8 * width
