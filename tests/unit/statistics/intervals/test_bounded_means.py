"""Intervals of bounded means: worked values, a search by brute force, enumerated errors, and laws."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import optimize, special, stats

from pytest_fairness.statistics.intervals.bounded_means import mean_interval, subtracted
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

VALUES = st.lists(st.floats(0, 1), min_size=1, max_size=25)
LEVELS = st.sampled_from([0.8, 0.95, 0.9985, 0.9998])


def at_levels(values, levels):
    """Intervals of one group at several levels, (L, 1)."""
    found = [
        mean_interval(values, np.ones(len(values)), np.array([0]), confidence=float(level))
        for level in levels
    ]
    return Interval(*(np.stack(ends) for ends in zip(*found, strict=True)))


def interval(values, confidence=0.95, *, sizes=None, times=1.0):
    values = np.asarray(values, dtype=float)
    sizes = np.ones(len(values)) if sizes is None else np.asarray(sizes, dtype=float)
    found = mean_interval(values, sizes, np.array([0]), confidence=confidence, times=times)
    return float(found.low[0]), float(found.high[0])


@pytest.mark.parametrize("n", [1, 6, 80])
def test_values_that_never_varied_may_have_missed_a_rare_zero_by_hand(n):
    # All of n samples show 0.3 if zeros are a share q with chance (1 - q)^n: 0.025 at the mean
    # 0.3 x 0.025^(1/n), and nothing narrower holds. Upwards the same of 0.7 below 1.
    least = 0.025 ** (1 / n)
    assert interval([0.3] * n) == pytest.approx((0.3 * least, 1 - 0.7 * least), abs=1e-7)


@pytest.mark.parametrize("n", [1, 12, 200])
def test_only_ones_have_the_bounds_of_clopper_and_pearson(n):
    expected = clopper_pearson(n, n, confidence=0.99)
    assert interval([1.0] * n, 0.99) == pytest.approx((expected.low, expected.high), abs=1e-7)


@pytest.mark.parametrize("confidence", [0.95, 0.9998])
@pytest.mark.parametrize(("ones", "n"), [(1, 30), (6, 30), (15, 30), (4, 300), (290, 300)])
def test_zeros_and_ones_are_bounded_about_as_exactly_and_never_closer(ones, n, confidence):
    low, high = interval([1.0] * ones + [0.0] * (n - ones), confidence)
    exact = clopper_pearson(ones, n, confidence=confidence)
    assert low <= exact.low
    assert high >= exact.high
    assert high - low <= 1.12 * (exact.high - exact.low)


def test_bound_is_where_the_best_stake_is_as_sure_as_the_level_by_search():
    values = np.array([0.05, 0.2, 0.35, 0.4, 0.8, 0.85, 0.9, 1.0])

    def evidence(mean):
        odds = values / mean - 1

        def lost(stake):
            won = np.log1p(stake * odds)
            return -(won.sum() - won.max() / 3 + np.log1p(-stake))

        best = optimize.minimize_scalar(lost, bounds=(0, 1), method="bounded")
        return np.sqrt(2 * max(-best.fun, 0)) - special.ndtri(0.975)

    expected = optimize.brentq(evidence, 0.01, values.mean())
    assert interval(values)[0] == pytest.approx(expected, abs=1e-5)


@pytest.mark.parametrize("points", [(0, 0.5, 1), (0, 0.9, 1), (0.4, 0.5, 0.6), (0, 0.1, 0.3)])
@pytest.mark.parametrize("n", [4, 14])
def test_one_sided_errors_are_enumerated_at_all_levels(points, n):
    seen = np.array([c for c in itertools.product(range(n + 1), repeat=3) if sum(c) == n])
    present = seen > 0
    size = present.sum(axis=1)
    sums = np.broadcast_to(points, seen.shape)[present]
    for confidence in (0.9, 0.95, 0.9985, 0.9998):
        low = mean_interval(
            sums,
            np.ones(len(sums)),
            np.cumsum(size) - size,
            confidence=confidence,
            times=seen[present].astype(float),
        ).low
        for rare, other in itertools.product([0, 0.005, 0.03, 0.2, 0.5], repeat=2):
            rates = np.array([rare, 1 - rare - other, other])
            error = stats.multinomial.pmf(seen, n, rates)[low > rates @ points + 1e-9].sum()
            assert error <= (1 - confidence) / 2 + 1e-12, (confidence, rates)


@given(values=VALUES, confidence=LEVELS, data=st.data())
@settings(max_examples=100, deadline=None)
def test_one_worse_value_never_raises_a_bound(values, confidence, data):
    index = data.draw(st.integers(0, len(values) - 1))
    worse = [*values]
    worse[index] = data.draw(st.floats(0, values[index]))
    before, after = interval(values, confidence), interval(worse, confidence)
    assert after[0] <= before[0] + 1e-8
    assert after[1] <= before[1] + 1e-8


@given(values=VALUES, confidence=LEVELS)
@settings(max_examples=60, deadline=None)
def test_interval_contains_the_mean_turns_round_and_nests(values, confidence):
    low, high = interval(values, confidence)
    assert 0 <= low <= np.mean(values) + 1e-12
    assert np.mean(values) - 1e-12 <= high <= 1
    turned = interval(1 - np.array(values), confidence)
    assert turned == pytest.approx((1 - high, 1 - low), abs=1e-8)
    wider = interval(values, (1 + confidence) / 2)
    assert wider[0] <= low + 1e-9
    assert wider[1] >= high - 1e-9


@given(values=VALUES, confidence=LEVELS, times=st.integers(2, 5))
@settings(max_examples=40, deadline=None)
def test_units_that_count_several_times_are_as_many_units(values, confidence, times):
    grown = interval(values, confidence, times=float(times))
    assert grown == pytest.approx(interval(values * times, confidence), abs=1e-7)
    low, high = interval(values, confidence)
    assert low <= grown[0] + 1e-8
    assert grown[1] <= high + 1e-8


def test_a_giant_unit_limits_what_all_others_can_show():
    even = interval([1.8] * 100, sizes=[2.0] * 100)
    giant = interval([90.0] + [0.9] * 110, sizes=[100.0] + [1.0] * 110)
    assert even[0] == pytest.approx(0.9 * 0.025 ** (1 / 100), abs=1e-6)
    assert giant[0] < 0.4


def test_groups_are_as_each_alone():
    one, other = [0.2, 0.9, 0.4], [0.7, 0.7]
    both = mean_interval(np.array(one + other), np.ones(5), np.array([0, 3]), confidence=0.95)
    assert (both.low[0], both.high[0]) == pytest.approx(interval(one))
    assert (both.low[1], both.high[1]) == pytest.approx(interval(other))


def test_a_difference_of_bounds_in_proportion_to_their_deviates_is_movers_by_hand():
    # 3 deviates one way and 4 the other are 5 together, and nearly so at the angles tried.
    def within(value, by):
        return lambda levels: Interval(
            *(value + sign * by * special.ndtri((1 + levels[:, None]) / 2) for sign in (-1, 1))
        )

    found = subtracted(
        (np.array([0.9]), np.array([0.5])), (within(0.9, 3), within(0.5, 4)), confidence=0.95
    )
    five = 5 * special.ndtri(0.975)
    assert 0.4 - 1.006 * five <= found.low[0] <= 0.4 - five
    assert 0.4 + five <= found.high[0] <= 0.4 + 1.006 * five


def test_a_difference_of_groups_all_alike_is_right_at_high_levels_where_mover_is_not():
    # All of 5 show 1, and all of 5 show 0: with p and q the chance is (p (1 - q))^5, largest for
    # p = 1 - q: at most 0.0001 where p - q is 2 x 0.0001^(1/10) - 1.
    def of(values):
        return lambda levels: at_levels(values, levels)

    found = subtracted(
        (np.ones(1), np.zeros(1)), (of(np.ones(5)), of(np.zeros(5))), confidence=0.9998
    )
    assert -0.6 < found.low[0] <= 2 * 0.0001**0.1 - 1
