"""Bounds of matched clusters beside the same method written with loops and scipy's optimiser."""

import math

import numpy as np
import pytest
from scipy import optimize

from pytest_fairness.statistics.clusters.apart import BoundCounts, apart_interval
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.matched import effective_pairs, matched_interval
from pytest_fairness.statistics.clusters.pairs import clustered_pair_interval
from pytest_fairness.statistics.clusters.rates import rate_bound_factors
from pytest_fairness.statistics.intervals.chosen import (
    difference_interval,
    paired_interval,
    paired_ratio_interval,
    ratio_interval,
)
from pytest_fairness.statistics.intervals.paired import paired_score_statistic
from pytest_fairness.statistics.intervals.paired_ratios import paired_ratio_statistic

Z95 = 1.959963984540054


def _won(gains, number, worst):
    """What the best stake wins: scipy's bounded search instead of Newton's method."""
    most = (1 - 1e-9) / max(worst, -min(gains))
    best = optimize.minimize_scalar(
        lambda stake: -sum(w * math.log1p(stake * g) for g, w in zip(gains, number, strict=True)),
        bounds=(0, most),
        method="bounded",
        options={"xatol": 1e-13},
    )
    return max(-float(best.fun), 0.0)


class Reference:
    """One pair of groups whose clusters are given one by one."""

    def __init__(self, x1, n1, x2, n2, kind):
        self.clusters, self.kind = list(zip(x1, n1, x2, n2, strict=True)), kind
        self.n1, self.n2 = sum(n1), sum(n2)
        self.p1, self.p2 = sum(x1) / self.n1, sum(x2) / self.n2
        paired = [0.0, 0.0, 0.0]
        alone1 = alone2 = common = 0.0
        for a, m, b, k in self.clusters:
            own, other = m / self.n1, k / self.n2
            both = min(own, other)
            q1, q2 = a / max(m, 1), b / max(k, 1)
            paired[0] += both * min(q1, q2)
            paired[1] += both * max(q1 - q2, 0)
            paired[2] += both * max(q2 - q1, 0)
            alone1, alone2, common = (
                alone1 + (own - both) * q1,
                alone2 + (other - both) * q2,
                common + both,
            )
        mixed = alone1 * alone2 / (1 - common) if common < 1 - 1e-9 else 0.0
        self.cells = (paired[0] + mixed, paired[1] + alone1 - mixed, paired[2] + alone2 - mixed)

    def pairs(self, value):
        """The effective number of pairs if this were the difference or ratio."""
        if self.kind == "difference":
            times = 1.0
            fitted2 = (self.n1 * (self.p1 - value) + self.n2 * self.p2) / (self.n1 + self.n2)
            fitted2 = min(max(fitted2, 0.0, -value), 1.0, 1 - value)
            fitted1 = fitted2 + value
        else:
            times = value
            fitted2 = (self.n1 * self.p1 + self.n2 * self.p2) / (value * self.n1 + self.n2)
            fitted2 = min(fitted2, 1.0, 1 / value)
            fitted1 = fitted2 * value
        gains, worst = [], 0.0
        for x1, n1, x2, n2 in self.clusters:
            gain = (x1 - fitted1 * n1) / self.n1 - times * (x2 - fitted2 * n2) / self.n2
            gains.append(gain)
            worst = max(worst, fitted1 * n1 / self.n1 + times * (1 - fitted2) * n2 / self.n2)
        clusters = _won(gains, [1] * len(gains), worst)
        outcomes = [
            first - fitted1 - times * (second - fitted2)
            for first, second in ((1, 1), (1, 0), (0, 1), (0, 0))
        ]
        one = _won(outcomes, [*self.cells, 1 - sum(self.cells)], fitted1 + times * (1 - fitted2))
        return min(clusters / one, 2 / (1 / self.n1 + 1 / self.n2))

    def effective(self):
        """The effective number of pairs at the lower bound."""

        def value(place):
            return place if self.kind == "difference" else place / (1 - place)

        def excess(place):
            n = self.pairs(value(place))
            both, first, second = (cell * n for cell in self.cells)
            if self.kind == "difference":
                statistic = paired_score_statistic(first, second, n, value(place))
            else:
                statistic = paired_ratio_statistic(
                    both, first, second, value(place), corrected=True
                )
            return float(statistic) - Z95

        ends = {
            "difference": (-0.98, self.p1 - self.p2 - 1e-5),
            "ratio": (0.02, self.p1 / (self.p1 + self.p2) - 1e-5),
        }[self.kind]
        return self.pairs(value(optimize.brentq(excess, *ends, xtol=1e-12)))

    def bound(self, n):
        both, first, second = (cell * n for cell in self.cells)
        if self.kind == "difference":
            return float(paired_interval(first, second, n).low)
        return float(paired_ratio_interval(both, first, second).low)

    @property
    def whole(self):
        """How many pairs the clusters are when all images of one say the same."""
        parts: dict[str, list[tuple[float, float]]] = {"common": [], "first": [], "second": []}
        for _, n1, _, n2 in self.clusters:
            own, other = n1 / self.n1, n2 / self.n2
            heaviest, both = max(own, other), min(own, other)
            for name, share in zip(parts, (both, own - both, other - both), strict=True):
                parts[name].append((share, heaviest * share))
        return 1 / max(
            sum(weighted for _, weighted in part) / sum(share for share, _ in part)
            for part in parts.values()
            if sum(share for share, _ in part) > 1e-12
        )


DESIGNS = {
    "alike": ([4] * 8, [4] * 8),
    "other numbers": ([4, 2, 6, 1, 4, 3, 4, 2], [4, 4, 3, 2, 4, 6, 1, 2]),
    "partly shared": ([4, 2, 6, 0, 4, 3, 0, 2], [4, 0, 3, 2, 4, 6, 2, 2]),
}


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("design", DESIGNS)
@pytest.mark.parametrize("seed", [1, 2])
def test_the_bound_is_that_of_loops_and_a_general_optimiser(design, kind, seed):
    rng = np.random.default_rng(seed)
    n1, n2 = (np.tile(sizes, 6) for sizes in DESIGNS[design])
    own = rng.beta(6, 2, len(n1))
    x1, x2 = rng.binomial(n1, own), rng.binomial(n2, np.clip(own - 0.1, 0, 1))
    seen = Reference(x1, n1, x2, n2, kind)
    flawless = Reference(n1, n1, x2, n2, kind)
    assert seen.whole > 10 * Z95, "a design with enough clusters"
    expected = max(
        min(seen.bound(seen.effective()), flawless.bound(flawless.effective())),
        seen.bound(seen.whole),
    )
    groups = (ClusterCounts(x[None], n[None]) for x, n in ((x1, n1), (x2, n2)))
    low, _ = matched_interval(*groups, kind=kind, confidence=0.95)
    assert low[0] == pytest.approx(expected, abs=2e-5)


@pytest.mark.parametrize("kind", ["difference", "ratio"])
def test_a_group_with_few_errors_has_no_higher_bound_than_one_without_any(kind):
    """The first error makes the effective number of pairs jump; the bound without it is the cap."""
    n = np.array([2, 3, 3, 6, 3, 6, 6, 1, 6, 3, 7, 5, 7, 1, 6, 6, 1, 4, 2, 2, 7, 7, 6, 4, 3])
    x2 = np.array([2, 3, 3, 6, 1, 3, 5, 1, 6, 3, 6, 4, 7, 1, 5, 5, 1, 3, 2, 1, 7, 5, 6, 4, 1])
    x1 = n.copy()
    x1[3] -= 2
    seen, flawless = Reference(x1, n, x2, n, kind), Reference(n, n, x2, n, kind)
    cap = flawless.bound(flawless.effective())
    assert seen.bound(seen.effective()) > cap + 0.02
    groups = (ClusterCounts(x[None], n[None]) for x in (x1, x2))
    low, _ = matched_interval(*groups, kind=kind, confidence=0.95)
    assert low[0] == pytest.approx(max(cap, seen.bound(seen.whole)), abs=2e-5)


def test_the_effective_number_of_pairs_is_the_fewer_of_both_bounds():
    n = np.tile([4, 2, 6, 1], 10)
    rng = np.random.default_rng(5)
    x1, x2 = rng.binomial(n, 0.8), rng.binomial(n, 0.5)
    ways = Reference(x1, n, x2, n, "difference"), Reference(x2, n, x1, n, "difference")
    expected = min(max(one.effective(), one.whole) for one in ways)
    groups = (ClusterCounts(x[None], n[None]) for x in (x1, x2))
    assert effective_pairs(*groups, confidence=0.95)[0] == pytest.approx(expected, rel=1e-3)


def test_groups_without_samples_leave_the_others_as_they_are():
    n = np.array([[3] * 30, [0] * 30, [2] * 30])
    x = np.array([[3] * 25 + [1] * 5, [0] * 30, [2] * 20 + [0] * 10])
    first, second = (
        ClusterCounts(x[[0, 1, 0]], n[[0, 1, 0]]),
        ClusterCounts(x[[2, 2, 1]], n[[2, 2, 1]]),
    )
    low, high = matched_interval(first, second, kind="difference", confidence=0.95)
    alone = matched_interval(
        ClusterCounts(x[[0]], n[[0]]),
        ClusterCounts(x[[2]], n[[2]]),
        kind="difference",
        confidence=0.95,
    )
    assert (low[0], high[0]) == pytest.approx((alone.low[0], alone.high[0]), abs=1e-8)
    assert np.isnan(low[1:]).all()
    assert effective_pairs(first, second, confidence=0.95)[1:].tolist() == [0, 0]


# --- clusters of the same kind that there might be


GROWN = 3
N_FIRST, N_SECOND = np.array([3, 2, 4, 1, 3, 2]), np.array([2, 2, 1, 3, 3, 4])
X_FIRST, X_SECOND = np.array([3, 1, 3, 1, 2, 2]), np.array([1, 2, 0, 2, 2, 3])


def _apart(times: int) -> ClusterCounts:
    """Two groups that share nobody, so many times over."""
    nothing = np.zeros(6 * times, dtype=int)
    x = [np.r_[np.tile(X_FIRST, times), nothing], np.r_[nothing, np.tile(X_SECOND, times)]]
    n = [np.r_[np.tile(N_FIRST, times), nothing], np.r_[nothing, np.tile(N_SECOND, times)]]
    return ClusterCounts(np.array(x), np.array(n))


def _shared(times: int) -> ClusterCounts:
    """Two groups of the same clusters, so many times over."""
    x, n = ((X_FIRST, X_SECOND), (N_FIRST, N_SECOND))
    return ClusterCounts(*(np.array([np.tile(one, times) for one in both]) for both in (x, n)))


@pytest.mark.parametrize("kind", ["difference", "ratio"])
@pytest.mark.parametrize("clusters", [_apart, _shared])
def test_growth_is_as_if_there_were_so_many_clusters_of_each_kind(clusters, kind):
    groups = np.array([0]), np.array([1])
    growth = np.full(1, float(GROWN)), np.full(1, float(GROWN))
    grown = clustered_pair_interval(clusters(1), *groups, kind=kind, confidence=0.9, growth=growth)
    more = clustered_pair_interval(clusters(GROWN), *groups, kind=kind, confidence=0.9)
    now = clustered_pair_interval(clusters(1), *groups, kind=kind, confidence=0.9)
    np.testing.assert_allclose(np.array(grown), np.array(more), atol=1e-6)
    assert grown.low[0] > now.low[0]
    assert grown.high[0] < now.high[0]


def test_factors_of_grown_clusters_are_those_of_so_many():
    few, many = _shared(1), _shared(GROWN)
    grown = rate_bound_factors(few, confidence=0.95, growth=np.full(2, float(GROWN)))
    np.testing.assert_allclose(grown, rate_bound_factors(many, confidence=0.95), atol=1e-7)
    assert (np.abs(grown.lower - rate_bound_factors(few, confidence=0.95).lower) > 1e-3).any()


# --- groups apart


@pytest.mark.parametrize(
    ("kind", "independent"), [("difference", difference_interval), ("ratio", ratio_interval)]
)
def test_one_clustered_group_is_enough_for_the_counts_of_its_bounds(kind, independent):
    """The other one has single images; clusters of two are no single images either."""
    single = ClusterCounts(np.array([[1] * 20 + [0] * 10]), np.ones((1, 30), dtype=int))
    twos = ClusterCounts(np.array([[2] * 12 + [0] * 3]), np.full((1, 15), 2))
    one, other = (BoundCounts.of(some, confidence=0.95) for some in (single, twos))
    assert (one.single.tolist(), other.single.tolist()) == ([True], [False])
    low, high = apart_interval(one, other, kind=kind, confidence=0.95)
    worth = rate_bound_factors(twos, confidence=0.95)
    below = independent(
        20, 30, 24 * worth.upper, 30 * worth.upper, confidence=0.95, method="corrected"
    )
    above = independent(
        20, 30, 24 * worth.lower, 30 * worth.lower, confidence=0.95, method="corrected"
    )
    np.testing.assert_allclose((low, high), (below.low, above.high), atol=1e-6)


def test_a_guess_at_single_images_takes_no_exact_method():
    counts = BoundCounts.independent(np.array([2.0]), np.array([20.0]))
    others = BoundCounts.independent(np.array([5.0]), np.array([30.0]))
    guess = apart_interval(counts, others, kind="difference", confidence=0.95, guessed=True)
    quick = difference_interval(2, 20, 5, 30, confidence=0.95, method="corrected")
    exact = difference_interval(2, 20, 5, 30, confidence=0.95)
    assert guess.low[0] == pytest.approx(float(quick.low))
    decided = apart_interval(counts, others, kind="difference", confidence=0.95)
    assert decided.low[0] == pytest.approx(float(exact.low))
    assert abs(float(quick.low) - float(exact.low)) > 1e-3


def test_failures_of_grown_counts_have_the_bounds_of_successes_exchanged():
    counts = BoundCounts.of(_shared(4), confidence=0.95, growth=2.0)
    np.testing.assert_allclose(counts.n, [2 * 4 * N_FIRST.sum(), 2 * 4 * N_SECOND.sum()])
    np.testing.assert_allclose(counts.x, [2 * 4 * X_FIRST.sum(), 2 * 4 * X_SECOND.sum()])
    failures = counts.failures
    np.testing.assert_array_equal((failures.lower, failures.upper), (counts.upper, counts.lower))
    np.testing.assert_allclose(failures.x, counts.n - counts.x)
