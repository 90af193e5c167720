"""Gaps between groups: values of fairlearn and AIF360, intervals that hold for fair models too."""

from typing import NamedTuple

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.statistics.comparisons.comparisons import (
    AgainstBest,
    AgainstReference,
    Alone,
    BetweenAll,
    GroupComparison,
)
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import difference_interval
from pytest_fairness.strategies import rate_counts_of_groups

COUNTS = RateCounts(np.array([20, 30, 45]), np.array([50, 60, 50]))


class Found(NamedTuple):
    value: np.ndarray
    low: np.ndarray
    high: np.ndarray
    group: np.ndarray
    reference: np.ndarray


def all_of(comparison: GroupComparison, confidence: float) -> Found:
    rows = np.arange(len(comparison.group))
    bounds = comparison.bounds(confidence, rows)
    return Found(comparison.value, *bounds, comparison.group, comparison.reference)


def all_groups(counts: RateCounts, kind: str, confidence: float = 0.95) -> Found:
    return all_of(BetweenAll(GroupRates(counts), kind), confidence)


def best(
    counts: RateCounts, kind: str, *, higher: bool = True, confidence: float = 0.95, eligible=None
) -> Found:
    may = np.ones(len(counts.n), dtype=bool) if eligible is None else np.array(eligible)
    return all_of(AgainstBest(GroupRates(counts), kind, higher, may), confidence)


def against(counts: RateCounts, position: int, kind: str, confidence: float = 0.95) -> Found:
    return all_of(AgainstReference(GroupRates(counts), position, kind), confidence)


def test_against_a_reference_each_other_group_has_the_interval_of_its_pair():
    found = against(COUNTS, 1, "difference")
    assert found.group.tolist() == [0, 2]
    assert found.value == pytest.approx([0.4 - 0.5, 0.9 - 0.5])
    low, high = difference_interval([20, 45], [50, 50], [30, 30], [60, 60])
    assert found.low == pytest.approx(low)
    assert found.high == pytest.approx(high)


def test_gaps_between_all_groups_are_those_of_fairlearn():
    group = np.repeat([0, 1, 2], COUNTS.n)
    predicted = np.concatenate(
        [np.arange(n) < x for x, n in zip(COUNTS.successes, COUNTS.n, strict=True)]
    ).astype(int)
    frame = fairlearn.MetricFrame(
        metrics=fairlearn.selection_rate,
        y_true=predicted,
        y_pred=predicted,
        sensitive_features=group,
    )
    assert all_groups(COUNTS, "difference").value[0] == pytest.approx(frame.difference())
    assert all_groups(COUNTS, "ratio").value[0] == pytest.approx(frame.ratio())


def test_disparate_impact_by_hand_as_aif360_defines_it():
    # AIF360: P(called positive | unprivileged) / P(called positive | privileged) = 0.4 / 0.5.
    found = against(COUNTS, 1, "ratio")
    assert found.value[0] == pytest.approx(0.8)
    # AIF360 statistical parity difference: the same with minus.
    gap = against(COUNTS, 1, "difference")
    assert gap.value[0] == pytest.approx(-0.1)


def test_distance_to_the_best_group_by_hand():
    assert best(COUNTS, "difference").value == pytest.approx([-0.5, -0.4, 0.0])
    assert best(COUNTS, "ratio").value == pytest.approx([4 / 9, 5 / 9, 1.0])
    assert best(COUNTS, "difference", higher=False).value == pytest.approx([0.0, 0.1, 0.5])
    assert best(COUNTS, "difference").reference.tolist() == [2, 2, 2]


@settings(max_examples=25)
@given(rate_counts_of_groups(), st.sampled_from(["difference", "ratio"]))
def test_an_interval_of_all_groups_contains_its_value_and_stays_in_range(counts, kind):
    found = all_groups(counts, kind)
    value, low, high = found.value[0], found.low[0], found.high[0]
    if np.isnan(value):
        return
    assert low - 1e-9 <= value <= high + 1e-9
    assert low >= 0
    assert high <= 1 + 1e-9


@settings(max_examples=25)
@given(rate_counts_of_groups(), st.sampled_from(["difference", "ratio"]), st.booleans())
def test_an_interval_of_the_best_contains_its_value(counts, kind, higher):
    found = best(counts, kind, higher=higher)
    defined = ~np.isnan(found.value)
    assert (found.low[defined] <= found.value[defined] + 1e-9).all()
    assert (found.value[defined] <= found.high[defined] + 1e-9).all()
    assert np.isnan(found.value[counts.n == 0]).all()


@settings(max_examples=25)
@given(rate_counts_of_groups(), st.randoms(use_true_random=False))
def test_the_order_of_groups_does_not_matter(counts, random):
    order = list(range(len(counts.n)))
    random.shuffle(order)
    shuffled = RateCounts(counts.successes[order], counts.n[order])
    one, other = all_groups(counts, "difference"), all_groups(shuffled, "difference")
    for a, b in zip(one[:3], other[:3], strict=True):
        assert a == pytest.approx(b, nan_ok=True)


@settings(max_examples=25)
@given(rate_counts_of_groups(min_groups=3))
def test_more_images_of_the_same_rates_narrow_the_interval(counts):
    one, more = (
        all_groups(counts, "difference"),
        all_groups(RateCounts(counts.successes * 4, counts.n * 4), "difference"),
    )
    assert more.value == pytest.approx(one.value, nan_ok=True)
    if not np.isnan(one.value[0]):
        assert more.high[0] - more.low[0] <= one.high[0] - one.low[0] + 1e-9


@pytest.mark.parametrize("n", [[0, 0], [0, 5]], ids=["both empty", "one empty"])
def test_fewer_than_two_groups_with_samples_are_undefined_and_not_0(n):
    counts = RateCounts(np.array([0, 0]), np.array(n))
    assert np.isnan(all_groups(counts, "difference").value[0])
    assert np.isnan(best(counts, "difference").value).all()


@pytest.mark.parametrize("groups", [2, 8])
def test_the_interval_of_the_largest_gap_covers_0_for_a_fair_model(groups):
    # A percentile bootstrap of max - min covers this truth in none of the runs.
    rng = np.random.default_rng(3)
    covered = [
        all_groups(
            RateCounts(rng.binomial(100, 0.3, groups), np.full(groups, 100)), "difference"
        ).low[0]
        == 0
        for _ in range(200)
    ]
    assert np.mean(covered) >= 0.93


def test_the_interval_of_the_largest_gap_covers_a_true_gap():
    rng = np.random.default_rng(4)
    rates = np.array([0.2, 0.25, 0.3, 0.4])
    n = np.full(4, 100)
    found = [all_groups(RateCounts(rng.binomial(n, rates), n), "difference") for _ in range(200)]
    assert np.mean([f.low[0] <= 0.2 <= f.high[0] for f in found]) >= 0.93


@pytest.mark.parametrize("eligible", [(True, True, True), (True, False, False)], ids=str)
@pytest.mark.parametrize("higher", [True, False])
def test_nothing_divided_by_nothing_is_undefined_beside_the_best_too(higher, eligible):
    nobody = RateCounts(np.array([0, 0, 0]), np.array([50, 60, 50]))
    assert np.isnan(best(nobody, "ratio", higher=higher, eligible=eligible).value).all()
    assert best(nobody, "difference", higher=higher, eligible=eligible).value.tolist() == [0, 0, 0]


def test_a_best_group_without_errors_is_the_best_and_another_without_errors_is_undefined():
    two = RateCounts(np.array([0, 0, 10]), np.array([50, 60, 50]))
    found = best(two, "ratio", higher=False)
    assert found.reference.tolist() == [0, 0, 0]
    assert found.value == pytest.approx([1.0, np.nan, np.inf], nan_ok=True)
    one = RateCounts(np.array([0, 5, 10]), np.array([50, 50, 50]))
    assert best(one, "ratio", higher=False).value.tolist() == [1.0, np.inf, np.inf]
    assert best(one, "ratio").value.tolist() == [0.0, 0.5, 1.0]


def test_a_group_that_may_not_be_the_best_is_compared_but_never_compared_with():
    found = best(COUNTS, "difference", eligible=[True, True, False])
    assert found.reference.tolist() == [1, 1, 1]
    assert found.value == pytest.approx([-0.1, 0.0, 0.0])


COMPARISONS = {
    "alone": Alone,
    "reference": lambda rates: AgainstReference(rates, 1, "difference"),
    "best": lambda rates: AgainstBest(
        rates, "ratio", higher_is_better=True, eligible=rates.defined
    ),
    "all": lambda rates: BetweenAll(rates, "difference"),
}


@pytest.mark.parametrize("name", COMPARISONS)
def test_each_answer_alone_has_the_interval_that_it_has_among_all(name):
    comparison = COMPARISONS[name](GroupRates(COUNTS))
    together = comparison.bounds(0.9, np.arange(len(comparison.group)))
    for row in range(len(comparison.group)):
        alone = comparison.bounds(0.9, np.array([row]))
        assert [end[0] for end in alone] == pytest.approx([end[row] for end in together])


@pytest.mark.parametrize("name", COMPARISONS)
def test_more_samples_like_those_seen_narrow_the_interval(name):
    comparison = COMPARISONS[name](GroupRates(COUNTS))
    rows = np.arange(len(comparison.group))
    widths = [np.subtract(*reversed(comparison.bounds(0.95, rows, size=n))) for n in (0, 200, 2000)]
    for wide, narrow in ((widths[0], widths[1]), (widths[1], widths[2])):
        assert (wide >= narrow).all()
        assert wide.sum() > narrow.sum()
