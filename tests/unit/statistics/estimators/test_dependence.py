"""How much wider a sum of dependent estimates varies, by hand."""

import numpy as np
import pytest

from pytest_fairness.statistics.estimators.dependence import Dependence, WholeUnit
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.metrics.names import metric_named

FIRST, SECOND = np.array([0]), np.array([1])


def dependence(*, shared: bool, most: float = 100.0) -> Dependence:
    """Two groups, two units: they move the sums by (3, 4) and (1, 2)."""
    return Dependence(np.array([[3.0, 4.0], [1.0, 2.0]]), np.array([5.0, 2.0]), shared, most)


def test_a_group_alone_varies_by_the_squares_of_its_units():
    found = dependence(shared=True).alone(np.array([0, 1]))
    np.testing.assert_allclose(found, np.sqrt([25 / 5, 5 / 2]))


def test_of_shared_units_the_difference_of_two_groups_is_what_each_moves_it_by():
    """(3 - 1)^2 + (4 - 2)^2 = 8, over 5 + 2."""
    found = dependence(shared=True).pairs(FIRST, SECOND, times=1.0)
    np.testing.assert_allclose(found, np.sqrt([8 / 7]))


def test_units_of_their_own_add_up():
    """9 + 16 + 1 + 4 = 30, over 5 + 2."""
    found = dependence(shared=False).pairs(FIRST, SECOND, times=1.0)
    np.testing.assert_allclose(found, np.sqrt([30 / 7]))


@pytest.mark.parametrize(("shared", "moved"), [(True, 0 + 9), (False, 25 + 9 * 5)])
def test_the_second_group_may_count_several_times(shared, moved):
    """Three times: it moves by (3, 6), and its own variance counts ninefold: 5 + 18."""
    together = {True: (3 - 3) ** 2 + (4 - 6) ** 2, False: moved}[shared]
    found = dependence(shared=shared).pairs(FIRST, SECOND, times=3.0)
    np.testing.assert_allclose(found, np.sqrt([max(together / 23, 1.0)]))


@pytest.mark.parametrize("shared", [True, False])
def test_a_number_of_times_that_is_not_finite_counts_as_one(shared):
    some = dependence(shared=shared)
    np.testing.assert_array_equal(
        some.pairs(FIRST, SECOND, times=np.array([np.inf])), some.pairs(FIRST, SECOND, times=1.0)
    )


def test_it_is_never_below_one_nor_above_what_is_possible():
    """A difference of shared units may vary twice as much as one sum may."""
    wild = dependence(shared=True, most=2.0)
    np.testing.assert_allclose(wild.alone(FIRST), np.sqrt([2.0]))
    apart = Dependence(np.array([[30.0], [-30.0]]), np.ones(2), shared=True, most=2.0)
    np.testing.assert_allclose(apart.pairs(FIRST, SECOND, times=1.0), np.sqrt([4.0]))
    alike = Dependence(np.array([[30.0], [30.0]]), np.ones(2), shared=True, most=2.0)
    np.testing.assert_allclose(alike.pairs(FIRST, SECOND, times=1.0), [1.0])
    own = Dependence(np.array([[30.0], [30.0]]), np.ones(2), shared=False, most=2.0)
    np.testing.assert_allclose(own.pairs(FIRST, SECOND, times=1.0), np.sqrt([2.0]))


def test_where_nothing_varies_only_the_bound_is_known():
    still = Dependence(np.zeros((2, 1)), np.zeros(2), shared=False, most=3.0)
    np.testing.assert_allclose(still.alone(FIRST), np.sqrt([3.0]))


def test_a_unit_that_turns_as_a_whole_is_added_to_those_seen():
    """Of two units with (2, 2) and (4, 0): 25 + (4^2 + 4^2) / 2 over 5 + (4 + 4 + 16) / 2."""
    whole = WholeUnit(np.array([[4.0, 4.0]]), np.array([12.0]))
    seen = Dependence(np.array([[3.0, 4.0]]), np.array([5.0]), shared=True, most=9.0, whole=whole)
    np.testing.assert_allclose(seen.alone(FIRST), np.sqrt([(25 + 16) / (5 + 12)]))


@pytest.mark.parametrize(("shared", "moved"), [(True, (4 + 2 * 1) ** 2), (False, 4**2 + 2**2)])
def test_at_worst_a_shared_unit_turns_the_other_way_in_the_second_group(shared, moved):
    """The second group counts twice: nothing is seen, and one unit moves the groups by 4 and 1."""
    whole = WholeUnit(np.array([[4.0], [1.0]]), np.array([8.0, 1.0]))
    unseen = Dependence(np.zeros((2, 1)), np.zeros(2), shared, 9.0, whole)
    found = unseen.pairs(FIRST, SECOND, times=2.0)
    np.testing.assert_allclose(found, np.sqrt([moved / (8 + 4)]))


def test_clusters_that_a_group_lacks_do_not_count():
    """Two parts in three clusters; the second group has the last one only: its mean is over one."""
    shares = np.array([[[0.5, 0.25, 0.25], [0.0, 0.0, 1.0]], [[0.5, 0.5, 0.0], [0.0, 0.0, 1.0]]])
    whole = WholeUnit.of(shares)
    np.testing.assert_allclose(whole.apart, [(0.5 + 0.3125 + 0.0625) / 3, 2])
    expected = [(1 + 0.75**2 + 0.25**2) / 3, 4]
    np.testing.assert_allclose((whole.together**2).mean(axis=-1), expected)


@pytest.mark.parametrize("name", ["balanced_accuracy", "macro_precision", "macro_f1"])
def test_one_more_error_does_not_make_the_classes_of_people_independent(name):
    """76 designs with two images of each class. Once balanced accuracy went from .953 to .964 with the first error."""
    cells = np.zeros((4, 76, 2, 2), dtype=np.int64)
    cells[..., [0, 1], [0, 1]] = 2
    for errors in range(4):
        cells[errors, :errors, 0] = 1
    measured = measure(metric_named(name).measure, cells.sum(axis=1), clustered=cells)
    assert (np.diff(measured.alone(0.95).low) <= 1e-6).all()


def test_the_last_right_image_of_a_group_narrows_no_macro_f1():
    """Without clusters too: its upper bound went from .454 to .472."""
    confusion = np.array([[[1, 6], [3, 0]], [[0, 7], [3, 0]]])
    high = measure(metric_named("macro_f1").measure, confusion).alone(0.95).high
    assert high[1] <= high[0]


def test_people_with_one_image_make_no_classes_dependent():
    cells = np.zeros((1, 40, 2, 2), dtype=np.int64)
    cells[0, :18, 0, 0] = cells[0, 18:20, 0, 1] = cells[0, 20:, 1, 1] = 1
    balanced = metric_named("balanced_accuracy").measure
    clustered = measure(balanced, cells.sum(axis=1), clustered=cells).alone(0.95)
    np.testing.assert_allclose(clustered, measure(balanced, cells.sum(axis=1)).alone(0.95))


def test_groups_are_answered_one_by_one_as_together():
    rng = np.random.default_rng(2)
    for shared in (True, False):
        many = Dependence(rng.normal(size=(6, 9)), rng.uniform(1, 9, 6), shared, 50.0)
        first, second = np.array([0, 3, 5]), np.array([1, 2, 4])
        together = many.pairs(first, second, times=2.0)
        alone = [many.pairs(first[[i]], second[[i]], times=2.0)[0] for i in range(3)]
        np.testing.assert_allclose(together, alone)
        np.testing.assert_allclose(
            many.alone(np.arange(6)), [many.alone(np.array([i]))[0] for i in range(6)]
        )


def test_clusters_move_the_mean_of_two_rates_by_their_residuals_in_both():
    """Balanced accuracy of 2 clusters: true positives 3/4 and 1/4, true negatives 4/4 and 2/4.

    The true-positive rate is 4/8 and moves by (3 - 2)/8 and (1 - 2)/8; the true-negative rate is 6/8
    and moves by (4 - 3)/8 and (2 - 3)/8. Together 2/8 and -2/8: squares 8/64, over 4/64 apart.
    """
    clustered = np.array([[[[4, 0], [1, 3]], [[2, 2], [3, 1]]]])
    metric = metric_named("balanced_accuracy").measure
    found = measure(metric, clustered.sum(axis=1), positive=1, clustered=clustered)
    np.testing.assert_allclose(found.dependence.together, [[2 / 8, -2 / 8]])
    np.testing.assert_allclose(found.dependence.apart, [4 / 64])
    np.testing.assert_allclose(found.dependence.alone(FIRST), np.sqrt([2.0]))


def test_f1_scores_move_by_the_slope_of_the_score():
    """F1 = 2r / (1 + r) of r = TP / (TP + FP + FN), whose slope is 2 / (1 + r)^2."""
    clustered = np.array([[[[4, 0], [1, 3]], [[2, 2], [3, 1]]]])
    metric = metric_named("macro_f1").measure
    found = measure(metric, clustered.sum(axis=1), positive=None, clustered=clustered)
    # Class 0: TP 4 and 2 of 5 and 7; class 1: TP 3 and 1 of 4 and 6.
    first, second = 6 / 12, 4 / 10
    moved = (
        np.array(
            [
                [(4 - first * 5) / 12, (2 - first * 7) / 12],
                [(3 - second * 4) / 10, (1 - second * 6) / 10],
            ]
        )
        * (2 / (1 + np.array([first, second])) ** 2)[:, None]
    )
    np.testing.assert_allclose(found.dependence.together, [moved.sum(axis=0)])
    np.testing.assert_allclose(found.dependence.apart, [np.square(moved).sum()])
