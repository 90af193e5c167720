"""The level at which a question is decided: of one end where one end decides, and of a pass."""

import importlib.metadata
from bisect import bisect_left

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from pytest_fairness import judge, load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.gate import run
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.decision.levels import breakable, confidence_for
from pytest_fairness.gate.questions import questions
from pytest_fairness.report.messages import describe
from pytest_fairness.report.terminal import table_lines
from pytest_fairness.statistics.counts import GroupCounts

FACES = {
    "positive": "yes",
    "classes": ["no", "yes"],
    "attributes": {"sex": ["f", "m"]},
    "reference": {"sex": "m"},
}


def policy_of(*rules: dict, faces: dict = FACES, **decision):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", **decision},
            "evaluation": {"faces": faces},
            "rule": [{"id": f"rule {i}", **rule} for i, rule in enumerate(rules)],
        }
    )


DIRECTIONS = {
    "minimum of a rate": ({"metric": "accuracy", "min": 0.8}, "below"),
    "maximum of a rate": ({"metric": "error_rate", "max": 0.2}, "above"),
    "range of a rate": ({"metric": "selection_rate", "between": [0.4, 0.6]}, "both"),
    "range that ends at what is possible": (
        {"metric": "accuracy", "between": [0.8, 1.0]},
        "below",
    ),
    "minimum that no value breaks": ({"metric": "accuracy", "min": 0.0}, "both"),
    "difference": ({"metric": "accuracy_difference", "max": 0.1}, "both"),
    "no difference at all": ({"metric": "accuracy_difference", "max": 0.0}, "both"),
    "difference with its sign": (
        {"metric": "accuracy_difference", "between": [-0.1, 1.0]},
        "below",
    ),
    "minimum of a ratio": ({"metric": "disparate_impact", "min": 0.8}, "below"),
    "maximum of a ratio": ({"metric": "error_rate_ratio", "max": 1.25}, "above"),
    "range of a ratio": ({"metric": "disparate_impact", "between": [0.8, 1.25]}, "both"),
    "distance to the best": (
        {"metric": "accuracy_difference", "max": 0.1, "reference": "best"},
        "below",
    ),
    "distance to the best, where lower is better": (
        {"metric": "error_rate_difference", "max": 0.1, "reference": "best"},
        "above",
    ),
    "ratio to the best": (
        {"metric": "accuracy_ratio", "between": [0.8, 1.25], "reference": "best"},
        "below",
    ),
    # Any two groups may be the ones that are apart by chance, in either direction.
    "largest gap": ({"metric": "accuracy_difference", "max": 0.1, "reference": "all"}, "both"),
    "smallest ratio": ({"metric": "accuracy_ratio", "min": 0.8, "reference": "all"}, "both"),
    "equalised odds": ({"metric": "equalized_odds_difference", "max": 0.1}, "both"),
    "odds without upper end": ({"metric": "treatment_equality", "max": 2.0}, "above"),
    "drop": ({"metric": "accuracy", "against": "baseline", "max_drop": 0.02}, "above"),
    "drop that may go either way": (
        {"metric": "selection_rate", "against": "baseline", "max_drop": 0.02},
        "both",
    ),
    "widening": (
        {"metric": "accuracy_difference", "against": "baseline", "max_widening": 0.02},
        "both",
    ),
}


@pytest.mark.parametrize(("rule", "direction"), DIRECTIONS.values(), ids=DIRECTIONS)
def test_a_limit_at_the_end_of_what_is_possible_is_not_broken_there(rule, direction):
    question = questions(policy_of(rule), ["m"])[0]
    assert breakable(question) == direction


def test_one_end_decides_with_half_of_what_the_level_leaves():
    one, both = (
        questions(policy_of(rule), ["m"])[0]
        for rule in (
            {"metric": "accuracy", "min": 0.8},
            {"metric": "accuracy_difference", "max": 0},
        )
    )
    assert confidence_for(0.01, one, shown=0.95) == pytest.approx(0.98)
    assert confidence_for(0.01, both, shown=0.95) == pytest.approx(0.99)
    # A failure never rests on an interval that is narrower than the one that is shown.
    assert confidence_for(0.05, one, shown=0.95) == 0.95


def rates(wrong: list[int], n: int, *, groups: int) -> tuple[dict, GroupCounts]:
    """The evaluation set of some groups of n images, of which some are wrong."""
    levels = tuple(f"g{i}" for i in range(groups))
    cells = np.array([[[n - x, x], [0, 0]] for x in wrong], dtype=np.int64)
    return FACES | {"attributes": {"g": list(levels)}, "reference": {}}, GroupCounts(
        {"g": levels}, ("no", "yes"), cells
    )


def outcomes(rule: dict, wrong: list[int], n: int, **decision) -> list[str]:
    faces, counts = rates(wrong, n, groups=len(wrong))
    policy = policy_of(rule, faces=faces, **decision)
    evaluation = policy.evaluations["faces"]
    return [v.outcome for v in judge_counts(policy, counts, evaluation=evaluation, model="m")]


@pytest.mark.parametrize("groups", [1, 2, 10, 40])
def test_the_whole_error_of_a_family_is_spent_and_no_more(groups):
    """Enumerated: independent rates on their limit, of which Holm calls one broken or more."""
    n, limit = 2000, 0.1
    rule = {"metric": "error_rate", "max": limit, "by": ["g"]}
    # Of groups that all lie on their limit, the first step decides whether any failure is confirmed.
    middle = int(n * limit)

    def fails(more: int) -> int:
        return outcomes(rule, [middle + more] + [middle] * (groups - 1), n)[0] == "fail"

    first = middle + bisect_left(range(100), 1, key=fails)
    each = stats.binom.sf(first - 1, n, limit)
    family = 1 - (1 - each) ** groups
    assert family <= 0.05
    # With the error of both sides it would be at most half of that, as for a single question, whose
    # failure may not contradict the interval shown.
    assert (family > 0.039) == (groups > 1)
    assert groups > 1 or family <= 0.025


@given(wrong=st.integers(0, 200), limit=st.floats(0.02, 0.98), groups=st.integers(1, 3))
def test_nothing_fails_that_the_interval_shown_reaches(wrong, limit, groups):
    faces, counts = rates([wrong] * groups, 200, groups=groups)
    policy = policy_of({"metric": "error_rate", "max": limit, "by": ["g"]}, faces=faces)
    evaluation = policy.evaluations["faces"]
    for verdict in judge_counts(policy, counts, evaluation=evaluation, model="m"):
        if verdict.outcome == "fail":
            assert verdict.low > limit
            assert verdict.correction.low > limit


FLOOR = {"metric": "accuracy", "by": ["sex"], "min": 0.8}


def frame(right: int, n: int = 200) -> pd.DataFrame:
    answers = ["no"] * right + ["yes"] * (n - right)
    one = pd.DataFrame({"target": "no", "prediction": answers})
    return pd.concat([one.assign(sex=sex) for sex in ("f", "m")], ignore_index=True)


def judged(right: int, **decision):
    return judge(policy_of(FLOOR, **decision), frame(right)).verdicts[0]


def test_a_pass_level_decides_passes_and_nothing_else():
    # 170 of 200: from 0.793 at 95 %, from 0.802 at 90 %.
    plain, easier = judged(170), judged(170, pass_level=0.9)
    assert (plain.outcome, easier.outcome) == ("inconclusive", "pass")
    assert plain.pass_interval is None
    assert (easier.low, easier.high, easier.level) == (plain.low, plain.high, 0.95)
    assert easier.pass_interval.level == 0.9
    assert easier.low < 0.8 <= easier.pass_interval.low
    assert easier.reason == "the whole interval at 90 % keeps the limit"
    assert not easier.within_noise
    for right in (140, 145):
        assert judged(right).outcome == judged(right, pass_level=0.6).outcome
        assert judged(right).correction == judged(right, pass_level=0.6).correction


def test_a_pass_level_above_the_level_leaves_more_open():
    # 172 of 200: from 0.804 at 95 %.
    assert judged(172).outcome == "pass"
    strict = judged(172, pass_level=0.99)
    assert strict.outcome == "inconclusive"
    assert strict.reason == "the interval at 99 % reaches over the limit"
    assert strict.n_to_settle > 200


@pytest.mark.parametrize(("pass_level", "most"), [(None, 0.025), (0.9, 0.05), (0.8, 0.1)])
def test_a_limit_passes_at_its_edge_with_half_of_what_the_pass_level_leaves(pass_level, most):
    decision = {} if pass_level is None else {"pass_level": pass_level}
    rule = {"metric": "accuracy", "by": ["g"], "min": 0.9}
    n = 2000

    def passes(less: int) -> int:
        return outcomes(rule, [200 - less], n, **decision)[0] == "pass"

    most_wrong = 200 - bisect_left(range(100), 1, key=passes)
    chance = stats.binom.cdf(most_wrong, n, 0.1)
    assert 0.85 * most < chance <= most


def test_the_message_the_summary_and_the_record_tell_the_pass_level():
    record = judge(policy_of(FLOOR, pass_level=0.9), frame(170))
    assert "(95 % interval 0.79 … 0.90, 90 % to pass 0.80" in describe(record.verdicts[0])
    assert "; intervals of 95 %, 90 % to pass, policy" in table_lines(record)[-1].text
    assert record.policy.pass_level == 0.9
    plain = judge(policy_of(FLOOR), frame(170))
    assert "to pass" not in describe(plain.verdicts[0]) + table_lines(plain)[-1].text
    assert plain.policy.pass_level is None


def test_fewer_images_are_enough_to_pass_at_a_lower_level():
    assert judged(166, pass_level=0.9).n_to_settle < judged(166).n_to_settle


def test_wrong_labels_are_counted_at_the_level_of_the_pass():
    # 175 of 200 passes at both levels: with the lower one, more labels may be wrong.
    assert judged(175, pass_level=0.9).robust_to > judged(175).robust_to


def test_the_measured_value_is_compared_without_a_pass_level():
    by_estimate = FLOOR | {"decide": "estimate"}
    by_interval = FLOOR | {"min": 0.7}
    policy = policy_of(by_estimate, by_interval, pass_level=0.9)
    by_rule: dict[str, list] = {}
    for verdict in judge(policy, frame(161, 200)).verdicts:
        by_rule.setdefault(verdict.rule, []).append(verdict)
    assert {verdict.outcome for verdict in by_rule["rule 0"]} == {"pass"}
    assert all(verdict.pass_interval is None for verdict in by_rule["rule 0"])
    assert any(verdict.pass_interval is not None for verdict in by_rule["rule 1"])


def test_a_pass_level_is_refused_where_every_rule_compares_the_measured_value():
    with pytest.raises(PolicyError, match="every rule decides by the"):
        policy_of(FLOOR, decide="estimate", pass_level=0.9)


@pytest.mark.parametrize("value", [0.5, 1.0, 1, 0.05, "0.9", True])
def test_a_pass_level_is_a_number_between_half_and_one(value):
    with pytest.raises(PolicyError, match="pass_level"):
        policy_of(FLOOR, pass_level=value)


def test_versions_of_packages_are_looked_up_once(monkeypatch):
    looked_up: list[str] = []

    def version(name: str) -> str:
        looked_up.append(name)
        return importlib.metadata.version(name)

    monkeypatch.setattr(run, "version", version)
    run._versions.cache_clear()
    first, second = (judge(policy_of(FLOOR), frame(90, 100)) for _ in range(2))
    assert first.versions == second.versions
    assert sorted(looked_up) == sorted(set(looked_up))
    assert "numpy" in looked_up
