"""Intervals of differences and ratios of two groups whose samples come in clusters."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import optimize

from pytest_fairness.statistics.clusters.apart import BoundCounts
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import effective_pairs, matched_interval
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval, pair_worth
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval
from pytest_fairness.statistics.intervals.chosen import (
    difference_interval,
    paired_interval,
    paired_ratio_interval,
    ratio_interval,
)
from pytest_fairness.statistics.intervals.differences import miettinen_nurminen
from pytest_fairness.statistics.intervals.paired import paired_score_statistic
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

HOLM = 1 - 0.05 / 34
KINDS = ("difference", "ratio")
FIRST, SECOND = np.array([0]), np.array([1])


def interval(
    first: tuple[object, object],
    second: tuple[object, object],
    kind: str = "difference",
    confidence: float = 0.95,
) -> tuple[float, float]:
    """Successes and n of the clusters of both groups."""
    clusters = ClusterCounts(
        *(
            np.stack([np.asarray(one), np.asarray(two)])
            for one, two in zip(first, second, strict=True)
        )
    )
    low, high = clustered_pair_interval(clusters, FIRST, SECOND, kind=kind, confidence=confidence)
    return float(low[0]), float(high[0])


# --- what they must be exactly


@pytest.mark.parametrize("confidence", [0.9, 0.95, HOLM])
@pytest.mark.parametrize(("first", "second"), [((3, 20), (9, 15)), ((40, 60), (30, 70))])
def test_groups_of_single_images_that_share_no_cluster_have_the_interval_of_independent_ones(
    first, second, confidence
):
    (x1, n1), (x2, n2) = first, second
    n = np.zeros((2, n1 + n2), dtype=int)
    n[0, :n1] = n[1, n1:] = 1
    x = np.zeros_like(n)
    x[0, :x1] = x[1, n1 : n1 + x2] = 1
    for kind, independent in (("difference", difference_interval), ("ratio", ratio_interval)):
        expected = independent(x1, n1, x2, n2, confidence=confidence)
        assert interval((x[0], n[0]), (x[1], n[1]), kind, confidence) == pytest.approx(
            np.array(expected)
        )


@pytest.mark.parametrize("confidence", [0.9, 0.95, HOLM])
@pytest.mark.parametrize("table", [(30, 4, 7, 9), (40, 0, 1, 3), (20, 0, 0, 0)])
def test_designs_with_one_image_in_each_group_have_the_interval_of_paired_images(table, confidence):
    both, one, two, _ = table
    x1 = np.repeat([1, 1, 0, 0], table)
    x2 = np.repeat([1, 0, 1, 0], table)
    n = np.ones(len(x1), dtype=int)
    expected = paired_interval(one, two, sum(table), confidence=confidence)
    assert interval((x1, n), (x2, n), "difference", confidence) == pytest.approx(np.array(expected))
    expected = paired_ratio_interval(both, one, two, confidence=confidence)
    assert interval((x1, n), (x2, n), "ratio", confidence) == pytest.approx(np.array(expected))


def test_a_difference_of_matched_designs_by_hand():
    """Two designs of two images in each group: differences 1 and 0, so b = 1/2 and c = 0.

    At the difference d < 1/2 the gains are (1 - d)/2 and -d/2; the stake is at most 2 / (1 + d).
    For d < 0 both gains are positive: log-likelihood log(2/(1 + d)) + log(1/(1 + d)). Of one pair,
    gains 1 - d, and -d half of the time: log(2/(1 + d))/2 + log(1/(1 + d))/2. So there are two pairs.
    """
    n = np.array([2, 2])
    pairs = effective_pairs(
        ClusterCounts(np.array([[2, 1]]), n[None]),
        ClusterCounts(np.array([[0, 1]]), n[None]),
        confidence=0.95,
    )
    assert pairs[0] == pytest.approx(2, abs=1e-6)
    assert interval(([2, 1], n), ([0, 1], n))[0] == pytest.approx(
        float(paired_interval(1, 0, 2).low), abs=1e-6
    )


def test_effective_pairs_are_those_of_a_general_optimiser():
    """The likelihood ratios of clusters and of one pair, by scipy instead of Newton's method."""
    some = [5, 3, 1, 6, 2, 4, 4, 0], [4, 3, 2, 6, 0, 4, 2, 1], [6, 3, 4, 6, 5, 4, 4, 2]
    x1, x2, n = (np.tile(counts, 5) for counts in some)
    w, d = n / n.sum(), (x1 - x2) / n
    up, down = (w * np.maximum(d, 0)).sum(), (w * np.maximum(-d, 0)).sum()

    def won(gains: np.ndarray, number: np.ndarray, most: float) -> float:
        best = optimize.minimize_scalar(
            lambda stake: -(number * np.log1p(stake * gains)).sum(),
            bounds=(0, most * (1 - 1e-9)),
            method="bounded",
            options={"xatol": 1e-12},
        )
        return -float(best.fun)

    def pairs(delta: float) -> float:
        clusters = won(w * (d - delta), np.ones(40), 1 / (w.max() * (1 + delta)))
        one = won(
            np.array([1 - delta, -1 - delta, -delta]),
            np.array([up, down, 1 - up - down]),
            1 / (1 + delta),
        )
        return min(clusters / one, n.sum())

    def excess(delta: float) -> float:
        number = pairs(delta)
        return float(paired_score_statistic(number * up, number * down, number, delta)) - 1.959964

    at = optimize.brentq(excess, -0.9, up - down - 1e-4)
    expected = paired_interval(pairs(at) * up, pairs(at) * down, pairs(at)).low
    low, _ = interval((x1, n), (x2, n))
    whole = 1 / (w**2).sum()
    assert low == pytest.approx(
        max(float(expected), float(paired_interval(whole * up, whole * down, whole).low)), abs=1e-5
    )


@pytest.mark.parametrize(("number", "confidence"), [(3, 0.95), (19, 0.95), (31, HOLM)])
def test_few_matched_designs_are_one_pair_each(number, confidence):
    """Their effective number of pairs would jump by a third when one image turns."""
    n = np.full(number, 6)
    x1, x2 = n - (np.arange(number) == 0), np.where(np.arange(number) % 3, 4, 6)
    d = (x1 - x2) / 6
    up, down = np.maximum(d, 0).sum(), np.maximum(-d, 0).sum()
    expected = np.array(paired_interval(up, down, number, confidence=confidence))
    assert interval((x1, n), (x2, n), confidence=confidence) == pytest.approx(expected)


def test_groups_that_share_no_cluster_are_compared_at_the_counts_of_their_bounds():
    """The score interval at the counts whose Clopper-Pearson bounds are those of the clusters."""
    first = [3] * 20 + [1, 0, 0] + [0] * 30, [3] * 23 + [0] * 30
    second = [0] * 23 + [2] * 20 + [1] * 5 + [0] * 5, [0] * 23 + [2] * 30
    rows = [ClusterCounts(*(np.array([count]) for count in group)) for group in (first, second)]
    (low1, high1), (low2, high2) = (clustered_rate_interval(row, confidence=0.95) for row in rows)

    def counts(x: int, n: int, bound: float, side: int) -> tuple[float, float]:
        share = optimize.brentq(
            lambda share: float(clopper_pearson(x * share, n * share)[side]) - bound, 1e-3, 1
        )
        return x * share, n * share

    lowest = counts(61, 69, low1[0], 0), counts(45, 60, high2[0], 1)
    highest = counts(61, 69, high1[0], 1), counts(45, 60, low2[0], 0)
    low, high = interval(first, second)
    assert low == pytest.approx(
        float(miettinen_nurminen(*lowest[0], *lowest[1], corrected=True).low), abs=1e-6
    )
    assert high == pytest.approx(
        float(miettinen_nurminen(*highest[0], *highest[1], corrected=True).high), abs=1e-6
    )


def test_failures_have_the_bounds_of_successes_exchanged():
    counts = BoundCounts.of(ClusterCounts(np.array([[3, 1]]), np.array([[3, 3]])), confidence=0.95)
    assert counts.failures.of_bound("lower")[0] == pytest.approx(counts.upper * 2)


@pytest.mark.parametrize("kind", KINDS)
def test_the_other_order_of_matched_groups_gives_the_mirrored_interval(kind):
    rng = np.random.default_rng(3)
    n = np.full(30, 4)
    x1, x2 = rng.binomial(n, 0.8), rng.binomial(n, 0.6)
    low, high = interval((x1, n), (x2, n), kind)
    other = interval((x2, n), (x1, n), kind)
    mirrored = (-high, -low) if kind == "difference" else (1 / high, 1 / low)
    assert other == pytest.approx(mirrored, abs=1e-6)


@pytest.mark.parametrize("kind", KINDS)
def test_a_group_without_samples_has_no_interval(kind):
    assert np.isnan(interval(([0, 0], [0, 0]), ([1, 2], [2, 2]), kind)).all()


@pytest.mark.parametrize("kind", KINDS)
def test_many_pairs_at_once_are_each_pair_alone(kind):
    rng = np.random.default_rng(6)
    n = rng.integers(0, 4, (6, 25))
    clusters = ClusterCounts(rng.binomial(n, 0.8), n)
    first, second = np.triu_indices(6, 1)
    together = clustered_pair_interval(clusters, first, second, kind=kind, confidence=0.95)
    for row, (i, j) in enumerate(zip(first, second, strict=True)):
        alone = interval((clusters.successes[i], n[i]), (clusters.successes[j], n[j]), kind)
        assert (together.low[row], together.high[row]) == pytest.approx(alone, abs=1e-6)


# --- the two cases that were wrong


def test_one_more_error_in_matched_designs_does_not_open_the_interval():
    """76 designs of 4 images in each group; the old lower bounds were -.050, -.325, -.064, -.047."""
    n = np.full(76, 4)
    bounds = []
    for errors in range(5):
        x = n - (np.arange(76) < errors)
        bounds.append(interval((x, n), (n, n))[0])
    assert np.diff(bounds).max() < 1e-9
    assert bounds[4] > -0.06


def test_a_person_with_most_images_of_a_fair_model_does_not_block_it():
    """One person with 300 images and 50 with one, in both groups: the old false block was .140."""
    rng = np.random.default_rng(0)
    n = np.r_[300, np.ones(50, dtype=int)]
    runs = 300
    rates = rng.beta(0.2, 0.2, (runs, 51)), rng.beta(0.2, 0.2, (runs, 51))
    x = np.concatenate([rng.binomial(n, rate) for rate in rates])
    clusters = ClusterCounts(x, np.broadcast_to(n, x.shape))
    rows = np.arange(runs)
    low, high = clustered_pair_interval(
        clusters, rows, rows + runs, kind="difference", confidence=0.95
    )
    assert ((low > 0) | (high < 0)).mean() < 0.03


# --- laws


@st.composite
def two_groups(draw: st.DrawFn) -> tuple[np.ndarray, np.ndarray]:
    """Successes and n of two groups in the same clusters, in some, or in none, (2, C) each."""
    number = draw(st.integers(3, 45))
    sizes = st.lists(st.integers(1, 8), min_size=number, max_size=number)
    n = np.array([draw(sizes), draw(sizes)])
    how = draw(st.sampled_from(["matched", "unequal", "partly", "apart"]))
    if how == "matched":
        n[1] = n[0]
    elif how == "partly":
        n[0, : number // 3] = n[1, number // 3 : number // 2] = 0
    elif how == "apart":
        n[0, : number // 2] = n[1, number // 2 :] = 0
    rates = np.array(draw(st.lists(st.sampled_from([0.02, 0.5, 0.9, 1.0]), min_size=2, max_size=2)))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    return rng.binomial(n, rng.beta(rates[:, None] + 0.02, 1.02 - rates[:, None], n.shape)), n


@settings(max_examples=25, deadline=None)
@given(two_groups(), st.randoms(use_true_random=False), st.sampled_from(KINDS))
def test_one_more_error_never_helps_the_group_it_is_in(groups, random, kind):
    x, n = groups
    path = [x]
    right = [(0, c) for c in range(n.shape[1]) for _ in range(x[0, c])]
    wrong = [(1, c) for c in range(n.shape[1]) for _ in range(n[1, c] - x[1, c])]
    for row, column in random.sample(right, min(len(right), 8)) + random.sample(
        wrong, min(len(wrong), 8)
    ):
        x = x.copy()
        x[row, column] += 1 if row else -1
        path.append(x)
    steps = len(path)
    clusters = ClusterCounts(np.concatenate(path), np.concatenate([n] * steps))
    bounds = clustered_pair_interval(
        clusters, 2 * np.arange(steps), 2 * np.arange(steps) + 1, kind=kind, confidence=0.95
    )
    for bound in bounds:
        shown = bound if kind == "difference" else bound / (1 + bound)
        shown = np.where(np.isnan(shown), 1.0, shown)
        assert np.diff(shown).max(initial=0) < 0.01


@settings(max_examples=25, deadline=None)
@given(two_groups(), st.integers(2, 5), st.sampled_from(KINDS))
def test_every_image_twice_tells_nothing_new(groups, copies, kind):
    x, n = groups
    once = interval((x[0], n[0]), (x[1], n[1]), kind)
    again = interval((copies * x[0], copies * n[0]), (copies * x[1], copies * n[1]), kind)
    shown = [
        np.array(found) if kind == "difference" else np.arctan(found) for found in (once, again)
    ]
    assert shown[1][0] <= shown[0][0] + 1e-3 or max(n.max(axis=1)) == 1
    assert shown[1][1] >= shown[0][1] - 1e-3 or max(n.max(axis=1)) == 1


@settings(max_examples=25, deadline=None)
@given(st.integers(10, 40), st.integers(2, 6), st.integers(0, 2**32 - 1), st.sampled_from(KINDS))
def test_matched_designs_split_into_single_images_have_no_wider_interval(number, size, seed, kind):
    """Each image of a design that becomes a design of its own says at least as much."""
    rng = np.random.default_rng(seed)
    n = np.full(number, size)
    x1, x2 = rng.binomial(n, 0.9), rng.binomial(n, 0.8)
    together = interval((x1, n), (x2, n), kind)
    images = [np.concatenate([np.arange(size) < one for one in x]) for x in (x1, x2)]
    ones = np.ones(number * size, dtype=int)
    apart = interval((images[0], ones), (images[1], ones), kind)
    assert together[0] <= apart[0] + 0.01
    assert together[1] >= apart[1] - 0.01


# --- what a sample is worth


@pytest.mark.parametrize("kind", KINDS)
def test_a_pair_is_worth_the_counts_whose_score_bounds_are_its_own(kind):
    rng = np.random.default_rng(9)
    n = rng.integers(1, 5, (2, 40))
    clusters = ClusterCounts(rng.binomial(n, 0.8), n)
    bounds = clustered_pair_interval(clusters, FIRST, SECOND, kind=kind, confidence=0.95)
    worth = pair_worth(clusters, FIRST, SECOND, kind=kind, confidence=0.95)
    independent = difference_interval if kind == "difference" else ratio_interval
    for side, share in enumerate(worth):
        counts = (
            count.sum() * share for row in (0, 1) for count in (clusters.successes[row], n[row])
        )
        again = independent(*counts, confidence=0.95, method="corrected")
        assert again[side] == pytest.approx(bounds[side], rel=1e-6)


def test_growth_is_a_weight_of_clusters():
    rng = np.random.default_rng(2)
    n = np.full((2, 20), 3)
    x = rng.binomial(n, 0.8)
    once = ClusterCounts(x[:1], n[:1]), ClusterCounts(x[1:], n[1:])
    thrice = (ClusterCounts(*(np.tile(count, 3) for count in group)) for group in once)
    grown = matched_interval(*once, kind="difference", confidence=0.95, growth=3.0)
    expected: Interval = matched_interval(*thrice, kind="difference", confidence=0.95)
    assert np.array(grown) == pytest.approx(np.array(expected), abs=1e-7)
