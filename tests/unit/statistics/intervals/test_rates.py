"""Intervals of one rate against published examples, statsmodels, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals.rates import (
    clopper_pearson,
    wilson,
)

METHODS = [pytest.param(wilson, id="wilson"), pytest.param(clopper_pearson, id="clopper-pearson")]
SIZES = st.integers(1, 300)
LEVELS = st.floats(0.5, 0.999)
few_examples = settings(max_examples=20, deadline=None)

# Newcombe (1998), Statist. Med. 17, 857-872, table I: four examples, two methods.
PUBLISHED = [
    pytest.param(wilson, 81, 263, 0.2553, 0.3662, id="wilson 81 of 263"),
    pytest.param(wilson, 15, 148, 0.0624, 0.1605, id="wilson 15 of 148"),
    pytest.param(wilson, 0, 20, 0.0, 0.1611, id="wilson 0 of 20"),
    pytest.param(wilson, 1, 29, 0.0061, 0.1718, id="wilson 1 of 29"),
    pytest.param(clopper_pearson, 81, 263, 0.2527, 0.3676, id="exact 81 of 263"),
    pytest.param(clopper_pearson, 15, 148, 0.0578, 0.1617, id="exact 15 of 148"),
    pytest.param(clopper_pearson, 0, 20, 0.0, 0.1684, id="exact 0 of 20"),
    pytest.param(clopper_pearson, 1, 29, 0.0009, 0.1776, id="exact 1 of 29"),
]


@pytest.mark.parametrize(("method", "successes", "n", "low", "high"), PUBLISHED)
def test_published_examples(method, successes, n, low, high):
    interval = method(successes, n)
    assert (round(float(interval.low), 4), round(float(interval.high), 4)) == (low, high)


@pytest.mark.parametrize(("method", "name"), [(wilson, "wilson"), (clopper_pearson, "beta")])
def test_statsmodels_gives_the_same(method, name):
    from statsmodels.stats.proportion import proportion_confint

    for confidence in (0.8, 0.95, 0.999):
        for successes, n in [(0, 7), (3, 7), (7, 7), (40, 500), (499, 500)]:
            expected = proportion_confint(successes, n, alpha=1 - confidence, method=name)
            np.testing.assert_allclose(
                method(successes, n, confidence=confidence), expected, atol=1e-10
            )


@pytest.mark.parametrize("method", METHODS)
def test_bounds_are_exactly_0_and_1_at_the_ends(method):
    n = np.arange(1, 2000)
    assert (method(0, n).low == 0).all()
    assert (method(n, n).high == 1).all()


@pytest.mark.parametrize("method", METHODS)
def test_no_samples_leave_the_interval_undefined(method):
    interval = method([0, 1], [0, 2])
    assert np.isnan([interval.low[0], interval.high[0]]).all()
    assert np.isfinite([interval.low[1], interval.high[1]]).all()


@pytest.mark.parametrize("method", METHODS)
@given(n=SIZES, confidence=LEVELS)
@few_examples
def test_interval_contains_the_estimate_and_mirrors(method, n, confidence):
    successes = np.arange(n + 1)
    low, high = method(successes, n, confidence=confidence)
    mirrored = method(n - successes, n, confidence=confidence)
    assert (low >= 0).all()
    assert (high <= 1).all()
    assert (low <= successes / n).all()
    assert (high >= successes / n).all()
    np.testing.assert_allclose(mirrored, (1 - high, 1 - low), atol=1e-12)


@pytest.mark.parametrize("method", METHODS)
@given(n=SIZES, confidence=LEVELS)
@few_examples
def test_more_samples_narrow_and_a_higher_level_widens(method, n, confidence):
    successes = np.arange(n + 1)
    low, high = method(successes, n, confidence=confidence)
    doubled = method(2 * successes, 2 * n, confidence=confidence)
    wider = method(successes, n, confidence=(1 + confidence) / 2)
    assert (doubled.high - doubled.low < high - low).all()
    assert (wider.low <= low).all()
    assert (wider.high >= high).all()


@pytest.mark.parametrize(
    ("successes", "n", "got"),
    [
        pytest.param(3, 2, "got 3 successes of n = 2", id="more than n"),
        pytest.param(-1, 2, "got -1 successes of n = 2", id="negative"),
        pytest.param([1, np.nan], 2, "got nan successes of n = 2", id="nan"),
        pytest.param(1, np.inf, "got 1 successes of n = inf", id="infinite"),
    ],
)
def test_impossible_counts_are_refused(successes, n, got):
    with pytest.raises(FairnessError, match=f"counts: {got}; allowed is 0 <= successes <= n"):
        wilson(successes, n)


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95, float("nan")], ids=str)
@pytest.mark.parametrize("method", METHODS)
def test_a_level_outside_0_and_1_is_refused(method, confidence):
    with pytest.raises(FairnessError, match=r"write 0\.95 for 95 %"):
        method(1, 2, confidence=confidence)
