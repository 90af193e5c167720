"""A waiver covers a failure until a day, keeps its number in sight, and is an error when idle."""

import datetime as dt

import pandas as pd
import pytest

from pytest_fairness import RunRecord, describe, judge, load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.decision.waivers import ending_waivers, waiver_problems
from pytest_fairness.gate.questions import questions
from pytest_fairness.report import table_lines

LAST = dt.date(2027, 1, 31)
WAIVER = {
    "rule": "floor",
    "reason": "vendor fix due in 2.4",
    "approved_by": "model-risk",
    "until": LAST,
    "ticket": "RISK-7",
}
# In dark 10 of 100 are right, in light 95 of 100, in medium none was seen.
FRAME = pd.DataFrame(
    [("dark", "yes", "yes")] * 10
    + [("dark", "yes", "no")] * 90
    + [("light", "yes", "yes")] * 95
    + [("light", "yes", "no")] * 5,
    columns=["tone", "target", "prediction"],
)


def policy_of(*waivers, inconclusive: str = "warn", **rule):
    floor = {"id": "floor", "metric": "accuracy", "min": 0.7}
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": inconclusive},
            "evaluation": {
                "faces": {
                    "positive": "yes",
                    "classes": ["no", "yes"],
                    "attributes": {"tone": ["light", "medium", "dark"]},
                }
            },
            "rule": [floor | rule],
            "waiver": list(waivers),
        }
    )


def verdicts_by_tone(record: RunRecord):
    return {verdict.group.get("tone"): verdict for verdict in record.verdicts}


def problems_of(policy, today: dt.date = LAST, models=("ads",), frame=FRAME) -> list[str]:
    verdicts = judge(policy, frame, model="ads", today=today).verdicts
    return waiver_problems(policy, questions(policy, models), verdicts, today=today)


def test_a_waived_failure_keeps_its_outcome_and_number_and_does_not_stop_the_release():
    assert not judge(policy_of(), FRAME).passed
    record = judge(policy_of(WAIVER | {"group": {"tone": "dark"}}), FRAME, today=LAST)
    dark = verdicts_by_tone(record)["dark"]
    assert record.passed
    assert (dark.outcome, dark.value) == ("fail", 0.1)
    assert dark.waiver is not None
    assert (dark.waiver.reason, dark.waiver.approved_by) == ("vendor fix due in 2.4", "model-risk")
    assert (dark.waiver.until, dark.waiver.ticket) == (LAST, "RISK-7")
    assert dark.waiver.where == "policy, waiver 1"


def test_the_message_and_the_table_show_the_number_and_the_waiver():
    record = judge(policy_of(WAIVER | {"group": {"tone": "dark"}}), FRAME, today=LAST)
    text = "waived until 2027-01-31 by model-risk: vendor fix due in 2.4 (RISK-7)"
    message = describe(verdicts_by_tone(record)["dark"])
    assert message.startswith("accuracy, tone dark: 0.100")
    assert text in message
    (line,) = [line for line in table_lines(record) if "tone dark" in line.text]
    assert line.text.startswith("  fail          tone dark        0.100  0.05 … 0.18  n 100  ")
    assert line.text.endswith(text)
    assert "1 fail, 1 unanswerable, 1 pass, 1 of them waived" in table_lines(record)[-1].text


def test_a_waiver_survives_the_record(tmp_path):
    record = judge(policy_of(WAIVER), FRAME, today=LAST)
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record


@pytest.mark.parametrize(
    ("today", "passed"),
    [(LAST, True), (LAST + dt.timedelta(days=1), False)],
    ids=["last day", "day after"],
)
def test_until_is_the_last_day_on_which_it_holds(today, passed):
    assert judge(policy_of(WAIVER), FRAME, today=today).passed is passed


def test_only_what_would_stop_the_release_is_waived():
    warns = verdicts_by_tone(judge(policy_of(WAIVER), FRAME, today=LAST))
    assert [tone for tone, verdict in warns.items() if verdict.waiver] == ["dark"]
    assert warns["medium"].outcome == "inconclusive"
    fails = judge(policy_of(WAIVER, inconclusive="fail"), FRAME, today=LAST)
    assert [tone for tone, v in verdicts_by_tone(fails).items() if v.waiver] == ["medium", "dark"]
    assert fails.passed


@pytest.mark.parametrize(
    "part",
    [
        {"group": {"tone": "light"}},
        {"group": {"tone": "dark", "sex": "male"}},
        {"model": "other"},
        {"evaluation": "other"},
        {"rule": "other"},
    ],
    ids=[
        "other group",
        "group with more attributes",
        "other model",
        "other evaluation",
        "other rule",
    ],
)
def test_a_waiver_covers_exactly_what_it_names(part):
    assert not judge(policy_of(WAIVER | part), FRAME, model="ads", today=LAST).passed
    exact = WAIVER | {"group": {"tone": "dark"}, "model": "ads", "evaluation": "faces"}
    assert judge(policy_of(exact), FRAME, model="ads", today=LAST).passed


def test_a_failure_on_an_undeclared_level_can_be_waived():
    holes = FRAME.assign(tone=FRAME.tone.where(FRAME.tone != "dark", None))
    assert not judge(policy_of(), holes).passed
    waived = policy_of(WAIVER | {"group": {"tone": "(missing)"}})
    assert judge(waived, holes, today=LAST).passed
    assert problems_of(waived, frame=holes) == []


def test_a_question_about_all_groups_is_waived_without_a_group():
    def policy_with(waiver):
        return load_policy(
            {
                "schema": 1,
                "decision": {"inconclusive": "warn"},
                "evaluation": {
                    "faces": {"classes": ["no", "yes"], "attributes": {"tone": ["light", "dark"]}}
                },
                "rule": [
                    {"id": "floor", "metric": "accuracy_difference", "reference": "all", "max": 0.1}
                ],
                "waiver": [waiver],
            }
        )

    assert judge(policy_with(WAIVER), FRAME, today=LAST).passed
    # The extreme group of today's data; tomorrow it may be another, so it names no question.
    named = policy_with(WAIVER | {"group": {"tone": "light"}})
    assert not judge(named, FRAME, today=LAST).passed
    assert "has no group of its own: leave group out" in problems_of(named)[0]


def test_a_waiver_in_use_is_no_problem():
    assert problems_of(policy_of(WAIVER)) == []


IDLE = {
    "ended and needed": (
        {},
        LAST + dt.timedelta(days=1),
        (
            "policy, waiver 1: the waiver of rule 'floor' ended after 2027-01-31; what it covered still "
            "fails: repair it, or have the waiver renewed by model-risk"
        ),
    ),
    "ended and not needed": (
        {"group": {"tone": "light"}},
        LAST + dt.timedelta(days=1),
        "ended after 2027-01-31; what it covered no longer fails: remove it",
    ),
    "not used": ({"group": {"tone": "light"}}, LAST, "is not used: what it covers did not fail"),
    "unknown rule": (
        {"rule": "flor"},
        LAST,
        "covers no question of this run; allowed rules: floor",
    ),
    "unknown model": ({"model": "adz"}, LAST, "model = 'adz' is not one of ads"),
    "unknown evaluation": ({"evaluation": "face"}, LAST, "evaluation = 'face' is not one of faces"),
    "unknown group": (
        {"group": {"tone": "drak"}},
        LAST,
        "group must be exactly that of a question, such as {'tone': 'light'}",
    ),
}


@pytest.mark.parametrize(("part", "today", "message"), IDLE.values(), ids=IDLE)
def test_a_waiver_that_nobody_may_lean_on_is_a_problem(part, today, message):
    (problem,) = problems_of(policy_of(WAIVER | part), today)
    assert message in problem


def test_whether_a_waiver_is_used_is_not_said_before_all_it_covers_was_judged():
    idle = policy_of(WAIVER | {"group": {"tone": "light"}})
    assert problems_of(idle, models=("ads", "other")) == []


def test_a_waiver_that_ends_within_30_days_warns():
    policy = policy_of(WAIVER)
    assert ending_waivers(policy, today=LAST - dt.timedelta(days=31)) == []
    (text,) = ending_waivers(policy, today=LAST - dt.timedelta(days=30))
    assert "the waiver of rule 'floor' ends in 30 days, after 2027-01-31" in text
    assert len(ending_waivers(policy, today=LAST)) == 1
    assert ending_waivers(policy, today=LAST + dt.timedelta(days=1)) == []


@pytest.mark.parametrize(
    ("written", "day"),
    [("2027-01-31", LAST), ('"2027-01-31"', LAST)],
    ids=["TOML date", "text"],
)
def test_the_last_day_is_a_date_or_its_text(tmp_path, written, day):
    path = tmp_path / "policy.toml"
    path.write_text(
        'schema = 1\n[decision]\ninconclusive = "warn"\n'
        '[evaluation.faces]\nattributes = { tone = ["light", "dark"] }\n'
        '[[rule]]\nmetric = "accuracy"\nmin = 0.7\n'
        f'[[waiver]]\nrule = "accuracy"\nreason = "r"\napproved_by = "a"\nuntil = {written}\n',
        encoding="utf-8",
    )
    (waiver,) = load_policy(path).waivers
    assert (waiver.until, waiver.where) == (day, f"{path}:9")


MISTAKES = {
    "no reason": ({"reason": None}, r"\[\[waiver\]\] needs the key 'reason'; a waiver says why"),
    "nobody": ({"approved_by": None}, "needs the key 'approved_by'; a waiver says who"),
    "empty reason": ({"reason": " "}, "waiver.0.reason = ' '"),
    "no end": ({"until": None}, "needs the key 'until'; .*until = 2027-01-31"),
    "seconds since 1970": ({"until": 1801353600}, "waiver.0.until = .*write a day, such as"),
    "no day": ({"until": "soon"}, "waiver.0.until = 'soon'"),
    "a time": ({"until": dt.datetime(2027, 1, 31, 12, tzinfo=dt.UTC)}, "write a day, such as"),
    "unknown key": ({"grup": {"tone": "dark"}}, "unknown key 'grup'; did you mean 'group'"),
}


@pytest.mark.parametrize(("part", "message"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_in_a_waiver_is_named(part, message):
    waiver = {key: value for key, value in (WAIVER | part).items() if value is not None}
    with pytest.raises(PolicyError, match=message):
        policy_of(waiver)


def test_waivers_of_several_files_add_up(tmp_path):
    start = 'schema = 1\n[decision]\ninconclusive = "warn"\n[evaluation.faces.attributes]\nsex = ["f"]\n'
    rule = '[[rule]]\nmetric = "accuracy"\nmin = 0.7\n'
    waiver = '[[waiver]]\nrule = "accuracy"\nreason = "r"\napproved_by = "a"\nuntil = 2027-01-31\n'
    (tmp_path / "org.toml").write_text(start + rule + waiver, encoding="utf-8")
    team = f'schema = 1\nextends = "org.toml"\n{waiver.replace("2027", "2028")}'
    (tmp_path / "team.toml").write_text(team, encoding="utf-8")
    waivers = load_policy(tmp_path / "team.toml").waivers
    assert [waiver.until.year for waiver in waivers] == [2027, 2028]


def test_a_waiver_of_an_undecided_question_that_stops_the_release_is_used():
    waiver = WAIVER | {"group": {"tone": "medium"}}
    assert problems_of(policy_of(waiver, inconclusive="fail")) == []
    (problem,) = problems_of(policy_of(waiver, inconclusive="warn"))
    assert "is not used: what it covers did not fail; remove it" in problem


def test_a_waiver_of_no_question_says_what_there_is_in_one_list():
    def hint(**part):
        more = [{"id": "other", "metric": "accuracy", "min": 0.1}]
        raw = load_policy(
            {
                "schema": 1,
                "decision": {"inconclusive": "warn"},
                "evaluation": {"faces": {"attributes": {"tone": ["a", "b", "c", "d"]}}},
                "rule": [{"id": "floor", "metric": "accuracy", "min": 0.7}, *more],
                "waiver": [WAIVER | part],
            }
        )
        asked = questions(raw, ["ads", "bee"])
        (problem,) = waiver_problems(raw, asked, [], today=LAST)
        return problem.partition("; ")[2]

    assert hint(rule="gone") == "allowed rules: floor, other"
    assert hint(model="cat") == "model = 'cat' is not one of ads, bee"
    assert hint(group={"tone": "e"}) == (
        "group must be exactly that of a question, such as {'tone': 'a'}, {'tone': 'b'}, {'tone': 'c'}"
    )
