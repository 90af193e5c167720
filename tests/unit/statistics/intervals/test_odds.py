"""Intervals of odds differences and odds ratios: exact tests, draws, and enumerated coverage."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from pytest_fairness.statistics.intervals.odds import odds_of, odds_pair_interval


@pytest.mark.parametrize("tables", [((8, 10), (3, 12)), ((30, 40), (9, 11)), ((1, 7), (20, 30))])
@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_a_bound_is_the_quantile_of_draws_from_the_confidence_distributions(tables, kind):
    (x1, n1), (x2, n2) = tables
    low, high = odds_pair_interval(x1, n1, x2, n2, kind=kind, confidence=0.95)
    rng = np.random.default_rng(3)

    def drawn(x, n, *, above):
        return odds_of(rng.beta(x + above, n - x + 1 - above, 400_000))

    for bound, above, chance in ((low, (0, 1), 0.025), (high, (1, 0), 0.975)):
        one, two = drawn(x1, n1, above=above[0]), drawn(x2, n2, above=above[1])
        expected = np.quantile(one - two if kind == "difference" else one / two, chance)
        assert bound == pytest.approx(expected, rel=0.05, abs=0.02)


@pytest.mark.parametrize("tables", [((8, 10), (3, 12)), ((9, 10), (1, 4)), ((0, 6), (5, 5))])
def test_an_odds_ratio_of_1_is_left_out_where_fishers_exact_test_rejects(tables):
    (x1, n1), (x2, n2) = tables
    table = [[x1, n1 - x1], [x2, n2 - x2]]
    for side, sign in (("greater", 1), ("less", -1)):
        p = stats.fisher_exact(table, alternative=side).pvalue
        for confidence in (1 - 2 * p * 0.99, 1 - 2 * p * 1.01):
            if 0 < confidence < 1:
                low, high = odds_pair_interval(x1, n1, x2, n2, kind="ratio", confidence=confidence)
                beyond = low > 1 if sign > 0 else high < 1
                assert beyond == (p < (1 - confidence) / 2)


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("sizes", [(5, 5), (6, 15)], ids=str)
def test_intervals_cover_what_they_promise_whatever_the_rates(sizes, kind):
    n1, n2 = sizes
    x1, x2 = (grid.ravel() for grid in np.indices((n1 + 1, n2 + 1)))
    low, high = odds_pair_interval(x1, n1, x2, n2, kind=kind, confidence=0.9)
    for p1, p2 in itertools.product(np.linspace(0.04, 0.96, 12), repeat=2):
        chance = stats.binom.pmf(x1, n1, p1) * stats.binom.pmf(x2, n2, p2)
        one, two = odds_of(p1), odds_of(p2)
        truth = one - two if kind == "difference" else one / two
        assert chance[(low <= truth) & (truth <= high)].sum() >= 0.9


@settings(deadline=None, max_examples=30)
@given(
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
    st.integers(1, 30).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))),
)
def test_turning_the_pair_round_turns_the_interval_round(one, two):
    for kind, turned in (("difference", lambda x: -x), ("ratio", lambda x: 1 / x)):
        low, high = odds_pair_interval(*one, *two, kind=kind, confidence=0.9)
        other = odds_pair_interval(*two, *one, kind=kind, confidence=0.9)
        with np.errstate(divide="ignore"):
            assert low == pytest.approx(turned(np.float64(other.high)), abs=1e-9)
            assert high == pytest.approx(turned(np.float64(other.low)), abs=1e-9)
        assert low <= high


def test_odds_may_be_infinite_and_then_so_is_the_interval():
    low, high = odds_pair_interval(10, 10, 3, 12, kind="difference", confidence=0.95)
    assert low > 0
    assert float(high) == np.inf
    low, high = odds_pair_interval(3, 3, 5, 5, kind="difference", confidence=0.95)
    assert [float(low), float(high)] == [-np.inf, np.inf]
    low, high = odds_pair_interval(3, 3, 5, 5, kind="ratio", confidence=0.95)
    assert [float(low), float(high)] == [0.0, np.inf]


def test_without_samples_nothing_is_known():
    assert np.isnan(odds_pair_interval(0, 0, 3, 12, kind="ratio", confidence=0.95)).all()
