"""Whether a gap widened: by hand, by laws, and by simulation of its coverage."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.statistics.comparisons.movement import Movement, PairTables
from pytest_fairness.statistics.comparisons.widening import widening, widening_interval
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

cells = st.tuples(*[st.integers(0, 60)] * 4).filter(lambda found: sum(found) > 0)


def movement(both: int, now_only: int, then_only: int, neither: int) -> Movement:
    counts = (both, now_only, then_only, neither)
    return Movement.paired(PairTables(*(np.array([float(count)]) for count in counts)))


def bounds(group: Movement, reference: Movement, confidence: float = 0.95) -> tuple[float, float]:
    low, high = widening_interval(group, reference, confidence=confidence)
    return float(low[0]), float(high[0])


@pytest.mark.parametrize(
    ("now", "then", "expected"),
    [(0.3, 0.1, 0.2), (-0.3, -0.1, 0.2), (-0.1, 0.1, 0.0), (0.1, -0.3, -0.2), (0.0, 0.0, 0.0)],
    ids=["wider above", "wider below", "turned", "turned and narrower", "none"],
)
def test_a_gap_widens_whichever_group_it_is_against(now, then, expected):
    rates = [RateCounts(np.array([50 + 100 * gap]), np.array([100])) for gap in (now, then, 0)]
    group, reference = Movement(rates[0], rates[1]), Movement(rates[2], rates[2])
    assert widening(group, reference)[0] == pytest.approx(expected)


def test_a_clear_gap_that_grew_is_the_change_of_the_gap():
    # Both gaps are far below 0, so the widening is minus the change: MOVER by hand on the paired
    # intervals of 40 of 400 lost and of 4 lost, 4 gained of 400, at level 0.955.
    group, reference = movement(200, 0, 40, 160), movement(380, 4, 4, 12)
    inner = 0.955
    own, other = group.change_interval(inner), reference.change_interval(inner)
    below = np.hypot(own.high[0] - (-0.1), 0.0 - other.low[0])
    above = np.hypot(-0.1 - own.low[0], other.high[0] - 0.0)
    assert bounds(group, reference) == pytest.approx((0.1 - below, 0.1 + above))


def test_where_the_signs_are_open_the_interval_is_that_of_the_size_of_the_change():
    group, reference = movement(80, 3, 5, 12), movement(80, 4, 4, 12)
    low, high = bounds(group, reference)
    assert low == pytest.approx(-high)
    assert high < 0.125


def test_an_undefined_rate_has_no_interval():
    low, high = bounds(movement(0, 0, 0, 0), movement(80, 4, 4, 12))
    assert np.isnan(low)
    assert np.isnan(high)


@settings(max_examples=20)
@given(cells, cells)
def test_the_interval_contains_the_estimate_and_does_not_know_which_group_is_which(one, other):
    group, reference = movement(*one), movement(*other)
    value = float(widening(group, reference)[0])
    low, high = bounds(group, reference)
    assert -1 <= low <= value + 1e-9
    assert value - 1e-9 <= high <= 1
    assert bounds(reference, group) == pytest.approx((low, high), abs=1e-9)


@settings(max_examples=20)
@given(cells, cells)
def test_going_back_turns_the_interval_round(one, other):
    def back(both: int, now_only: int, then_only: int, neither: int) -> Movement:
        return movement(both, then_only, now_only, neither)

    low, high = bounds(movement(*one), movement(*other))
    assert bounds(back(*one), back(*other)) == pytest.approx((-high, -low), abs=1e-9)


@settings(max_examples=20)
@given(cells, cells)
def test_calling_every_success_a_failure_changes_nothing(one, other):
    def mirrored(both: int, now_only: int, then_only: int, neither: int) -> Movement:
        return movement(neither, then_only, now_only, both)

    expected = bounds(movement(*one), movement(*other))
    assert bounds(mirrored(*one), mirrored(*other)) == pytest.approx(expected, abs=1e-9)


DRAWS = 1500
# Rates of the group now and then, and of the reference now and then.
TRUTHS = {
    "fair": (0.8, 0.8, 0.8, 0.8),
    "new gap": (0.7, 0.8, 0.8, 0.8),
    "wide new gap": (0.5, 0.8, 0.8, 0.8),
    "wider": (0.6, 0.7, 0.85, 0.85),
    "turned": (0.9, 0.7, 0.8, 0.8),
    "near one": (0.98, 0.95, 0.99, 0.99),
    "near zero": (0.05, 0.02, 0.01, 0.01),
}


def draw(n: int, now: float, then: float, correlation: float, rng: np.random.Generator) -> Movement:
    spread = np.sqrt(now * (1 - now) * then * (1 - then))
    both = np.clip(now * then + correlation * spread, max(0, now + then - 1), min(now, then))
    shares = [both, now - both, then - both, 1 - now - then + both]
    drawn = rng.multinomial(n, np.clip(shares, 0, 1), size=DRAWS).T.astype(float)
    return Movement.paired(PairTables(*drawn))


def errors(group: Movement, reference: Movement, truth: tuple[float, ...]) -> tuple[float, float]:
    """Share of intervals that lie above the truth, and below it."""
    value = abs(truth[0] - truth[2]) - abs(truth[1] - truth[3])
    low, high = widening_interval(group, reference, confidence=0.95)
    return float((low > value + 1e-9).mean()), float((high < value - 1e-9).mean())


ALLOWED = 3 * np.sqrt(0.05 * 0.95 / DRAWS)  # three standard errors of the simulation


@pytest.mark.parametrize("truth", TRUTHS.values(), ids=TRUTHS)
@pytest.mark.parametrize("sizes", [(20, 100), (400, 400)], ids=["20 v 100", "400 v 400"])
@pytest.mark.parametrize("correlation", [0.0, 0.8], ids=["loose pairs", "tight pairs"])
def test_the_interval_of_the_same_images_covers_the_truth(truth, sizes, correlation):
    rng = np.random.default_rng(7)
    group = draw(sizes[0], truth[0], truth[1], correlation, rng)
    reference = draw(sizes[1], truth[2], truth[3], correlation, rng)
    above, below = errors(group, reference, truth)
    assert above + below <= 0.05 + ALLOWED
    assert max(above, below) <= 0.025 + ALLOWED


@pytest.mark.parametrize("truth", ["fair", "new gap", "wider", "turned"])
def test_the_interval_of_other_images_covers_the_truth(truth):
    rng = np.random.default_rng(7)
    rates = TRUTHS[truth]
    group = draw(200, rates[0], rates[1], 0.0, rng)
    reference = draw(400, rates[2], rates[3], 0.0, rng)
    group, reference = (Movement(one.now, one.then) for one in (group, reference))
    above, below = errors(group, reference, rates)
    assert above + below <= 0.05 + ALLOWED
