"""Verdicts that may be looked at again: every interval of the gate pays for the looks."""

from functools import cache
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import load_policy, read_predictions
from pytest_fairness.doors.metrics import built_in_metric_names, metric_named
from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.evidence import gather_evidence
from pytest_fairness.gate.questions import questions
from pytest_fairness.gate.run import count_predictions
from pytest_fairness.inference.observed import Observed, observation, with_observed
from pytest_fairness.statistics.intervals.chosen import rate_interval
from pytest_fairness.statistics.looks import look_level
from pytest_fairness.statistics.metrics.definitions import Rate

SIZES = {"light": 200, "medium": 90, "dark": 60}
N = sum(SIZES.values())
LOOKS = 4


@cache
def frame_of(seed: int, wrong: float, prefix: str) -> pd.DataFrame:
    """Samples whose model errs more often the darker they are."""
    rng = np.random.default_rng(seed)
    tone = np.repeat(list(SIZES), list(SIZES.values()))
    design = np.concatenate([np.arange(n) for n in SIZES.values()])
    target = np.where(design % 5 < 2, "b", "a")
    errs = rng.random(N) < wrong * (1 + 0.4 * (tone == "dark"))
    return pd.DataFrame(
        {
            "id": [f"{prefix}{i}" for i in range(N)],
            "tone": tone,
            "design": design.astype(str),
            "person": (design // 3).astype(str),
            "target": target,
            "prediction": np.where(errs, np.where(target == "a", "b", "a"), target),
            "iou": np.clip(rng.normal(0.7, 0.1, N), 0, 1),
            "labels": np.where(rng.random(N) < 0.5, "x|y", "x"),
            "predicted_labels": np.where(rng.random(N) < 0.7, "x", "x|y"),
        }
    )


def limit_of(name: str) -> dict[str, Any]:
    metric = metric_named(name)
    if metric.comparison == "ratio":
        return {"min": 0.8}
    return {"max": 0.12 if metric.comparison == "difference" else 0.6}


def rules_of(name: str) -> list[dict[str, Any]]:
    """The metric with each reference that it allows, and against the baseline where it can be."""
    metric = metric_named(name)
    rule: dict[str, Any] = {"metric": name, **limit_of(name)}
    if metric.observed is not None and metric.observed.column is not None:
        rule |= {"column": "iou", "bounds": [0.0, 1.0]}
    elif metric.observed is not None and metric.observed.of is not None:
        rule |= {"of": ["last" if metric.observed.shape != "by group" else "some"]}
    rules = [rule]
    if metric.comparison != "none" and not metric.matched:
        rules.append(rule | {"reference": "all"})
        if metric.measure.higher_is_better is not None:
            rules.append(rule | {"reference": "best"})
    key = {"none": "max_drop", "difference": "max_widening"}.get(metric.comparison)
    if key and isinstance(metric.measure, Rate) and not metric.matched:
        rules.append({"metric": name, "against": "baseline", key: 0.05})
    return [one | {"id": f"{name} {i}"} for i, one in enumerate(rules)]


def policy_of(rules: list[dict[str, Any]], cluster: str | None = None, **decision: Any):
    evaluation = {
        "classes": ["a", "b"],
        "positive": "b",
        "attributes": {"tone": list(SIZES)},
        "reference": {"tone": "light"},
        "counterfactual": ["design"],
        "labels": "labels",
    }
    if cluster is not None:
        evaluation["cluster"] = cluster
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", **decision},
            "evaluation": {"faces": evaluation},
            "rule": rules,
        }
    )


def observed_of(policy) -> Observed:
    """What the analyses of a policy would have observed: a number a sample, or facts of a pair."""
    rng = np.random.default_rng(3)
    columns, facts = {}, {}
    for question in questions(policy, ["net"]):
        metric = question.rule.metric.observed
        if metric is None or metric.from_predictions:
            continue
        by = question.by if metric.shape != "by group" else ()
        pair: tuple[str, ...] = ()
        if metric.shape == "pairs":
            pair = tuple("*".join(one.values()) for one in (question.group, question.reference))
        name = observation(metric.name, question.of, by=by, pair=pair)
        share = rng.random(N)
        columns[name] = np.where(share < 0.6, 1.0, 0.0) if metric.binary else 0.3 + 0.2 * share
        n = min(SIZES[question.group["tone"]], SIZES["light"]) if question.group else N
        error = {"value": 0.4, "error": 0.05, "freedom": 20.0, "n": n, "reference_n": 200}
        facts[name] = {"null": 0.4, **error}
    return Observed(columns, facts)


def evidence_of(policy, *, paired: bool = True):
    evaluation = policy.evaluations["faces"]
    now, then = (
        read_predictions(frame_of(*made), evaluation, model="net")
        for made in ((1, 0.2, ""), (2, 0.15, "" if paired else "other "))
    )
    now = with_observed(now, observed_of(policy))
    counts = count_predictions(now, evaluation)
    return gather_evidence(now, counts, evaluation, baseline=then)


def estimates_of(policy, evidence):
    """The estimates of a policy, as it decides on them."""
    return [
        answer.estimate
        for asked in batches_of(policy, evidence, "net")
        for answer in answer_batch(asked, evidence, policy.decision)
    ]


CLUSTERED = (
    "accuracy_difference",
    "counterfactual_flip_rate",
    "equalized_odds_difference",
    "f1",
    "mean_difference",
    "perturbation_flip_rate",
    "treatment_equality",
)


@pytest.mark.parametrize(
    ("name", "cluster"),
    [(name, None) for name in built_in_metric_names()] + [(name, "person") for name in CLUSTERED],
)
def test_k_looks_at_a_level_are_one_look_at_a_level_whose_error_is_a_kth(name, cluster):
    """For every metric, comparison, reference, matched images and the baseline: none escapes."""
    looked, deeper = (
        policy_of(rules_of(name), cluster, **decision)
        for decision in ({"looks": LOOKS, "level": 0.9}, {"level": 1 - 0.1 / LOOKS})
    )
    evidence = evidence_of(looked)
    for one, other in zip(
        estimates_of(looked, evidence), estimates_of(deeper, evidence), strict=True
    ):
        assert one.low is not None
        assert (one.low, one.high) == pytest.approx((other.low, other.high), abs=1e-9)
        # The levels of a correction, and sizes that would be enough.
        assert one.bounds(0.99, 0) == pytest.approx(other.bounds(1 - 0.01 / LOOKS, 0), abs=1e-9)
        assert one.bounds(0.9, 500) == pytest.approx(other.bounds(1 - 0.1 / LOOKS, 500), abs=1e-9)


@pytest.mark.parametrize("name", [*CLUSTERED, "probe_accuracy", "topographic_similarity"])
def test_any_number_of_looks_makes_every_interval_wider(name):
    policy = policy_of(rules_of(name), looks="any")
    evidence = evidence_of(policy, paired=False)
    once = estimates_of(policy_of(rules_of(name)), evidence)
    for one, other in zip(estimates_of(policy, evidence), once, strict=True):
        least, most = other.bounds(1 - 1e-12, 0)  # as far as any interval reaches
        assert one.low < other.low or other.low == pytest.approx(least, abs=0.01)
        assert one.high > other.high or other.high == pytest.approx(most, abs=0.01)


SEVERAL = [
    {"metric": "accuracy", "min": 0.8},
    {"metric": "false_positive_rate_difference", "max": 0.02},
    {"metric": "accuracy_difference", "max": 0.2, "reference": "all"},
    {"id": "best", "metric": "accuracy_difference", "max": 0.15, "reference": "best"},
    {"metric": "error_rate", "max": 0.05},
]


def judged(cluster: str | None = None, **decision: Any):
    policy = policy_of(SEVERAL, cluster, **decision)
    evidence = evidence_of(policy)
    faces = evidence.evaluation
    return judge_counts(policy, evidence.counts, evaluation=faces, model="net", evidence=evidence)


def numbers_of(verdict) -> tuple[Any, ...]:
    """What a verdict says, but for its levels."""
    correction = verdict.correction
    ends = () if correction is None else (correction.low, correction.high)
    numbers = (verdict.low, verdict.high, *ends)
    outcome = verdict.question, verdict.outcome, verdict.n_to_settle, verdict.robust_to
    return (*outcome, *(pytest.approx(number, abs=1e-9) for number in numbers))


@pytest.mark.parametrize("cluster", [None, "person"])
def test_verdicts_with_their_corrections_sizes_and_wrong_labels_pay_for_k_looks(cluster):
    looked = judged(cluster, looks=LOOKS, level=0.9)
    deeper = judged(cluster, level=1 - 0.1 / LOOKS)
    assert [numbers_of(one) for one in looked] == [numbers_of(one) for one in deeper]
    assert {one.outcome for one in looked} == {"pass", "fail", "inconclusive"}
    assert [one.look_level for one in looked] == pytest.approx([1 - 0.1 / LOOKS] * len(looked))


@pytest.mark.parametrize("correction", ["holm", "max-t", "none"])
def test_a_correction_is_made_before_its_level_is_that_of_a_look(correction):
    once, looked = (judged(correction=correction, looks=looks) for looks in (1, "any"))
    corrected = [two for two in looked if two.correction]
    assert corrected
    if correction != "holm":  # its steps count the failures that are confirmed, which are fewer
        levels = {one.correction.level for one in once if one.correction}
        assert {two.correction.level for two in corrected} == levels
    for two in corrected:
        n = min(size for size in (two.n, two.reference_n) if size is not None)
        assert two.correction.look_level == look_level(two.correction.level, n, "any")
        assert two.look_level == look_level(0.95, n, "any")
    alone = next(two for two in corrected if two.reference is None)
    at_look = rate_interval(alone.successes, alone.n, confidence=alone.correction.look_level)
    assert (alone.correction.low, alone.correction.high) == (at_look.low, at_look.high)


def test_a_verdict_stands_with_as_many_wrong_labels_as_its_looked_interval_withstands():
    """One more wrong label than is told opens the question at the level of the look."""
    one = next(v for v in judged(looks="any") if v.rule == "error_rate" and v.outcome == "fail")
    level = one.correction.look_level

    def breaks(wrong: int) -> bool:
        return bool(rate_interval(one.successes - wrong, one.n, confidence=level).low > 0.05)

    assert breaks(one.robust_to)
    assert not breaks(one.robust_to + 1)
