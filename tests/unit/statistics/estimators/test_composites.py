"""Measures made of several rates: values of scikit-learn, fairlearn and AIF360, and coverage."""

import itertools
import warnings

import fairlearn.metrics as fairlearn
import numpy as np
import pytest
from hypothesis import given, settings
from scipy import stats
from sklearn import metrics as sklearn

from pytest_fairness.statistics.estimators.composites import MeanRates
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.largest_gap import LargestGap
from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.metrics.names import metric_named
from pytest_fairness.strategies import group_counts

CONFUSION = np.array([[[40, 8], [5, 30]], [[25, 12], [9, 50]], [[33, 3], [1, 22]]])
THREE = np.array([[[20, 3, 1], [2, 15, 4], [0, 5, 30]], [[9, 3, 3], [4, 25, 1], [2, 2, 12]]])


def measured(name: str, confusion: np.ndarray, *, positive: int | None = 1, **more) -> Measured:
    definition = metric_named(name).measure
    return measure(
        definition, confusion, positive=positive if definition.needs_positive else None, **more
    )


def samples(confusion: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Group, true class and predicted class of each sample."""
    index = np.argwhere(np.ones_like(confusion))
    return tuple(np.repeat(index, confusion.ravel(), axis=0).T)


def frame(function, confusion: np.ndarray) -> fairlearn.MetricFrame:
    group, target, prediction = samples(confusion)
    return fairlearn.MetricFrame(
        metrics=function, y_true=target, y_pred=prediction, sensitive_features=group
    )


@pytest.mark.parametrize(
    ("name", "function"),
    [
        pytest.param("f1", sklearn.f1_score, id="f1"),
        pytest.param("balanced_accuracy", sklearn.balanced_accuracy_score, id="balanced"),
    ],
)
def test_scores_of_two_classes_are_those_of_scikit_learn_in_fairlearns_frame(name, function):
    found = measured(name, CONFUSION)
    by_group = frame(function, CONFUSION)
    assert found.values == pytest.approx(by_group.by_group.to_numpy())
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    gaps = found.compare(first, second, kind="difference")
    assert np.abs(gaps).max() == pytest.approx(by_group.difference())


@pytest.mark.parametrize(
    ("name", "function"),
    [
        pytest.param("macro_f1", sklearn.f1_score, id="f1"),
        pytest.param("macro_recall", sklearn.recall_score, id="recall"),
        pytest.param("macro_precision", sklearn.precision_score, id="precision"),
    ],
)
def test_macro_scores_are_those_of_scikit_learn(name, function):
    found = measured(name, THREE)
    for group in range(len(THREE)):
        _, target, prediction = samples(THREE[[group]])
        assert found.values[group] == pytest.approx(function(target, prediction, average="macro"))


def test_balanced_accuracy_of_many_classes_is_their_macro_recall():
    assert measured("balanced_accuracy", THREE).values == pytest.approx(
        measured("macro_recall", THREE).values
    )


def test_average_odds_difference_is_aif360s_by_hand():
    # AIF360: half of the differences in true and in false positive rate.
    found = measured("average_odds_difference", CONFUSION)
    tpr, fpr = np.array([30 / 35, 50 / 59, 22 / 23]), np.array([8 / 48, 12 / 37, 3 / 36])
    expected = ((tpr[1:] - tpr[0]) + (fpr[1:] - fpr[0])) / 2
    gaps = found.compare(np.array([1, 2]), np.array([0, 0]), kind="difference")
    assert gaps == pytest.approx(expected)


def test_equalized_odds_are_fairlearns():
    group, target, prediction = samples(CONFUSION)
    found = measured("equalized_odds_difference", CONFUSION)
    first, second = np.array([0, 0, 1]), np.array([1, 2, 2])
    gap = fairlearn.equalized_odds_difference(target, prediction, sensitive_features=group)
    assert found.compare(first, second, kind="difference").max() == pytest.approx(gap)
    ratio = fairlearn.equalized_odds_ratio(target, prediction, sensitive_features=group)
    assert found.compare(first, second, kind="ratio").min() == pytest.approx(ratio)


COMPOSITES = ("f1", "balanced_accuracy", "macro_f1", "macro_precision", "average_odds_difference")


@settings(max_examples=25, deadline=None)
@given(group_counts(max_count=20))
def test_values_of_any_counts_are_scikit_learns_or_undefined(counts):
    confusion = counts.confusion(("tone",))
    found = measured("macro_recall", confusion)
    assert (np.isnan(found.values) == ~found.defined).all()
    for group in np.flatnonzero(found.defined):
        _, target, prediction = samples(confusion[[group]])
        with warnings.catch_warnings(action="ignore"):
            expected = sklearn.recall_score(target, prediction, average="macro")
        assert found.values[group] == pytest.approx(expected)


@pytest.mark.parametrize("name", [*COMPOSITES, "equalized_odds_difference"])
@pytest.mark.parametrize("kind", ["difference", "ratio"])
@settings(max_examples=10, deadline=None)
@given(counts=group_counts(max_count=15, max_levels=3))
def test_an_interval_contains_its_value_and_is_undefined_just_where_the_value_is(
    name, kind, counts
):
    found = measured(name, counts.confusion(("tone", "sex")))
    size = len(found.defined)
    first, second = (grid.ravel() for grid in np.indices((size, size)))
    value = found.compare(first, second, kind=kind)
    low, high = found.pairs(first, second, kind=kind, confidence=0.95)
    known = ~np.isnan(value)
    assert (low[known] <= value[known] + 1e-9).all()
    assert (value[known] <= high[known] + 1e-9).all()
    undefined = ~(found.defined[first] & found.defined[second])
    assert np.isnan(low[undefined]).all()
    assert not np.isnan(low[~undefined]).any()


def test_turning_a_pair_round_turns_its_interval_round():
    for name in COMPOSITES:
        found = measured(name, CONFUSION)
        one, other = np.array([0]), np.array([1])
        low, high = found.pairs(one, other, kind="difference", confidence=0.9)
        turned = found.pairs(other, one, kind="difference", confidence=0.9)
        assert [-turned.high[0], -turned.low[0]] == pytest.approx([low[0], high[0]], abs=1e-9)
        low, high = found.pairs(one, other, kind="ratio", confidence=0.9)
        turned = found.pairs(other, one, kind="ratio", confidence=0.9)
        assert [1 / turned.high[0], 1 / turned.low[0]] == pytest.approx([low[0], high[0]])


def test_a_higher_level_gives_a_wider_interval_up_to_the_levels_of_a_thousand_questions():
    levels = (0.8, 0.95, 0.999, 1 - 0.05 / 1000, 1 - 1e-7)
    for name, kind in itertools.product(
        (*COMPOSITES, "equalized_odds_ratio"), ("difference", "ratio")
    ):
        found = measured(name, CONFUSION)
        ends = [
            found.pairs(np.array([0]), np.array([1]), kind=kind, confidence=each) for each in levels
        ]
        for inner, outer in itertools.pairwise(ends):
            assert outer.low[0] <= inner.low[0] + 1e-9
            assert inner.high[0] <= outer.high[0] + 1e-9


# Enumeration: every table of tiny groups, weighted by its chance under some true rates.


def tables(sizes: tuple[int, ...]) -> np.ndarray:
    return np.stack(np.meshgrid(*(np.arange(n + 1) for n in sizes)), axis=-1).reshape(
        -1, len(sizes)
    )


def chances(cells: np.ndarray, sizes: tuple[int, ...], rates: np.ndarray) -> np.ndarray:
    return np.prod(stats.binom.pmf(cells, np.array(sizes), rates), axis=1)


def errors(  # noqa: PLR0917
    kind: str, make, value, sizes, other_sizes, truths, *, confidence: float
) -> np.ndarray:
    """Chance that an interval lies above the truth, and below it, for each pair of true rates."""
    one, other = tables(sizes), tables(other_sizes)
    parts = tuple(
        GroupRates(RateCounts(np.r_[a, b], np.r_[np.full(len(a), n), np.full(len(b), m)]))
        for a, b, n, m in zip(one.T, other.T, sizes, other_sizes, strict=True)
    )
    first, second = (grid.ravel() for grid in np.indices((len(one), len(other))))
    low, high = make(parts).pairs(first, second + len(one), kind=kind, confidence=confidence)
    found = []
    for rates, other_rates in truths:
        truth = value(rates, other_rates)
        p = np.outer(chances(one, sizes, rates), chances(other, other_sizes, other_rates)).ravel()
        found.append((p @ (low > truth + 1e-9), p @ (high < truth - 1e-9)))
    return np.array(found)


def pairs_of_rates(parts: int) -> list[tuple[np.ndarray, np.ndarray]]:
    """Fair and unfair models, rates of exactly 0 and 1 among them."""
    rng = np.random.default_rng(7)
    grid = np.array([0, 0.01, 0.1, 0.3, 0.5, 0.75, 0.9, 0.99, 1])
    drawn = [(rng.choice(grid, parts), rng.choice(grid, parts)) for _ in range(120)]
    return drawn + [(rates, rates) for rates, _ in drawn]


def f1(rate):
    return float(2 * rate[0] / (1 + rate[0]))


@pytest.mark.parametrize("confidence", [0.95, 0.999])
@pytest.mark.parametrize("sizes", [((5,), (5,)), ((20,), (20,)), ((5,), (60,))], ids=str)
def test_f1_differences_of_tiny_groups_miss_the_truth_no_more_than_allowed(sizes, confidence):
    def make(parts):
        return MeanRates(parts[0].counts, parts, as_f1=True)

    found = errors(
        "difference",
        make,
        lambda a, b: f1(a) - f1(b),
        sizes[0],
        sizes[1],
        pairs_of_rates(1),
        confidence=confidence,
    )
    assert found.max() <= (1 - confidence) / 2 * 1.02


@pytest.mark.parametrize("confidence", [0.8, 0.95, 0.999])
@pytest.mark.parametrize("sizes", [((5, 5), (5, 5)), ((3, 10), (6, 4))], ids=str)
def test_mean_differences_of_tiny_groups_miss_the_truth_no_more_than_allowed(sizes, confidence):
    def make(parts):
        return MeanRates(parts[0].counts, parts)

    def gap(a, b):
        return float(a.mean() - b.mean())

    found = errors(
        "difference", make, gap, sizes[0], sizes[1], pairs_of_rates(2), confidence=confidence
    )
    assert found.max() <= (1 - confidence) / 2


@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_mean_ratios_of_tiny_groups_miss_the_truth_no_more_than_allowed(confidence):
    def make(parts):
        return MeanRates(parts[0].counts, parts)

    truths = [(a, b) for a, b in pairs_of_rates(2) if b.any()]
    found = errors(
        "ratio",
        make,
        lambda a, b: float(a.mean() / b.mean()),
        (5, 5),
        (5, 5),
        truths,
        confidence=confidence,
    )
    assert found.max() <= (1 - confidence) / 2


@pytest.mark.parametrize("confidence", [0.95, 0.999])
def test_equalized_odds_of_tiny_groups_miss_the_truth_no_more_than_allowed(confidence):
    def make(parts):
        return LargestGap(parts[0].counts, parts)

    def gap(a, b):
        return float(np.abs(a - b).max())

    found = errors(
        "difference", make, gap, (5, 5), (5, 5), pairs_of_rates(2), confidence=confidence
    )
    assert found.sum(axis=1).max() <= 1 - confidence
    assert found[:, 1].max() <= (1 - confidence) / 2


# Simulation: errors of the classes of a macro F1 go together.


def simulated(name: str, right: list[float], n: int, *, runs: int = 1500, confidence: float = 0.95):
    """Share of the intervals that contain the truth."""
    rng = np.random.default_rng(11)
    k = len(right)
    rows = [np.where(np.arange(k) == i, p, (1 - p) / (k - 1)) for i, p in enumerate(right)]
    joint = np.stack(rows) / k
    cells = rng.multinomial(n, joint.ravel(), size=runs).reshape(runs, k, k)
    truth = measured(name, np.round(joint * 10**12).astype(np.int64)[None]).values[0]
    low, high = measured(name, cells).alone(confidence)
    known = ~np.isnan(low)
    return float(((low <= truth) & (truth <= high))[known].mean())


@pytest.mark.parametrize("name", ["macro_f1", "macro_recall", "macro_precision", "f1"])
@pytest.mark.parametrize("right", [[0.8, 0.9], [0.95, 0.7, 0.5], [0.99] * 5], ids=str)
def test_scores_of_many_classes_cover_the_truth(name, right):
    assert simulated(name, right, 120) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / 1500)


def test_f1_scores_taken_as_independent_would_not_cover_their_mean():
    """The reason for `Dependence`: a wrong sample counts against two classes."""
    found = measured("macro_f1", np.array([[[60, 20], [20, 60]]]))
    blind = MeanRates(found.counts, found.parts, as_f1=True)
    width, too_narrow = (np.subtract(*reversed(one.alone(0.95)))[0] for one in (found, blind))
    assert width > 1.25 * too_narrow


# Clusters: the images of one person are right or wrong together.


def clustered_runs(runs: int, people: int, size: int, rate: float) -> np.ndarray:
    """Counts (runs, people, 2, 2): each person is always right or always wrong, in both classes."""
    right = np.random.default_rng(3).random((runs, people)) < rate
    cells = np.zeros((runs, people, 2, 2), dtype=np.int64)
    for target in (0, 1):
        cells[..., target, target] = right * size
        cells[..., target, 1 - target] = ~right * size
    return cells


@pytest.mark.parametrize("name", ["balanced_accuracy", "f1", "macro_f1"])
def test_clusters_are_taken_into_account_within_and_across_the_parts(name):
    cells = clustered_runs(400, 40, 5, 0.8)
    truth = 0.8
    aware = measured(name, cells.sum(axis=1), clustered=cells)
    blind = measured(name, cells.sum(axis=1))
    covered = [
        float(np.mean((low <= truth) & (truth <= high)))
        for low, high in (aware.alone(0.95), blind.alone(0.95))
    ]
    assert covered[0] >= 0.93
    assert covered[1] < 0.75
    assert (aware.effective_n < blind.effective_n / 3).all()


def test_the_same_people_in_both_groups_do_not_make_a_fair_model_unfair():
    cells = clustered_runs(200, 40, 5, 0.8)
    both = np.concatenate([cells, cells])
    for name in ("balanced_accuracy", "f1", "average_odds_difference", "macro_f1"):
        found = measured(name, both.sum(axis=1), clustered=both)
        first = np.arange(200)
        low, high = found.pairs(first, first + 200, kind="difference", confidence=0.95)
        assert ((low <= 0) & (high >= 0)).all()


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_a_largest_gap_is_bounded_inside_over_all_rates_and_outside_without_correction(kind):
    one = GroupRates(RateCounts(np.array([70, 40]), np.array([100, 100])))
    other = GroupRates(RateCounts(np.array([30, 35]), np.array([100, 100])))
    gap = LargestGap(RateCounts(np.array([0, 0]), np.array([200, 200])), (one, other))
    first, second = np.array([0]), np.array([1])
    found = gap.pairs(first, second, kind=kind, confidence=0.95)

    def ends(confidence: float):
        return one.pairs(first, second, kind=kind, confidence=confidence)

    # The first rate differs most; the second, whose interval holds 0, bounds nothing.
    outer, inner = ends(0.95), ends(1 - 0.05 / 2)
    if kind == "difference":
        assert (found.low[0], found.high[0]) == pytest.approx((inner.low[0], outer.high[0]))
    else:
        assert (found.low[0], found.high[0]) == pytest.approx((1 / outer.high[0], 1 / inner.low[0]))
