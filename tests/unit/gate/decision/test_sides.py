"""On which side of a limit an interval lies, its ends and the rounding of a float included."""

import pytest

from pytest_fairness.gate.decision.sides import decide
from pytest_fairness.policy import Limit

FLOOR, CEILING, BAND = Limit("min", 0.7, 1.0), Limit("max", 0.0, 0.1), Limit("between", 0.8, 1.25)


@pytest.mark.parametrize(
    ("low", "high", "limit", "side"),
    [
        (0.7, 0.9, FLOOR, "kept"),
        (0.5, 0.7, FLOOR, "open"),
        (0.5, 0.69, FLOOR, "broken"),
        (0.6, 0.8, FLOOR, "open"),
        (0.0, 0.1, CEILING, "kept"),
        (0.1, 0.3, CEILING, "open"),
        (0.11, 0.3, CEILING, "broken"),
        (0.05, 0.2, CEILING, "open"),
        (0.8, 1.25, BAND, "kept"),
        (0.7, 1.3, BAND, "open"),
        (0.2, 0.79, BAND, "broken"),
        (1.26, 2.0, BAND, "broken"),
        (0.7, 1.0, BAND, "open"),
        (1.0, 1.3, BAND, "open"),
    ],
)
def test_an_interval_keeps_breaks_or_reaches_over_its_limit(low, high, limit, side):
    assert decide(low, high, limit) == side


@pytest.mark.parametrize("error", [-1e-13, 1e-13])
def test_an_end_that_is_off_by_a_rounding_error_lies_on_the_limit(error):
    assert decide(0.8 + error, 1.25 - error, BAND) == "kept"
    assert decide(1.25 + error, 2.0, BAND) == decide(0.1, 0.8 + error, BAND) == "open"


@pytest.mark.parametrize("more", [1e-6, 1e-4])
def test_an_end_that_is_off_by_more_than_rounding_does_not(more):
    assert decide(0.8 - more, 1.25, BAND) == decide(0.8, 1.25 + more, BAND) == "open"
    assert decide(1.25 + more, 2.0, BAND) == decide(0.1, 0.8 - more, BAND) == "broken"
