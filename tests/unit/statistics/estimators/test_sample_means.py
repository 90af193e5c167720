"""Means of a bounded number of every sample: worked values, laws, and simulated coverage."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pytest_fairness.statistics.estimators.sample_means import sample_means


def test_interval_is_students_t_with_a_sample_at_either_bound_added():
    values = np.array([0.2, 0.4, 0.6, 0.8])
    added = np.array([*values, 0.0, 1.0])
    expected = stats.t.interval(0.9, len(added) - 1, added.mean(), stats.sem(added))
    low, high = sample_means(values, np.zeros(4, dtype=int), 1).alone(0.9)
    assert (low[0], high[0]) == pytest.approx(expected)


def test_interval_of_a_difference_is_welchs_with_samples_added():
    one, other = np.array([0.2, 0.4, 0.9]), np.array([0.5, 0.7, 0.3, 0.1])
    result = stats.ttest_ind([*one, 0, 1], [*other, 0, 1], equal_var=False)
    expected = result.confidence_interval(0.95)
    means = sample_means(np.array([*one, *other]), np.array([0] * 3 + [1] * 4), 2)
    found = means.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.95)
    assert (found.low[0], found.high[0]) == pytest.approx((expected.low, expected.high))


def test_bounds_other_than_0_and_1_only_move_and_stretch():
    values, groups = np.array([0.1, 0.7, 0.4]), np.zeros(3, dtype=int)
    plain = sample_means(values, groups, 1)
    moved = sample_means(4 * values - 2, groups, 1, floor=-2, ceiling=2)
    assert moved.values == pytest.approx(4 * plain.values - 2)
    assert moved.deviations == pytest.approx(4 * plain.deviations)
    assert moved.alone(0.95).low == pytest.approx(4 * plain.alone(0.95).low - 2)


def test_values_that_are_missing_are_left_out_and_an_empty_group_has_no_mean():
    means = sample_means(np.array([0.5, np.nan, 0.7]), np.array([0, 0, 2]), 3)
    assert means.n.tolist() == [1, 0, 1]
    assert np.isnan(means.values).tolist() == [False, True, False]
    assert np.isnan(means.alone(0.95).low).tolist() == [False, True, False]


def test_a_value_outside_its_bounds_is_an_error():
    with pytest.raises(ValueError, match=r"a value is 1\.5, outside its bounds 0 … 1"):
        sample_means(np.array([0.5, 1.5]), np.array([0, 0]), 1)


def test_clusters_of_equal_samples_are_worth_one_sample_each():
    values, clusters = np.repeat([0.1, 0.4, 0.6, 0.9] * 5, 4), np.repeat(np.arange(20), 4)
    means = sample_means(values, np.zeros(80, dtype=int), 1, clusters=clusters)
    assert means.effective_n[0] == pytest.approx(20 - 1)


def test_ratios_are_refused():
    means = sample_means(np.array([0.5, 0.6]), np.array([0, 1]), 2)
    with pytest.raises(ValueError, match="subtracted, never divided"):
        means.pairs(np.array([0]), np.array([1]), kind="ratio", confidence=0.95)


@given(
    st.lists(st.floats(0, 1), min_size=1, max_size=40),
    st.sampled_from([0.8, 0.95, 0.99]),
    st.randoms(use_true_random=False),
)
def test_interval_contains_the_mean_ignores_order_and_narrows_with_copies(
    values, confidence, random
):
    def interval(some):
        found = sample_means(np.array(some), np.zeros(len(some), dtype=int), 1)
        return found.values[0], *(float(end[0]) for end in found.alone(confidence))

    mean, low, high = interval(values)
    assert 0 <= low <= mean + 1e-12
    assert mean - 1e-12 <= high <= 1
    shuffled = random.sample(values, len(values))
    assert interval(shuffled) == pytest.approx((mean, low, high))
    _, low2, high2 = interval(values * 4)
    assert high2 - low2 <= high - low + 1e-9


@pytest.mark.parametrize("n", [5, 20, 100])
@pytest.mark.parametrize(
    "draw",
    [
        lambda rng, size: rng.beta(0.3, 2, size),
        lambda rng, size: rng.beta(5, 1, size),
        lambda rng, size: (rng.random(size) < 0.02).astype(float),
        lambda _, size: np.full(size, 0.3),
    ],
    ids=["skewed", "near_1", "rare", "constant"],
)
def test_intervals_cover_the_mean_of_bounded_numbers(n, draw):
    rng = np.random.default_rng(7)
    truth = draw(rng, 400_000).mean()
    means = sample_means(draw(rng, 2_000 * n), np.repeat(np.arange(2_000), n), 2_000)
    low, high = means.alone(0.95)
    assert ((low <= truth + 1e-9) & (high >= truth - 1e-9)).mean() > 0.93
    first, second = np.arange(0, 2_000, 2), np.arange(1, 2_000, 2)
    gap = means.pairs(first, second, kind="difference", confidence=0.95)
    assert ((gap.low <= 1e-9) & (gap.high >= -1e-9)).mean() > 0.93


def test_intervals_cover_where_samples_of_a_cluster_are_alike_and_are_shared_by_both_groups():
    rng = np.random.default_rng(11)
    covered, covered_gap, naive = [], [], []
    for _ in range(300):
        cluster = np.tile(np.repeat(np.arange(30), 4), 2)
        groups = np.repeat([0, 1], 120)
        own = rng.normal(0, 0.12, 30)
        tone = rng.normal(0, 0.08, (2, 30))
        values = np.clip(
            0.5 + own[cluster] + tone[groups, cluster] + rng.normal(0, 0.05, 240), 0, 1
        )
        means = sample_means(values, groups, 2, clusters=cluster)
        low, high = means.alone(0.95)
        covered.append(low[0] <= 0.5 <= high[0])
        gap = means.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.95)
        covered_gap.append(gap.low[0] <= 0 <= gap.high[0])
        plain_low, plain_high = sample_means(values, groups, 2).alone(0.95)
        naive.append(plain_low[0] <= 0.5 <= plain_high[0])
    assert np.mean(covered) > 0.93
    assert np.mean(covered_gap) > 0.93
    assert np.mean(naive) < 0.85
