"""The paired ratio's score interval against a published example, its likelihood, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats
from scipy.optimize import minimize_scalar

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals.inversion import without_skewness
from pytest_fairness.statistics.intervals.paired import paired_score_statistic
from pytest_fairness.statistics.intervals.paired_ratios import (
    paired_ratio_score,
    paired_ratio_statistic,
)
from pytest_fairness.statistics.intervals.rates import clopper_pearson

CELLS = st.tuples(st.integers(0, 40), st.integers(0, 40), st.integers(0, 40)).filter(any)


def test_interval_of_the_lens_trial_is_that_of_tang_and_colleagues():
    # Of 44 pairs 43 succeed with both lenses, 1 with the second alone (Tango 1998).
    low, high = paired_ratio_score(43, 0, 1, confidence=0.90)
    assert (low, high) == pytest.approx((0.904, 1.039), abs=1e-3)


@given(cells=CELLS, ratio=st.floats(0.1, 10))
@settings(max_examples=60, deadline=None)
def test_statistic_is_taken_at_the_most_likely_shares_with_that_ratio(cells, ratio):
    both, first, second = cells
    n = both + first + second

    def other(share):
        return (ratio - 1 + share) / ratio

    def surprise(share):
        chances = 1 - share - other(share), other(share), share
        return -sum(
            k * np.log(max(chance, 1e-300)) for k, chance in zip(cells, chances, strict=True) if k
        )

    ends = max(0.0, 1 - ratio), 1 / (1 + ratio)
    share = minimize_scalar(surprise, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    share = min((*ends, share), key=surprise)
    variance = n * ratio * (share + other(share))
    distance = both + first - ratio * (both + second)
    expected = distance / np.sqrt(variance) if distance else 0.0
    assert paired_ratio_statistic(*cells, ratio) == pytest.approx(expected, rel=1e-4, abs=1e-4)


@given(
    cells=st.tuples(st.integers(1, 40), st.integers(0, 40), st.integers(1, 40)),
    ratio=st.floats(0.2, 5),
)
@settings(max_examples=60, deadline=None)
def test_skewness_is_the_third_moment_of_what_one_sample_adds(cells, ratio):
    """A sample adds 1 - r, 1 or -r to the distance; the moments are taken at the most likely shares."""
    both, first, second = cells
    n = both + first + second

    def other(share):
        return (ratio - 1 + share) / ratio

    def surprise(share):
        chances = 1 - share - other(share), other(share), share
        return -sum(
            k * np.log(max(chance, 1e-300)) for k, chance in zip(cells, chances, strict=True) if k
        )

    ends = max(0.0, 1 - ratio), 1 / (1 + ratio)
    share = minimize_scalar(surprise, bounds=ends, method="bounded", options={"xatol": 1e-12}).x
    share = min((*ends, share), key=surprise)
    adds = np.array([1 - ratio, 1.0, -ratio])
    chances = np.array([1 - share - other(share), other(share), share])
    assert chances @ adds == pytest.approx(0, abs=1e-9)
    variance = n * (chances @ adds**2) * n / (n - 1)
    skewness = n * (chances @ adds**3) / variance**1.5
    distance = both + first - ratio * (both + second)
    corrected = without_skewness(np.array(distance / np.sqrt(variance)), np.array(skewness))
    expected = 0.0 if abs(distance) < 1e-9 else float(corrected)
    found = paired_ratio_statistic(both, first, second, ratio, corrected=True)
    assert found == pytest.approx(expected, rel=1e-3, abs=1e-3)


@pytest.mark.parametrize("confidence", [0.95, 0.9985, 0.9998])
def test_no_bound_is_worse_than_that_of_the_samples_of_the_first_alone(confidence):
    """All of 40 differ, 39 for the first: p1 / p2 is at least q / (1 - q), of the exact bound q of 39."""
    share = clopper_pearson(39, 40, confidence=confidence).low
    low = paired_ratio_score(0, 39, 1, confidence=confidence, corrected=True).low
    assert low == pytest.approx(float(share / (1 - share)))


@given(both=st.integers(0, 30), first=st.integers(0, 30), second=st.integers(0, 30))
def test_statistic_at_1_is_that_of_the_difference_at_0(both, first, second):
    n = max(both + first + second, 1)
    found = paired_ratio_statistic(max(both, 1 - first - second), first, second, 1.0)
    assert found == pytest.approx(paired_score_statistic(first, second, n, 0.0), abs=1e-9)


@given(cells=CELLS, confidence=st.floats(0.5, 0.999), corrected=st.booleans())
@settings(max_examples=60, deadline=None)
def test_interval_contains_the_ratio_turns_round_and_is_wider_at_a_higher_level(
    cells, confidence, corrected
):
    both, first, second = cells
    low, high = paired_ratio_score(*cells, confidence=confidence, corrected=corrected)
    turned = paired_ratio_score(both, second, first, confidence=confidence, corrected=corrected)
    wider = paired_ratio_score(*cells, confidence=(1 + confidence) / 2, corrected=corrected)
    with np.errstate(divide="ignore"):
        assert turned.low == pytest.approx(1 / high)
        ratio = np.divide(both + first, both + second)
    assert low <= ratio <= high
    assert wider.low <= low
    assert wider.high >= high


def test_no_success_of_one_answer_leaves_its_side_unbounded():
    assert paired_ratio_score(0, 0, 3).low == 0
    assert np.isinf(paired_ratio_score(0, 3, 0).high)
    assert np.isnan(paired_ratio_score(0, 0, 0)).all()


def test_impossible_counts_are_refused():
    with pytest.raises(FairnessError, match="allowed is 0 <= successes <= n"):
        paired_ratio_score(3, -1, 2)


def corrected(both, first_only, second_only, confidence=0.95):
    return paired_ratio_score(both, first_only, second_only, confidence=confidence, corrected=True)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_without_a_differing_sample_corrected_bounds_are_those_of_no_loss_in_n(n):
    # By hand: among n samples of which the first fails none, its failures are at most
    # 1 - 0.025^(1/n), and the second has at most all of them.
    most = 0.025 ** (1 / n)
    np.testing.assert_allclose(corrected(n, 0, 0), (most, 1 / most), rtol=1e-9)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.9985, 0.9998])
@pytest.mark.parametrize("n", [6, 17, 45])
def test_one_sided_errors_of_corrected_bounds_are_enumerated(n, confidence):
    first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = first + second <= n
    first, second = first[possible], second[possible]
    low, _ = corrected(n - first - second, first, second, confidence)
    expected = np.array([0.02, 0.2, 0.7, 1.5, 3, 5, 9, 14, 22, 35, 44.9]) / n
    for rate1 in [0.0, *expected[expected < 1]]:
        for rate2 in [*expected[expected < 1 - rate1], 1 - rate1]:
            chances = stats.binom.pmf(first, n, rate1) * stats.binom.pmf(
                second, n - first, min(1.0, rate2 / (1 - rate1))
            )
            error = chances[low > (1 - rate2) / (1 - rate1) + 1e-9].sum()
            assert error <= 1.2 * (1 - confidence) / 2, (rate1, rate2)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.9985, 0.999999])
def test_one_more_error_of_either_moves_corrected_bounds_one_way_only(confidence):
    rng = np.random.default_rng(5)
    both, first, second = rng.integers(1, [[40], [25], [25]], (3, 4000))
    before = corrected(both, first, second, confidence)
    # An error of the first: a sample of both becomes the second's, one of the first alone nobody's.
    for worse in (
        corrected(both - 1, first, second + 1, confidence),
        corrected(both, first - 1, second, confidence),
    ):
        assert (worse.low <= before.low + 1e-9).all()
        assert (worse.high <= before.high * (1 + 1e-9)).all()
    # Where few samples are a success of both, all tables.
    for n in (2, 3, 8, 20):
        first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        possible = first + second <= n
        cells = (np.where(possible, cell, 1) for cell in (n - first - second, first, second))
        for bound in corrected(*cells, confidence):
            share = np.where(possible, 1 - 1 / (1 + bound), np.nan)
            gained, lost = np.diff(share, axis=0), np.diff(share, axis=1)
            assert (gained[~np.isnan(gained)] >= -1e-9).all()
            assert (lost[~np.isnan(lost)] <= 1e-9).all()
