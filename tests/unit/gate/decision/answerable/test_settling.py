"""What would be enough: the chance that a set of that size decides, and what is counted."""

import numpy as np
import pandas as pd
import pytest

from benchmarks.settling import Case, cases, forecast, share_decided
from pytest_fairness import judge, load_policy
from pytest_fairness.report import describe
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.power.forecast import chance_settled
from pytest_fairness.statistics.power.margins import Margins

CASES = {case.name: case for case in cases(np.random.default_rng(1))}


@pytest.mark.parametrize(
    "words",
    ["accuracy 0.950", "accuracy difference 0.750 vs", "accuracy ratio 0.500", "min 0.75"],
    ids=["rate", "difference", "ratio", "people"],
)
def test_a_set_of_the_size_that_is_told_decides_in_four_of_five_cases(words):
    case: Case = next(case for name, case in CASES.items() if words in name)
    told = forecast(case)
    assert told is not None
    rng = np.random.default_rng(5)
    share = share_decided(case, told.n, told, runs=400, rng=rng)
    assert 0.75 <= share <= 0.88
    # The interval around the same rates just reaches the limit: that is half of a promise.
    assert share_decided(case, told.plain, told, runs=400, rng=rng) < 0.65


def test_the_chance_is_that_of_both_ends():
    """By hand: rooms of 0.05 and widths of 0.03, 1.96 * (5/3 - 1) = 1.307: 0.904; both ends, 0.809."""
    ends = Interval(np.array([-0.03]), np.array([0.03]))
    known = {"confidence": 0.95, "settled": "kept"}
    one = chance_settled(0.0, ends, margins=Margins(-0.05, np.inf), **known)
    both = chance_settled(0.0, ends, margins=Margins(-0.05, 0.05), **known)
    assert (one.round(3).tolist(), both.round(3).tolist()) == ([0.904], [0.809])


def test_the_whole_range_settles_nothing_and_a_value_on_its_limit_by_chance_only():
    whole, margins = Interval(np.array([0.0]), np.array([1.0])), Margins(0.5, np.inf)
    ends = Interval(np.array([0.4]), np.array([0.6]))
    for value, interval, level in ((0.5, ends, 0.95), (0.8, whole, 1.0)):
        for settled, error in (("kept", 0.025), ("broken", 0.0)):
            chance = chance_settled(
                value, interval, margins=margins, confidence=level, settled=settled
            )
            assert chance.tolist() == pytest.approx([0.0 if level == 1 else error])


def policy_of(rule, **evaluation):
    faces = {
        "attributes": {"tone": ["light", "dark"]},
        "classes": ["no", "yes"],
        "positive": "yes",
        "reference": {"tone": "light"},
        **evaluation,
    }
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn"},
            "evaluation": {"faces": faces},
            "rule": [{"by": ["tone"], **rule}],
        }
    )


def people(tone, number, images, wrong):
    frame = pd.DataFrame({"tone": tone, "person": np.arange(number * images) // images})
    frame = frame.assign(person=tone + frame["person"].astype(str), target="no")
    return frame.assign(prediction=["yes"] * wrong + ["no"] * (number * images - wrong))


def test_people_are_counted_where_images_are_clustered():
    frame = people("light", 40, 3, 12)
    policy = policy_of({"metric": "accuracy", "min": 0.8}, cluster="person")
    verdict = judge(policy, frame).verdicts[0]
    needed = verdict.needed
    assert (needed.of, needed.chance, needed.reference_more) == ("person", 0.8, None)
    assert needed.more == pytest.approx((verdict.n_to_settle - 120) / 3, abs=1)


def test_only_people_who_have_what_is_counted_are_counted():
    """Half of the people have positives only: they say nothing about the false positive rate."""
    frame = people("light", 40, 3, 12)
    more = people("light", 40, 3, 0).assign(target="yes", prediction="yes")
    more["person"] = "other" + more["person"]
    rule = {"metric": "false_positive_rate", "max": 0.2}
    policy = policy_of(rule, cluster="person")
    alone, both = (judge(policy, part).verdicts[0] for part in (frame, pd.concat([frame, more])))
    assert alone.needed == both.needed
    assert both.n == 120


def test_each_group_is_told_what_it_lacks_itself():
    frame = pd.concat([people("light", 300, 1, 30), people("dark", 50, 1, 6)])
    policy = policy_of({"metric": "accuracy_difference", "max": 0.1})
    verdict = judge(policy, frame).verdicts[0]
    assert verdict.needed.of == "samples"
    assert verdict.needed.more == verdict.n_to_settle - 50
    assert verdict.needed.reference_more == max(verdict.n_to_settle - 300, 0)


def test_no_number_is_told_where_one_person_has_most_images():
    """More people who are like those seen would bring more of that size: the number would not hold."""
    frame = people("light", 40, 1, 6)
    giant = frame.iloc[:1].loc[lambda rows: rows.index.repeat(12)].assign(person="giant")
    giant["prediction"] = ["yes"] * 2 + ["no"] * 10
    policy = policy_of({"metric": "accuracy", "min": 0.6}, cluster="person")
    verdict = judge(policy, pd.concat([frame, giant])).verdicts[0]
    assert (verdict.state, verdict.n_to_settle) == ("inconclusive", None)
    assert verdict.largest_cluster == pytest.approx(12 / 52)
    assert verdict.needed.model_dump() == {
        "more": None,
        "reference_more": None,
        "of": "person",
        "chance": 0.8,
    }
    told = describe(verdict)
    assert "; more people are needed, and no more images of the largest one; rule" in told
    assert "would be enough" not in told


def test_no_number_of_people_is_told_for_a_pass_where_one_of_several_has_most_images():
    """A pass at 0.9 needs 36 people: four are missing, of whom none may be that large."""
    frame = people("light", 32, 1, 0)
    giant = frame.iloc[:1].loc[lambda rows: rows.index.repeat(9)].assign(person="giant")
    policy = policy_of({"metric": "accuracy", "min": 0.9}, cluster="person")
    wrong = pd.concat([frame, giant]).assign(prediction=["yes"] * 9 + ["no"] * 32)
    verdict = judge(policy, wrong).verdicts[0]
    assert verdict.state == "unanswerable"
    assert (verdict.unanswerable.more, verdict.unanswerable.reference_more) == (None, None)
    assert verdict.unanswerable.reason == (
        "one person holds 22 % of the samples: more people are needed, and no more images of the largest one"
    )
    one = people("light", 1, 9, 3)
    alone = judge(policy, one).verdicts[0]
    assert alone.unanswerable.more == 35
