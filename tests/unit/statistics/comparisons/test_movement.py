"""How a rate moved, checked against statsmodels and numbers worked out by hand."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from pytest_fairness.statistics.clusters.counts import ClusterCounts, SampleClusters
from pytest_fairness.statistics.comparisons.movement import (
    ClusterMoves,
    Movement,
    PairTables,
    cluster_moves,
    pair_tables,
)
from pytest_fairness.statistics.estimators.events import events
from pytest_fairness.statistics.estimators.rate_counts import RateCounts, rate_counts
from pytest_fairness.statistics.intervals.chosen import difference_interval, paired_interval
from pytest_fairness.statistics.intervals.paired import mcnemar_p_value
from pytest_fairness.statistics.metrics.names import metric_named

RATES = [
    "accuracy",
    "error_rate",
    "selection_rate",
    "true_positive_rate",
    "false_positive_rate",
    "true_negative_rate",
    "false_negative_rate",
]


def table(both: int, now_only: int, then_only: int, neither: int) -> PairTables:
    return PairTables(*(np.array([float(n)]) for n in (both, now_only, then_only, neither)))


def test_tables_count_what_was_seen_now_and_then_in_each_group():
    now = np.array([True, True, False, False, True])
    then = np.array([True, False, True, False, True])
    tables = pair_tables(now, then, np.array([0, 0, 0, 0, 2]), size=3)
    assert [cell.tolist() for cell in tables] == [[1, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert tables.n.tolist() == [4, 0, 1]


def test_a_paired_change_is_the_interval_of_the_discordant_pairs():
    movement = Movement.paired(table(12, 1, 7, 1))
    assert movement.change[0] == pytest.approx(-6 / 21)
    low, high = movement.change_interval(0.95)
    expected = paired_interval(1, 7, 21, confidence=0.95)
    assert (low[0], high[0]) == pytest.approx((float(expected.low), float(expected.high)))


def test_a_paired_total_is_the_change_with_the_misses_of_then():
    movement = Movement.paired(table(12, 1, 7, 1))
    assert movement.total[0] == pytest.approx(13 / 21 + 19 / 21)
    low, high = movement.total_interval(0.95)
    expected = paired_interval(12, 1, 21, confidence=0.95)
    assert (low[0], high[0]) == pytest.approx((1 + expected.low, 1 + expected.high))
    assert low[0] < movement.total[0] < high[0]


def test_an_unpaired_change_is_that_of_independent_rates():
    now, then = (RateCounts(np.array([x]), np.array([n])) for x, n in ((30, 40), (70, 80)))
    movement = Movement(now, then)
    expected = difference_interval(30, 40, 70, 80)
    low, high = movement.change_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((float(expected.low), float(expected.high)))
    assert movement.total_interval(0.95).low[0] < 30 / 40 + 70 / 80


def test_pairs_tell_more_than_independent_samples_of_the_same_rates():
    paired = Movement.paired(table(70, 2, 4, 24))
    apart = Movement(paired.now, paired.then)
    width = [np.subtract(*reversed(one.change_interval(0.95))).item() for one in (paired, apart)]
    assert width[0] < 0.51 * width[1]


def test_a_movement_grows_with_its_shares():
    grown: Any = Movement.paired(table(6, 1, 2, 1)).grown(100)
    assert [cell.tolist() for cell in grown.pairs] == [[60], [10], [20], [10]]
    same: Any = Movement.paired(table(60, 10, 20, 10)).grown(5)
    assert same.pairs.n.tolist() == [100]


@pytest.mark.parametrize(
    ("gained", "lost"), [(0, 0), (3, 0), (2, 9), (20, 31)], ids=["none", "few", "some", "many"]
)
def test_mcnemars_exact_p_value_is_that_of_statsmodels(gained, lost):
    expected = mcnemar([[40, gained], [lost, 9]], exact=True).pvalue
    assert mcnemar_p_value(gained, lost) == pytest.approx(expected)


@given(
    st.lists(st.tuples(*[st.sampled_from("abc")] * 2), min_size=1, max_size=40),
    st.sampled_from(RATES),
)
def test_events_add_up_to_the_rates_of_the_counts(answers, name):
    rate = metric_named(name).rate
    target, prediction = np.array(answers, dtype=object).T
    confusion = np.zeros((1, 3, 3), dtype=np.int64)
    for true, predicted in answers:
        confusion[0, "abc".index(true), "abc".index(predicted)] += 1
    found = events(rate, target, prediction, positive="b")
    expected = rate_counts(confusion, rate, positive=1)
    assert (found.seen & found.among).sum() == expected.successes[0]
    assert found.among.sum() == expected.n[0]


def clustered(now, then, clusters) -> Movement:
    """The movement of one group whose samples are clustered."""
    group = np.zeros(len(now), dtype=np.int64)
    moves = cluster_moves(now, then, group, SampleClusters(clusters), size=1)
    return Movement.paired(pair_tables(now, then, group, size=1), moves)


def width(movement: Movement, *, total: bool = False) -> float:
    interval = movement.total_interval if total else movement.change_interval
    low, high = interval(0.95)
    return float(high[0] - low[0])


def test_moves_are_counted_in_each_group_and_cluster():
    now, then = np.array([True, True, False, False]), np.array([True, False, True, False])
    moves: Any = cluster_moves(
        now, then, np.array([0, 0, 0, 1]), SampleClusters(np.array([0, 1, 1, 0])), size=2
    )
    assert moves.now.successes.tolist() == [[1, 1], [0, 0]]
    assert moves.then.successes.tolist() == [[1, 1], [0, 0]]
    assert moves.now.n.tolist() == [[1, 2], [1, 0]]


@pytest.mark.parametrize("total", [False, True], ids=["change", "total"])
def test_copies_of_a_sample_add_nothing_when_they_are_known_as_such(total):
    rng = np.random.default_rng(4)
    now, then = rng.random((2, 200)) < 0.8
    clusters = np.arange(200)
    alone = width(clustered(now, then, clusters), total=total)
    copied = [np.repeat(values, 5) for values in (now, then, clusters)]
    assert width(clustered(*copied), total=total) == pytest.approx(alone, rel=0.05)
    group = np.zeros(1000, dtype=np.int64)
    unaware = Movement.paired(pair_tables(copied[0], copied[1], group, size=1))
    assert width(unaware, total=total) < 0.5 * alone


def test_clusters_never_narrow_an_interval():
    rng = np.random.default_rng(4)
    now, then = rng.random((2, 300)) < 0.8
    spread = clustered(now, then, np.arange(300) % 30)
    assert width(spread) >= width(Movement(spread.now, spread.then, spread.pairs))
    assert spread.effective_n(0.95)[0] <= 300


def test_without_any_change_clusters_count_as_one_sample_each():
    now = np.ones(400, dtype=bool)
    same = clustered(now, now, np.arange(400) // 10)
    assert same.effective_n(0.95)[0] < 41
    low, _ = paired_interval(0, 0, 40, confidence=0.95)
    assert same.change_interval(0.95).low[0] <= low


def test_unpaired_clusters_widen_too_and_those_of_then_are_taken_to_be_as_now():
    counts = RateCounts(np.array([160]), np.array([200]))
    apart = ClusterCounts(np.array([[10] * 16 + [0] * 4]), np.full((1, 20), 10))
    plain, both, one = (
        Movement(counts, counts, clusters=moves)
        for moves in (None, ClusterMoves(apart, apart), ClusterMoves(apart))
    )
    assert width(plain) < width(both) / 2
    assert width(one) == pytest.approx(width(both))
    assert width(one, total=True) > width(plain, total=True)


def test_a_grown_movement_keeps_its_dependence():
    rng = np.random.default_rng(4)
    now, then = rng.random((2, 100)) < 0.8
    movement = clustered(np.repeat(now, 4), np.repeat(then, 4), np.repeat(np.arange(100), 4))
    grown = movement.grown(1600)
    assert grown.effective_n(0.95)[0] == pytest.approx(4 * movement.effective_n(0.95)[0])
    assert grown.effective_n(0.95)[0] == pytest.approx(400)
    assert grown.at(0).effective_n(0.95)[0] == pytest.approx(grown.effective_n(0.95)[0])


@pytest.mark.parametrize("clusters", [20, 60])
def test_the_interval_of_clustered_pairs_covers_the_truth(clusters):
    # A share of clusters was re-learned: all of their 8 images got new answers.
    rng = np.random.default_rng(11)
    draws, size = 1000, 8
    missed = 0
    for _ in range(draws):
        then = rng.random((clusters, size)) < 0.8
        fresh = rng.random((clusters, 1)) < 0.3
        rate = np.where(rng.random((clusters, 1)) < 0.5, 0.4, 0.9)
        now = np.where(fresh, rng.random((clusters, size)) < rate, then)
        codes = np.repeat(np.arange(clusters), size)
        low, high = clustered(now.ravel(), then.ravel(), codes).change_interval(0.95)
        missed += not low[0] <= 0.3 * (0.65 - 0.8) <= high[0]
    assert missed / draws <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / draws)
