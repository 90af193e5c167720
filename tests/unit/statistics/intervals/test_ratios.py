"""Score intervals of a ratio against published examples, statsmodels, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.statistics.intervals.ratios import (
    ratio_score_statistic,
    score_ratio,
)

SIZES, LEVELS = st.integers(1, 60), st.floats(0.5, 0.999)
few_examples = settings(max_examples=15, deadline=None)
CORRECTED = pytest.mark.parametrize(
    "corrected", [pytest.param(False, id="plain"), pytest.param(True, id="corrected")]
)


def all_tables(n1: int, n2: int) -> tuple[np.ndarray, ...]:
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    return x1, np.full_like(x1, n1), x2, np.full_like(x2, n2)


def test_published_examples():
    # Fagerland, Lydersen, Laake (2017), chapter 4; Fagerland and Newcombe (2013), Statist. Med. 32.
    low, high = score_ratio([7, 24, 29, 7], [34, 73, 55, 18], [1, 53, 11, 1], [34, 65, 11, 18])
    np.testing.assert_allclose(low, (1.2086, 0.280, 0.397, 1.296), atol=5e-4)
    np.testing.assert_allclose(high, (43.0330, 0.560, 0.742, 42.544), atol=5e-4)


def test_skewness_correction_of_gart_and_nam():
    # Gart and Nam (1988), without the factor N/(N - 1): 8/15 v 4/15 has 0.815 to 5.336 plain and
    # 0.806 to 6.148 corrected; 6/10 v 6/20 has 0.844 to 4.594 and 0.822 to 4.954.
    tables = ([8, 6], [15, 10], [4, 6], [15, 20])
    plain, corrected = score_ratio(*tables), score_ratio(*tables, corrected=True)
    np.testing.assert_allclose(plain.high, (5.336, 4.594), rtol=0.02)
    np.testing.assert_allclose(corrected.low, (0.806, 0.822), rtol=0.02)
    np.testing.assert_allclose(corrected.high, (6.148, 4.954), rtol=0.02)


@pytest.mark.parametrize("table", [(56, 70, 48, 80), (3, 40, 9, 22), (90, 400, 300, 500)], ids=str)
def test_statsmodels_gives_the_same(table):
    from statsmodels.stats.proportion import confint_proportions_2indep

    expected = confint_proportions_2indep(*table, compare="ratio", method="score", correction=True)
    np.testing.assert_allclose(score_ratio(*table), expected, rtol=1e-8)


def test_statistic_at_a_ratio_of_1_is_that_of_the_pooled_test():
    pooled = 30 / 100
    expected = (10 / 40 - 20 / 60) / np.sqrt(pooled * (1 - pooled) * (1 / 40 + 1 / 60) * 100 / 99)
    assert ratio_score_statistic(10, 40, 20, 60, 1.0) == pytest.approx(expected)


def test_zero_successes_reach_the_ends():
    low, high = score_ratio([0, 3, 0], [5, 5, 5], [3, 0, 0], [7, 7, 7])
    np.testing.assert_array_equal(low == 0, (True, False, True))
    np.testing.assert_array_equal(np.isinf(high), (False, True, True))


def test_an_empty_group_leaves_the_interval_undefined():
    assert np.isnan(score_ratio([0, 3, 0], [0, 5, 0], [1, 0, 0], [4, 0, 0])).all()


@CORRECTED
@given(n1=SIZES, n2=SIZES, confidence=LEVELS)
@few_examples
def test_interval_contains_the_estimate_and_inverts(corrected, n1, n2, confidence):
    x1, n1, x2, n2 = all_tables(n1, n2)
    low, high = score_ratio(x1, n1, x2, n2, confidence=confidence, corrected=corrected)
    swapped = score_ratio(x2, n2, x1, n1, confidence=confidence, corrected=corrected)
    some = x2 > 0
    assert (low >= 0).all()
    assert (low * x2 / n2 <= x1 / n1 * (1 + 1e-12)).all()
    assert (high[some] * x2[some] / n2[some] >= x1[some] / n1[some] * (1 - 1e-12)).all()
    with np.errstate(divide="ignore"):
        np.testing.assert_allclose(swapped.high, 1 / low, rtol=1e-12)


@CORRECTED
@given(n1=SIZES, n2=SIZES, confidence=LEVELS)
@few_examples
def test_more_samples_narrow_and_a_higher_level_widens(corrected, n1, n2, confidence):
    tables = all_tables(n1, n2)
    low, high = score_ratio(*tables, confidence=confidence, corrected=corrected)
    doubled = score_ratio(
        *(2 * count for count in tables), confidence=confidence, corrected=corrected
    )
    wider = score_ratio(*tables, confidence=(1 + confidence) / 2, corrected=corrected)
    assert (doubled.low >= low).all()
    assert (doubled.high <= high).all()
    assert (wider.low <= low).all()
    assert (wider.high >= high).all()
