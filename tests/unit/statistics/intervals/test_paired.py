"""Paired intervals and tests against published examples, statsmodels, a quartic, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import special

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
