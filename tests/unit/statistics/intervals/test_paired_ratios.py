"""The paired ratio's score interval against a published example, its likelihood, and laws."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy.optimize import minimize_scalar

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.intervals.paired import paired_score_statistic
from pytest_fairness.statistics.intervals.paired_ratios import (
    paired_ratio_score,
    paired_ratio_statistic,
)

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
