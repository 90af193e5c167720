"""A rate by its own target or prediction that is over no samples is refused when it is loaded."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge
from pytest_fairness.doors.metrics import built_in_metric_names, metric_named
from pytest_fairness.errors import PolicyError
from pytest_fairness.policy import load_policy
from pytest_fairness.policy.rules import resolve

COUNTED = [
    name
    for name in built_in_metric_names()
    if metric_named(name).observed is None
    and not metric_named(name).matched
    and metric_named(name).comparison == "none"
]


def policy_by(attribute: str, metric: str, **rule):
    return {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {
            "faces": {
                "positive": "yes",
                "target": "label",
                "prediction": "answer",
                "classes": ["no", "yes"],
                "attributes": {attribute: ["no", "yes"], "sex": ["f", "m"]},
            }
        },
        "rule": [{"metric": metric, "by": [attribute], "between": [0.0, 1.0], **rule}],
    }


@pytest.fixture
def frame():
    rng = np.random.default_rng(1)
    columns = {"label": ["no", "yes"], "answer": ["no", "yes"], "sex": ["f", "m"]}
    return pd.DataFrame({name: rng.choice(levels, 200) for name, levels in columns.items()})


@pytest.mark.parametrize(
    ("attribute", "metric", "group", "lacking"),
    [
        ("label", "false_positive_rate", "yes", "negatives"),
        ("label", "true_positive_rate", "no", "positives"),
        ("answer", "precision", "no", "samples called positive"),
    ],
)
def test_a_rate_over_no_samples_is_refused(attribute, metric, group, lacking):
    with pytest.raises(
        PolicyError,
        match=rf"{metric!r} by {attribute!r}, the (target|prediction) itself, is undefined in the group "
        rf"{group!r}: it has no {lacking}; remove {attribute!r} from by",
    ):
        load_policy(policy_by(attribute, metric))


def test_crossed_and_compared_groups_are_refused_too():
    crossed = policy_by("label", "false_positive_rate", by=["label*sex"])
    compared = policy_by("label", "false_positive_rate_difference", between=[-1.0, 1.0])
    for policy in (crossed, compared):
        with pytest.raises(PolicyError, match="undefined in the group 'yes'"):
            load_policy(policy)


@pytest.mark.parametrize("attribute", ["label", "answer"])
@pytest.mark.parametrize("metric", COUNTED)
def test_exactly_what_no_data_can_answer_is_refused(monkeypatch, frame, attribute, metric):
    policy = policy_by(attribute, metric)
    if metric_named(metric).allowed_range[1] > 1:
        policy["rule"][0]["between"] = [0.0, 100.0]
    try:
        load_policy(policy)
        accepted = True
    except PolicyError as error:
        accepted = "is undefined in the group" not in str(error)
    monkeypatch.setattr(resolve, "check_defined", lambda *_, **__: None)
    try:
        with np.errstate(invalid="ignore"):  # odds without an error of one kind are infinite
            verdicts = judge(policy, frame).verdicts
    except PolicyError:
        return  # refused for another reason
    undefined = any(one.value is None for one in verdicts)
    assert accepted == (not undefined)
