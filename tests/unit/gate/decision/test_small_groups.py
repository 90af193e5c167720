"""A group that a rule calls too small is shown and not judged, on either side of a comparison."""

import pandas as pd
import pytest

from pytest_fairness import judge

DIFFERENCE = {"metric": "accuracy_difference", "by": ["tone"], "max": 0.3}
LEVELS = ["light", "dark"]


def judged(rule, *, light: int, dark: int, wrong: int = 0, **evaluation):
    """The verdict on dark, with light as the reference; some of dark are wrong."""
    frame = pd.DataFrame({"tone": ["light"] * light + ["dark"] * dark, "target": "no"})
    frame["prediction"] = ["no"] * (light + dark - wrong) + ["yes"] * wrong
    faces = {
        "classes": ["no", "yes"],
        "positive": "yes",
        "attributes": {"tone": LEVELS},
        "reference": {"tone": "light"},
    }
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {"faces": faces | evaluation},
        "rule": [rule],
    }
    (verdict,) = [v for v in judge(policy, frame).verdicts if v.group.get("tone", "dark") == "dark"]
    return verdict


@pytest.mark.parametrize(("light", "dark"), [(39, 200), (200, 39)], ids=["reference", "group"])
def test_either_group_of_a_pair_may_be_too_few_samples(light, dark):
    verdict = judged(DIFFERENCE | {"min_samples": 40}, light=light, dark=dark)
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == "n = 39 is below min_samples = 40"


def test_a_group_of_just_so_many_samples_is_judged():
    for rule in (DIFFERENCE, {"metric": "accuracy", "by": ["tone"], "min": 0.7}):
        assert judged(rule | {"min_samples": 40}, light=40, dark=40).outcome == "pass"
    failed = judged(DIFFERENCE | {"min_samples": 40}, light=40, dark=40, wrong=40)
    assert failed.outcome == "fail"


def test_the_scarcest_class_of_a_group_may_be_too_few_samples():
    frame = pd.DataFrame({"tone": "dark", "target": ["no"] * 100 + ["yes"] * 9})
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {"faces": {"classes": ["no", "yes"], "attributes": {"tone": ["dark"]}}},
        "rule": [{"metric": "worst_class_accuracy", "min": 0.5, "min_samples": 10}],
    }
    (verdict,) = judge(policy, frame.assign(prediction=frame["target"])).verdicts
    assert verdict.outcome == "inconclusive"
    assert verdict.reason == "n = 9 is below min_samples = 10"


@pytest.mark.parametrize(("light", "dark"), [(39, 161), (161, 39)], ids=["reference", "group"])
def test_either_group_of_a_pair_may_be_too_small_a_share(light, dark):
    verdict = judged(DIFFERENCE | {"min_share": 0.2}, light=light, dark=dark)
    assert verdict.outcome == "inconclusive"
    small = "light" if light < dark else "dark"
    assert verdict.reason == (
        f"excluded: tone {small} is 20 % of the samples, below min_share = 20 %"
    )


def test_a_group_of_just_such_a_share_is_judged():
    for light, dark in ((40, 160), (160, 40)):
        assert judged(DIFFERENCE | {"min_share": 0.2}, light=light, dark=dark).outcome == "pass"


def test_a_group_without_samples_is_undefined_and_not_too_small_a_share():
    verdict = judged(DIFFERENCE | {"min_share": 0.2}, light=50, dark=0)
    assert verdict.reason == "undefined: no samples in tone dark"


def test_a_group_that_is_too_small_a_share_names_no_number_that_would_settle_it():
    small = judged(DIFFERENCE | {"min_share": 0.2, "max": 0.1}, light=200, dark=20, wrong=2)
    enough = judged(DIFFERENCE | {"min_share": 0.05, "max": 0.1}, light=200, dark=20, wrong=1)
    assert small.n_to_settle is None
    assert enough.n_to_settle > 20
