"""Intervals of sums and ratios of independent rates, against draws of what they are made of."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from pytest_fairness.statistics.intervals.melding import (
    Known,
    beta_draws,
    beta_spread,
    melded_ratio,
    melded_sum,
    spread_of,
)
from pytest_fairness.statistics.intervals.rates import clopper_pearson


def known(successes, n, confidence: float) -> Known:
    x, n = np.array(successes, dtype=float), np.array(n, dtype=float)
    low, high = clopper_pearson(x, n, confidence=confidence)
    rate = np.divide(x, n, out=np.full_like(x, np.nan), where=n > 0)
    return Known(rate, low, high, beta_spread(x, n - x + 1), beta_spread(x + 1, n - x))


def drawn(rng, x: float, n: float, *, upper: bool, size: int) -> np.ndarray:
    """Draws of the confidence distribution of a rate; all of it lies at 0 or 1 at the ends."""
    a, b = (x + 1, n - x) if upper else (x, n - x + 1)
    return rng.beta(a, b, size) if a and b else np.full(size, float(a > 0))


CASES = {
    "average odds": ([40, 45, 5, 3], [50, 50, 60, 40], [0.5, -0.5, 0.5, -0.5]),
    "few": ([4, 5, 1, 0], [5, 5, 5, 5], [0.5, -0.5, 0.5, -0.5]),
    "small beside large": ([0, 95], [5, 100], [0.5, 0.5]),
    "one failure each": ([19] * 10, [20] * 10, [0.1] * 10),
}


@pytest.mark.parametrize("case", CASES)
def test_a_sum_has_the_quantiles_of_draws_from_the_confidence_distributions(case):
    x, n, weights = CASES[case]
    rng = np.random.default_rng(1)
    found = melded_sum(known(x, n, 0.95), weights, confidence=0.95)
    for sign, end in ((1, found.high), (-1, -found.low)):
        total = sum(
            sign * w * drawn(rng, a, b, upper=sign * w > 0, size=200_000)
            for a, b, w in zip(x, n, weights, strict=True)
        )
        assert end == pytest.approx(np.quantile(total, 0.975), abs=0.012)


def test_a_ratio_has_the_quantiles_of_draws_from_the_confidence_distributions():
    x, n = [40, 30, 20, 25], [50, 50, 50, 50]
    rng = np.random.default_rng(2)
    found = melded_ratio(known(x, n, 0.95), np.array([True, True, False, False]), confidence=0.95)
    above = [drawn(rng, a, b, upper=True, size=200_000) for a, b in zip(x, n, strict=True)]
    below = [drawn(rng, a, b, upper=False, size=200_000) for a, b in zip(x, n, strict=True)]
    high = np.quantile((above[0] + above[1]) / (below[2] + below[3]), 0.975)
    low = np.quantile((below[0] + below[1]) / (above[2] + above[3]), 0.025)
    assert found.high == pytest.approx(high, rel=0.005)
    assert found.low == pytest.approx(low, rel=0.005)


def test_a_ratio_to_nothing_is_unbounded_and_a_ratio_of_nothing_is_0():
    found = melded_ratio(known([0, 5], [9, 9], 0.95), np.array([False, True]), confidence=0.95)
    assert np.isinf(found.high)
    turned = melded_ratio(known([0, 5], [9, 9], 0.95), np.array([True, False]), confidence=0.95)
    assert turned.low == 0


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), min_size=1, max_size=5),
    st.floats(0.6, 0.99999),
    st.data(),
)
def test_a_sum_is_never_surer_than_its_surest_part_nor_wider_than_all_parts(
    counts, confidence, data
):
    counts = [(x, x + y + (x + y == 0)) for x, y in counts]
    signs = data.draw(
        st.lists(st.sampled_from([1, -1]), min_size=len(counts), max_size=len(counts))
    )
    x, n = np.array(counts).T
    parts, weights = known(x, n, confidence), np.array(signs) / len(signs)
    found = melded_sum(parts, weights, confidence=confidence)
    value = float(parts.value @ weights)
    ends = np.sort(np.stack([parts.low * weights, parts.high * weights]), axis=0)
    assert ends[0].sum() - 1e-9 <= found.low <= value + 1e-9
    assert value - 1e-9 <= found.high <= ends[1].sum() + 1e-9
    turned = melded_sum(parts, -weights, confidence=confidence)
    assert float(-turned.high) == pytest.approx(float(found.low), abs=1e-9)
    assert float(-turned.low) == pytest.approx(float(found.high), abs=1e-9)


def test_an_undefined_part_makes_the_sum_undefined_and_leaves_its_neighbours_alone():
    parts = known([[3, 4], [0, 4]], [[9, 9], [0, 9]], 0.95)
    low, high = melded_sum(parts, 0.5, confidence=0.95)
    assert np.isnan([low[1], high[1]]).all()
    assert not np.isnan([low[0], high[0]]).any()


@pytest.mark.parametrize(("a", "b"), [(1, 5), (40, 3), (200, 300)], ids=["rare", "often", "many"])
def test_moments_are_those_of_scipy(a, b):
    mean, variance, skewness = stats.beta.stats(a, b, moments="mvs")
    one = np.array([float(a)]), np.array([float(b)])
    for found in (beta_spread(*one), spread_of(beta_draws(*one))):
        assert found.mean == pytest.approx([mean], abs=1e-6)
        assert found.deviation == pytest.approx([np.sqrt(variance)], rel=1e-3)
        assert found.skewness == pytest.approx([skewness], rel=5e-3, abs=1e-3)
