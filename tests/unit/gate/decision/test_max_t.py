"""The level of max-t is the one at which the intervals of all questions hold together."""

import numpy as np
import pytest
from scipy import optimize, stats

from pytest_fairness.gate.decision import max_t
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.counts import GroupCounts

CLASSES = ("no", "yes")


def level_of(counts: GroupCounts, *rules: dict, cluster: str | None = None) -> float:
    """The level that max-t asks of every question; some question must break its limit."""
    attributes = {name: list(levels) for name, levels in counts.levels.items() if name != cluster}
    faces = {
        "positive": "yes",
        "classes": list(CLASSES),
        "attributes": attributes,
        "reference": {name: levels[0] for name, levels in attributes.items()},
    }
    policy = load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": "max-t"},
            "evaluation": {"faces": faces | ({"cluster": cluster} if cluster else {})},
            "rule": [rule | {"id": f"rule {i}"} for i, rule in enumerate(rules)],
        }
    )
    verdicts = judge_counts(policy, counts, evaluation=policy.evaluations["faces"], model="m")
    (level,) = {v.correction.level for v in verdicts if v.correction is not None}
    return level


def counts_of(*wrong: float, n: int = 2000) -> GroupCounts:
    """Groups of n negatives and n positives, of which these shares are wrong."""
    cells = [
        [[n - round(n * share), round(n * share)], [round(n * share), n - round(n * share)]]
        for share in wrong
    ]
    levels = {"g": tuple(f"g{i}" for i in range(len(wrong)))}
    return GroupCounts(levels, CLASSES, np.array(cells, dtype=np.int64))


def level_of_two(correlation: float) -> float:
    """The level at which two normal errors that are so correlated both lie within +-z at 95 %."""
    both = stats.multivariate_normal(cov=[[1, correlation], [correlation, 1]], allow_singular=True)

    def missed(z):
        inside = both.cdf([z, z]) - both.cdf([-z, z]) - both.cdf([z, -z]) + both.cdf([-z, -z])
        return inside - 0.95

    z = optimize.brentq(missed, 1.9, 2.3)
    return float(2 * stats.norm.cdf(z) - 1)


# Limits that can be broken in both directions, so that an interval is as sure as its level says.
ERRORS = {"metric": "error_rate", "by": ["g"], "between": [0.0001, 0.001]}
GAP = {"metric": "error_rate_difference", "by": ["g"], "max": 0.001}
RATIO = {"metric": "error_rate_ratio", "by": ["g"], "between": [0.999, 1.001]}


def test_independent_groups_have_the_level_of_sidak():
    # Four groups that share no image, with rates far from zero.
    level = level_of(counts_of(0.2, 0.3, 0.4, 0.5), ERRORS)
    assert level == pytest.approx(0.95 ** (1 / 4), abs=0.001)


AT_MOST = {"metric": "error_rate", "by": ["g"], "max": 0.001}
AT_LEAST = {"metric": "accuracy", "by": ["g"], "min": 0.999}


def test_a_limit_that_is_broken_in_one_direction_only_errs_in_that_direction_only():
    # One end of the interval decides, with half of one minus its level.
    level = level_of(counts_of(0.2, 0.3, 0.4, 0.5), AT_MOST)
    assert (1 + level) / 2 == pytest.approx(0.95 ** (1 / 4), abs=0.001)
    # The mirror image errs with it, so it costs nothing: high errors are low accuracies.
    assert level_of(counts_of(0.2, 0.3, 0.4, 0.5), AT_MOST, AT_LEAST) == pytest.approx(
        level, abs=0.001
    )


def test_questions_that_break_in_opposite_directions_do_not_err_together():
    groups = counts_of(0.2, 0.3)
    again = level_of(groups, AT_MOST, AT_MOST)
    opposite = level_of(groups, AT_MOST, AT_LEAST | {"metric": "error_rate"})
    assert (1 + again) / 2 == pytest.approx(0.95 ** (1 / 2), abs=0.001)
    assert (1 + opposite) / 2 == pytest.approx(0.95 ** (1 / 4), abs=0.003)


def test_the_same_question_asked_again_costs_nothing():
    level = level_of(counts_of(0.3), ERRORS, ERRORS, ERRORS)
    assert level == pytest.approx(0.95, abs=0.005)


def test_a_question_and_its_mirror_image_are_one():
    accuracy = {"metric": "accuracy", "by": ["g"], "between": [0.999, 0.9999]}
    assert level_of(counts_of(0.3), ERRORS, accuracy) == pytest.approx(0.95, abs=0.005)


def test_two_groups_beside_one_reference_of_their_size_are_half_correlated():
    level = level_of(counts_of(0.1, 0.3, 0.3), GAP | {"max": 0.01})
    correlation = 0.09 / (0.09 + 0.21)
    assert level == pytest.approx(level_of_two(correlation), abs=0.004)


def test_ratios_are_compared_on_the_scale_of_logarithms():
    # The rare errors of the reference vary most, so both ratios err together.
    level = level_of(counts_of(0.1, 0.9, 0.9), RATIO)
    correlation = (0.9 / 0.1) / (0.9 / 0.1 + 0.1 / 0.9)
    assert level == pytest.approx(level_of_two(correlation), abs=0.005)
    assert level < level_of_two(0.5) - 0.01


def test_a_question_over_several_rates_pays_for_each_of_them():
    odds = {"metric": "equalized_odds_difference", "by": ["g"], "max": 0.001}
    # Bonferroni over its two rates makes one such question nearly exact, and its copy costs nothing.
    assert level_of(counts_of(0.2, 0.4), odds, odds) == pytest.approx(0.95, abs=0.005)


def test_a_question_over_all_pairs_pays_for_each_of_them():
    widest = GAP | {"reference": "all"}
    counts = counts_of(0.2, 0.3, 0.4)
    # One question, asked twice: its three pairs are correlated, so Bonferroni pays too much.
    assert level_of(counts, widest, widest) == pytest.approx(0.95, abs=0.005)


def clustered(*, shared: bool) -> GroupCounts:
    """Two groups of 200 people with 10 images each, who are always or never right."""
    people, images = 200, 10
    cells = np.zeros((2, 2 * people, 2, 2), dtype=np.int64)
    for group in range(2):
        for person in range(people):
            place = person if shared or not group else people + person
            cells[group, place, 0, int(person % 3 == 0)] = images
    levels = {"g": ("a", "b"), "person": tuple(f"p{i}" for i in range(2 * people))}
    return GroupCounts(levels, CLASSES, cells)


def test_people_are_drawn_whole():
    together = level_of(
        clustered(shared=True), ERRORS | {"between": [0.0001, 0.1]}, cluster="person"
    )
    apart = level_of(clustered(shared=False), ERRORS | {"between": [0.0001, 0.1]}, cluster="person")
    assert together == pytest.approx(0.95, abs=0.005)
    assert apart == pytest.approx(0.95 ** (1 / 2), abs=0.004)


def test_an_error_that_never_varies_in_the_draws_is_taken_as_independent():
    never = GroupCounts({"g": ("a",)}, CLASSES, np.array([[[0, 50], [0, 0]]]))
    assert level_of(never, ERRORS, ERRORS) == pytest.approx(0.95 ** (1 / 2), abs=0.004)


def test_draws_in_which_a_group_has_no_images_are_left_out_of_its_error():
    # One group of two images is empty in one of seven draws.
    cells = np.array([[[1, 1], [0, 0]], [[500, 500], [0, 0]]], dtype=np.int64)
    counts = GroupCounts({"g": ("few", "many")}, CLASSES, cells)
    assert level_of(counts, ERRORS) == pytest.approx(0.95 ** (1 / 2), abs=0.005)


@pytest.mark.parametrize("at_a_time", [1, 1000], ids=["one draw", "some draws"])
def test_the_number_of_draws_at_a_time_changes_nothing_that_counts(monkeypatch, at_a_time):
    monkeypatch.setattr(max_t, "_CELLS_AT_A_TIME", at_a_time)
    assert level_of(counts_of(0.2, 0.4), ERRORS) == pytest.approx(0.95 ** (1 / 2), abs=0.004)


def test_it_lies_between_the_policys_level_and_that_of_bonferroni():
    for rules, most in (((ERRORS,), 0.95), ((ERRORS, ERRORS), 0.975)):
        assert 0.95 - 1e-12 <= level_of(counts_of(0.3), *rules) <= most + 1e-12


def test_what_two_groups_share_is_taken_off_the_error_of_their_difference():
    # All groups show the same people; b and c are wrong on 40 more each, and on others.
    people, images = 400, 10
    cells = np.zeros((3, people, 2, 2), dtype=np.int64)
    for group, more in enumerate((-1, 1, 2)):
        for person in range(people):
            cells[group, person, 0, int(person % 3 == 0 or person % 10 == more)] = images
    levels = {"g": ("a", "b", "c"), "person": tuple(f"p{i}" for i in range(people))}
    level = level_of(GroupCounts(levels, CLASSES, cells), GAP, cluster="person")
    assert level == pytest.approx(level_of_two(0.0), abs=0.004)
