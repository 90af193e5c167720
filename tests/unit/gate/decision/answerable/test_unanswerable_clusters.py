"""Clustered questions that no model can pass, against every answer that a model can give."""

from itertools import product
from typing import Any, NamedTuple

import numpy as np
import pytest

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.gate.decision.answerable.unanswerable import impossible
from pytest_fairness.gate.decision.answering import batches_of
from pytest_fairness.gate.evidence import Evidence
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.at_looks import at_looks
from pytest_fairness.statistics.estimators.measure import measure
from tests.unit.gate.decision.answerable.test_unanswerable import policy_of

LEVEL = 0.9
# Group, true class and person of each image.
SETS = {
    "matched": [
        (0, 1, 0),
        (1, 1, 0),
        (0, 1, 1),
        (1, 1, 1),
        (0, 1, 2),
        (1, 1, 2),
        (0, 1, 3),
        (1, 1, 3),
    ],
    "matched, unequal": [
        (0, 1, 0),
        (0, 1, 0),
        (1, 1, 0),
        (0, 1, 1),
        (1, 1, 1),
        (1, 1, 1),
        (1, 1, 2),
    ],
    "nested": [(0, 1, 0), (0, 0, 0), (1, 1, 0), (0, 1, 1), (1, 0, 2), (1, 1, 2), (0, 0, 3)],
    "apart": [
        (0, 1, 0),
        (0, 1, 0),
        (0, 1, 1),
        (0, 1, 1),
        (1, 1, 2),
        (1, 1, 2),
        (1, 1, 3),
        (1, 1, 3),
    ],
    "apart, unequal": [(0, 1, 0), (0, 1, 0), (0, 0, 0), (0, 1, 1), (1, 1, 2), (1, 0, 3), (1, 1, 3)],
    "one person beside others": [(0, 1, 0), (0, 1, 0), (0, 1, 0), (1, 1, 1), (1, 1, 2), (1, 1, 3)],
}
# How far a limit is from the narrowest interval: inside or outside by this.
BESIDE = (-0.2, -0.03, -0.002, 0.002, 0.03)


class Ends(NamedTuple):
    """Ends of the intervals of all answers, (A,) each."""

    low: np.ndarray
    high: np.ndarray

    def within(self, low: float, high: float) -> bool:
        return bool(((self.low >= low - 1e-9) & (self.high <= high + 1e-9)).any())


def every_answer(images):
    """Counts (A, 2 groups, people, 2, 2) of all that a model of two classes can answer."""
    group, target, person = map(np.array, zip(*images, strict=True))
    found = {}
    for answers in product((0, 1), repeat=len(images)):
        cells = np.zeros((2, person.max() + 1, 2, 2), dtype=np.int64)
        np.add.at(cells, (group, person, target, np.array(answers)), 1)
        found[cells.tobytes()] = cells
    return np.stack(list(found.values()))


def intervals(name, cells, *, looks=1):
    """The interval of dark, or of dark beside light, for all answers."""
    metric, size = metric_named(name), len(cells)
    clustered = cells.transpose(1, 0, 2, 3, 4).reshape(2 * size, *cells.shape[2:])
    measured = measure(metric.measure, clustered.sum(axis=1), positive=1, clustered=clustered)
    measured = at_looks(measured, looks, whole=metric.allowed_range)
    light, dark = np.arange(size), np.arange(size) + size
    if metric.comparison == "none":
        return Ends(*measured.alone(LEVEL, groups=dark))
    value = measured.compare(dark, light, kind=metric.comparison)
    low, high = measured.pairs(dark, light, kind=metric.comparison, confidence=LEVEL)
    return Ends(np.where(np.isnan(value), np.nan, low), high)


def claimed(images, cells, rules, *, looks=1):
    """Ids of the rules about dark that are said to be unanswerable."""
    decision = {"level": LEVEL, "correction": "none", "looks": looks}
    rules = [{"by": ["tone"], **rule} for rule in rules]
    policy = policy_of(rules, cluster=True, decision=decision)
    people = tuple(f"p{i}" for i in range(cells.shape[2]))
    counts = GroupCounts({"tone": ("light", "dark"), "person": people}, ("no", "yes"), cells[0])
    evidence = Evidence(counts, policy.evaluations["faces"])
    never = set()
    for asked in batches_of(policy, evidence, "any"):
        dark = [i for i, one in enumerate(asked) if one.group.get("tone") != "light"]
        found = impossible(asked, dark, evidence, policy.decision, to_fail=[LEVEL] * len(asked))
        never |= {asked[i].rule.id for i in found}
    return never


def check(images, name, *, looks=1, reference=""):
    """Hold what is claimed of limits beside the narrowest interval against all answers.

    Return how many limits are called unanswerable, and how many truly are.
    """
    cells = every_answer(images)
    ends = intervals(name, cells, looks=looks)
    if np.isnan(ends.low).all():
        return 0, 0
    kind = metric_named(name).comparison
    with np.errstate(divide="ignore"):
        reach = {
            "none": -ends.low,
            "difference": np.maximum(-ends.low, ends.high),
            "ratio": np.maximum(1 - ends.low, 1 - 1 / ends.high),
        }[kind]
    narrowest = np.nanmin(reach)
    rules, truth = [], {}
    chosen = {"metric": name} | ({"reference": reference} if reference else {})
    for beside in BESIDE:
        most = float(narrowest + beside)
        if not (-1 < most < 0 if kind == "none" else 0 < most < 1):
            continue
        limits: dict[str, tuple[dict[str, Any], float, float]] = {
            "none": ({"min": -most}, -most, np.inf),
            "difference": ({"max": most}, -most, most),
            "ratio": ({"between": [1 - most, 1 / (1 - most)]}, 1 - most, 1 / (1 - most)),
        }
        limit, low, high = limits[kind]
        key = f"limit {beside}"
        rules.append({**chosen, "id": key, **limit})
        truth[key] = ends.within(low, high)
    never = claimed(images, cells, rules, looks=looks)
    wrong = [key for key in never if truth[key]]
    assert wrong == []
    return len(never), sum(not passes for passes in truth.values())


@pytest.mark.parametrize("name", ["accuracy_difference", "selection_rate_ratio"])
@pytest.mark.parametrize("images", SETS.values(), ids=list(SETS))
def test_no_answers_pass_a_clustered_comparison_that_is_called_unanswerable(images, name):
    claims, truly = check(images, name)
    assert claims >= truly / 3


@pytest.mark.parametrize(
    "name", ["equalized_odds_difference", "balanced_accuracy_difference", "precision_difference"]
)
@pytest.mark.parametrize(
    "images", [SETS["nested"], SETS["apart, unequal"]], ids=["nested", "apart"]
)
def test_no_answers_pass_other_comparisons_that_are_called_unanswerable(images, name):
    check(images, name)


@pytest.mark.parametrize("name", ["accuracy", "precision", "f1", "worst_class_accuracy"])
@pytest.mark.parametrize(
    "images", [SETS["nested"], SETS["apart, unequal"]], ids=["nested", "apart"]
)
def test_no_answers_pass_a_clustered_rate_that_is_called_unanswerable(images, name):
    claims, truly = check(images, name)
    assert claims == truly or name != "accuracy"


@pytest.mark.parametrize("looks", [3, "any"])
def test_the_level_of_a_look_decides_what_is_unanswerable(looks):
    check(SETS["matched"], "accuracy_difference", looks=looks)
    check(SETS["apart"], "accuracy_difference", looks=looks)


def test_the_largest_gap_is_unanswerable_where_a_pair_is():
    claims, truly = check(SETS["matched"], "accuracy_difference", reference="all")
    assert claims == truly > 0


def test_answers_that_are_half_right_can_be_surer_than_none_and_are_thought_of():
    """Each person is right in 5 of 10 images: narrower than a model without errors, which does not pass."""
    people = np.arange(12)
    sizes = np.full(12, 10)
    right = np.stack([np.stack([part, sizes - part], axis=-1) for part in (sizes, sizes // 2)])
    cells = np.zeros((2, 2, 24, 2, 2), dtype=np.int64)
    for model, answers in enumerate(right):
        cells[model, 0, people, 1, 1], cells[model, 0, people, 1, 0] = answers.T
        cells[model, 1, people + 12, 1, 1], cells[model, 1, people + 12, 1, 0] = answers.T
    _, high = intervals("accuracy_difference", cells)
    assert high[0] > 0.15 > high[1]
    limit = {"metric": "accuracy_difference", "id": "gap", "max": 0.15}
    assert claimed([], cells, [limit]) == set()
    assert claimed([], cells, [limit | {"max": 0.05}]) == {"gap"}


def test_what_the_value_alone_decides_is_unanswerable_for_want_of_images_only():
    """One of three images right is within the limit, although no extreme model is."""
    cells = every_answer([(0, 1, 0), (0, 1, 1), (0, 1, 2), (1, 1, 3), (1, 1, 4), (1, 1, 5)])
    rule = {"metric": "accuracy", "id": "range", "between": [0.3, 0.4], "decide": "estimate"}
    assert claimed([], cells, [rule]) == set()
    assert claimed([], cells, [rule | {"min_samples": 9}]) == {"range"}
