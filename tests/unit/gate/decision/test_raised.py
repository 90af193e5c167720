"""A team may raise what leaves questions open; what failed by the inherited values still fails."""

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
    "min_samples": (
        '[[rule]]\nid = "floor"\nmin_samples = 1000000',
        ", by the inherited min_samples = 20 of org.toml:14",
    ),
    "min_share": (
        '[[rule]]\nid = "floor"\nmin_share = 0.9',
        ", by the inherited min_share = 0.0 (default) of org.toml:10",
    ),
    "level": (
        "[decision]\nlevel = 0.9999999999",
        ", by the inherited level = 0.95 (default) of org.toml:3",
    ),
}


@pytest.mark.parametrize(("text", "reason"), RAISED.values(), ids=RAISED)
def test_a_raised_value_opens_passes_but_no_failure(judged, text, reason):
    female, male = judged(text, faces(right={"female": 16, "male": 36})).verdicts
    assert female.outcome == "fail"
    assert female.reason == f"the whole interval breaks the limit{reason}"
    assert female.high < 0.7
    assert female.level == 0.95
    assert male.outcome == "inconclusive"


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
        assert female.reason == (
            'the estimate breaks the limit, by the inherited decide = "estimate" of org.toml:5'
        )
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
    assert "min_samples = 20 of org.toml:14" in leaf.verdicts[0].reason


def test_where_open_questions_stop_the_release_nothing_needs_to_be_kept(judged):
    text = '[decision]\ninconclusive = "fail"\n[[rule]]\nid = "floor"\nmin_samples = 50'
    record = judged(text, faces(right={"female": 16, "male": 36}))
    assert [one.outcome for one in record.verdicts] == ["inconclusive", "inconclusive"]
    assert not record.passed


def test_verify_computes_such_a_failure_again(judged, tmp_path):
    text = RAISED["min_samples"][0]
    judged(text, faces(right={"female": 16, "male": 36})).to_json(tmp_path / "record.json")
    found = verify(tmp_path / "record.json")
    assert (found.differences, found.checked) == ([], 2)
