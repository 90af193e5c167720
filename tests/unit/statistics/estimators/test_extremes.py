"""The worst of K classes is selected by the data: its interval must know that."""

import numpy as np
import pytest

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.statistics.estimators.measure import measure

WORST = metric_named("worst_class_accuracy").measure
GAP = metric_named("class_accuracy_gap").measure


def confusion_of(right, n):
    """One group whose K classes have these counts; the errors fall on the next class."""
    k = len(n)
    found = np.zeros((1, k, k), dtype=np.int64)
    for i, (hits, size) in enumerate(zip(right, n, strict=True)):
        found[0, i, i] = hits
        found[0, i, (i + 1) % k] = size - hits
    return found


def test_worst_class_and_gap_by_hand():
    confusion = confusion_of([9, 6, 20], [10, 10, 20])
    assert measure(WORST, confusion).values == pytest.approx([0.6])
    assert measure(GAP, confusion).values == pytest.approx([0.4])


def test_worst_class_is_bounded_below_without_correction_and_above_over_all_classes():
    n = 40
    right = [30, 32, 36]
    low, high = measure(WORST, confusion_of(right, [n] * 3)).alone(0.95)
    from statsmodels.stats.proportion import proportion_confint

    lows = [proportion_confint(x, n, alpha=0.05, method="beta")[0] for x in right]
    highs = [proportion_confint(x, n, alpha=0.05 / 3, method="beta")[1] for x in right]
    assert low[0] == pytest.approx(min(lows))
    assert high[0] == pytest.approx(min(highs))


def test_a_class_without_samples_makes_the_extremes_undefined():
    found = measure(WORST, confusion_of([3, 0], [5, 0]))
    assert np.isnan(found.values).all()
    assert not found.defined[0]


@pytest.mark.parametrize("classes", [3, 10], ids=["3_classes", "10_classes"])
@pytest.mark.parametrize("spread", [0.0, 0.15], ids=["equal", "unequal"])
def test_intervals_cover_the_true_extremes_and_a_naive_one_does_not(classes, spread):
    rng = np.random.default_rng(3)
    truth = np.linspace(0.8 - spread, 0.8 + spread, classes)
    worst, gap, naive = [], [], []
    for _ in range(600):
        right = rng.binomial(30, truth)
        confusion = confusion_of(right, [30] * classes)
        low, high = measure(WORST, confusion).alone(0.95)
        worst.append(low[0] <= truth.min() <= high[0])
        low, high = measure(GAP, confusion).alone(0.95)
        gap.append(
            low[0] <= truth.max() - truth.min() + 1e-12 and high[0] >= truth.max() - truth.min()
        )
        chosen = right.min() / 30
        half = 1.96 * np.sqrt(chosen * (1 - chosen) / 30)
        naive.append(chosen - half <= truth.min() <= chosen + half)
    assert np.mean(worst) > 0.93
    assert np.mean(gap) > 0.93
    if classes == 10 and not spread:
        assert np.mean(naive) < 0.93


def test_difference_of_two_groups_contains_the_truth():
    rng = np.random.default_rng(5)
    covered = []
    for _ in range(400):
        both = np.concatenate(
            [confusion_of(rng.binomial(40, [0.9, 0.7]), [40, 40]) for _ in range(2)]
        )
        found = measure(WORST, both).pairs(
            np.array([0]), np.array([1]), kind="difference", confidence=0.95
        )
        covered.append(found.low[0] <= 0 <= found.high[0])
    assert np.mean(covered) > 0.95


def test_a_gap_of_classes_is_bounded_inside_over_all_classes_and_outside_without_correction():
    from statsmodels.stats.proportion import proportion_confint

    right, n = [20, 32, 39], 40
    low, high = measure(GAP, confusion_of(right, [n] * 3)).alone(0.95)
    # Both ends of a gap may err, so each class has half of the error on each side.
    outer = [proportion_confint(x, n, alpha=0.05 / 2, method="beta") for x in right]
    inner = [proportion_confint(x, n, alpha=0.05 / 3 / 2, method="beta") for x in right]
    assert high[0] == pytest.approx(outer[2][1] - outer[0][0])
    assert low[0] == pytest.approx(inner[2][0] - inner[0][1])
    assert low[0] > 0


def test_a_gap_of_classes_is_never_negative_nor_above_1():
    for right in ([20, 20, 20], [0, 20, 40]):
        low, high = measure(GAP, confusion_of(right, [40] * 3)).alone(0.999)
        assert 0 <= low[0] <= high[0] <= 1


def test_each_group_of_a_difference_of_worst_classes_has_half_of_the_error():
    both = np.concatenate([confusion_of(right, [40, 40]) for right in ([36, 20], [38, 39])])
    worst = measure(WORST, both)
    low, high = worst.pairs(np.array([0]), np.array([1]), kind="difference", confidence=0.95)
    alone = worst.alone(0.975)
    assert low[0] == pytest.approx(alone.low[0] - alone.high[1])
    assert high[0] == pytest.approx(alone.high[0] - alone.low[1])
