"""Paired intervals and tests against published examples, statsmodels, a quartic, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import optimize, special, stats

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals.paired import (
    mcnemar_p_value,
    paired_score_statistic,
    tango,
)

SIZES, LEVELS = st.integers(1, 60), st.floats(0.5, 0.999)
few_examples = settings(max_examples=15, deadline=None)


def all_pairs(n: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    first_only, second_only = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
    possible = first_only + second_only <= n
    return first_only[possible], second_only[possible], np.full(possible.sum(), n)


@pytest.mark.parametrize(
    ("first_only", "second_only", "n", "confidence", "expected"),
    [
        pytest.param(9, 3, 32, 0.95, (-0.027, 0.390), id="Tango 1998"),
        pytest.param(0, 1, 44, 0.90, (-0.096, 0.037), id="Tango 1998, lenses"),
        pytest.param(16, 8, 86, 0.95, (-0.020, 0.207), id="Agresti and Min 2005"),
        pytest.param(3, 1, 14, 0.95, (-0.167, 0.433), id="Tang 2010"),
        pytest.param(1, 7, 21, 0.95, (-0.517, -0.026), id="Fagerland 2014"),
    ],
)
def test_published_examples(first_only, second_only, n, confidence, expected):
    interval = tango(first_only, second_only, n, confidence=confidence)
    np.testing.assert_allclose(interval, expected, atol=5e-4)


@given(n=SIZES)
@few_examples
def test_bounds_solve_the_squared_equation(n):
    # The bounds are roots of (b - c - n d)^2 = z^2 n (2 q + d (1 - d)), q the restricted rate:
    # with 4 n q = root - slope it squares to a polynomial without the root.
    first_only, second_only, n = all_pairs(n)
    z2 = special.ndtri(0.975) ** 2
    for d in tango(first_only, second_only, n):
        slope = -first_only - second_only + (2 * n - first_only + second_only) * d
        excess = (first_only - second_only - n * d) ** 2 / (z2 * n) - d * (1 - d)
        root = 2 * n * excess + slope
        product = 8 * n * second_only * d * (1 - d)
        np.testing.assert_allclose(root**2, slope**2 + product, rtol=1e-6, atol=1e-6)


@given(n=SIZES, confidence=LEVELS)
@few_examples
def test_interval_contains_the_estimate_and_flips(n, confidence):
    first_only, second_only, n = all_pairs(n)
    low, high = tango(first_only, second_only, n, confidence=confidence)
    swapped = tango(second_only, first_only, n, confidence=confidence)
    assert (low >= -1).all()
    assert (low <= (first_only - second_only) / n).all()
    np.testing.assert_array_equal(swapped, (-high, -low))


@given(n=SIZES, confidence=LEVELS)
@few_examples
def test_more_samples_narrow_and_a_higher_level_widens(n, confidence):
    counts = all_pairs(n)
    low, high = tango(*counts, confidence=confidence)
    doubled = tango(*(2 * count for count in counts), confidence=confidence)
    wider = tango(*counts, confidence=(1 + confidence) / 2)
    assert (doubled.high - doubled.low < high - low).all()
    assert (wider.low <= low).all()
    assert (wider.high >= high).all()


def test_statistic_at_0_is_that_of_mcnemar():
    assert paired_score_statistic(12, 5, 90, 0.0) == pytest.approx(7 / np.sqrt(17))


def test_no_differing_sample_is_no_evidence_of_equality():
    low, high = tango(0, 0, 20)
    z2 = special.ndtri(0.975) ** 2
    np.testing.assert_allclose((low, high), (-z2 / (20 + z2), z2 / (20 + z2)), atol=1e-12)


def test_no_sample_leaves_the_interval_undefined():
    assert np.isnan(tango([0, 0], [0, 0], [0, 0])).all()


@pytest.mark.parametrize(
    "counts", [(1, 7), (7, 1), (0, 0), (5, 5), (3, 12), (0, 4), (40, 61)], ids=str
)
def test_mcnemar_is_that_of_statsmodels(counts):
    from statsmodels.stats.contingency_tables import mcnemar

    expected = mcnemar([[9, counts[0]], [counts[1], 9]], exact=True).pvalue
    assert mcnemar_p_value(*counts) == pytest.approx(expected)


def test_one_sided_mcnemar_by_hand():
    # Of 4 differing samples all are the first's: a coin does that in 1 of 16 tosses.
    assert mcnemar_p_value(4, 0, alternative="greater") == pytest.approx(1 / 16)
    assert mcnemar_p_value(4, 0, alternative="less") == 1
    np.testing.assert_allclose(
        mcnemar_p_value([1, 0], [3, 0], alternative="greater"), (15 / 16, 1.0)
    )


@pytest.mark.parametrize("counts", [(3, 3, 5), (-1, 2, 5), (2, -1, 5)], ids=str)
def test_impossible_counts_are_refused(counts):
    with pytest.raises(FairnessError, match="allowed is 0 <= successes <= n"):
        tango(*counts)


def test_an_unknown_alternative_is_refused():
    with pytest.raises(FairnessError, match="allowed is one of greater, less, two-sided"):
        mcnemar_p_value(1, 2, alternative="larger")


def corrected(first_only, second_only, n, confidence=0.95):
    return tango(first_only, second_only, n, confidence=confidence, corrected=True)


@pytest.mark.parametrize("n", [1, 7, 40])
def test_without_a_differing_sample_corrected_bounds_are_those_of_no_loss_in_n(n):
    # By hand: a rate of second-only samples q leaves n samples without one with chance (1 - q)^n,
    # which is 0.025 at q = 1 - 0.025^(1/n).
    most = 1 - 0.025 ** (1 / n)
    np.testing.assert_allclose(corrected(0, 0, n), (-most, most), rtol=1e-9)


def test_corrected_bound_is_where_the_statistic_without_skewness_is_z_by_hand():
    # Counts half a step worse, the likeliest rates by search, the moments of outcomes 1, -1 and 0.
    n, first, second, z = 60, 9, 14, special.ndtri(0.975)
    varied = first + second - (first - second) ** 2 / n
    move = (1 + 1 / np.sqrt(1 + (n - first - second) / 3)) / 2 / np.sqrt(1 + varied / 20)
    b, c = first - move / 2, second + move / 2

    def excess(delta):
        def surprise(rate2):
            chances = rate2 + delta, rate2, 1 - 2 * rate2 - delta
            return -np.dot((b, c, n - b - c), np.log(np.maximum(chances, 1e-300)))

        ends = max(0.0, -delta), (1 - delta) / 2
        rate2 = optimize.minimize_scalar(
            surprise, bounds=ends, method="bounded", options={"xatol": 1e-10}
        ).x
        outcomes, chances = np.array([1, -1, 0]), np.array([rate2 + delta, rate2, 1 - 2 * rate2])
        chances[2] -= delta
        variance = chances @ (outcomes - delta) ** 2 / n * n / (n - 1)
        skewness = chances @ (outcomes - delta) ** 3 / n**2 / variance**1.5
        return ((b - c) / n - delta) / np.sqrt(variance) - z - skewness * (z**2 - 1) / 6

    expected = optimize.brentq(excess, -0.9, (b - c) / n)
    assert corrected(first, second, n).low == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.9985, 0.9998])
@pytest.mark.parametrize("n", [6, 17, 45])
def test_one_sided_errors_of_corrected_bounds_are_enumerated(n, confidence):
    first, second, total = all_pairs(n)
    low, _ = corrected(first, second, total, confidence)
    expected = np.array([0.02, 0.2, 0.7, 1.5, 3, 5, 9, 14, 22, 35, 44.9]) / n
    for rate1 in [0.0, *expected[expected < 1]]:
        for rate2 in [*expected[expected < 1 - rate1], 1 - rate1]:
            chances = stats.binom.pmf(first, n, rate1) * stats.binom.pmf(
                second, n - first, min(1.0, rate2 / (1 - rate1))
            )
            error = chances[low > rate1 - rate2 + 1e-12].sum()
            assert error <= 1.2 * (1 - confidence) / 2, (rate1, rate2)


def test_tangos_own_error_at_high_levels_is_why_it_is_corrected():
    first, second, total = all_pairs(45)
    chances = stats.binom.pmf(first, 45, 0.1) * stats.binom.pmf(second, 45 - first, 1.0)
    low, _ = tango(first, second, total, confidence=0.9998)
    assert chances[low > 0.1 - 0.9].sum() > 6 * 0.0001


@pytest.mark.parametrize("confidence", [0.7, 0.95, 0.9985, 0.999999])
def test_one_more_error_of_the_first_never_raises_a_corrected_bound(confidence):
    for n in (1, 2, 3, 5, 8, 13, 30):
        first, second = np.meshgrid(np.arange(n + 1), np.arange(n + 1), indexing="ij")
        possible = first + second <= n
        cells = (np.where(possible, cell, 0) for cell in (first, second))
        for end in corrected(*cells, n, confidence):
            bound = np.where(possible, end, np.nan)
            gained, lost = np.diff(bound, axis=0), np.diff(bound, axis=1)
            assert (gained[~np.isnan(gained)] >= -1e-9).all()
            assert (lost[~np.isnan(lost)] <= 1e-9).all()


@given(
    n=st.floats(1, 80),
    shares=st.tuples(st.floats(0, 1), st.floats(0, 1)),
    step=st.floats(0.01, 1),
    confidence=st.floats(0.7, 0.99999),
)
@settings(max_examples=150, deadline=None)
def test_effective_counts_that_are_no_integers_are_as_monotone(n, shares, step, confidence):
    first = n * shares[0]
    second = (n - first) * shares[1]
    before = corrected(first, second, n, confidence)
    lost = corrected(max(first - step, 0), second, n, confidence)
    hurt = corrected(first, min(second + step, n - first), n, confidence)
    for worse in (lost, hurt):
        assert worse.low <= before.low + 1e-9
        assert worse.high <= before.high + 1e-9
