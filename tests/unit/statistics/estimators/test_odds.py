"""Treatment equality: false negatives for each false positive, by hand."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

from pytest_fairness.statistics.clusters.rates import rate_bound_factors
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.estimators.odds import Odds
from pytest_fairness.statistics.intervals.odds import odds_pair_interval
from pytest_fairness.statistics.metrics.names import metric_named

# Rows: true no, true yes; columns: predicted no, predicted yes. FN/FP: 6/2, 3/12 and 2/0.
CONFUSION = np.array([[[40, 2], [6, 30]], [[25, 12], [3, 50]], [[33, 0], [2, 22]]])
FN_FP = metric_named("treatment_equality").measure


def odds(confusion: np.ndarray, **more) -> Odds:
    found = measure(FN_FP, confusion, positive=1, **more)
    assert isinstance(found, Odds)
    return found


def test_the_value_is_false_negatives_for_each_false_positive():
    found = odds(CONFUSION)
    assert found.values.tolist() == [3.0, 0.25, np.inf]
    first, second = np.array([0, 1]), np.array([1, 2])
    assert found.compare(first, second, kind="difference").tolist() == [2.75, -np.inf]
    assert found.compare(first, second, kind="ratio").tolist() == [12.0, 0.0]


def test_the_interval_is_that_of_the_share_transformed():
    found = odds(CONFUSION)
    low, high = found.alone(0.95)
    share = found.parts[0].alone(0.95)
    assert low == pytest.approx(share.low / (1 - share.low))
    assert high[:2] == pytest.approx(share.high[:2] / (1 - share.high[:2]))
    assert (low < found.values).all()


def test_without_errors_it_is_undefined():
    found = odds(np.array([[[40, 0], [0, 30]]]))
    assert not found.defined[0]
    assert np.isnan(found.values[0])


@given(st.lists(st.integers(1, 40), min_size=8, max_size=8))
def test_swapping_the_classes_turns_it_upside_down(counts):
    confusion = np.array(counts).reshape(2, 2, 2)
    swapped = odds(confusion[:, ::-1, ::-1])
    assert swapped.values == pytest.approx(1 / odds(confusion).values)


def test_copies_of_samples_in_one_cluster_tell_no_more_than_one_of_them():
    clustered = np.zeros((2, 80, 2, 2), dtype=np.int64)
    clustered[0, :20, 1, 0] = clustered[0, 20:40, 0, 1] = 1
    clustered[1, 40:60, 1, 0] = clustered[1, 60:70, 0, 1] = 1
    pair = np.array([0]), np.array([1])

    def width(copies: int) -> float:
        apart = clustered * copies
        found = odds(apart.sum(axis=1), clustered=apart)
        low, high = found.pairs(*pair, kind="ratio", confidence=0.95)
        return float(np.log(high[0] / low[0]))

    assert width(5) == pytest.approx(width(1), rel=0.1)
    alone = odds(5 * clustered.sum(axis=1)).pairs(*pair, kind="ratio", confidence=0.95)
    assert width(5) > 1.5 * np.log(alone.high / alone.low)[0]


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_each_bound_of_clustered_odds_is_at_the_effective_counts_of_its_own_side(kind):
    clustered = np.zeros((2, 400, 2, 2), dtype=np.int64)
    clustered[0, :20, 1, 0], clustered[0, 20:100, 0, 1] = 5, 5
    clustered[1, 100:280, 1, 0], clustered[1, 280:, 0, 1] = 1, 1
    found = odds(clustered.sum(axis=1), clustered=clustered)
    low, high = found.pairs(np.array([0]), np.array([1]), kind=kind, confidence=0.95)
    rate = found.parts[0]
    factors = rate_bound_factors(rate.clusters, confidence=0.95)
    x, n = rate.counts
    for bound, one, two, place in (
        (low, factors.lower[0], factors.upper[1], 0),
        (high, factors.upper[0], factors.lower[1], 1),
    ):
        counts = x[0] * one, n[0] * one, x[1] * two, n[1] * two
        expected = odds_pair_interval(*counts, kind=kind, confidence=0.95)
        assert float(bound[0]) == pytest.approx(float(expected[place]))
