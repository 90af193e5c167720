"""Levels of intervals that are looked at again: enumerated by first passage, and their order."""

import numpy as np
import pytest
from scipy import special, stats

from benchmarks.advice import follow_advice
from pytest_fairness.statistics.comparisons.comparisons import AgainstBest, BetweenAll
from pytest_fairness.statistics.estimators.at_looks import at_looks, look_of
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.largest_gap import LargestGap
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import rate_interval
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Look, look_level
from pytest_fairness.statistics.power.power import cost_of_looks

MOST = 10_000
RANGE = (-1.0, 1.0)
RATES = GroupRates(
    RateCounts(np.array([170, 61, 320, 5]), np.array([200, 80, 400, 6])),
)


def wrong_passes(rate: float, looks, *, turned: bool) -> float:
    """The chance that a model at its limit ever passes, judged after every sample.

    Args:
        rate: The true rate, which is the limit.
        looks: How often it may be looked at.
        turned: Whether the limit is a maximum; else a minimum.
    """
    rate = 1 - rate if turned else rate  # a maximum of a rate is a minimum of its complement
    n = np.arange(1, MOST + 1)
    tail = (1 - look_level(0.95, n, looks)) / 2
    # Clopper-Pearson: the lower end reaches the limit from this count on.
    least = np.where(tail > 0, stats.binom.isf(tail, n, rate) + 1, n + 1).astype(np.int64)
    chances, passed = np.zeros(MOST + 2), 0.0
    chances[0] = 1.0
    for size, first in zip(n.tolist(), least.tolist(), strict=True):
        low = max(int(size * rate - 9 * (size * rate * (1 - rate)) ** 0.5) - 3, 0)
        here = chances[low : first + 1]
        moved = here * (1 - rate)
        moved[1:] += here[:-1] * rate
        chances[low : first + 1] = moved
        if first <= size:
            passed += chances[first:].sum()
            chances[first:] = 0.0
    return passed


@pytest.mark.parametrize("turned", [False, True], ids=["minimum", "maximum"])
@pytest.mark.parametrize("rate", [0.5, 0.9, 0.98])
def test_a_model_at_its_limit_passes_rarely_however_often_it_is_looked_at(rate, turned):
    """Exactly, for a look after each of 10,000 samples; the interval of one look fails at it."""
    assert wrong_passes(rate, "any", turned=turned) < 0.75 * 0.025
    assert wrong_passes(rate, 1, turned=turned) > 0.19


@pytest.mark.parametrize("rate", [0.5, 0.9])
def test_the_counts_that_are_enumerated_are_those_whose_interval_passes(rate):
    for n in (8, 100, 999):
        level = float(look_level(0.95, n, "any"))
        first = int(stats.binom.isf((1 - level) / 2, n, rate)) + 1
        low = rate_interval([first - 1, min(first, n)], n, confidence=level).low
        assert low[0] < rate
        assert low[1] >= rate or first > n


def test_the_boundary_by_hand():
    """t = 4: b^2 = 1.25 (log 5 + 2 log 20) = 9.501, b = 3.0824."""
    assert 1 - float(look_level(0.95, 100, "any")) == pytest.approx(
        2 * stats.norm.sf(3.0824), rel=1e-3
    )


def test_a_larger_set_never_has_a_wider_interval():
    n = np.unique(np.geomspace(8, 1e7, 2_000).astype(np.int64))
    for confidence in (0.9, 0.95, 0.999):
        b = -special.ndtri((1 - look_level(confidence, n, "any")) / 2)
        known = np.isfinite(b)
        assert (np.diff(b[known] / np.sqrt(n[known])) < 0).all()
        assert known[np.argmax(known) :].all()


def test_fewer_than_eight_samples_show_nothing():
    assert look_level(0.6, [0, 1, 7, 8], "any").tolist()[:3] == [1.0, 1.0, 1.0]
    assert look_level(0.6, 8, "any") < 1
    assert look_level(1 - 1e-9, 10, "any") == 1  # b is above 7
    low, high = at_looks(RATES, "any", whole=(0.0, 1.0)).alone(0.95)
    assert (low[3], high[3]) == (0.0, 1.0)


def test_a_number_of_looks_shares_the_error():
    assert look_level(0.95, [5, 500], 5).tolist() == pytest.approx([0.99, 0.99])
    assert look_level(0.95, 500, 1) == 0.95
    assert Look("any", 100).grown(400).level(0.95) == look_level(0.95, 400, "any")
    assert Look("any", 100).grown(40).level(0.95) == look_level(0.95, 100, "any")


def test_each_pair_has_the_level_of_its_own_smaller_group():
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    looked = at_looks(RATES, "any", whole=RANGE)
    low, high = looked.pairs(first, second, kind="difference", confidence=0.95)
    for row, n in enumerate((80, 200, 80)):
        level = float(look_level(0.95, n, "any"))
        one = RATES.pairs(first[[row]], second[[row]], kind="difference", confidence=level)
        assert (low[row], high[row]) == (one.low[0], one.high[0])


def test_the_error_is_split_over_pairs_before_it_is_split_over_looks():
    """The other order would be too narrow: it errs up to half as much again."""
    rates = GroupRates(RateCounts(RATES.counts.successes[:3], RATES.counts.n[:3]))
    looked = at_looks(rates, "any", whole=RANGE)
    pairs = np.triu_indices(3, k=1)
    inner = []
    for first, second in zip(*pairs, strict=True):
        n = rates.counts.n[[first, second]].min()
        level = float(look_level(bonferroni(0.95, 3), n, "any"))
        assert level > bonferroni(float(look_level(0.95, n, "any")), 3)
        one = rates.pairs(
            np.array([first]), np.array([second]), kind="difference", confidence=level
        )
        inner.append(max(one.low[0], -one.high[0]))
    found = BetweenAll(looked, "difference").bounds(0.95, np.array([0]))
    assert found.low[0] == pytest.approx(max(*inner, 0.0), abs=1e-12)
    best = AgainstBest(looked, "difference", higher_is_better=True, eligible=np.ones(3, dtype=bool))
    levels = [float(look_level(c, 200, "any")) for c in (0.95, bonferroni(0.95, 2))]
    low, high = best.bounds(0.95, np.array([0]))
    against = [
        rates.pairs(np.array([0]), np.array([2]), kind="difference", confidence=c) for c in levels
    ]
    assert low[0] == pytest.approx(min(against[0].low[0], low[0]))
    assert high[0] <= 0


def test_the_parts_of_a_largest_gap_each_have_the_level_of_their_own_n():
    large = GroupRates(RateCounts(np.array([190, 80]), np.array([200, 400])))
    other = GroupRates(RateCounts(np.array([30, 45]), np.array([60, 90])))
    gap = LargestGap(large.counts, (large, other))
    first, second = np.array([0]), np.array([1])
    found = at_looks(gap, "any", whole=RANGE).pairs(
        first, second, kind="difference", confidence=0.95
    )
    outer: list[Interval] = []
    inner: list[Interval] = []
    for part, n in ((large, 200), (other, 60)):
        for ends, confidence in ((outer, 0.95), (inner, bonferroni(0.95, 2))):
            level = float(look_level(confidence, n, "any"))
            ends.append(part.pairs(first, second, kind="difference", confidence=level))
    assert found.high[0] == max(max(abs(one.low[0]), abs(one.high[0])) for one in outer)
    assert found.low[0] == max(0.0, *(max(one.low[0], -one.high[0]) for one in inner))


@pytest.mark.parametrize("size", [50.0, 1_000.0])
def test_a_forecast_has_the_level_of_the_size_that_it_is_about(size):
    looked = at_looks(RATES, "any", whole=(0.0, 1.0))
    low, high = looked.alone(0.95, groups=np.array([0]), size=size)
    level = float(look_level(0.95, max(size, 200), "any"))
    plain = RATES.alone(level, groups=np.array([0]), size=size)
    assert (low[0], high[0]) == pytest.approx((plain.low[0], plain.high[0]), abs=1e-3)


def test_grown_groups_and_pairs_have_the_level_and_the_size_that_they_would_have():
    """Chosen groups, each at its own size: the inner measure is asked at exactly these."""
    looked = at_looks(RATES, 5, whole=RANGE)
    groups, sizes = np.array([2, 0]), np.array([900.0, 500.0])
    level = float(look_level(0.95, 1.0, 5))
    np.testing.assert_allclose(
        looked.alone(0.95, groups=groups, size=sizes),
        RATES.alone(level, groups=groups, size=sizes),
    )
    pair = np.array([0]), np.array([2])
    grown = looked.pairs(*pair, kind="difference", confidence=0.95, size=5_000.0)
    np.testing.assert_allclose(
        grown, RATES.pairs(*pair, kind="difference", confidence=level, size=5_000.0)
    )
    now = looked.pairs(*pair, kind="difference", confidence=0.95)
    assert grown.high[0] - grown.low[0] < (now.high[0] - now.low[0]) / 3
    np.testing.assert_array_equal(
        looked.compare(*pair, kind="ratio"), RATES.compare(*pair, kind="ratio")
    )
    np.testing.assert_allclose(looked.alone(0.95), RATES.alone(level))


def test_two_looks_are_not_one():
    assert at_looks(RATES, 1, whole=RANGE) is RATES
    low, _ = at_looks(RATES, 2, whole=RANGE).alone(0.95)
    np.testing.assert_allclose(low, RATES.alone(0.975).low)


def test_the_look_at_a_group_tells_the_smallest_n_of_its_parts():
    other = GroupRates(RateCounts(np.array([20, 9, 30, 1]), np.array([60, 30, 90, 2])))
    gap = LargestGap(RATES.counts, (RATES, other))
    assert look_of(gap, "any", [0, 2]) == Look("any", 60.0)
    assert look_of(gap, 1, [0, 2]).level(0.95) == 0.95


def test_following_the_advice_to_collect_more_errs_under_one_look_and_not_under_any():
    """The gate's own "about N would be enough", followed with a tenth more: a model at its limit."""
    one, more = (follow_advice(looks, runs=500, seed=1) for looks in (1, "any"))
    assert min(one.passed, one.blocked) > 0.08
    assert max(more.passed, more.blocked) < 0.01
    assert one.looks > 2


def test_the_cost_of_looks_is_that_of_the_level_at_the_size_that_is_needed():
    """By hand: at n = 388, b = 3.060; ((3.060 + 0.842) / (1.960 + 0.842))^2 = 1.94 = 388 / 200."""
    cost = cost_of_looks(0.95, "any", n=200, power=0.8)
    b = -special.ndtri((1 - float(look_level(0.95, 200 * cost, "any"))) / 2)
    by_hand = ((b + special.ndtri(0.8)) / (1.95996 + special.ndtri(0.8))) ** 2
    assert cost == pytest.approx(by_hand, rel=1e-4)
    assert cost == pytest.approx(1.94, abs=0.005)
    assert cost_of_looks(0.95, 1, n=200, power=0.8) == 1
    assert cost_of_looks(0.95, 5, n=200, power=0.8) == pytest.approx(1.49, abs=0.01)
