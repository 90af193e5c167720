"""Paired intervals and tests against published examples, statsmodels, a quartic, and laws."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import special

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.paired import (
    mcnemar_p_value,
    paired_p_value,
    paired_score_statistic,
    tango,
)

PAIRS = st.tuples(st.integers(0, 60), st.integers(0, 60), st.integers(1, 200)).map(
    lambda counts: (counts[0], counts[1], sum(counts))
)


@pytest.mark.parametrize(
    ("first_only", "second_only", "n", "level", "expected"),
    [
        pytest.param(9, 3, 32, 0.95, (-0.027, 0.390), id="Tango 1998"),
        pytest.param(0, 1, 44, 0.90, (-0.096, 0.037), id="Tango 1998, lenses"),
        pytest.param(16, 8, 86, 0.95, (-0.020, 0.207), id="Agresti and Min 2005"),
        pytest.param(3, 1, 14, 0.95, (-0.167, 0.433), id="Tang 2010"),
        pytest.param(1, 7, 21, 0.95, (-0.517, -0.026), id="Fagerland 2014"),
    ],
)
def test_published_examples(first_only, second_only, n, level, expected):
    interval = tango(first_only, second_only, n, level=level)
    np.testing.assert_allclose(interval, expected, atol=5e-4)


@given(counts=PAIRS)
def test_bounds_solve_the_squared_equation(counts):
    # The bounds are roots of (b - c - n d)^2 = z^2 n (2 q + d (1 - d)), q the restricted rate:
    # with q = (root - B) / 4n on one side, it squares to a quartic without the root.
    first_only, second_only, n = counts
    z2 = special.ndtri(0.975) ** 2
    for d in tango(*counts):
        slope = -first_only - second_only + (2 * n - first_only + second_only) * d
        excess = (first_only - second_only - n * d) ** 2 / (z2 * n) - d * (1 - d)
        root = 2 * n * excess + slope
        product = 8 * n * second_only * d * (1 - d)
        assert root**2 == pytest.approx(slope**2 + product, rel=1e-6, abs=1e-6 * n)


@given(counts=PAIRS, level=st.floats(0.5, 0.999))
def test_interval_contains_the_estimate_and_flips(counts, level):
    first_only, second_only, n = counts
    low, high = tango(first_only, second_only, n, level=level)
    swapped = tango(second_only, first_only, n, level=level)
    wider = tango(first_only, second_only, n, level=(1 + level) / 2)
    assert -1 <= low <= (first_only - second_only) / n <= high <= 1
    assert (swapped.low, swapped.high) == (-high, -low)
    assert wider.low <= low
    assert wider.high >= high


@given(counts=PAIRS)
def test_more_samples_narrow_the_interval(counts):
    low, high = tango(*counts)
    doubled = tango(*(2 * count for count in counts))
    assert doubled.high - doubled.low < high - low


@given(counts=PAIRS, level=st.floats(0.6, 0.999))
def test_p_value_agrees_with_the_interval(counts, level):
    low, high = tango(*counts, level=level)
    tail = (1 - level) / 2
    assert paired_p_value(*counts, margin=low) == pytest.approx(tail, rel=1e-5)
    above = paired_p_value(*counts, margin=high, alternative="less")
    assert above == pytest.approx(tail, rel=1e-5)


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
