"""Clusters that two columns make: a person and a camera, or both people of a pair."""

import numpy as np
import pytest
import statsmodels.api as sm
from hypothesis import given, settings, strategies as st

from benchmarks.two_way_coverage import Cell, draw, errors, interval_of
from pytest_fairness.statistics.clusters.counts import ClusterCounts, Ways, clusters_of
from pytest_fairness.statistics.clusters.effects import worth
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval, rate_bound_factors
from pytest_fairness.statistics.clusters.same_images import effective_images, same_images_interval
from pytest_fairness.statistics.clusters.two_way import lies_within, together
from pytest_fairness.statistics.estimators.sample_means import sample_means

ONE = np.array([0])


def images(
    n: int, people: int, cameras: int, *, seed: int = 0, pairs: bool = False
) -> tuple[np.ndarray, np.ndarray]:
    """Names of the person and of the camera, or of two people, of each image."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, people, n)
    second = (first + rng.integers(1, people, n)) % people if pairs else rng.integers(0, cameras, n)
    prefix = "p" if pairs else "c"
    return np.array([f"p{i}" for i in first]), np.array([f"{prefix}{i}" for i in second])


def counted(right: np.ndarray, *columns: np.ndarray, groups: np.ndarray | None = None):
    """Counts of each group by the clusters of one or two columns."""
    clusters = clusters_of(columns)
    group = np.zeros(len(right), dtype=np.int64) if groups is None else groups
    size = int(group.max()) + 1
    x = clusters.summed(group, size, right).astype(np.int64)
    return ClusterCounts(x, clusters.counted(group, size), clusters.ways)


def test_each_column_alone_is_counted_and_of_a_pair_each_of_both_people():
    """Four images: ann c1, ann c2, bob c1, bob c1; of pairs: ann bob, bob cy."""
    right = np.array([True, False, True, True])
    crossed = counted(right, ["ann", "ann", "bob", "bob"], ["c1", "c2", "c1", "c1"])
    people, cameras = crossed.each_way
    assert (people.successes.tolist(), people.n.tolist()) == ([[1, 2]], [[2, 2]])
    assert (cameras.successes.tolist(), cameras.n.tolist()) == ([[3, 0]], [[3, 1]])
    (of_pairs,) = counted(right[:2], ["ann", "bob"], ["bob", "cy"]).each_way
    assert (of_pairs.successes.tolist(), of_pairs.n.tolist()) == ([[1, 1, 0]], [[1, 2, 1]])


def test_what_two_columns_leave_is_worked_by_hand():
    """Of 100 images, 50 by person and 25 by camera: 1 / (1/50 + 1/25 - 1/100) = 20; both people: 1 / (2/.4 - 1)."""
    crossed = ClusterCounts(*[np.full((1, 4), 25)] * 2, Ways(*np.indices((2, 2)).reshape(2, -1)))
    assert together([np.array([0.5]), np.array([0.25])], crossed) == pytest.approx(0.2)
    pairs = crossed._replace(ways=crossed.ways._replace(alike=True))
    assert together([np.array([0.4])], pairs) == pytest.approx(0.25)


def test_two_columns_never_say_more_than_one_of_them():
    crossed = ClusterCounts(*[np.full((1, 4), 25)] * 2, Ways(*np.indices((2, 2)).reshape(2, -1)))
    assert together([np.array([3.0]), np.array([0.9])], crossed) == pytest.approx(0.9)
    assert together([np.array([3.0]), np.array([2.0])], crossed) == pytest.approx(2.0)
    pairs = crossed._replace(ways=crossed.ways._replace(alike=True))
    assert together([np.array([3.0])], pairs) == pytest.approx(1.0)


@pytest.mark.parametrize("order", [1, -1])
def test_a_column_within_the_other_changes_nothing(order):
    """Each camera belongs to one person: the clusters are the persons, exactly."""
    first, _ = images(200, 40, 1)
    second = np.array([f"c of {name} {i // 2 % 2}" for i, name in enumerate(first)])
    right = np.random.default_rng(1).random(200) < 0.9
    groups = np.arange(200) % 2
    both = counted(right, *[first, second][::order], groups=groups)
    alone = counted(right, first, groups=groups)
    assert [part.tolist() for part in lies_within(both)][::order] == [[True] * 2, [False] * 2]
    for low_high in zip(
        clustered_rate_interval(both, confidence=0.95),
        clustered_rate_interval(alone, confidence=0.95),
        strict=True,
    ):
        np.testing.assert_allclose(*low_high, atol=1e-9)
    for kind in ("difference", "ratio"):
        of_pairs = (
            clustered_pair_interval(some, ONE, ONE + 1, kind=kind, confidence=0.95)
            for some in (both, alone)
        )
        np.testing.assert_array_equal(*of_pairs)
    moved = counted(~right, *[first, second][::order], groups=groups)
    of_images = same_images_interval(both, moved, confidence=0.95)
    alone_moved = counted(~right, first, groups=groups)
    np.testing.assert_array_equal(
        of_images, same_images_interval(alone, alone_moved, confidence=0.95)
    )


def test_design_effects_are_those_of_statsmodels():
    """OLS on a constant with two groups of clusters: V1 + V2 - V12, each with C / (C - 1)."""
    rng = np.random.default_rng(2)
    cells = rng.choice(60 * 30, 900, replace=False)
    first, second = (
        np.array([f"{kind}{i}" for i in codes])
        for kind, codes in zip("pc", divmod(cells, 30), strict=True)
    )
    effect = {name: rng.normal() for name in {*first, *second}}
    noise = [effect[a] + effect[b] for a, b in zip(first, second, strict=True)]
    right = (np.array(noise) + rng.normal(size=900) < 1).astype(float)
    codes = np.stack([np.unique(name, return_inverse=True)[1] for name in (first, second)], axis=1)
    fit = sm.OLS(right, np.ones(900)).fit(cov_type="cluster", cov_kwds={"groups": codes})
    rate = right.mean()
    expected = rate * (1 - rate) / 900 / fit.bse[0] ** 2
    assert worth(counted(right, first, second))[0] == pytest.approx(expected, rel=0.01)


def test_pairs_of_people_have_the_variance_of_a_loop_over_all_pairs_of_images():
    """Aronow, Samii and Assenova (2015): images that share a person, in whichever column, go together."""
    rng = np.random.default_rng(3)
    cells = rng.choice(780, 300, replace=False)
    first, second = (np.array([f"p{i}" for i in some[cells]]) for some in np.triu_indices(40, 1))
    right = rng.random(300) < np.where(first < "p2", 0.6, 0.9)
    residual = (right - right.mean()) / 300
    people = [{a, b} for a, b in zip(first, second, strict=True)]
    variance = sum(
        residual[i] * residual[j] for i in range(300) for j in range(300) if people[i] & people[j]
    )
    rate = right.mean()
    counts = counted(right, first, second)
    # C / (C - 1) on the sum over people.
    assert worth(counts)[0] == pytest.approx(rate * (1 - rate) / 300 / variance, rel=0.06)


def test_which_of_two_people_is_named_first_does_not_matter():
    first, second = images(200, 30, 0, pairs=True)
    right = np.random.default_rng(4).random(200) < 0.9
    swapped = np.where(np.arange(200) % 3 == 0, [first, second], [second, first])
    intervals = [
        clustered_rate_interval(counted(right, *columns), confidence=0.95)
        for columns in ((first, second), swapped)
    ]
    np.testing.assert_allclose(*intervals, atol=1e-9)


@given(st.integers(0, 10_000), st.booleans(), st.sampled_from([0.5, 0.9, 1.0]))
@settings(max_examples=25, deadline=None)
def test_two_columns_are_never_surer_than_one(seed, pairs, rate):
    first, second = images(60, 12, 6, seed=seed, pairs=pairs)
    rng = np.random.default_rng(seed)
    right, groups = rng.random(60) < rate, rng.integers(0, 2, 60)
    both = counted(right, first, second, groups=groups)
    factors = rate_bound_factors(both, confidence=0.95)
    for way in both.each_way:
        alone = rate_bound_factors(way, confidence=0.95)
        assert (factors.lower <= alone.lower + 1e-6).all()
        assert (factors.upper <= alone.upper + 1e-6).all()


@given(st.integers(0, 10_000), st.booleans())
@settings(max_examples=25, deadline=None)
def test_one_more_wrong_image_helps_no_bound_of_a_rate(seed, pairs):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(40, 150))
    first, second = images(n, int(rng.integers(5, 30)), 8, seed=seed, pairs=pairs)
    right = rng.random((1, n)) < rng.choice([0.6, 0.95, 1.0])
    steps = np.repeat(right, 12, axis=0)
    for step, wrong in enumerate(rng.permutation(n)[:11]):
        steps[step + 1 :, wrong] = False
    clusters = clusters_of([first, second])
    x = np.stack([clusters.summed(np.zeros(n, int), 1, row)[0] for row in steps])
    size = clusters.counted(np.zeros(n, int), 1)
    counts = ClusterCounts(x.astype(np.int64), np.tile(size, (12, 1)), clusters.ways)
    for bound in clustered_rate_interval(counts, confidence=0.95):
        assert (np.diff(bound) <= 0.01).all()


@pytest.mark.parametrize(
    ("design", "shares"),
    [
        ("60 people, 30 cameras, 600 images", (0.05, 0.9, 0.0)),
        ("pairs of 100 people, 300 images", (0.45, 0.45, 0.0)),
    ],
)
def test_errors_hold_where_one_column_alone_does_not(design, shares):
    """500 runs of a rate of .9: at most .025 a side (simulation error .007); one column errs in .05 or more."""
    drawn = draw(Cell(design, heavy=False, shares=shares, rate=0.9), 500, np.random.default_rng(5))
    both = errors(interval_of(drawn, "rate", confidence=0.95), 0.9)
    alone = errors(interval_of(drawn, "rate", confidence=0.95, columns=1), 0.9)
    assert max(both) <= 0.04
    assert max(alone) >= 0.05


def test_answers_to_the_same_images_are_compared_by_both_columns():
    first, second = images(300, 60, 30)
    rng = np.random.default_rng(6)
    now, then = rng.random((2, 300)) < 0.9
    counts = [counted(some, first, second) for some in (now, then)]
    both = same_images_interval(*counts, confidence=0.95)
    each = [
        same_images_interval(*ways, confidence=0.95)
        for ways in zip(*(c.each_way for c in counts), strict=True)
    ]
    assert all(both.low[0] <= way.low[0] + 1e-6 for way in each)
    assert all(both.high[0] >= way.high[0] - 1e-6 for way in each)
    n = effective_images(*counts, confidence=0.95)
    assert 0 < n[0] <= 300
    more = same_images_interval(*counts, confidence=0.95, growth=4.0)
    assert more.high[0] - more.low[0] < both.high[0] - both.low[0]


@pytest.mark.parametrize("pairs", [False, True])
def test_means_count_both_columns(pairs):
    first, second = images(400, 40, 20, pairs=pairs)
    rng = np.random.default_rng(7)
    effect = {name: rng.normal() for name in {*first, *second}}
    values = np.array([effect[a] + effect[b] for a, b in zip(first, second, strict=True)])
    values, groups = 1 / (1 + np.exp(-values)), rng.integers(0, 2, 400)
    alone, both = (
        sample_means(values, groups, 2, clusters=clusters_of(columns))
        for columns in ([first], [first, second])
    )
    assert (both.effective_n < alone.effective_n).all()
    one, two = (means.alone(0.95) for means in (alone, both))
    assert ((two.low < one.low) & (two.high > one.high) & (two.low >= 0) & (two.high <= 1)).all()
    one, two = (
        means.pairs(ONE, ONE + 1, kind="difference", confidence=0.95) for means in (alone, both)
    )
    assert two.low[0] < one.low[0] < one.high[0] < two.high[0]


def test_a_group_without_images_has_no_interval():
    first, second = images(40, 10, 5)
    counts = counted(np.ones(40, dtype=bool), first, second)
    counts = ClusterCounts(
        *(np.concatenate([part, np.zeros_like(part)]) for part in counts[:2]), counts.ways
    )
    assert np.isnan(clustered_rate_interval(counts, confidence=0.95).low[1])
    low, high = clustered_pair_interval(counts, ONE, ONE + 1, kind="difference", confidence=0.95)
    assert np.isnan([low[0], high[0]]).all()
    assert np.isnan(same_images_interval(counts, counts, confidence=0.95).low[1])
