"""Pass, fail or inconclusive, with the reason in words."""

import pandas as pd
import pytest

from pytest_fairness import judge

# Light: 90 of 100 right. Dark: 60 of 100. Medium: nobody.
FRAME = pd.DataFrame({"tone": ["light"] * 100 + ["dark"] * 100, "target": "no"})
FRAME["prediction"] = ["no"] * 90 + ["yes"] * 10 + ["no"] * 60 + ["yes"] * 40


def judged(decide: str = "interval", tones=("light", "dark"), **rule):
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn", "decide": decide, "correction": "none"},
        "evaluation": {"faces": {"classes": ["no", "yes"], "attributes": {"tone": list(tones)}}},
        "rule": [{"metric": "accuracy", "by": ["tone"]} | rule],
    }
    return judge(policy, FRAME).verdicts


GAP = {"metric": "accuracy_difference", "reference": "all"}
THREE = ("light", "medium", "dark")


@pytest.mark.parametrize(
    ("decide", "limit", "outcome", "reason"),
    [
        ("interval", {"min": 0.5}, "pass", "the whole interval keeps the limit"),
        ("interval", {"min": 0.85}, "inconclusive", "the interval reaches over the limit"),
        ("interval", {"min": 0.99}, "fail", "the whole interval breaks the limit"),
        ("estimate", {"min": 0.85}, "pass", "the estimate keeps the limit"),
        ("estimate", {"min": 0.91}, "fail", "the estimate breaks the limit"),
    ],
)
def test_the_interval_decides_or_on_request_the_estimate(decide, limit, outcome, reason):
    verdict = judged(decide, **limit)[0]
    assert (verdict.outcome, verdict.reason) == (outcome, reason)
    assert verdict.decide == decide


@pytest.mark.parametrize("decide", ["interval", "estimate"])
def test_what_is_known_of_some_groups_only_may_fail_but_not_pass(decide):
    (kept,) = judged(decide, THREE, **GAP, max=0.9)
    assert (kept.outcome, kept.reason) == ("inconclusive", "incomplete: no samples in tone medium")
    (broken,) = judged(decide, THREE, **GAP, max=0.01)
    assert broken.outcome == "fail"


def test_only_an_inconclusive_verdict_names_what_would_be_enough():
    for limit, given in (({"min": 0.5}, False), ({"min": 0.85}, True), ({"min": 0.99}, False)):
        verdict = judged(**limit)[0]
        assert (verdict.n_to_settle is not None) is given


def test_a_verdict_is_within_noise_unless_its_interval_lies_on_one_side():
    sides = [judged("estimate", min=limit)[0].within_noise for limit in (0.5, 0.85, 0.91, 0.99)]
    assert sides == [False, True, True, False]


def test_a_broken_limit_carries_the_interval_that_confirmed_it_where_intervals_decide():
    confirmed = judged(min=0.99)[0].correction
    assert (confirmed.method, confirmed.level) == ("none", 0.95)
    assert judged(min=0.5)[0].correction is None
    assert judged("estimate", min=0.99)[0].correction is None
