"""`robust to k mislabelled images`: with any k of a group the verdict stands, with k + 1 it may fall."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.policy import load_policy
from pytest_fairness.report import describe
from pytest_fairness.statistics.counts import GroupCounts

TONES = ("light", "medium", "dark")
CLASSES = ("no", "yes")


def policy_of(rule, *, tones=TONES, reference="light", **decision):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "fail", "correction": "none"} | decision,
            "evaluation": {
                "faces": {
                    "positive": "yes",
                    "classes": list(CLASSES),
                    "attributes": {"tone": list(tones)},
                    "reference": {"tone": reference},
                }
            },
            "rule": [{"id": "rule"} | rule],
        }
    )


def counts_of(table) -> GroupCounts:
    """From (right, wrong) of each tone; all targets are `no`."""
    cells = np.array([[[right, wrong], [0, 0]] for right, wrong in table], dtype=np.int64)
    return GroupCounts({"tone": TONES[: len(table)]}, CLASSES, cells)


def judged(policy, table):
    evaluation = policy.evaluation_named(None)
    return judge_counts(policy, counts_of(table), evaluation=evaluation, model="m")


class Outcomes:
    """Outcomes of a policy, each table judged once."""

    def __init__(self, policy) -> None:
        self.policy = policy
        self.known: dict[tuple[tuple[int, ...], ...], dict[str, str]] = {}

    def of(self, table, question):
        key = tuple(map(tuple, table))
        if key not in self.known:
            self.known[key] = {v.question: v.outcome for v in judged(self.policy, table)}
        return self.known[key][question]


def wrong_targets(table, group: int, k: int):
    """The tables with k wrong targets in a group, all of right answers or all of wrong ones."""
    for change in (-k, k):
        changed = [list(row) for row in table]
        changed[group][0] += change
        changed[group][1] -= change
        if min(changed[group]) >= 0:
            yield changed


def wrong_groups(table, group: int, k: int):
    """The tables without k images of a group, all answered right or all wrong."""
    for column in (0, 1):
        changed = [list(row) for row in table]
        changed[group][column] -= k
        if changed[group][column] >= 0:
            yield changed


def concerned(verdict, size: int) -> range | list[int]:
    if verdict.comparison is not None:
        return range(size)
    groups = [verdict.group, verdict.reference]
    return [TONES.index(group["tone"]) for group in groups if group]


def check(policy, table) -> int:
    """Hold every verdict against judging changed tables; return how many were decided."""
    decided, outcomes = 0, Outcomes(policy)
    for verdict in judged(policy, table):
        if verdict.outcome == "inconclusive":
            assert verdict.robust_to is None
            continue
        decided += 1
        k, question = verdict.robust_to, verdict.question
        groups = concerned(verdict, len(table))

        def changes(k, groups=groups, question=question):
            tables = [t for g in groups for t in wrong_targets(table, g, k)]
            tables += [t for g in groups for t in wrong_groups(table, g, k)]
            return {outcomes.of(changed, question) for changed in tables}

        assert changes(k) <= {verdict.outcome}, (verdict.question, k)
        if k < min(sum(table[g]) for g in groups):
            assert changes(k + 1) - {verdict.outcome}, (verdict.question, k)
    return decided


FLOOR = {"metric": "accuracy", "min": 0.8}
GAP = {"metric": "accuracy_difference", "max": 0.1}
RATIO = {"metric": "accuracy_ratio", "between": [0.8, 1.25]}
WIDE = [(380, 20), (290, 110), (370, 30)]
NARROW = [(570, 30), (560, 40), (575, 25)]


@pytest.mark.parametrize("decide", ["interval", "estimate"])
@pytest.mark.parametrize(
    ("rule", "table"),
    [
        pytest.param(FLOOR, WIDE, id="floor"),
        pytest.param({"metric": "error_rate", "max": 0.2}, WIDE, id="ceiling"),
        pytest.param({"metric": "accuracy", "between": [0.7, 0.97]}, NARROW, id="between"),
        pytest.param(GAP, WIDE, id="wide gap"),
        pytest.param(GAP, NARROW, id="narrow gap"),
        pytest.param(RATIO, WIDE, id="far ratio"),
        pytest.param(RATIO, NARROW, id="near ratio"),
        pytest.param(GAP | {"reference": "all"}, WIDE, id="wide gap of all"),
        pytest.param(GAP | {"reference": "all"}, NARROW, id="narrow gap of all"),
        pytest.param(GAP | {"reference": "best"}, WIDE, id="far from the best"),
        pytest.param(GAP | {"reference": "best"}, NARROW, id="near the best"),
        pytest.param(RATIO | {"reference": "best"}, WIDE, id="ratio to the best"),
        pytest.param(
            {"metric": "accuracy_ratio", "min": 0.9, "reference": "all"}, WIDE, id="ratio of all"
        ),
        pytest.param(
            {"metric": "error_rate_difference", "max": 0.1, "reference": "best"},
            WIDE,
            id="lower is better",
        ),
    ],
)
def test_k_mislabelled_images_change_nothing_and_one_more_may(rule, table, decide):
    assert check(policy_of(rule | {"decide": decide}), table) > 0


@pytest.mark.parametrize(
    ("rule", "table"),
    [
        pytest.param(GAP, [(118, 2), (120, 0), (70, 30)], id="difference"),
        pytest.param(RATIO, [(118, 2), (120, 0), (60, 40)], id="ratio"),
        pytest.param(GAP | {"reference": "all"}, [(118, 2), (120, 0), (118, 2)], id="all"),
    ],
)
def test_it_is_exact_where_the_gate_decides_on_exact_intervals(rule, table):
    assert check(policy_of(rule), table) > 0


@settings(max_examples=20)
@given(
    table=st.lists(
        st.tuples(st.integers(0, 90), st.integers(0, 90)).filter(lambda row: sum(row) > 0),
        min_size=2,
        max_size=2,
    ),
    edge=st.floats(0.05, 0.6),
    ratio=st.booleans(),
)
def test_it_holds_for_any_two_groups(table, edge, ratio):
    rule = {"metric": "accuracy_difference", "max": edge}
    if ratio:
        rule = {"metric": "accuracy_ratio", "min": 1 - edge}
    check(policy_of(rule | {"decide": "estimate"}, tones=TONES[:2]), table)
    check(policy_of({"metric": "accuracy", "min": edge}, tones=TONES[:2]), table)


def test_with_too_few_images_left_the_question_is_not_judged():
    policy = policy_of(FLOOR | {"min_samples": 398})
    light = judged(policy, WIDE)[0]
    assert light.outcome == "pass"
    assert light.robust_to == 2


def test_many_questions_make_a_failure_less_robust():
    rule = {"metric": "accuracy", "min": 0.8}
    alone = judged(policy_of(rule, correction="none"), WIDE)[1]
    corrected = judged(policy_of(rule, correction="holm"), WIDE)[1]
    assert alone.outcome == corrected.outcome == "fail"
    assert corrected.robust_to < alone.robust_to


def test_clusters_make_a_verdict_less_robust():
    def pass_with(cluster):
        policy = load_policy(
            {
                "schema": 1,
                "decision": {"inconclusive": "fail"},
                "evaluation": {"faces": {"attributes": {"tone": ["light"]}, "cluster": cluster}},
                "rule": [FLOOR],
            }
        )
        right = np.array([10] * 70 + [0] * 2 + [8] * 8)
        cells = np.zeros((1, 80, 2, 2), dtype=np.int64)
        cells[0, :, 0, 0], cells[0, :, 0, 1] = right, 10 - right
        people = tuple(f"p{i}" for i in range(80))
        counts = GroupCounts({"tone": ("light",), "person": people}, CLASSES, cells)
        evaluation = policy.evaluation_named(None)
        (verdict,) = judge_counts(policy, counts, evaluation=evaluation, model="m")
        assert verdict.outcome == "pass"
        return verdict.robust_to

    assert 0 <= pass_with("person") < pass_with(None)


def test_the_message_says_how_robust_a_verdict_is():
    passed, failed, _ = judged(policy_of(FLOOR), WIDE)
    assert (
        f"; the verdict does not change if up to {passed.robust_to} labels are wrong;"
        in describe(passed)
    )
    assert (
        f"; the verdict does not change if up to {failed.robust_to} labels are wrong;"
        in describe(failed)
    )
    one = passed.model_copy(update={"robust_to": 1})
    assert "; the verdict does not change if 1 label is wrong;" in describe(one)


@pytest.mark.parametrize(
    "rule",
    [
        pytest.param({"metric": "macro_recall", "min": 0.1}, id="several rates"),
        pytest.param({"metric": "accuracy", "against": "baseline", "max_drop": 0.1}, id="baseline"),
    ],
)
def test_what_needs_more_than_a_rate_tells_no_number(rule):
    table = [(380, 20), (370, 30), (370, 30)]
    assert {verdict.robust_to for verdict in judged(policy_of(rule), table)} == {None}
