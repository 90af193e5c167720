"""What a policy asks is told by one function, in one order, for all that need it."""

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
from hypothesis import given, strategies as st

import pytest_fairness
from pytest_fairness.gate.questions import asked_of, questions, rules_by
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.groups import groups_of

SOURCE = Path(pytest_fairness.__file__).parent
FACES = {"attributes": {"sex": ["f", "m"], "age": ["old", "young"]}, "reference": {"age": "old"}}
POLICY = load_policy(
    {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": FACES, "plates": FACES},
        "rule": [
            {"id": "floor", "metric": "accuracy", "by": ["sex", "sex*age"], "min": 0.5},
            {
                "id": "gap",
                "metric": "accuracy_difference",
                "by": ["age"],
                "max": 0.1,
                "evaluations": ["plates"],
            },
        ],
    }
)


def test_the_questions_of_a_run_are_those_of_each_model_on_each_evaluation():
    alone = [
        question.key
        for model in ("one", "two")
        for evaluation in POLICY.evaluations.values()
        for question in asked_of(POLICY, evaluation, model=model)
    ]
    assert [question.key for question in questions(POLICY, ["one", "two"])] == alone
    assert len(alone) == 2 * (6 + 7)


NAME = st.one_of(
    st.text(alphabet="ab-_xv ~é", max_size=5),
    st.sampled_from(["20-29", "dark skin", "dark_skin", "a_x_b", "x", "v", "best", "all", ""]),
)


@given(*[st.tuples(NAME, NAME, NAME, NAME, NAME, NAME)] * 2)
def test_questions_of_other_names_have_other_keys(left, right):
    gap = next(q for q in questions(POLICY, ["one"]) if q.rule.id == "gap")

    def key(names):
        model, evaluation, by, level, reference, positive = names
        asked = replace(gap, model=model, evaluation=evaluation, by=(by,), group={by: level})
        return replace(asked, reference={by: reference}, positive=positive).key

    assert (key(left) == key(right)) == (left == right)


@given(*[st.tuples(NAME | st.sampled_from(["a:b", "a:one"]), NAME, NAME)] * 2)
def test_questions_of_other_rules_or_names_have_other_test_ids(left, right):
    gap = next(q for q in questions(POLICY, ["one"]) if q.rule.id == "gap")

    def test_id(names):
        rule, model, level = names
        rule = replace(gap.rule, id=rule)
        return replace(gap, rule=rule, model=model, group={"age": level}).test_id

    assert (test_id(left) == test_id(right)) == (left == right)


def test_a_test_id_is_a_promise():
    asked = next(q for q in questions(POLICY, ["one"]) if q.rule.id == "gap")
    assert asked.key == "gap[one-plates-age-young_v_old]"
    assert asked.test_id == "gap:one-plates-age-young_v_old"
    assert replace(asked, rule=replace(asked.rule, id="a gap")).test_id[:10] == "a_gap~587a"
    assert replace(asked, model="m-a").name == "m-a~4ae9fabe-plates-age-young_v_old"
    spaced = replace(asked, group={"age": "very young"}, reference={"age": "30-39"})
    assert spaced.name == "one-plates-age-very_young~ababe404_v_30-39"


def test_a_question_is_found_by_the_words_of_its_rule():
    asked = next(q for q in questions(POLICY, ["one"]) if q.rule.id == "gap")
    assert asked.words == {"gap", "accuracy_difference", "one", "plates", "age", "young", "old"}


def test_a_rule_is_asked_of_its_evaluations_only():
    asked = {
        name: [(rule.id, by) for rule, by in rules_by(POLICY, evaluation)]
        for name, evaluation in POLICY.evaluations.items()
    }
    floors = [("floor", ("sex",)), ("floor", ("sex", "age"))]
    assert asked == {"faces": floors, "plates": [*floors, ("gap", ("age",))]}


def test_levels_that_only_the_data_have_are_asked_too():
    levels = {"sex": ("f", "m", "(missing)"), "age": ("old", "young")}
    asked = asked_of(POLICY, POLICY.evaluations["faces"], model="one", levels=levels)
    declared = {q.key for q in asked_of(POLICY, POLICY.evaluations["faces"], model="one")}
    more = [dict(question.group) for question in asked if question.key not in declared]
    missing = {"sex": "(missing)"}
    assert more == [missing, {**missing, "age": "old"}, {**missing, "age": "young"}]


def test_questions_and_counts_name_groups_in_the_same_order():
    levels = {"sex": ("f", "m"), "age": ("old", "young")}
    counts = GroupCounts(levels, ("a", "b"), np.zeros((2, 2, 2, 2), dtype=np.int64))
    for by in ((), ("age",), ("sex", "age"), ("age", "sex")):
        assert counts.groups(by) == groups_of(levels, by)
    asked = [dict(q.group) for q in asked_of(POLICY, POLICY.evaluations["faces"], model="one")]
    assert asked == [*groups_of(levels, ("sex",)), *groups_of(levels, ("sex", "age"))]


def test_above_the_policy_one_module_crosses_rules_with_by():
    modules = {
        file.relative_to(SOURCE).as_posix()
        for file in SOURCE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8")))
        if isinstance(node, ast.For | ast.comprehension) and ast.unparse(node.iter) == "rule.by"
    }
    assert {name for name in modules if not name.startswith("policy/")} == {"gate/questions.py"}
