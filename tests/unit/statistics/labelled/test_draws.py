"""Evidence of labels that were drawn with known probabilities."""

from itertools import permutations

import numpy as np
import pytest
from scipy import special, stats

from pytest_fairness.labelling.choosing import EVEN, draw, weights_of
from pytest_fairness.statistics.labelled.draws import Draws
from pytest_fairness.statistics.labelled.outcomes import Outcomes, outcomes_of
from pytest_fairness.statistics.labelled.rates import Evidence, LabelledRates
from pytest_fairness.statistics.metrics.names import metric_named

ACCURACY = metric_named("accuracy").rate
TPR = metric_named("true_positive_rate").rate


def draws_of(right, chance, order, weights, outcomes=None):
    """Draws of one round; accuracy where no outcomes are given."""
    right, chance = np.array(right, dtype=bool), np.array(chance, dtype=float)
    m, drawn = len(right), np.array(order, dtype=np.int64)
    if outcomes is None:
        called = np.ones(m, dtype=bool)
        outcomes = outcomes_of(ACCURACY, called_positive=called, chance=chance)
    weights = np.array(weights, dtype=float)[None]
    rounds = np.zeros(len(drawn), dtype=np.int64)
    return Draws(outcomes, drawn, right[drawn], weights, rounds, np.ones(m))


def random_draws(seed, *, rate=0.8, size=400, n=80, chance=None):
    rng = np.random.default_rng(seed)
    truth = rng.beta(rate * 4, (1 - rate) * 4, size)
    right = rng.random(size) < truth
    chance = truth if chance is None else chance(truth)
    everyone = np.ones(size, dtype=bool)
    outcomes = outcomes_of(ACCURACY, called_positive=everyone, chance=chance)
    weights = weights_of([(everyone, outcomes.doubt(everyone))])
    order, _ = draw(weights, n, rng)
    return draws_of(right, chance, order, weights)


def test_the_estimate_of_two_draws_worked_by_hand():
    # Weights 1, 1, 2; f .5 each. Draw 2 (p 1/2, right): 1.5 + .5 / .5 = 2.5.
    # Then draw 0 (p 1/2, wrong): 1 known, 1 expected of the rest, -.5 / .5: 1. Mean 1.75 of 3.
    found = draws_of([False, True, True], [0.5, 0.5, 0.5], [2, 0], [1, 1, 2])
    assert found.estimate == pytest.approx(1.75 / 3)


def test_the_estimate_without_scores_and_with_equal_weights_is_the_mean_of_the_labels():
    found = draws_of([1, 0, 1, 1, 0, 1], [0] * 6, range(6), [1] * 6)
    assert found.estimate == pytest.approx(4 / 6, abs=0.2)
    first = draws_of([1, 0, 1, 1, 0, 1], [0] * 6, [0], [1] * 6)
    assert first.estimate == 1.0


@pytest.mark.parametrize("chance", [(0.9, 0.2, 0.6, 0.5), (0.0, 1.0, 0.1, 1.0)])
def test_the_estimate_is_unbiased_whatever_the_scores_are_worth(chance):
    right, weights = np.array([1, 0, 1, 1]), np.array([0.1, 0.2, 0.3, 0.4])
    outcomes = outcomes_of(
        ACCURACY, called_positive=np.ones(4, dtype=bool), chance=np.array(chance)
    )
    mean = 0.0
    for order in permutations(range(4), 2):
        first, second = weights[list(order)]
        probability = first * second / (1 - first)
        found = draws_of(right, chance, order, weights, outcomes)
        # The estimate is clipped to a rate; here the sums behind it are compared.
        known, residual = 0.0, []
        expected = np.array(chance)
        left, total = list(range(4)), 1.0
        for position in order:
            rest = expected[left].sum()
            residual.append(
                known + rest + (right[position] - expected[position]) * total / weights[position]
            )
            known, total = known + right[position], total - weights[position]
            left.remove(position)
        assert found.estimate == pytest.approx(np.clip(np.mean(residual) / 4, 0, 1))
        mean += probability * np.mean(residual)
    assert mean == pytest.approx(right.sum())


def test_what_a_draw_may_win_has_no_mean_under_the_true_sum():
    # The expectation over every possible draw of the wealth after one draw, at the true sum.
    right, chance = np.array([1, 0, 0, 1, 1]), np.array([0.9, 0.3, 0.8, 0.6, 0.2])
    weights = np.array([0.1, 0.3, 0.1, 0.2, 0.3])
    rate = np.array([0.4])
    tau = np.array([[(right - 0.4).sum()]])
    one = np.array([1])
    wealth = [
        np.exp(draws_of(right, chance, [j], weights)._wealth(rate, tau, one)[0, 0, 0])
        for j in range(5)
    ]
    assert weights @ wealth == pytest.approx(1.0)


def test_two_draws_in_a_row_have_no_mean_either():
    right, chance = np.array([1, 0, 0, 1]), np.array([0.9, 0.3, 0.8, 0.6])
    weights = np.array([0.1, 0.4, 0.2, 0.3])
    tau = np.array([[(right - 0.7).sum()]])
    mean = 0.0
    for i, j in permutations(range(4), 2):
        found = draws_of(right, chance, [i, j], weights)
        wealth = np.exp(found._wealth(np.array([0.7]), tau, np.array([2]))[0, 0, 0])
        mean += weights[i] * weights[j] / (1 - weights[i]) * wealth
    assert mean == pytest.approx(1.0)


@pytest.mark.parametrize("rate", [0.05, 0.5, 0.9])
def test_the_evidence_about_the_pool_has_a_mean_of_at_most_one(rate):
    m = 60
    found = draws_of([1] * m, [0.5] * m, [0], [1] * m)
    k = np.arange(m + 1)
    # Between the tried sums the evidence is not used; here it is asked at every possible sum.
    spread = np.sqrt(m * rate * (1 - rate) + 0.25)
    first = -4 * spread
    tau = np.concatenate([[first], np.maximum(k - m * rate, first)])[None]
    evidence = np.exp(found._pool(np.array([rate]), tau))[0, 1:]
    mean = stats.binom.pmf(k, m, rate) @ evidence
    assert 0.5 < mean <= 1.0


def test_the_outcomes_of_a_rate_say_when_a_label_counts():
    called = np.array([True, False])
    found = outcomes_of(TPR, called_positive=called, chance=np.array([0.9, 0.2]))
    seen, among = found.expected
    assert seen.tolist() == [0.9, 0.0]
    assert among == pytest.approx([0.9, 0.2])
    selection = outcomes_of(
        metric_named("selection_rate").rate, called_positive=called, chance=np.array([0.9, 0.2])
    )
    assert found.needs_labels
    assert not selection.needs_labels


def test_every_image_weighs_at_least_its_even_share():
    doubt = np.array([0.0, 0.5, 0.01, 0.3])
    weights = weights_of([(np.ones(4, dtype=bool), doubt)])
    assert weights.sum() == pytest.approx(1)
    assert weights.min() >= EVEN / 4
    assert weights.argmax() == 1


def test_images_are_drawn_with_the_chances_that_are_told():
    weights = np.array([0.5, 0.3, 0.2, 0.0])
    counted = np.zeros((4, 4))
    for seed in range(4000):
        (first, second), chances = draw(weights, 2, np.random.default_rng(seed))
        assert chances[0] == pytest.approx(weights[first])
        assert chances[1] == pytest.approx(weights[second] / (1 - weights[first]))
        counted[first, second] += 1
    expected = np.array([[w * v / (1 - w) for v in weights] for w in weights])
    np.fill_diagonal(expected, 0)
    assert np.abs(counted / 4000 - expected).max() < 0.03


@pytest.mark.parametrize(
    "chance",
    [None, lambda c: 1 - c, lambda c: np.full(len(c), 0.999)],
    ids=["good", "upside down", "always sure"],
)
def test_a_rate_at_its_limit_is_rarely_called_broken_or_kept(chance):
    looks, wrong = np.array([10, 20, 40, 60, 80]), np.zeros(2)
    for seed in range(60):
        found = random_draws(seed, chance=chance)
        above = found.log_evidence(np.array([0.8]), looks)[0].max()
        below = found.complement.log_evidence(np.array([0.2]), looks)[0].max()
        wrong += np.array([above, below]) >= np.log(1 / 0.025)
    assert (wrong <= 5).all()  # 1.5 expected at most; above 5 has a chance of .003


def test_the_interval_holds_the_estimate_and_shrinks_with_labels():
    widths = []
    for n in (20, 60, 200):
        found = random_draws(3, n=n)
        low, high = Evidence.of(found).interval(0.025)
        assert low < found.estimate < high
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[2] < 0.3


def test_lines_between_tested_rates_lie_under_the_evidence():
    found = random_draws(4, n=60)
    evidence = Evidence.of(found)
    between = np.linspace(0.3, 0.95, 40)
    exact = found.log_evidence(between)
    assert (np.interp(between, evidence.rates, evidence.above) <= exact + 0.02).all()


def test_the_interval_of_a_difference_is_that_of_a_search_over_both_rates():
    groups = LabelledRates([random_draws(5, rate=0.9), random_draws(6, rate=0.6)])
    zero, one = np.array([0]), np.array([1])
    low, high = groups.pairs(zero, one, kind="difference", confidence=0.95)
    a, b = groups.evidence
    rates = np.linspace(0, 1, 1001)
    first, second = np.meshgrid(rates, rates, indexing="ij")

    def at(one, p, side):
        return np.interp(p, one.rates, getattr(one, side))

    both = at(a, first, "above") + at(b, second, "below")
    assert low[0] == pytest.approx((first - second)[both < np.log(40)].min(), abs=0.003)
    both = at(a, first, "below") + at(b, second, "above")
    assert high[0] == pytest.approx((first - second)[both < np.log(40)].max(), abs=0.003)
    ratio = groups.pairs(zero, one, kind="ratio", confidence=0.95)
    both = at(a, first, "above") + at(b, second, "below")
    there = (both < np.log(40)) & (second > 0)
    assert ratio.low[0] == pytest.approx((first[there] / second[there]).min(), abs=0.01)


def test_images_of_one_person_widen_the_interval():
    found = random_draws(7, n=200)
    pairs = Draws(
        found.outcomes, found.drawn, found.first, found.weights, found.rounds, np.full(40, 10.0)
    )
    own, together = (Evidence.of(one).interval(0.025) for one in (found, pairs))
    assert together[0] < own[0] < own[1] < together[1]


def test_evidence_of_no_label_says_nothing():
    nothing = draws_of([1, 0], [0.5, 0.5], [], [1, 1])
    assert Evidence.of(nothing).interval(0.025) == (0.0, 1.0)
    assert Outcomes(*nothing.outcomes).part(np.array([True, False])).chance.tolist() == [0.5]


@pytest.mark.parametrize(("m", "right", "rate"), [(20, 20, 0.7), (40, 36, 0.6), (40, 36, 0.2)])
def test_a_pool_that_is_labelled_to_the_end_says_no_more_than_a_sample_can(m, right, rate):
    order = np.random.default_rng(1).permutation(m)
    found = draws_of([1] * right + [0] * (m - right), [0.9] * m, order, [1] * m)
    p = right / m
    most = m * (special.rel_entr(p, rate) + special.rel_entr(1 - p, 1 - rate))
    evidence = found.log_evidence(np.array([rate]))[0]
    assert 0 < evidence < most
