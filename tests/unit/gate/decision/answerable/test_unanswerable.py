"""Questions that no model can pass: against every answer that a model can give, and case by case."""

from itertools import product
from typing import Any

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.gate.decision.answerable.unanswerable import Impossible, impossible
from pytest_fairness.gate.decision.answering import answer_batch, batches_of
from pytest_fairness.gate.decision.verdict import outcome_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.names import METRICS

# Low, so that a handful of images can settle some of the questions.
LEVEL = 0.51
LIMITS: dict[str, list[dict[str, Any]]] = {
    "none": [{"min": 0.55}, {"max": 0.2}, {"between": [0.15, 0.9]}],
    "difference": [{"max": 0.62}, {"max": 0.3}],
    "ratio": [{"min": 0.4}, {"between": [0.2, 6.0]}],
}
ALONE = (
    *("accuracy", "selection_rate", "false_positive_rate", "precision"),
    *("f1", "balanced_accuracy", "macro_precision", "treatment_equality"),
)
COMPARED = (
    *("accuracy_difference", "false_positive_rate_difference", "precision_difference"),
    *("selection_rate_ratio", "equalized_odds_difference", "balanced_accuracy_difference"),
)
# Whether a model passes is not always known: precision has no value for a class that is never called.
NOT_KNOWN: tuple[str, ...] = ("macro_precision",)
# Group, true class and person of each image.
SETS = {
    "independent": [(0, 1, None), (0, 1, None), (0, 0, None), (1, 0, None), (1, 1, None)],
    "one class of a group is missing": [(0, 1, None), (0, 1, None), (1, 1, None), (1, 0, None)],
    "clusters": [(0, 1, 0), (0, 1, 0), (0, 0, 1), (1, 1, 2), (1, 0, 3), (1, 1, 3)],
    "one person": [(0, 1, 0), (0, 1, 0), (0, 0, 0), (1, 1, 1), (1, 0, 2)],
}


def policy_of(rules, *, cluster=False, decision=None, **evaluation):
    faces = {
        "attributes": {"tone": ["light", "dark"]},
        "positive": "yes",
        "classes": ["no", "yes"],
        "reference": {"tone": "light"},
        **({"cluster": "person"} if cluster else {}),
        **evaluation,
    }
    decided = {"inconclusive": "warn", **(decision or {})}
    return load_policy(
        {"schema": 1, "decision": decided, "evaluation": {"faces": faces}, "rule": rules}
    )


def rules_about(names, **keys):
    return [
        {"metric": name, "by": ["tone"], "id": f"{name} {i}", **keys, **limit}
        for name in names
        for i, limit in enumerate(LIMITS[METRICS[name].comparison])
    ]


def every_evidence(images, evaluation):
    """The evidence of each set of answers that a model of two classes can give."""
    group, target, person = (list(column) for column in zip(*images, strict=True))
    levels: dict[str, tuple[str, ...]] = {"tone": ("light", "dark")}
    index = [group, target]
    if evaluation.cluster is not None:
        levels["person"] = tuple(f"p{i}" for i in range(max(person) + 1))
        index = [group, person, target]
    shape = (*(len(names) for names in levels.values()), 2, 2)
    seen = set()
    for answers in product((0, 1), repeat=len(images)):
        cells = np.zeros(shape, dtype=np.int64)
        np.add.at(cells, (*index, list(answers)), 1)
        if (key := cells.tobytes()) not in seen:
            seen.add(key)
            yield Evidence(GroupCounts(levels, ("no", "yes"), cells), evaluation)


def check_every_model(images, rules):
    """Hold what is said to be impossible against the verdict on every model."""
    cluster = images[0][2] is not None
    policy = policy_of(rules, cluster=cluster, decision={"level": LEVEL, "correction": "none"})
    never: dict[str, Impossible] = {}
    passed, failed, every = set(), set(), set()
    for evidence in every_evidence(images, policy.evaluations["faces"]):
        for asked in batches_of(policy, evidence, "any"):
            for answer in answer_batch(asked, evidence, policy.decision):
                outcome, key = outcome_of(answer, None, family=0)[0], answer.question.key
                every.add(key)
                passed |= {key} if outcome == "pass" else set()
                failed |= {key} if outcome == "fail" else set()
    for asked in batches_of(policy, evidence, "any"):
        positions, levels = range(len(asked)), [LEVEL] * len(asked)
        found = impossible(asked, positions, evidence, policy.decision, to_fail=levels)
        never |= {asked[i].key: one for i, one in found.items()}
    assert passed.isdisjoint(never)
    assert {key for key in every - passed - set(never) if not key.startswith(NOT_KNOWN)} == set()
    assert {key for key, one in never.items() if one.can_fail} == failed & set(never)


@pytest.mark.parametrize("images", SETS.values(), ids=list(SETS))
def test_a_rate_is_unanswerable_just_where_no_answers_of_any_model_pass(images):
    clustered = images[0][2] is not None
    check_every_model(images, rules_about(ALONE[:4] if clustered else ALONE))


@pytest.mark.parametrize("reference", ["light", "best", "all"])
@pytest.mark.parametrize("images", [SETS[name] for name in list(SETS)[:2]], ids=list(SETS)[:2])
def test_a_comparison_is_unanswerable_just_where_no_answers_of_any_model_pass(images, reference):
    names = [name for name in COMPARED if reference != "best" or not name.startswith("equalized")]
    chosen = {} if reference == "light" else {"reference": reference}
    check_every_model(images, rules_about(names, **chosen))


@pytest.mark.parametrize(("people", "unanswerable"), [(35, True), (36, False)])
def test_no_bound_with_so_many_people_and_no_error_reaches_the_limit(people, unanswerable):
    """No valid bound exceeds a^(1/C): .025^(1/36) = .9026, .025^(1/35) = .8999."""
    frame = pd.DataFrame({"person": np.repeat([f"p{i}" for i in range(people)], 4)})
    frame = frame.assign(tone="light", target="yes", prediction="no")
    policy = policy_of([{"metric": "accuracy", "by": ["tone"], "min": 0.9}], cluster=True)
    light = judge(policy, frame).verdicts[0]
    assert (light.outcome, light.state == "unanswerable") == ("fail", False)
    half = frame.assign(prediction=np.where(np.arange(len(frame)) % 16, "yes", "no"))
    light = judge(policy, half).verdicts[0]
    assert light.outcome == "inconclusive"
    assert (light.unanswerable is not None) is unanswerable
    if unanswerable:
        assert light.unanswerable.model_dump() == {
            "reason": f"the best possible answers give an interval of {0.025 ** (1 / 35):.3f} … 1.000",
            "more": 1,
            "reference_more": None,
            "of": "person",
            "can_fail": True,
        }
        assert (light.state, light.n_to_settle, light.needed) == ("unanswerable", None, None)


def frame_of(n=30, **columns):
    return pd.DataFrame({"tone": ["light"] * n, "target": ["no"] * n, **columns})


@pytest.mark.parametrize(
    ("rule", "reason", "more"),
    [
        pytest.param(
            {"metric": "true_positive_rate", "min": 0.5},
            *("undefined: no positives in tone light", 6),
            id="a level without positives",
        ),
        pytest.param(
            {"metric": "accuracy", "min": 0.5, "min_samples": 50},
            *("n = 30 is below min_samples = 50", 20),
            id="below min_samples",
        ),
        pytest.param(
            {"metric": "accuracy", "min": 0.95},
            *("the best possible answers give an interval of 0.884 … 1.000", 43),
            id="too few",
        ),
    ],
)
def test_an_unanswerable_question_names_what_is_missing_and_how_many(rule, reason, more):
    policy = policy_of([rule | {"by": ["tone"]}])
    answers = frame_of(prediction=["no"] * 29 + ["yes"])
    light = judge(policy, answers).verdicts[0]
    assert (light.unanswerable.reason, light.unanswerable.more) == (reason, more)
    missing = {"no positives": ("target", "yes")}.get(reason[11:23], ("target", "no"))
    enough = pd.concat([answers.assign(prediction="no"), *[frame_of(1)] * more])
    enough[missing[0]] = ["no"] * 30 + [missing[1]] * more
    enough["prediction"] = enough["target"]
    assert judge(policy, enough).verdicts[0].outcome == "pass"


def test_a_group_below_min_share_needs_that_many_more_images():
    policy = policy_of([{"metric": "accuracy", "by": ["tone"], "min": 0.5, "min_share": 0.2}])
    frame = frame_of(100, prediction="no")
    frame.loc[:9, "tone"] = "dark"
    dark = judge(policy, frame).verdicts[1]
    assert dark.unanswerable.reason.startswith("excluded: tone dark is 10 % of the samples")
    # 23 of 113 are 20 %, 22 of 112 are not.
    assert (dark.unanswerable.more, dark.unanswerable.of) == (13, "samples")


def test_matched_images_are_unanswerable_where_not_even_equal_answers_pass():
    """Tango's bound of n pairs without a difference is z^2 / (n + z^2): .096 at 36 pairs, .105 at 33."""
    rules = [
        {"metric": name, "by": ["tone"], "max": 0.1}
        for name in ("counterfactual_accuracy_difference", "counterfactual_flip_rate")
    ]
    policy = policy_of(rules, counterfactual=["design"])
    states = {}
    for pairs in (10, 60):
        frame = pd.DataFrame({"design": [f"d{i}" for i in range(pairs)] * 2, "target": "no"})
        frame["tone"] = ["light"] * pairs + ["dark"] * pairs
        frame["prediction"] = ["no"] * (2 * pairs - 3) + ["yes"] * 3
        verdicts = judge(policy, frame).verdicts
        states[pairs] = [verdict.unanswerable is not None for verdict in verdicts]
        assert {verdict.outcome for verdict in verdicts} == {"inconclusive"}
    assert states == {10: [True, True], 60: [False, False]}


def test_a_drop_is_unanswerable_where_a_perfect_model_cannot_show_that_it_is_small():
    rules = [{"metric": "accuracy", "by": ["tone"], "against": "baseline", "max_drop": 0.02}]
    policy = policy_of(rules)
    before = frame_of(prediction="no", id=[str(i) for i in range(30)])
    after = before.assign(prediction=["yes"] + ["no"] * 29)
    never = judge(policy, after, baseline=before).verdicts[0]
    assert never.outcome == "inconclusive"
    assert never.unanswerable is not None
    worse = before.assign(prediction=["yes"] * 15 + ["no"] * 15)
    # A perfect model is better than this baseline by half: it passes.
    may = judge(
        policy, worse.assign(prediction=["no"] + ["yes"] * 15 + ["no"] * 14), baseline=worse
    )
    assert may.verdicts[0].outcome == "inconclusive"
    assert may.verdicts[0].unanswerable is None


def test_without_a_baseline_or_predictions_nothing_is_said_to_be_unanswerable():
    rules = [{"metric": "accuracy", "by": ["tone"], "against": "baseline", "max_drop": 0.02}]
    verdict = judge(policy_of(rules), frame_of(prediction="no")).verdicts[0]
    assert (verdict.outcome, verdict.unanswerable) == ("inconclusive", None)


def test_what_is_measured_of_images_is_unanswerable_without_images_only():
    rule = {"metric": "mean", "column": "iou", "bounds": [0, 1], "by": ["tone"], "min": 0.9}
    policy = policy_of([rule])
    light, dark = judge(policy, frame_of(5, prediction="no", iou=[0.8] * 5)).verdicts
    assert (light.outcome, light.unanswerable) == ("inconclusive", None)
    assert dark.unanswerable is not None
