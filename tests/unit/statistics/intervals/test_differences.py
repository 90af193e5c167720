"""Score intervals of a difference against published examples, an independent maximum, and laws."""

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import special

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals.differences import (
    _restricted_rate,
    miettinen_nurminen,
    score_statistic,
)

# Newcombe (1998), Statist. Med. 17, 873-890, table II: methods 6 (Miettinen-Nurminen) and 10.
TABLES = np.array(
    [
        (56, 70, 48, 80),
        (9, 10, 3, 10),
        (6, 7, 2, 7),
        (5, 56, 0, 29),
        (0, 10, 0, 20),
        (0, 10, 0, 10),
        (10, 10, 0, 20),
        (10, 10, 0, 10),
    ]
).T
PUBLISHED_SCORE = [
    (0.0528, 0.3382),
    (0.1700, 0.8406),
    (0.0342, 0.8534),
    (-0.0326, 0.1933),
    (-0.1658, 0.2844),
    (-0.2879, 0.2879),
    (0.7156, 1.0),
    (0.6636, 1.0),
]
SIZES, LEVELS = st.integers(1, 60), st.floats(0.5, 0.999)
few_examples = settings(max_examples=15, deadline=None)
CORRECTED = pytest.mark.parametrize(
    "corrected", [pytest.param(False, id="plain"), pytest.param(True, id="corrected")]
)


def all_tables(n1: int, n2: int) -> tuple[np.ndarray, ...]:
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    return x1, np.full_like(x1, n1), x2, np.full_like(x2, n2)


def test_published_examples():
    score = np.round(np.transpose(miettinen_nurminen(*TABLES)), 4)
    np.testing.assert_array_equal(score, PUBLISHED_SCORE)


def test_examples_of_a_textbook():
    # Fagerland, Lydersen, Laake (2017), Statistical Analysis of Contingency Tables, chapter 4.
    np.testing.assert_allclose(miettinen_nurminen(0, 16, 15, 72), (-0.3164, -0.0056), atol=5e-5)


def test_skewness_correction_of_gart_and_nam():
    # Their 7/25 v 2/25 has -0.014 to 0.412 plain and -0.014 to 0.414 corrected, both without the
    # factor N/(N - 1) = 50/49, which widens these by 1 % of half their width.
    plain = miettinen_nurminen(7, 25, 2, 25)
    corrected = miettinen_nurminen(7, 25, 2, 25, corrected=True)
    np.testing.assert_allclose(plain, (-0.014, 0.412), atol=0.003)
    np.testing.assert_allclose(corrected, (-0.014, 0.414), atol=0.003)
    assert 0.001 < corrected.high - plain.high < 0.003


def test_no_success_anywhere_by_hand():
    # Below 0 the most likely rates are 0 and d, so d^2 = z^2 d (1 - d) / 10 * 20/19 is to be solved.
    z2 = special.ndtri(0.975) ** 2
    bound = z2 * 2 / 19 / (1 + z2 * 2 / 19)
    np.testing.assert_allclose(miettinen_nurminen(0, 10, 0, 10), (-bound, bound), atol=1e-12)
    np.testing.assert_allclose(miettinen_nurminen(10, 10, 10, 10), (-bound, bound), atol=1e-12)


@pytest.mark.parametrize("delta", [-0.97, -0.3, -1e-4, 0.0, 0.02, 0.5, 0.999], ids=str)
@pytest.mark.parametrize("sizes", [(1, 1), (5, 30), (40, 17)], ids=str)
def test_the_restricted_rate_is_the_most_likely(delta, sizes):
    x1, n1, x2, n2 = (count.astype(float) for count in all_tables(*sizes))

    def log_likelihood(second):
        pairs = ((x1, n1, second + delta), (x2, n2, second))
        return sum(special.xlogy(x, p) + special.xlog1py(n - x, -p) for x, n, p in pairs)

    best = log_likelihood(_restricted_rate(x1, n1, x2, n2, np.asarray(delta)))
    for second in np.linspace(max(0.0, -delta), min(1.0, 1 - delta), 500):
        # At the ends rounding can make a rate like 1e-17 of an impossible 0.
        assert (log_likelihood(second) <= best + 1e-9).all()


def test_statistic_by_hand():
    pooled = 104 / 150
    error = np.sqrt(pooled * (1 - pooled) * (1 / 70 + 1 / 80) * 150 / 149)
    assert score_statistic(56, 70, 48, 80, 0.0) == pytest.approx((56 / 70 - 48 / 80) / error)


@CORRECTED
@given(n1=SIZES, n2=SIZES, confidence=LEVELS)
@few_examples
def test_interval_obeys_the_symmetries(corrected, n1, n2, confidence):
    x1, n1, x2, n2 = all_tables(n1, n2)
    low, high = miettinen_nurminen(x1, n1, x2, n2, confidence=confidence, corrected=corrected)
    swapped = miettinen_nurminen(x2, n2, x1, n1, confidence=confidence, corrected=corrected)
    relabelled = miettinen_nurminen(
        n1 - x1, n1, n2 - x2, n2, confidence=confidence, corrected=corrected
    )
    assert (low >= -1).all()
    assert (low <= x1 / n1 - x2 / n2).all()
    np.testing.assert_array_equal(swapped, (-high, -low))
    np.testing.assert_allclose(relabelled, (-high, -low), atol=1e-9)


@CORRECTED
@given(n1=SIZES, n2=SIZES, confidence=LEVELS)
@few_examples
def test_more_samples_narrow_and_a_higher_level_widens(corrected, n1, n2, confidence):
    tables = all_tables(n1, n2)
    low, high = miettinen_nurminen(*tables, confidence=confidence, corrected=corrected)
    twice = (2 * count for count in tables)
    doubled = miettinen_nurminen(*twice, confidence=confidence, corrected=corrected)
    wider = miettinen_nurminen(*tables, confidence=(1 + confidence) / 2, corrected=corrected)
    assert (doubled.high - doubled.low < high - low).all()
    assert (wider.low <= low).all()
    assert (wider.high >= high).all()


def test_opposite_ends_leave_one_bound_at_the_limit():
    interval = miettinen_nurminen([0, 5], [5, 5], [8, 0], [8, 8])
    assert interval.low[0] == -1
    assert interval.high[1] == 1


def test_an_empty_group_leaves_the_interval_undefined():
    for method in (miettinen_nurminen,):
        assert np.isnan(method([0, 3, 0], [0, 5, 0], [1, 0, 0], [4, 0, 0])).all()


def test_effective_counts_need_not_be_integers():
    below, between, above = (
        float(miettinen_nurminen(0.3 * n, n, 0.1 * n, n).low) for n in (40, 40.5, 41)
    )
    assert below < between < above


def test_impossible_counts_are_refused_in_either_group():
    with pytest.raises(FairnessError, match="got 9 successes of n = 8"):
        miettinen_nurminen([1, 2], 5, [3, 9], 8)


def test_ten_thousand_pairs_take_seconds_at_most():
    rng = np.random.default_rng(0)
    n1, n2 = rng.integers(1, 5000, (2, 10_000))
    x1, x2 = rng.binomial(n1, 0.3), rng.binomial(n2, 0.01)
    start = time.process_time()
    low, high = miettinen_nurminen(x1, n1, x2, n2, corrected=True)
    assert time.process_time() - start < 5
    assert (low <= x1 / n1 - x2 / n2).all()
    assert (high >= x1 / n1 - x2 / n2).all()
