"""Published criteria: each says where it comes from, and judges as its text says."""

import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.policy.presets import preset_names, read_preset


def policy_of(*rules, inconclusive: str = "warn", **attributes):
    levels = {"sex": ["female", "male"], "race_ethnicity": ["a", "b", "c"]} | attributes
    return {
        "schema": 1,
        "decision": {"inconclusive": inconclusive},
        "evaluation": {
            "hires": {"positive": "yes", "classes": ["no", "yes"], "attributes": levels}
        },
        "rule": list(rules),
    }


def rows(sex: str, race: str, selected: int, total: int) -> list[tuple[str, str, str, str]]:
    return [(sex, race, "yes", "yes" if i < selected else "no") for i in range(total)]


# Of 10,000: sex is even; c is 1 % of the data and always selected; b is selected half as often as a.
FRAME = pd.DataFrame(
    [
        *rows("female", "a", 1200, 3000),
        *rows("female", "b", 400, 1950),
        *rows("female", "c", 50, 50),
        *rows("male", "a", 1200, 3000),
        *rows("male", "b", 400, 1950),
        *rows("male", "c", 50, 50),
    ],
    columns=["sex", "race_ethnicity", "target", "prediction"],
)
LL144 = {"id": "ll144", "preset": "nyc-ll144", "min": 0.8}


@pytest.mark.parametrize("name", preset_names())
def test_a_preset_says_its_source_its_text_and_how_it_is_encoded(name):
    preset = read_preset(name)
    assert preset.source
    assert preset.text
    assert preset.note
    assert preset.rules


def test_the_presets_of_the_package():
    assert preset_names() == (
        "equalised-odds",
        "four-fifths",
        "nyc-ll144",
        "worst-group-accuracy",
    )


def test_only_the_words_of_the_source_are_given_as_a_quotation():
    quoted = {name for name in preset_names() if read_preset(name).quoted}
    assert quoted == {"four-fifths", "worst-group-accuracy"}
    assert "less than four-fifths (4/5) (or eighty percent)" in read_preset("four-fifths").text


def test_ll144_compares_sex_race_and_their_intersections_with_the_most_selected():
    record = judge(policy_of(LL144), FRAME)
    assert {verdict.by for verdict in record.verdicts} == {
        ("sex",),
        ("race_ethnicity",),
        ("sex", "race_ethnicity"),
    }
    assert {verdict.comparison for verdict in record.verdicts} == {"best"}
    found = {v.group["race_ethnicity"]: v for v in record.verdicts if v.by == ("race_ethnicity",)}
    assert found["a"].outcome == "pass"
    assert found["b"].outcome == "fail"
    assert found["b"].value == pytest.approx((800 / 3900) / (2400 / 6000))
    assert found["b"].reference == {"race_ethnicity": "a"}


def test_ll144_keeps_a_category_below_2_percent_in_sight_and_never_as_the_most_selected():
    record = judge(policy_of(LL144), FRAME)
    small = [v for v in record.verdicts if v.group.get("race_ethnicity") == "c"]
    assert len(small) == 3
    assert {verdict.outcome for verdict in small} == {"inconclusive"}
    assert small[0].reason == (
        "excluded: race_ethnicity c is 1 % of the samples, below min_share = 2 %"
    )
    assert (small[0].n, small[0].successes, small[0].n_to_settle) == (100, 100, None)
    references = [dict(verdict.reference or {}) for verdict in record.verdicts]
    assert "c" not in {reference.get("race_ethnicity") for reference in references}


def test_a_category_of_2_percent_is_judged():
    more = pd.concat([FRAME, pd.DataFrame(rows("male", "c", 104, 104), columns=FRAME.columns)])
    record = judge(policy_of(LL144), more)
    c, a = (
        next(v for v in record.verdicts if v.group == {"race_ethnicity": race})
        for race in ("c", "a")
    )
    assert c.outcome == "pass"
    assert a.reference == {"race_ethnicity": "c"}


def test_a_group_of_exactly_the_share_is_judged():
    rule = {"metric": "selection_rate", "by": ["sex"], "max": 0.9, "min_share": 0.5}
    assert {verdict.outcome for verdict in judge(policy_of(rule), FRAME).verdicts} == {"pass"}


def test_an_excluded_category_needs_a_waiver_where_inconclusive_fails():
    fair = FRAME.assign(prediction="yes")
    policy = policy_of(LL144, inconclusive="fail")
    assert not judge(policy, fair).passed
    why = {"reason": "1 % of applicants", "approved_by": "auditor", "until": "2999-12-31"}
    groups = [{"race_ethnicity": "c"}]
    groups += [{"sex": sex, "race_ethnicity": "c"} for sex in ("female", "male")]
    policy["waiver"] = [{"rule": "ll144", "group": group, **why} for group in groups]
    assert judge(policy, fair).passed


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"preset": "nyc-ll144"}, "one limit is needed, got none"),
        ({"preset": "worst-group-accuracy"}, "one limit is needed, got none"),
        (
            {"preset": "equalised-odds", "max": 0.2},
            "rule with preset 'equalised-odds' also writes max; a preset has its own limit",
        ),
        (
            {"preset": "four-fifths", "metric": "accuracy"},
            "also writes metric = 'accuracy'; the preset has 'disparate_impact'",
        ),
        (
            {"preset": "nyc-ll144", "min": 0.8, "reference": "all"},
            "min_share leaves single groups undecided",
        ),
        (
            {"preset": "equalized-odds"},
            "unknown preset 'equalized-odds'; did you mean 'equalised-odds'",
        ),
    ],
    ids=["LL144 no limit", "worst group no limit", "two limits", "metric", "all groups", "unknown"],
)
def test_a_rule_that_contradicts_its_preset_is_named(rule, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(policy_of(rule))


def test_attributes_of_other_names_are_named_in_the_rule():
    rule = LL144 | {"by": ["gender", "gender*race_ethnicity"]}
    policy = load_policy(policy_of(rule, gender=["woman", "man"]))
    assert policy.rules[0].by == (("gender",), ("gender", "race_ethnicity"))


def test_equalised_odds_is_two_rules_of_01():
    policy = load_policy(
        policy_of({"preset": "equalised-odds"}, {"id": "eo", "preset": "equalised-odds"})
    )
    assert [(rule.id, rule.metric.name, rule.limit.shown) for rule in policy.rules[:2]] == [
        ("equalised-odds-tpr", "true_positive_rate_difference", 0.1),
        ("equalised-odds-fpr", "false_positive_rate_difference", 0.1),
    ]
    assert [rule.id for rule in policy.rules[2:]] == ["eo-tpr", "eo-fpr"]


def test_equalised_odds_fails_on_either_rate():
    def judged(false_positives: int, true_positives: int):
        table = [
            *[("female", "no", "no")] * 500,
            *[("female", "yes", "yes")] * 500,
            *[("male", "no", "yes" if i < false_positives else "no") for i in range(500)],
            *[("male", "yes", "yes" if i < true_positives else "no") for i in range(500)],
        ]
        frame = pd.DataFrame(table, columns=["sex", "target", "prediction"])
        rule = {"preset": "equalised-odds", "by": ["sex"]}
        policy = policy_of(rule)
        policy["evaluation"]["hires"]["attributes"].pop("race_ethnicity")
        return {v.rule: v.outcome for v in judge(policy, frame).verdicts}

    assert judged(0, 500) == {"equalised-odds-tpr": "pass", "equalised-odds-fpr": "pass"}
    assert judged(250, 500) == {"equalised-odds-tpr": "pass", "equalised-odds-fpr": "fail"}
    assert judged(0, 250) == {"equalised-odds-tpr": "fail", "equalised-odds-fpr": "pass"}


def test_worst_group_accuracy_fails_with_its_worst_group():
    rule = {"preset": "worst-group-accuracy", "by": ["race_ethnicity"], "min": 0.9}
    outcomes = {
        v.group["race_ethnicity"]: v.outcome for v in judge(policy_of(rule), FRAME).verdicts
    }
    assert outcomes == {"a": "fail", "b": "fail", "c": "pass"}
