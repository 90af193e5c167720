"""Laws of every measure: many groups are answered as each alone, and a size is a size."""

import numpy as np
import pytest

from pytest_fairness.statistics.estimators.measure import measure
from pytest_fairness.statistics.metrics.names import metric_named

MEASURES = {
    "accuracy": ("difference", "ratio"),
    "true_positive_rate": ("difference", "ratio"),
    "balanced_accuracy": ("difference", "ratio"),
    "f1": ("difference", "ratio"),
    "macro_f1": ("difference", "ratio"),
    "macro_precision": ("difference",),
    "treatment_equality": ("difference", "ratio"),
    "equalized_odds_difference": ("difference",),
    "average_odds_difference": ("difference",),
}
GROUPS = 4


def measured(name: str, *, clustered: bool, times: int = 1, groups=slice(None)):
    rng = np.random.default_rng(8)
    cells = rng.integers(1, 9, (GROUPS, 12, 2, 2)) * times
    cells = cells[groups]
    return measure(
        metric_named(name).measure,
        cells.sum(axis=1),
        positive=1,
        clustered=cells if clustered else None,
    )


@pytest.mark.parametrize("clustered", [False, True], ids=["independent", "clustered"])
@pytest.mark.parametrize("name", MEASURES)
def test_groups_are_answered_one_by_one_as_together(name, clustered):
    whole = measured(name, clustered=clustered)
    together = np.transpose(whole.alone(0.9))
    some = np.transpose(whole.alone(0.9, groups=np.array([2, 0])))
    np.testing.assert_allclose(some, together[[2, 0]], atol=1e-8)
    for group in range(GROUPS):
        alone = measured(name, clustered=clustered, groups=slice(group, group + 1))
        np.testing.assert_allclose(np.transpose(alone.alone(0.9))[0], together[group], atol=1e-8)


@pytest.mark.parametrize("clustered", [False, True], ids=["independent", "clustered"])
@pytest.mark.parametrize(("name", "kind"), [(n, k) for n, kinds in MEASURES.items() for k in kinds])
def test_pairs_are_answered_one_by_one_as_together(name, kind, clustered):
    whole = measured(name, clustered=clustered)
    first, second = np.array([0, 1, 3]), np.array([2, 3, 0])
    together = np.transpose(whole.pairs(first, second, kind=kind, confidence=0.9))
    for row in range(3):
        chosen = first[[row]], second[[row]]
        alone = np.transpose(whole.pairs(*chosen, kind=kind, confidence=0.9))[0]
        np.testing.assert_allclose(alone, together[row], atol=1e-8)


@pytest.mark.parametrize("name", MEASURES)
def test_a_size_that_groups_have_changes_nothing_and_a_larger_one_narrows(name):
    whole = measured(name, clustered=False)
    now = np.transpose(whole.alone(0.9))
    np.testing.assert_allclose(np.transpose(whole.alone(0.9, size=1.0)), now)
    if not np.isnan(now).any():
        larger = np.transpose(whole.alone(0.9, size=1e5))
        assert (np.diff(larger) < np.diff(now)).all()


@pytest.mark.parametrize("name", ["accuracy", "true_positive_rate", "f1"])
def test_a_size_is_as_if_so_many_like_those_seen_had_been_counted(name):
    """Ten times each cell is ten times the size."""
    whole, more = (measured(name, clustered=False, times=times) for times in (1, 10))
    groups = np.arange(GROUPS)
    size = 10.0 * whole.counts.n
    grown = whole.alone(0.9, groups=groups, size=size)
    np.testing.assert_allclose(grown, more.alone(0.9), atol=1e-8)
    kind = MEASURES[name][0]
    pairs = whole.pairs(groups[:2], groups[2:], kind=kind, confidence=0.9, size=1e6)
    assert (pairs.high - pairs.low < 0.02).all()
