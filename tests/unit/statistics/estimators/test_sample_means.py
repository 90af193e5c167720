"""Means of a bounded number of every sample: worked values, laws, and simulated coverage."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import optimize, special

from pytest_fairness.statistics.clusters.counts import SampleClusters
from pytest_fairness.statistics.estimators.sample_means import sample_means
from pytest_fairness.statistics.intervals.bounded_means import mean_interval, subtracted
from pytest_fairness.statistics.intervals.rates import Interval


def at_levels(values, levels):
    """Intervals of one group at several levels, (L, 1)."""
    found = [
        mean_interval(values, np.ones(len(values)), np.array([0]), confidence=float(level))
        for level in levels
    ]
    return Interval(*(np.stack(ends) for ends in zip(*found, strict=True)))


def test_interval_of_a_group_is_that_of_its_values():
    values = np.array([0.2, 0.4, 0.6, 0.8, 0.1])
    means = sample_means(values, np.array([1, 0, 1, 1, 0]), 2)
    expected = mean_interval(values[[0, 2, 3]], np.ones(3), np.array([0]), confidence=0.9)
    found = means.alone(0.9, groups=np.array([1]))
    np.testing.assert_allclose(found, expected)


def test_interval_of_a_difference_is_made_of_those_of_both_groups():
    one, other = np.array([0.2, 0.4, 0.9]), np.array([0.5, 0.7, 0.3, 0.1])
    means = sample_means(np.array([*one, *other]), np.array([0] * 3 + [1] * 4), 2)
    expected = subtracted(
        (np.array([0.5]), np.array([0.4])),
        tuple(lambda levels, some=some: at_levels(some, levels) for some in (one, other)),
        confidence=0.95,
    )
    found = means.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.95)
    np.testing.assert_allclose(found, expected, atol=1e-7)


def test_more_samples_like_those_seen_are_as_if_all_were_seen_again():
    values = np.array([0.2, 0.4, 0.9, 0.7])
    means = sample_means(values, np.array([0, 0, 1, 1]), 2)
    again = sample_means(np.tile(values, 3), np.tile([0, 0, 1, 1], 3), 2)
    pair = np.array([0]), np.array([1])
    grown = means.pairs(*pair, kind="difference", confidence=0.95, size=6)
    assert means.alone(0.95, size=6).low == pytest.approx(again.alone(0.95).low, abs=1e-7)
    expected = again.pairs(*pair, kind="difference", confidence=0.95)
    np.testing.assert_allclose(grown, expected, atol=1e-7)


def test_clusters_of_one_sample_are_samples():
    values, groups = np.array([0.2, 0.4, 0.9, 0.7, 0.1]), np.array([0, 0, 1, 1, 1])
    plain = sample_means(values, groups, 2)
    apart = sample_means(values, groups, 2, clusters=SampleClusters(np.arange(5)))
    assert apart.alone(0.95).low == pytest.approx(plain.alone(0.95).low)
    pair = np.array([0]), np.array([1])
    found, expected = (
        means.pairs(*pair, kind="difference", confidence=0.95) for means in (apart, plain)
    )
    assert found.high == pytest.approx(expected.high)


def test_a_difference_within_shared_clusters_by_hand_is_that_of_their_differences():
    # Each cluster has one sample of each group: the mean of 20 differences 0.1, whose scale is
    # -1 to 1: as a mean of 0.55 that was never seen to vary.
    values = np.concatenate([np.linspace(0.1, 0.8, 20) + 0.1, np.linspace(0.1, 0.8, 20)])
    means = sample_means(
        values, np.repeat([0, 1], 20), 2, clusters=SampleClusters(np.tile(np.arange(20), 2))
    )
    found = means.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.95)
    least = 0.025 ** (1 / 20)
    assert found.low[0] == pytest.approx(2 * 0.55 * least - 1, abs=1e-6)
    assert found.high[0] == pytest.approx(1 - 2 * 0.45 * least, abs=1e-6)


@given(
    st.lists(st.floats(0, 1), min_size=2, max_size=20),
    st.integers(0, 19),
    st.floats(0, 1),
    st.sampled_from([0.8, 0.95, 0.9985]),
)
@settings(max_examples=30, deadline=None)
def test_one_worse_value_never_helps_its_group_against_another(values, index, factor, confidence):
    groups = np.arange(len(values)) % 2
    index = index % len(values) // 2 * 2
    worse = np.array(values)
    worse[index] *= factor
    before, after = (
        sample_means(some, groups, 2).pairs(
            np.array([0]), np.array([1]), kind="difference", confidence=confidence
        )
        for some in (np.array(values), worse)
    )
    assert after.low[0] <= before.low[0] + 1e-8
    assert after.high[0] <= before.high[0] + 1e-8


@pytest.mark.parametrize(("sizes", "most"), [((2, 2), 1e-8), ((1, 4), 0.01)], ids=str)
def test_a_worse_value_does_not_help_its_group_within_shared_clusters(sizes, most):
    # 20 values of one group get worse, one after the other; the clusters stay.
    rng, people = np.random.default_rng(4), 25
    clusters = [np.repeat(np.arange(people), rng.integers(1, size + 1, people)) for size in sizes]
    if sizes[0] == sizes[1]:
        clusters[1] = clusters[0]
    own = rng.beta(4, 1, people)
    values, other = (np.clip(own[some] + rng.normal(0, 0.1, len(some)), 0, 1) for some in clusters)
    steps = [values]
    for index in rng.permutation(len(values))[:20]:
        worse = steps[-1].copy()
        worse[index] *= rng.choice([0, 0.5])
        steps.append(worse)
    number = len(steps)
    means = sample_means(
        np.concatenate([*steps, other]),
        np.repeat(np.arange(number + 1), [len(values)] * number + [len(other)]),
        number + 1,
        clusters=SampleClusters(np.concatenate([np.tile(clusters[0], number), clusters[1]])),
    )
    first, second = np.arange(number), np.full(number, number)
    gaps = means.pairs(first, second, kind="difference", confidence=0.95)
    for end in gaps:
        assert np.diff(end).max() <= most
        assert end[-1] < end[0]


def test_a_difference_within_shared_clusters_of_other_sizes_is_found_by_search():
    rng = np.random.default_rng(8)
    one, other = (
        [rng.beta(6, 2, size) for size in sizes]
        for sizes in ([1, 3, 2, 1, 2, 4], [2, 1, 2, 3, 1, 1])
    )
    n1, n2 = sum(map(len, one)), sum(map(len, other))
    middle = (sum(map(sum, one)) / n1 + sum(map(sum, other)) / n2) / 2

    def beyond(gap):
        gains, losses = [], []
        for values, others in zip(one, other, strict=True):
            # Of each group, what is above the middle, and the least that it could be.
            gains.append(
                (values - middle).sum() / n1
                - (others - middle).sum() / n2
                - gap * (len(values) / n1 + len(others) / n2) / 2
            )
            least = -middle * len(values) / n1 - (1 - middle) * len(others) / n2
            losses.append(gap * (len(values) / n1 + len(others) / n2) / 2 - least)
        odds = np.array(gains) / max(losses)

        def lost(stake):
            won = np.log1p(stake * odds)
            return -(won.sum() - won.max() / 3 + np.log1p(-stake))

        best = optimize.minimize_scalar(lost, bounds=(0, 1), method="bounded").fun
        plain = np.sqrt(2 * max(-best, 0)) - special.ndtri(0.95)
        return max(plain, np.log1p(odds).sum() + np.log(0.05))

    values = np.concatenate([*one, *other])
    clusters = np.repeat(np.tile(np.arange(6), 2), [len(some) for some in (*one, *other)])
    means = sample_means(values, np.repeat([0, 1], [n1, n2]), 2, clusters=SampleClusters(clusters))
    found = means.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.9)
    value = values[:n1].mean() - values[n1:].mean()
    assert found.low[0] == pytest.approx(optimize.brentq(beyond, -0.99, value), abs=1e-5)


def test_bounds_other_than_0_and_1_only_move_and_stretch():
    values, groups = np.array([0.1, 0.7, 0.4]), np.zeros(3, dtype=int)
    plain = sample_means(values, groups, 1)
    moved = sample_means(4 * values - 2, groups, 1, floor=-2, ceiling=2)
    assert moved.values == pytest.approx(4 * plain.values - 2)
    assert moved.deviations == pytest.approx(4 * plain.deviations)
    assert moved.alone(0.95).low == pytest.approx(4 * plain.alone(0.95).low - 2)


def test_many_values_are_bounded_in_parts_as_at_once(monkeypatch):
    rng = np.random.default_rng(5)
    means = sample_means(rng.random(60), np.repeat([0, 1, 3, 4], 15), 5)
    pairs = np.array([0, 1, 3, 4]), np.array([1, 3, 4, 0])
    found = means.pairs(*pairs, kind="difference", confidence=0.95)
    monkeypatch.setattr("pytest_fairness.statistics.estimators.sample_means._AT_ONCE", 20)
    again = means.pairs(*pairs, kind="difference", confidence=0.95)
    np.testing.assert_allclose(found, again, atol=1e-8)


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
    means = sample_means(values, np.zeros(80, dtype=int), 1, clusters=SampleClusters(clusters))
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
    means = sample_means(draw(rng, 1_000 * n), np.repeat(np.arange(1_000), n), 1_000)
    low, high = means.alone(0.95)
    assert ((low <= truth + 1e-9) & (high >= truth - 1e-9)).mean() > 0.95
    first, second = np.arange(0, 200, 2), np.arange(1, 200, 2)
    gap = means.pairs(first, second, kind="difference", confidence=0.95)
    assert ((gap.low <= 1e-9) & (gap.high >= -1e-9)).mean() > 0.95


def test_intervals_cover_where_samples_of_a_cluster_are_alike_and_are_shared_by_both_groups():
    rng, runs = np.random.default_rng(11), 150
    cluster = np.repeat(np.arange(30), 4)
    own = rng.normal(0, 0.12, (runs, 1, 30)) + rng.normal(0, 0.08, (runs, 2, 30))
    values = np.clip(0.5 + own[:, :, cluster] + rng.normal(0, 0.05, (runs, 2, 120)), 0, 1).ravel()
    groups = np.repeat(np.arange(2 * runs), 120)
    means = sample_means(
        values, groups, 2 * runs, clusters=SampleClusters(np.tile(cluster, 2 * runs))
    )
    low, high = means.alone(0.95)
    assert ((low <= 0.5) & (high >= 0.5)).mean() > 0.95
    first, second = np.arange(0, 2 * runs, 2), np.arange(1, 2 * runs, 2)
    gap = means.pairs(first, second, kind="difference", confidence=0.95)
    assert ((gap.low <= 0) & (gap.high >= 0)).mean() > 0.95
    low, high = sample_means(values, groups, 2 * runs).alone(0.95)
    assert ((low <= 0.5) & (high >= 0.5)).mean() < 0.85
