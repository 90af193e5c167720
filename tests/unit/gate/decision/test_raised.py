"""What fails by a policy alone fails under every policy that extends it."""

from pathlib import Path

import pandas as pd
import pytest

from pytest_fairness import judge
from pytest_fairness.gate.audit.verify import verify

ORG = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
attributes = { sex = ["female", "male"] }
classes = ["a", "b"]

[[rule]]
id = "floor"
metric = "accuracy"
min = 0.7
min_samples = 20
"""
EXTENDS = 'schema = 1\nextends = "org.toml"\n'


def faces(*, right: dict[str, int], n: int = 40) -> pd.DataFrame:
    """`n` samples of each sex, so many of them right."""
    rows = [(sex, "a", "a" if i < right[sex] else "b") for sex in right for i in range(n)]
    return pd.DataFrame(rows, columns=["sex", "target", "prediction"])


@pytest.fixture
def judged(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def judge_team(text: str, frame: pd.DataFrame, org: str = ORG):
        Path("org.toml").write_text(org, encoding="utf-8")
        Path("team.toml").write_text(EXTENDS + text, encoding="utf-8")
        return judge("team.toml", frame)

    return judge_team


RAISED = {
    "min_samples": '[[rule]]\nid = "floor"\nmin_samples = 1000000',
    "min_share": '[[rule]]\nid = "floor"\nmin_share = 0.9',
    "level": "[decision]\nlevel = 0.9999999999",
    "more questions": "".join(
        f'[[rule]]\nid = "r{i}"\nmetric = "accuracy"\nmin = 0.0\n' for i in range(300)
    ),
    "more groups": '[evaluation.faces]\nattributes.sex = ["female", "male", '
    + ", ".join(f'"{i}"' for i in range(300))
    + "]",
}


@pytest.mark.parametrize("text", RAISED.values(), ids=RAISED)
def test_what_fails_by_the_parent_alone_fails(judged, text):
    female, male, *others = judged(text, faces(right={"female": 20, "male": 36})).verdicts
    assert female.outcome == "fail"
    assert female.reason == "fails by org.toml alone: the whole interval breaks the limit"
    assert female.high < 0.7
    assert (female.level, female.correction.questions) == (0.95, 2)
    assert male.outcome != "fail"
    assert all(one.outcome != "fail" for one in others)


def test_without_raising_it_is_what_the_inherited_policy_says(judged):
    record = judged("", faces(right={"female": 16, "male": 36}))
    assert [one.outcome for one in record.verdicts] == ["fail", "pass"]
    assert record.verdicts[0].reason == "the whole interval breaks the limit"


def test_a_failure_of_the_bare_estimate_outlives_a_change_to_intervals(judged):
    org = ORG.replace('inconclusive = "warn"', 'inconclusive = "warn"\ndecide = "estimate"')
    frame = faces(right={"female": 27, "male": 29})
    for text in ('[decision]\ndecide = "interval"', '[[rule]]\nid = "floor"\ndecide = "interval"'):
        female, male = judged(text, frame, org).verdicts
        assert (female.outcome, male.outcome) == ("fail", "inconclusive")
        assert female.reason == ("fails by org.toml alone: the estimate breaks the limit")
        assert female.within_noise


def test_a_rule_of_the_teams_own_keeps_the_teams_level(judged):
    text = (
        '[decision]\nlevel = 0.9999999999\n[[rule]]\nid = "own"\nmetric = "error_rate"\nmax = 0.3'
    )
    outcomes = {
        one.question: one.outcome
        for one in judged(text, faces(right={"female": 16, "male": 36})).verdicts
    }
    assert outcomes["floor[model-faces-sex-female]"] == "fail"
    assert outcomes["own[model-faces-sex-female]"] == "inconclusive"


def test_the_lowest_of_several_inherited_values_counts(judged):
    Path("middle.toml").write_text(
        f'{EXTENDS}[[rule]]\nid = "floor"\nmin_samples = 50', encoding="utf-8"
    )
    record = judged(
        '[[rule]]\nid = "floor"\nmin_samples = 60', faces(right={"female": 16, "male": 36})
    )
    Path("leaf.toml").write_text(
        'schema = 1\nextends = "middle.toml"\n[[rule]]\nid = "floor"\nmin_samples = 60',
        encoding="utf-8",
    )
    leaf = judge("leaf.toml", faces(right={"female": 16, "male": 36}))
    assert leaf.verdicts[0].outcome == record.verdicts[0].outcome == "fail"
    assert leaf.verdicts[0].reason.startswith("fails by org.toml alone")


def test_a_failure_is_told_too_where_open_questions_stop_the_release(judged):
    text = '[decision]\ninconclusive = "fail"\n[[rule]]\nid = "floor"\nmin_samples = 50'
    record = judged(text, faces(right={"female": 16, "male": 36}))
    assert [one.outcome for one in record.verdicts] == ["fail", "inconclusive"]
    assert not record.passed


def test_the_lines_of_a_parent_of_several_layers_are_those_of_its_files(judged):
    text = '[[rule]]\nid = "floor"\nmin_samples = 1000000'
    female = judged(text, faces(right={"female": 16, "male": 36})).verdicts[0]
    assert female.where == "org.toml:10"
    assert female.limit == 0.7


def test_a_question_that_the_child_replaced_is_judged_beside_its_own(judged):
    org = ORG.replace('metric = "accuracy"\nmin = 0.7', 'metric = "accuracy_difference"\nmax = 0.1')
    org = org.replace('["a", "b"]', '["a", "b"]\nreference = { sex = "male" }')
    text = '[[rule]]\nid = "floor"\nreference = "all"\nmin_samples = 1000000'
    all_groups, named = judged(text, faces(right={"female": 10, "male": 38}), org).verdicts
    assert (all_groups.comparison, all_groups.outcome) == ("all", "inconclusive")
    assert (named.question, named.outcome) == ("floor[model-faces-sex-female_v_male]", "fail")


def test_attributes_of_the_child_are_no_questions_of_the_parent(judged):
    text = RAISED["min_samples"] + '\n[evaluation.faces.attributes]\ntone = ["light", "dark"]'
    frame = faces(right={"female": 16, "male": 36}).assign(tone=["light", "dark"] * 40)
    female = judged(text, frame).verdicts[0]
    assert (female.outcome, female.n, female.successes) == ("fail", 40, 16)
    assert female.correction.questions == 2


def test_a_parent_without_evaluations_is_judged_on_those_of_its_child(judged):
    start, rest = ORG.split("[evaluation.faces]\n")
    faces_table, rule = rest.split("\n\n", 1)
    text = f"[evaluation.faces]\n{faces_table}\n" + RAISED["more questions"]
    record = judged(text, faces(right={"female": 20, "male": 36}), start + rule)
    assert record.verdicts[0].reason.startswith("fails by org.toml alone")


def test_verify_computes_such_a_failure_again(judged, tmp_path):
    text = RAISED["min_samples"]
    judged(text, faces(right={"female": 16, "male": 36})).to_json(tmp_path / "record.json")
    found = verify(tmp_path / "record.json")
    assert (found.differences, found.checked) == ([], 2)
