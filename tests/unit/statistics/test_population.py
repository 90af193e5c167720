"""A distribution beside a reference population: tests, intervals and design effects."""

import numpy as np
import pytest
from scipy import stats
from statsmodels.stats.proportion import multinomial_proportions_confint, proportion_confint

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.population import (
    goodness_of_fit,
    mean_design_effect,
    share_intervals,
    total_variation,
)


@pytest.fixture
def rng():
    return np.random.default_rng(7)


def test_mendels_peas_give_the_published_statistic(rng):
    """Round yellow, round green, wrinkled yellow, wrinkled green against 9:3:3:1; chi-square 0.470."""
    found = goodness_of_fit([315, 108, 101, 32], np.array([9, 3, 3, 1]) / 16, rng=rng)
    assert found.chi_square == pytest.approx(0.470, abs=5e-4)
    assert found.p_value == pytest.approx(0.9254, abs=5e-5)
    assert found.g == pytest.approx(0.4754, abs=5e-4)
    assert found.method == "chi-square"


def test_a_small_sample_is_tested_by_the_exact_distribution_and_not_by_chi_square(rng):
    """Of 5 samples, all of one of two equal levels: exact p = 2/32, chi-square says 0.025."""
    found = goodness_of_fit([5, 0], [0.5, 0.5], rng=rng)
    assert found.method == "simulated"
    assert found.smallest_expected == 2.5
    assert found.p_value == pytest.approx(2 / 32, abs=0.01)
    assert stats.chisquare([5, 0]).pvalue < 0.03


def test_the_small_sample_test_calls_a_fair_sample_unfair_at_most_as_often_as_it_says(rng):
    shares = np.array([0.7, 0.2, 0.1])
    drawn = rng.multinomial(12, shares, size=300)
    p = [goodness_of_fit(one, shares, rng=rng, draws=399).p_value for one in drawn]
    assert np.mean(np.array(p) <= 0.05) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


def test_each_interval_is_the_exact_one_at_the_level_that_all_need():
    counts = np.array([56, 72, 73, 59, 62, 87, 58])
    found = share_intervals(counts, confidence=0.95)
    expected = proportion_confint(counts, counts.sum(), alpha=0.05 / 7, method="beta")
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_exact_intervals_are_near_goodmans_where_counts_are_large_and_wider_where_small():
    large, small = np.array([560, 720, 730]), np.array([0, 2, 50])
    low, high = share_intervals(large)
    goodman = multinomial_proportions_confint(large, alpha=0.05, method="goodman")
    np.testing.assert_allclose(np.stack([low, high], axis=1), goodman, atol=2e-3)
    goodman = multinomial_proportions_confint(small, alpha=0.05, method="goodman")
    assert share_intervals(small).low[1] < goodman[1, 0]


def test_the_intervals_hold_together(rng):
    shares = np.array([0.5, 0.3, 0.15, 0.05])
    held = []
    for counts in rng.multinomial(200, shares, size=1000):
        low, high = share_intervals(counts)
        held.append(bool(((low <= shares) & (shares <= high)).all()))
    assert np.mean(held) >= 0.95


def test_samples_that_are_worth_less_have_wider_intervals():
    narrow, wide = share_intervals([30, 70]), share_intervals([30, 70], worth=[0.25, 0.25])
    assert wide.low[0] < narrow.low[0]
    assert wide.high[0] > narrow.high[0]
    np.testing.assert_allclose(wide.low, share_intervals([7.5, 17.5]).low)


def test_the_design_effect_divides_the_statistics(rng):
    plain = goodness_of_fit([30, 70], [0.5, 0.5], rng=rng)
    clustered = goodness_of_fit([30, 70], [0.5, 0.5], rng=rng, design_effect=4.0)
    assert clustered.chi_square == pytest.approx(plain.chi_square / 4)
    assert clustered.p_value == pytest.approx(stats.chi2.sf(plain.chi_square / 4, 1))


def test_copies_of_each_sample_do_not_make_a_test_surer(rng):
    """100 persons with 5 images each: the first-order correction brings the statistic back."""
    persons = rng.multinomial(100, [0.4, 0.35, 0.25])
    effect = mean_design_effect(persons / 100, [5.0, 5.0, 5.0])
    assert effect == pytest.approx(5.0)
    shares = [1 / 3] * 3
    one = goodness_of_fit(persons, shares, rng=rng).chi_square
    assert goodness_of_fit(persons * 5, shares, rng=rng, design_effect=5.0).chi_square == (
        pytest.approx(one)
    )


def test_a_design_effect_never_makes_samples_worth_more():
    assert mean_design_effect([0.5, 0.5], [0.2, 0.2]) == 1.0


def test_the_total_variation_is_symmetric_zero_for_equal_and_one_for_disjoint():
    assert total_variation([3, 1], [0.75, 0.25]) == 0.0
    assert total_variation([4, 0], [0.0, 1.0]) == 1.0
    assert total_variation([9, 1], [0.1, 0.9]) == pytest.approx(total_variation([1, 9], [0.9, 0.1]))


@pytest.mark.parametrize(
    ("counts", "shares"),
    [([4], [1.0]), ([0, 0], [0.5, 0.5]), ([3, 4], [1.0, 0.0])],
    ids=["one level", "no samples", "a share of 0"],
)
def test_what_cannot_be_tested_is_an_error(rng, counts, shares):
    with pytest.raises(FairnessError, match="two levels or more, each with a share above 0"):
        goodness_of_fit(counts, shares, rng=rng)


def test_the_corrected_test_keeps_its_level_where_persons_have_unequally_many_images(rng):
    shares, sizes = np.array([0.6, 0.3, 0.1]), np.tile([1, 2, 9], 40)
    rejected = 0
    for _ in range(300):
        levels = rng.choice(3, size=len(sizes), p=shares)
        counts = np.bincount(levels, weights=sizes, minlength=3)
        effects = np.full(3, (sizes**2).sum() / sizes.sum())
        effect = mean_design_effect(shares, effects)
        found = goodness_of_fit(counts.astype(int), shares, rng=rng, design_effect=effect)
        rejected += found.p_value < 0.05
    assert rejected / 300 <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)
