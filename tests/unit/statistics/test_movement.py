"""How a rate moved, checked against statsmodels and numbers worked out by hand."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from statsmodels.stats.contingency_tables import mcnemar

from pytest_fairness.statistics.defaults import difference_interval
from pytest_fairness.statistics.events import events
from pytest_fairness.statistics.metrics import RateCounts, rate_counts
from pytest_fairness.statistics.movement import Movement, PairTables, pair_tables
from pytest_fairness.statistics.names import METRIC_NAMES, metric_named
from pytest_fairness.statistics.paired import mcnemar_p_value, tango

RATES = sorted(
    {metric_named(name).rate.name for name in METRIC_NAMES}
    - {"precision", "counterfactual_flip_rate"}
)


def table(both: int, now_only: int, then_only: int, neither: int) -> PairTables:
    return PairTables(*(np.array([float(n)]) for n in (both, now_only, then_only, neither)))


def test_tables_count_what_was_seen_now_and_then_in_each_group():
    now = np.array([True, True, False, False, True])
    then = np.array([True, False, True, False, True])
    tables = pair_tables(now, then, np.array([0, 0, 0, 0, 2]), size=3)
    assert [cell.tolist() for cell in tables] == [[1, 0, 1], [1, 0, 0], [1, 0, 0], [1, 0, 0]]
    assert tables.n.tolist() == [4, 0, 1]


def test_a_paired_change_is_tangos_interval_of_the_discordant_pairs():
    # Tango (1998), table II: 21 patients, 1 and 7 discordant.
    movement = Movement.paired(table(12, 1, 7, 1))
    assert movement.change[0] == pytest.approx(-6 / 21)
    low, high = movement.change_interval(0.95)
    assert (low[0], high[0]) == pytest.approx((-0.5172, -0.0260), abs=5e-5)


def test_a_paired_total_is_the_change_with_the_misses_of_then():
    movement = Movement.paired(table(12, 1, 7, 1))
    assert movement.total[0] == pytest.approx(13 / 21 + 19 / 21)
    low, high = movement.total_interval(0.95)
    expected = tango(12, 1, 21, level=0.95)
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
    assert width[0] < width[1] / 2


def test_a_movement_grows_with_its_shares():
    grown = Movement.paired(table(6, 1, 2, 1)).grown(100)
    assert [cell.tolist() for cell in grown.pairs] == [[60], [10], [20], [10]]
    same = Movement.paired(table(60, 10, 20, 10)).grown(5)
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


def test_a_rate_among_what_was_predicted_has_no_pairs():
    with pytest.raises(ValueError, match="precision is counted among called positive, which are"):
        events(metric_named("precision").rate, np.array(["a"]), np.array(["a"]), positive="a")
