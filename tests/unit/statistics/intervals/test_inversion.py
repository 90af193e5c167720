"""The search for the point at which a test stops rejecting."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.statistics.intervals.inversion import crossing


@given(st.lists(st.floats(-5, 5), min_size=1, max_size=5), st.floats(0.1, 9))
def test_the_crossing_of_a_falling_curve_is_found_to_the_last_bits(points, power):
    sought = np.array(points)

    def excess(x):
        return np.sign(sought - x) * np.abs(sought - x) ** power

    assert crossing(excess, -6.0, np.full_like(sought, 6.0)) == pytest.approx(sought, abs=1e-9)


def test_a_curve_that_jumps_and_is_infinite_is_crossed_where_it_jumps():
    found = crossing(lambda x: np.where(x < 0.3, np.inf, -1.0), 0.0, np.array([1.0]))
    assert found == pytest.approx([0.3], abs=1e-14)


def test_where_nothing_is_rejected_the_lower_end_is_the_answer():
    assert crossing(lambda x: x - 2, 0.0, np.array([1.0])).tolist() == [0.0]


def test_an_undefined_end_stays_undefined_beside_defined_ones():
    found = crossing(lambda x: 0.5 - x, 0.0, np.array([np.nan, 1.0]))
    assert np.isnan(found[0])
    assert found[1] == pytest.approx(0.5)


def test_a_coarse_search_takes_fewer_steps():
    def steps(close: float) -> int:
        seen = []

        def falling(x):
            seen.append(x)
            return np.exp(-x) - 0.1

        crossing(falling, 0.0, np.array([9.0]), close=close)
        return len(seen)

    assert steps(0.01) < steps(1e-15) < 20


@pytest.mark.parametrize(
    "near",
    [(0.3, 0.4), (0.34, 0.36), (0.5, 0.6), (0.1, 0.2), (-5.0, 9.0), (np.nan, 0.5)],
    ids=["around", "close around", "above", "below", "outside", "no number"],
)
def test_a_guess_changes_the_way_and_not_the_crossing(near):
    target = np.array([0.35, 0.35, 0.0, 1.0])
    high = np.array([1.0, np.nan, 1.0, 1.0])

    def excess(value):
        return target - value

    expected = crossing(excess, 0.0, high)
    np.testing.assert_allclose(crossing(excess, 0.0, high, near=near), expected, atol=1e-14)
