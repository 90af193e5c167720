"""Exact intervals against brute force, their error guarantee, and laws."""

import time

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from pytest_fairness.statistics.intervals import nuisance
from pytest_fairness.statistics.intervals.differences import miettinen_nurminen
from pytest_fairness.statistics.intervals.exact import (
    exact_difference,
    exact_is_above,
    exact_ratio,
)
from pytest_fairness.statistics.intervals.ratios import score_ratio
from pytest_fairness.statistics.intervals.unconditional import DIFFERENCE, RATIO

few_examples = settings(max_examples=10, deadline=None)
GROUP = st.integers(1, 40).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))


def all_tables(n1: int, n2: int) -> tuple[np.ndarray, ...]:
    x1, x2 = np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1), indexing="ij")
    return x1, np.full_like(x1, n1), x2, np.full_like(x2, n2)


def chances(n: int, rates: np.ndarray) -> np.ndarray:
    return np.asarray(stats.binom.pmf(np.arange(n + 1), n, rates[:, None]))


@pytest.mark.parametrize("confidence", [0.8, 0.98], ids=str)
@pytest.mark.parametrize("sizes", [(5, 5), (3, 11)], ids=str)
@pytest.mark.parametrize(
    ("method", "true_value"),
    [
        pytest.param(exact_difference, np.subtract.outer, id="difference"),
        pytest.param(exact_ratio, np.divide.outer, id="ratio"),
    ],
)
def test_each_error_is_at_most_nominal_at_any_pair_of_rates(method, true_value, sizes, confidence):
    n1, n2 = sizes
    low, high = method(*all_tables(n1, n2), confidence=confidence)
    rates = np.concatenate([np.geomspace(1e-4, 0.05, 20), np.linspace(0.06, 0.94, 45)])
    rates = np.concatenate([rates, 1 - rates[:20]])
    truth = true_value(rates, rates)[:, :, None, None]
    for missed in (low > truth, high < truth):
        errors = np.einsum("ix,jy,ijxy->ij", chances(n1, rates), chances(n2, rates), missed)
        assert errors.max() <= (1 - confidence) / 2
        assert errors.max() > (1 - confidence) / 2 * 0.7  # nor needlessly wide


@pytest.mark.parametrize("table", [(3, 5, 0, 5), (9, 10, 3, 10), (2, 12, 7, 9)], ids=str)
@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_bound_is_that_of_brute_force(table, kind):
    x1, n1, x2, n2 = table
    missed = 0.025 / 250
    exact, score = {
        "difference": (exact_difference, miettinen_nurminen),
        "ratio": (exact_ratio, score_ratio),
    }[kind]
    ordering = score(*all_tables(n1, n2)).low
    extreme = ordering >= ordering[x1, x2] - 1e-9
    # Each rate is searched within its own Clopper-Pearson interval of level 1 - missed / 2.
    (low1, high1), (low2, high2) = (
        stats.binomtest(x, n).proportion_ci(1 - missed / 2, method="exact")
        for x, n in ((x1, n1), (x2, n2))
    )
    bound = float(exact(*table).low)
    second = np.linspace(low2, high2, 200_001)
    first = second + bound if kind == "difference" else second * bound
    inside = (first >= low1) & (first <= high1)
    chance = np.zeros(inside.sum())
    for successes, row in enumerate(extreme):
        # The set holds every smaller x2: its share of a row is a cumulative chance.
        assert (np.diff(row.astype(int)) <= 0).all()
        below = stats.binom.cdf(row.sum() - 1, n2, second[inside])
        chance += stats.binom.pmf(successes, n1, first[inside]) * below
    assert chance.max() + missed == pytest.approx(0.025, abs=1e-6)


@given(first=GROUP, second=GROUP, confidence=st.sampled_from([0.8, 0.95, 0.99]))
@few_examples
def test_interval_obeys_the_symmetries(first, second, confidence):
    (x1, n1), (x2, n2) = first, second
    low, high = exact_difference(x1, n1, x2, n2, confidence=confidence)
    relabelled = exact_difference(n1 - x1, n1, n2 - x2, n2, confidence=confidence)
    assert -1 <= low <= x1 / n1 - x2 / n2 <= high <= 1
    assert exact_difference(x2, n2, x1, n1, confidence=confidence) == (-high, -low)
    np.testing.assert_allclose(relabelled, (-high, -low), atol=1e-5)


@given(first=GROUP, second=GROUP, confidence=st.sampled_from([0.8, 0.95, 0.99]))
@few_examples
def test_a_higher_level_widens(first, second, confidence):
    for method in (exact_difference, exact_ratio):
        low, high = method(*first, *second, confidence=confidence)
        wider = method(*first, *second, confidence=(1 + confidence) / 2)
        assert wider.low <= low
        assert wider.high >= high


def test_more_successes_raise_the_bounds():
    for bound in exact_difference(*all_tables(6, 8)):
        assert (np.diff(bound, axis=0) > 0).all()
        assert (np.diff(bound, axis=1) < 0).all()


def test_zero_successes_reach_the_ends():
    difference = exact_difference([0, 5], [5, 5], [8, 0], [8, 8])
    assert difference.low[0] == -1
    assert difference.high[1] == 1
    ratio = exact_ratio([0, 3, 0], [5, 5, 5], [3, 0, 0], [7, 7, 7])
    np.testing.assert_array_equal(ratio.low == 0, (True, False, True))
    np.testing.assert_array_equal(np.isinf(ratio.high), (False, True, True))


def test_an_empty_group_leaves_everything_undefined():
    for method in (exact_difference, exact_ratio):
        assert np.isnan(method([0, 3, 0], [0, 5, 0], [1, 0, 0], [4, 0, 0])).all()


def test_effective_counts_are_rounded_so_that_the_interval_grows():
    low, high = exact_difference(3.4, 10.1, 1.6, 8.3)
    inner = exact_difference([3, 4], [10, 10], [2, 1], [8, 8])
    assert low <= inner.low[0]
    assert high >= inner.high[1]
    # Products of an effect and a count that are integers but for rounding stay what they are.
    assert exact_difference(0.1 * 3 * 10, 9, 2, 8) == exact_difference(3, 9, 2, 8)


def test_less_than_one_effective_sample_says_nothing():
    np.testing.assert_array_equal(exact_difference(0.2, 0.4, 0.1, 0.3), (-1, 1))
    np.testing.assert_array_equal(exact_ratio(0.2, 0.4, 0.1, 0.3), (0, np.inf))


@pytest.mark.parametrize(
    "table", [(101, 200, 77, 200), (3, 100_000, 9, 50_000)], ids=["200 a group", "rare events"]
)
def test_large_groups_take_less_than_half_a_second(table):
    start = time.process_time()
    exact_difference(*table)
    exact_ratio(*table)
    assert time.process_time() - start < 1


def forget() -> None:
    DIFFERENCE.known.clear()
    RATIO.known.clear()


@pytest.fixture
def forgotten():
    """Bounds of tables seen before are forgotten, before and after."""
    forget()
    yield
    forget()


@pytest.mark.parametrize("method", [exact_difference, exact_ratio], ids=["difference", "ratio"])
def test_tables_together_have_the_bounds_that_each_has_alone(method, forgotten):
    rng = np.random.default_rng(5)
    n1, n2 = rng.integers(1, 120, (2, 10))
    x1, x2 = rng.binomial(n1, 0.9), rng.binomial(n2, 0.1)
    together = method(x1, n1, x2, n2, confidence=0.99)
    forget()
    alone = [method(*table, confidence=0.99) for table in zip(x1, n1, x2, n2, strict=True)]
    np.testing.assert_allclose(np.transpose(alone), together, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_a_bound_is_above_an_edge_just_where_it_is(kind):
    method = {"difference": exact_difference, "ratio": exact_ratio}[kind]
    tables = ([9, 17, 4, 0, 5], [10, 20, 60, 4, 5], [3, 2, 1, 4, 0], [10, 9, 40, 4, 5])
    low = method(*tables, confidence=0.9).low
    assert exact_is_above(kind, tables, low - 1e-4, confidence=0.9).all()
    assert not exact_is_above(kind, tables, low + 1e-4, confidence=0.9).any()
    assert exact_is_above(kind, tables, low, confidence=0.5).all()
    assert not exact_is_above(kind, tables, low, confidence=0.99)[:3].any()


@pytest.mark.parametrize("table", [(60_000, 100_000, 3, 500), (3, 500, 60_000, 100_000)], ids=str)
def test_counts_that_are_too_many_to_enumerate_are_integrated(table, monkeypatch, forgotten):
    integrated = exact_difference(*table), exact_ratio(*table)
    forget()
    monkeypatch.setattr(nuisance, "_WIDE", 10**9)
    enumerated = exact_difference(*table), exact_ratio(*table)
    np.testing.assert_allclose(integrated, enumerated, rtol=1e-8)


def test_the_number_of_samples_does_not_matter_to_the_time(forgotten):
    start = time.process_time()
    exact_difference(300_000_000, 1_000_000_000, 3, 1_000)
    assert time.process_time() - start < 2
