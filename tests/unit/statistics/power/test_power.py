"""Planned power is the share of simulated evaluations that the gate's own intervals settle."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.inversion import critical_value
from pytest_fairness.statistics.power import power
from pytest_fairness.statistics.power.margins import Margins
from pytest_fairness.statistics.power.power import (
    loss_power,
    pair_power,
    rate_power,
    smallest_size,
)

RUNS = 4000


def settled(low, high, margins: Margins, how: str):
    if how == "kept":
        return (low >= margins.low - 1e-9) & (high <= margins.high + 1e-9)
    return (low > margins.high + 1e-9) | (high < margins.low - 1e-9)


@pytest.mark.parametrize("confidence", [0.95, 0.999])
@pytest.mark.parametrize("how", ["kept", "broken"])
@pytest.mark.parametrize(
    ("rate", "n", "margins"),
    [
        pytest.param(0.9, 100, Margins(0.8, 1.0), id="floor"),
        pytest.param(0.7, 57, Margins(0.8, 1.0), id="below the floor"),
        pytest.param(0.02, 60, Margins(0.0, 0.1), id="ceiling"),
        pytest.param(0.5, 300, Margins(0.4, 0.6), id="between"),
        pytest.param(0.35, 200, Margins(0.4, 0.6), id="below both"),
        pytest.param(1.0, 20, Margins(0.8, 1.0), id="perfect"),
        pytest.param(0.9, 0, Margins(0.8, 1.0), id="no samples"),
    ],
)
def test_the_power_of_one_rate_is_exact(rate, n, margins, how, confidence):
    counts = np.arange(n + 1)
    low, high = GroupRates(RateCounts(counts, np.full(n + 1, n))).alone(confidence)
    chances = stats.binom.pmf(counts, n, rate)
    expected = chances[settled(low, high, margins, how)].sum()
    found = rate_power(rate, n, margins=margins, confidence=confidence, settled=how)
    assert found == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize("how", ["kept", "broken"])
@pytest.mark.parametrize(("lost", "n"), [(0.0, 380), (0.005, 900), (0.03, 900)])
def test_the_power_of_a_drop_is_exact_when_nothing_is_gained(lost, n, how):
    counts, margins = np.arange(n + 1), Margins(-1.0, 0.01)
    low, high = paired_interval(counts, np.zeros(n + 1), np.full(n + 1, n), confidence=0.95)
    expected = stats.binom.pmf(counts, n, lost)[settled(low, high, margins, how)].sum()
    found = loss_power(lost, n, margins=margins, confidence=0.95, settled=how)
    assert found == pytest.approx(expected, abs=1e-9)


def simulated(rates, sizes, *, kind, margins, confidence, how) -> float:
    rng = np.random.default_rng(20_260_301)
    counts = np.stack([rng.binomial(n, p, RUNS) for p, n in zip(rates, sizes, strict=True)])
    tables, where = np.unique(counts, axis=1, return_inverse=True)
    size = tables.shape[1]
    n = np.repeat(sizes, size)
    groups = GroupRates(RateCounts(tables.ravel(), n))
    low, high = groups.pairs(
        np.arange(size), np.arange(size) + size, kind=kind, confidence=confidence
    )
    return float(settled(low, high, margins, how)[where.ravel()].mean())


GAP, RATIO = Margins(-0.1, 0.1), Margins(0.8, 1.25)


@pytest.mark.parametrize(
    ("kind", "rates", "sizes", "decision"),
    [
        pytest.param("difference", (0.2, 0.2), (250, 400), (GAP, 0.95, "kept"), id="fair"),
        pytest.param("difference", (0.55, 0.5), (900, 900), (GAP, 0.95, "kept"), id="half the gap"),
        pytest.param("difference", (0.65, 0.5), (600, 900), (GAP, 0.99, "broken"), id="wide gap"),
        pytest.param("difference", (0.35, 0.5), (600, 900), (GAP, 0.99, "broken"), id="other side"),
        pytest.param("ratio", (0.45, 0.5), (900, 700), (RATIO, 0.95, "kept"), id="fair ratio"),
        pytest.param("ratio", (0.33, 0.5), (300, 200), (RATIO, 0.95, "broken"), id="low ratio"),
        pytest.param("ratio", (0.66, 0.5), (300, 700), (RATIO, 0.95, "broken"), id="high ratio"),
        pytest.param(
            "difference", (0.3, 0.5), (200, 90), (Margins(-0.1, 1.0), 0.9, "broken"), id="one side"
        ),
    ],
)
def test_the_power_of_two_rates_is_that_of_the_gate(kind, rates, sizes, decision):
    margins, confidence, how = decision
    found = pair_power(rates, sizes, kind=kind, margins=margins, confidence=confidence, settled=how)
    expected = simulated(rates, sizes, kind=kind, margins=margins, confidence=confidence, how=how)
    assert 0.1 < expected < 0.9, "a cell in which an error would be seen"
    assert found == pytest.approx(expected, abs=0.02)


@pytest.mark.parametrize(
    ("kind", "rates", "sizes", "how"),
    [
        pytest.param("difference", (0.04, 0.01), (100, 150), "kept", id="small gap"),
        pytest.param("difference", (0.25, 0.02), (40, 60), "broken", id="wide gap"),
        pytest.param("difference", (0.99, 0.98), (60, 100), "kept", id="nearly all"),
        pytest.param("ratio", (0.5, 0.95), (30, 40), "broken", id="low ratio"),
    ],
)
def test_with_few_events_the_power_of_two_rates_is_near_that_of_the_gate(kind, rates, sizes, how):
    margins = GAP if kind == "difference" else RATIO
    cell = {"kind": kind, "margins": margins, "confidence": 0.95}
    found = pair_power(rates, sizes, **cell, settled=how)
    assert found == pytest.approx(simulated(rates, sizes, **cell, how=how), abs=0.1)


def test_impossible_ends_of_a_limit_bound_nothing():
    power = pair_power(
        (1.0, 0.0),
        (50, 50),
        kind="difference",
        margins=Margins(-1, 1),
        confidence=0.95,
        settled="kept",
    )
    assert power == pytest.approx(1.0)
    nothing = pair_power(
        (0.5, 0.5),
        (50, 50),
        kind="ratio",
        margins=Margins(0, np.inf),
        confidence=0.95,
        settled="broken",
    )
    assert nothing == 0.0


@pytest.mark.parametrize("how", ["kept", "broken"])
def test_the_power_of_many_pairs_is_that_of_each_alone(how):
    rates = np.array([[0.2], [0.5]]), np.array([0.3, 0.6, 0.1])
    sizes = np.array([40, 90, 1]), np.array([[70], [1]])
    together = pair_power(rates, sizes, kind="difference", margins=GAP, confidence=0.9, settled=how)
    assert together.shape == (2, 3)
    for row, column in np.ndindex(2, 3):
        one = (rates[0][row, 0], rates[1][column]), (sizes[0][column], sizes[1][row, 0])
        alone = pair_power(*one, kind="difference", margins=GAP, confidence=0.9, settled=how)
        assert alone == pytest.approx(together[row, column], abs=1e-9)


@pytest.mark.parametrize("sizes", [(0, 50), (50, 0)])
def test_either_group_without_samples_has_no_power(sizes):
    power = pair_power(
        (0.9, 0.1), sizes, kind="difference", margins=GAP, confidence=0.95, settled="broken"
    )
    assert power == 0.0


@settings(max_examples=25)
@given(
    rate=st.floats(0.05, 0.95), n=st.integers(5, 400), wider=st.floats(0.0, 0.1), gap=st.booleans()
)
def test_a_looser_limit_is_kept_more_often_and_broken_less_often(rate, n, wider, gap):
    def power(edge: float, how: str) -> float:
        if not gap:
            return float(
                rate_power(rate, n, margins=Margins(0.0, edge), confidence=0.95, settled=how)
            )
        margins = Margins(-edge, edge)
        rates, sizes = (rate, 0.5), (n, 200)
        return float(
            pair_power(
                rates, sizes, kind="difference", margins=margins, confidence=0.95, settled=how
            )
        )

    assert power(0.2 + wider, "kept") >= power(0.2, "kept") - 1e-9
    assert power(0.2 + wider, "broken") <= power(0.2, "broken") + 1e-9


@settings(max_examples=25)
@given(first=st.floats(0.05, 0.95), second=st.floats(0.05, 0.95), n=st.integers(5, 300))
def test_a_limit_is_never_shown_both_kept_and_broken(first, second, n):
    both = sum(
        pair_power(
            (first, second), (n, 150), kind="ratio", margins=RATIO, confidence=0.9, settled=how
        )
        for how in ("kept", "broken")
    )
    assert both <= 1 + 1e-9


@pytest.mark.parametrize("how", ["kept", "broken"])
def test_from_the_smallest_size_on_the_power_is_reached(how):
    def power(n):
        rate = {"kept": 0.9, "broken": 0.7}[how]
        return rate_power(rate, n, margins=Margins(0.8, 1.0), confidence=0.95, settled=how)

    size = smallest_size(power)
    assert size is not None
    assert (power(np.arange(size, 2 * size)) >= 0.8).all()
    assert power(np.array([size - 1])) < 0.8


def test_no_size_settles_what_lies_on_its_limit():
    assert (
        smallest_size(
            lambda n: rate_power(0.8, n, margins=Margins(0.8, 1.0), confidence=0.95, settled="kept")
        )
        is None
    )


def test_a_large_size_is_found_to_one_percent():
    def power(n):
        return rate_power(0.812, n, margins=Margins(0.8, 1.0), confidence=0.95, settled="kept")

    size = smallest_size(power)
    assert size is not None
    assert power(np.array([size])) >= 0.8
    assert power(np.array([int(size / 1.02)])) < 0.8


def test_with_few_events_as_many_tables_are_settled_too_early_as_too_late():
    """What is taken off where the gate is exact gives its decision for nearly all tables."""
    early, late, tables = 0, 0, 0
    for n1, n2, kind, edge in (
        (30, 40, "difference", -0.1),
        (60, 50, "difference", 0.1),
        (30, 40, "ratio", 0.8),
        (30, 40, "ratio", 1.25),
    ):
        first, second = (one.ravel() for one in np.meshgrid(np.arange(n1 + 1), np.arange(n2 + 1)))
        sizes = np.repeat([n1, n2], len(first))
        gate = GroupRates(RateCounts(np.concatenate([first, second]), sizes))
        row = np.arange(len(first))
        low, high = gate.pairs(row, row + len(first), kind=kind, confidence=0.95)
        z = critical_value(0.95)
        table = power._Tables(np.array([[n1]]), np.arange(n2 + 1)[None, :], np.array([[n2]]), kind)
        few = np.minimum.reduce([first, n1 - first, second, n2 - second]) < 5
        for planned, judged in (
            (first >= table.above(edge, z).ravel()[second], low >= edge - 1e-9),
            (first < table.below(edge, -z).ravel()[second], high <= edge + 1e-9),
        ):
            early += int((planned & ~judged & few).sum())
            late += int((~planned & judged & few).sum())
            tables += int(few.sum())
    assert early + late <= 0.005 * tables
    assert 0.25 <= early / late <= 4
