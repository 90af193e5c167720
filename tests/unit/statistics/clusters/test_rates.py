"""Intervals of a rate whose samples come in clusters."""

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import optimize, stats

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.rates import (
    BoundFactors,
    clustered_rate_interval,
    rate_bound_factors,
)
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

HOLM = 1 - 0.05 / 34


@pytest.fixture
def rng() -> np.random.Generator:
    return np.random.default_rng(11)


def clusters_of(successes: object, n: object) -> ClusterCounts:
    """One group."""
    return ClusterCounts(np.atleast_2d(successes), np.atleast_2d(n))


def interval(successes: object, n: object, confidence: float = 0.95) -> tuple[float, float]:
    low, high = clustered_rate_interval(clusters_of(successes, n), confidence=confidence)
    return float(low[0]), float(high[0])


@st.composite
def some_clusters(draw: st.DrawFn) -> tuple[list[int], list[int]]:
    """Sizes, and successes of each."""
    sizes = draw(st.lists(st.integers(1, 12), min_size=2, max_size=40))
    return [draw(st.integers(0, size)) for size in sizes], sizes


# --- what it must be exactly


@pytest.mark.parametrize("confidence", [0.8, 0.95, HOLM, 0.99999])
@pytest.mark.parametrize("successes", [0, 1, 7, 29, 30])
def test_clusters_of_one_sample_have_the_interval_of_clopper_and_pearson(successes, confidence):
    x = np.arange(30) < successes
    expected = clopper_pearson(successes, 30, confidence=confidence)
    np.testing.assert_allclose(interval(x, np.ones(30, int), confidence), expected, atol=1e-12)


def test_a_nearly_single_cluster_is_near_the_interval_of_clopper_and_pearson():
    """No jump between clusters of one sample and a set in which one has two."""
    sizes = np.array([1] * 58 + [2])
    low, high = interval(np.array([0, 0, 0] + [1] * 55 + [2]), sizes)
    expected = clopper_pearson(57, 60)
    assert low == pytest.approx(float(expected.low), abs=0.02)
    assert high == pytest.approx(float(expected.high), abs=0.02)


@pytest.mark.parametrize("tail", [0.025, 0.00075])
@pytest.mark.parametrize(("clusters", "size"), [(5, 3), (76, 4), (300, 2)])
def test_without_an_error_the_bound_is_what_equal_clusters_that_are_all_right_can_show(
    clusters, size, tail
):
    """C clusters that share one answer each are all right with chance p^C: no bound exceeds a^(1/C)."""
    full = np.full(clusters, size)
    low, high = interval(full, full, 1 - 2 * tail)
    assert low == pytest.approx(tail ** (1 / clusters))
    assert high == 1.0


def test_by_hand():
    """Two clusters of two, three right of four, at an error of 0.3.

    At the rate p the clusters gain 2 - 2p and 1 - 2p. With p below 1/2 both gains are positive, so
    the stake is its largest, 1 / (2p): log-likelihood log(1 / p) + log(1 / (2p)). Divided by
    KL(3/4, p) this is the effective n of the Clopper-Pearson tail.
    """
    tail = 0.3

    def chance(p: float) -> float:
        gained = np.log(1 / p) + np.log(1 / (2 * p))
        apart = 0.75 * np.log(0.75 / p) + 0.25 * np.log(0.25 / (1 - p))
        n = min(gained / apart, 4.0)
        flawless = p**2
        return max(float(stats.beta.cdf(p, 0.75 * n, 0.25 * n + 1)), flawless)

    expected = optimize.brentq(lambda p: chance(p) - tail, 0.01, 0.4999)
    low, _ = interval([2, 1], [2, 2], 1 - 2 * tail)
    assert expected < 0.5
    assert low == pytest.approx(expected, abs=1e-7)


class Reference:
    """The chance of a rate, with scipy's bounded search instead of Newton's method."""

    def __init__(self, x: np.ndarray, n: np.ndarray) -> None:
        self.x, self.n, self.total = x, n, n.sum()
        self.estimate = x.sum() / self.total
        self.usual = (n**2).sum() / self.total
        self.freedom = min(max(self.total / self.usual / 5, 1), 5)

    def parts(self, p: float, size: float) -> tuple[float, float]:
        """The tail at the effective n, and what a set without failure would give."""
        gains = self.x - p * self.n
        most = min(1 / (p * size), 1 / max(-gains.min(), 1e-12)) * (1 - 1e-9)
        best = optimize.minimize_scalar(
            lambda stake: -np.log1p(stake * gains).sum(),
            bounds=(0, most),
            method="bounded",
            options={"xatol": 1e-13},
        )
        apart = stats.entropy([self.estimate, 1 - self.estimate], [p, 1 - p])
        effective = min(-best.fun / apart, self.total)
        tail = stats.beta.cdf(p, self.estimate * effective, (1 - self.estimate) * effective + 1)
        return float(tail), float(np.exp(-np.log1p((1 - p) / p * self.n / size).sum()))

    def timid(self, p: float) -> float:
        return max(self.parts(p, self.n.max()))

    def bold(self, p: float) -> float:
        return float(stats.t.cdf(stats.norm.ppf(max(self.parts(p, self.usual))), self.freedom))

    def chance(self, p: float) -> float:
        return self.timid(p) if (self.n == self.n[0]).all() else min(self.timid(p), self.bold(p))

    def lower(self, tail: float) -> float:
        least, most = 1e-6, self.estimate - 1e-7
        if self.chance(least) >= tail:
            return 0.0
        return float(optimize.brentq(lambda p: self.chance(p) - tail, least, most, xtol=1e-10))


SIZES = {
    "alike": [3] * 12,
    "mixed": [6, 3, 4, 6, 5] * 3,
    "one large, few others": [30, *[1] * 6],
    "one large, some others": [12, *[2] * 40],
    "a few large": [15] * 3 + [1] * 60,
    "many, uneven": [1, 2, 8] * 30,
}


def drawn(name: str) -> tuple[np.ndarray, list[np.ndarray]]:
    """Sizes, and successes: drawn ones, and all but those of one cluster."""
    n, rng = np.array(SIZES[name]), np.random.default_rng(3)
    successes = [rng.binomial(n, rng.beta(5, 1, len(n))) for _ in range(5)]
    for cluster in (0, -1):
        all_but = n.copy()
        all_but[cluster] = 0
        successes.append(all_but)
    return n, successes


@pytest.mark.parametrize("tail", [0.025, 0.00075])
@pytest.mark.parametrize("name", SIZES)
def test_it_is_the_best_limited_stake_of_a_general_optimiser(name, tail):
    n, successes = drawn(name)
    together = ClusterCounts(np.array(successes), np.tile(n, (len(successes), 1)))
    low, _ = clustered_rate_interval(together, confidence=1 - 2 * tail)
    expected = [Reference(x, n).lower(tail) for x in successes]
    np.testing.assert_allclose(low, expected, atol=1e-6)


def test_each_part_of_the_chance_decides_somewhere_among_these():
    """So that a fault in any part is seen by the test above; Student's freedom is 3 in one of them."""
    bold, flawless = set(), set()
    for name in SIZES:
        n, successes = drawn(name)
        for one in (Reference(x, n) for x in successes):
            if not (at := one.lower(0.025)):
                continue
            if one.bold(at) < one.timid(at) - 1e-6:
                bold.add((name, one.freedom))
            tail, without_failure = one.parts(
                at, n.max() if one.timid(at) <= one.bold(at) else one.usual
            )
            if without_failure > tail + 1e-9:
                flawless.add(name)
    assert {("one large, some others", 5), ("a few large", 3)} <= bold
    assert flawless


def test_a_group_without_samples_has_no_interval_and_no_success_a_bound_of_zero():
    both = ClusterCounts(np.array([[0, 0], [0, 0]]), np.array([[0, 0], [2, 3]]))
    low, high = clustered_rate_interval(both, confidence=0.95)
    assert np.isnan(low[0])
    assert np.isnan(high[0])
    assert low[1] == 0
    assert 0.5 < high[1] < 1


def test_groups_are_answered_one_by_one_as_together(rng):
    n = rng.integers(0, 9, (40, 25))
    x = rng.binomial(n, rng.beta(4, 1, n.shape))
    together = clustered_rate_interval(ClusterCounts(x, n), confidence=0.95)
    alone = [interval(x[row], n[row]) for row in range(40)]
    np.testing.assert_allclose(np.transpose(together), alone, atol=1e-8)


def test_a_confidence_out_of_range_is_refused():
    with pytest.raises(FairnessError, match=r"confidence: got 1\.0"):
        interval([1], [2], 1.0)


@pytest.mark.parametrize(
    ("successes", "message"),
    [([0.5, 1], "whole numbers"), ([3, 1], "got 3 successes of n = 2"), ([-1, 1], "got -1")],
)
def test_counts_that_no_rate_has_are_refused(successes, message):
    """A fraction was cut off without a word: half a success became none."""
    with pytest.raises(FairnessError, match=message):
        interval(successes, [2, 2])


# --- laws


@pytest.mark.parametrize(
    ("wrong", "expected"), [(0, 0.9878), (1, 0.9878), (2, 0.9864), (3, 0.9846)]
)
def test_one_more_error_never_helps_300_people_of_two_images(wrong, expected):
    """A residual variance gave .988, .775, .965: the second error turned 'cannot tell' into a pass."""
    low, _ = interval(np.r_[np.ones(wrong), np.full(300 - wrong, 2)], np.full(300, 2))
    assert low == pytest.approx(expected, abs=1e-4)


@given(some_clusters(), st.data(), st.sampled_from([0.95, HOLM]))
def test_one_more_error_helps_no_bound(clusters, data, confidence):
    """By more than .01; hardly ever by more than .001, as the next test counts."""
    successes, sizes = clusters
    erring = data.draw(st.sampled_from(range(len(sizes))))
    successes[erring] = max(successes[erring], 1)
    before = interval(successes, sizes, confidence)
    successes[erring] -= 1
    after = interval(successes, sizes, confidence)
    assert after[0] <= before[0] + 0.01
    assert after[1] <= before[1] + 0.01


def test_adding_errors_in_any_order_hardly_ever_lifts_a_bound(rng):
    rises = []
    for _ in range(12):
        sizes = rng.integers(1, 13, rng.integers(2, 61))
        order = rng.permutation(np.repeat(np.arange(len(sizes)), sizes))[:40]
        gone = np.zeros((len(order) + 1, len(sizes)), dtype=np.int64)
        np.add.at(gone, (np.arange(1, len(order) + 1), order), 1)
        x = sizes - gone.cumsum(axis=0)
        low, high = clustered_rate_interval(
            ClusterCounts(x, np.broadcast_to(sizes, x.shape)), confidence=0.95
        )
        rises += [np.diff(low), np.diff(high)]
    steps = np.concatenate(rises)
    assert steps.max() < 0.006
    assert (steps > 0.001).mean() < 0.02


@given(some_clusters())
def test_images_of_a_cluster_that_are_all_copied_change_nothing(clusters):
    """Ten pictures of a person who is always read alike tell no more than one."""
    successes, sizes = np.array(clusters[0]), np.array(clusters[1])
    np.testing.assert_allclose(
        interval(3 * successes, 3 * sizes), interval(successes, sizes), atol=0.05
    )


@given(some_clusters(), st.sampled_from([0.95, HOLM]))
def test_success_and_failure_are_mirrors(clusters, confidence):
    successes, sizes = np.array(clusters[0]), np.array(clusters[1])
    low, high = interval(successes, sizes, confidence)
    other_low, other_high = interval(sizes - successes, sizes, confidence)
    assert (low, high) == pytest.approx((1 - other_high, 1 - other_low), abs=1e-9)
    assert low <= successes.sum() / sizes.sum() <= high


@given(some_clusters())
def test_splitting_clusters_stays_near_the_interval_of_independent_samples(clusters):
    """As many clusters of one sample each: exactly the unclustered interval, never wider."""
    successes, sizes = clusters
    apart = np.repeat([1, 0], [sum(successes), sum(sizes) - sum(successes)])
    low, high = interval(apart, np.ones(len(apart), int))
    np.testing.assert_allclose((low, high), clopper_pearson(sum(successes), sum(sizes)), atol=1e-9)
    clustered = interval(successes, sizes)
    assert clustered[0] <= low + 1e-9
    assert clustered[1] >= high - 1e-9


@given(some_clusters())
def test_intervals_of_a_higher_confidence_contain_those_of_a_lower_one(clusters):
    inner, outer = interval(*clusters), interval(*clusters, HOLM)
    assert outer[0] <= inner[0] + 1e-9
    assert outer[1] >= inner[1] - 1e-9


def test_growth_is_more_clusters_of_the_same_kind():
    x, n = np.array([[3, 1, 2, 2]]), np.array([[3, 2, 2, 4]])
    grown = clustered_rate_interval(ClusterCounts(x, n), confidence=0.95, growth=6.0)
    more = ClusterCounts(np.tile(x, 6), np.tile(n, 6))
    np.testing.assert_allclose(grown, clustered_rate_interval(more, confidence=0.95), atol=1e-9)


# --- effective n


def test_the_effective_n_gives_the_bounds_back(rng):
    n = rng.integers(1, 9, (30, 20))
    x = rng.binomial(n, rng.beta(4, 1, n.shape))
    low, high = clustered_rate_interval(ClusterCounts(x, n), confidence=0.95)
    factors = rate_bound_factors(ClusterCounts(x, n), confidence=0.95)
    successes, total = x.sum(axis=1), n.sum(axis=1)
    lower = clopper_pearson(successes * factors.lower, total * factors.lower)
    upper = clopper_pearson(successes * factors.upper, total * factors.upper)
    seen = (low > 0) & (high < 1)
    assert seen.sum() > 20
    np.testing.assert_allclose(lower.low[seen], low[seen], atol=1e-8)
    np.testing.assert_allclose(upper.high[seen], high[seen], atol=1e-8)
    assert (factors.lower <= 1 + 1e-9).all()
    assert (factors.least == np.minimum(factors.lower, factors.upper)).all()


@pytest.mark.parametrize("rate", [0, 1])
def test_where_one_bound_says_nothing_the_other_gives_the_effective_n(rate):
    n = np.full((1, 20), 5)
    factors = rate_bound_factors(ClusterCounts(n * rate, n), confidence=0.95)
    assert factors == BoundFactors(pytest.approx([0.2]), pytest.approx([0.2]))


def test_a_group_without_samples_is_worth_what_it_has():
    nothing = np.zeros((1, 3), dtype=np.int64)
    assert rate_bound_factors(ClusterCounts(nothing, nothing), confidence=0.95) == BoundFactors(
        np.ones(1), np.ones(1)
    )


# --- what is promised


def one_sided_errors(n: np.ndarray, rate: float, spread: float, rng, confidence: float = 0.95):
    """Share of 1,500 draws whose interval lies above, and below, the rate that images truly have."""
    own = np.full((1500, len(n)), rate)
    if spread:
        own = rng.beta(rate / spread - rate, (1 - rate) / spread - 1 + rate, own.shape)
    sizes = np.broadcast_to(n, own.shape)
    found: Interval = clustered_rate_interval(
        ClusterCounts(rng.binomial(sizes, own), sizes), confidence=confidence
    )
    return (found.low > rate + 1e-9).mean(), (found.high < rate - 1e-9).mean()


@pytest.mark.parametrize("spread", [0.0, 0.3, 0.9])
@pytest.mark.parametrize(
    "sizes",
    [
        pytest.param([4] * 76, id="equal"),
        pytest.param([1000, *[1] * 50], id="one giant"),
        pytest.param([100] * 5 + [2] * 50, id="five giants"),
        pytest.param((np.random.default_rng(3).pareto(1.2, 100) + 1).astype(int), id="Pareto"),
    ],
)
@pytest.mark.parametrize("rate", [0.9, 0.5])
def test_errors_of_one_side_stay_near_what_is_promised(sizes, spread, rate, rng):
    """At most .025, up to .0342 in the worst design, plus three times the error of 1,500 draws."""
    above, below = one_sided_errors(np.array(sizes), rate, spread, rng)
    assert max(above, below) < 0.0342 + 3 * np.sqrt(0.03 / 1500)
