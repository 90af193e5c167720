"""An estimate is built from values that travel whole, and a verdict holds all of them."""

import math

import pytest

from pytest_fairness.gate.estimates.estimate import Counted, Details, Estimate
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import ObservedRecord, PartRecord
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import load_policy

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "fail"},
    "evaluation": {"faces": {"manifest": "faces.csv", "attributes": {"tone": ["light", "dark"]}}},
    "rule": [{"metric": "accuracy", "by": ["tone"], "min": 0.8}],
}
LIGHT, DARK = {"tone": "light"}, {"tone": "dark"}
PART = PartRecord(name="TPR", successes=1, n=2, reference_successes=3, reference_n=4)


def half_width(confidence, size):
    return 0.5 - confidence / 10, 0.5 + confidence / 10


def estimate(value, bounds=half_width, **others):
    return Estimate.at(
        0.9,
        bounds,
        value,
        group=DARK,
        reference=LIGHT,
        counted=Counted(5, 10),
        reference_counted=Counted(7, 20),
        **others,
    )


@pytest.mark.parametrize("value", [None, math.nan])
def test_no_interval_is_asked_for_where_there_is_no_value(value):
    def never(confidence, size):
        raise AssertionError

    undefined = estimate(value, never)
    assert (undefined.value, undefined.low, undefined.high) == (None, None, None)


def test_the_interval_is_that_of_the_asked_confidence_and_an_end_that_is_nan_is_none():
    assert (estimate(0.5).low, estimate(0.5).high) == pytest.approx((0.41, 0.59))
    infinite = estimate(math.inf, lambda _confidence, _size: (math.nan, math.inf))
    assert (infinite.value, infinite.low, infinite.high) == (math.inf, None, math.inf)


def test_effective_n_is_n_unless_clusters_say_otherwise():
    assert estimate(0.5).effective_n == 10
    assert estimate(0.5, effective_n=4.5).effective_n == 4.5


def test_what_is_recorded_of_an_estimate_is_the_counts_of_each_group_under_its_own_name():
    recorded = estimate(0.5, details=Details(parts=(PART,))).as_recorded()
    counts = {"successes": 5, "n": 10, "reference_successes": 7, "reference_n": 20}
    assert recorded.items() >= counts.items()
    assert recorded["parts"] == (PART,)
    assert recorded.keys() < Verdict.model_fields.keys()
    alone = Estimate.at(0.9, half_width, 0.5, group=DARK, reference=None, counted=Counted(5, 10))
    assert alone.as_recorded().items() >= {"reference_successes": None, "reference_n": None}.items()
    assert (alone.sizes, estimate(0.5).sizes) == ((10,), (10, 20))


def test_every_detail_of_an_estimate_is_recorded_under_its_own_name():
    observed = ObservedRecord(of="mouth", facts={"chance": 0.5})
    for details in (Details(parts=(PART,)), Details(observed=observed)):
        recorded = estimate(0.5, details=details).as_recorded()
        assert {name: recorded[name] for name in Details._fields} == details._asdict()


@pytest.mark.parametrize(
    ("reference", "counted"), [(LIGHT, Counted(0, 0)), ("best", None), ("all", None), (None, None)]
)
def test_a_question_that_cannot_be_asked_has_no_value_and_counts_nothing(reference, counted):
    (rule,) = load_policy(POLICY).rules
    question = Question(rule, "net", "faces", ("tone",), DARK, reference)
    undefined = Estimate.undefined(question, "no baseline")
    assert (undefined.value, undefined.reason, undefined.unasked) == (None, "no baseline", True)
    assert (undefined.counted, undefined.reference_counted) == (Counted(0, 0), counted)
    assert undefined.reference == (reference if isinstance(reference, dict) else None)
    assert undefined.bounds(0.95, 0.0) == (-math.inf, math.inf)
