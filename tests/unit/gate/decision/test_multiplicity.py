"""A failure holds up against the number of questions asked, and says so when it does not."""

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.policy import load_policy
from pytest_fairness.statistics.counts import GroupCounts

GROUPS = tuple(f"g{i}" for i in range(20))


def policy_of(correction: str, *, maximum: float = 0.1, confidence: float = 0.95):
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "warn", "correction": correction, "level": confidence},
            "evaluation": {
                "faces": {
                    "positive": "yes",
                    "classes": ["no", "yes"],
                    "attributes": {"g": list(GROUPS)},
                }
            },
            "rule": [{"metric": "error_rate", "by": ["g"], "max": maximum}],
        }
    )


def counts_of(wrong: list[int], n: int = 100) -> GroupCounts:
    cells = np.array([[[n - x, x], [0, 0]] for x in wrong], dtype=np.int64)
    return GroupCounts({"g": GROUPS}, ("no", "yes"), cells)


def outcomes(policy, counts) -> list[str]:
    faces = policy.evaluations["faces"]
    return [v.outcome for v in judge_counts(policy, counts, evaluation=faces, model="m")]


def test_one_lucky_find_among_20_questions_is_not_a_failure():
    # 17 of 100 against a limit of 0.1: broken alone (95 % interval from 0.109), not among 20.
    counts = counts_of([17] + [5] * 19)
    assert outcomes(policy_of("none"), counts)[0] == "fail"
    policy = policy_of("holm")
    first = judge_counts(policy, counts, evaluation=policy.evaluations["faces"], model="m")[0]
    assert first.outcome == "inconclusive"
    assert first.reason.startswith(
        "the interval breaks the limit, but among 20 questions that may be chance: at 99.5 % "
        "(99.75 % one-sided) it is 0.0"
    )
    assert first.correction.method == "holm"
    assert first.correction.questions == 20
    assert first.correction.low < 0.1 < first.low


def test_holm_confirms_the_weakest_once_all_others_are_confirmed():
    # With 19 sure failures confirmed, the last question stands alone: level 95 % decides it.
    assert outcomes(policy_of("holm"), counts_of([17] + [60] * 19))[0] == "fail"


def test_holm_is_that_of_statsmodels():
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    rng = np.random.default_rng(5)
    for _ in range(20):
        wrong = rng.integers(8, 30, len(GROUPS))
        # The Clopper-Pearson interval is the inversion of the exact binomial test; `max` can be
        # broken in one direction only, so that one end of the interval decides.
        p = stats.binom.sf(wrong - 1, 100, 0.1)
        expected = multipletests(p, alpha=0.05, method="holm")[0]
        shown = 2 * p <= 0.05
        got = np.array(outcomes(policy_of("holm"), counts_of(wrong.tolist()))) == "fail"
        assert got.tolist() == (expected & shown).tolist()


@pytest.mark.parametrize("correction", ["holm", "max-t"])
def test_a_model_on_its_limits_is_rarely_blocked(correction):
    rng = np.random.default_rng(2)
    policy = policy_of(correction)
    blocked = [
        "fail" in outcomes(policy, counts_of(rng.binomial(200, 0.1, len(GROUPS)).tolist(), n=200))
        for _ in range(60)
    ]
    assert np.mean(blocked) <= 0.05 + 2 * np.sqrt(0.05 * 0.95 / 60)


def test_max_t_lies_between_no_correction_and_bonferroni():
    # Every group asked twice under two names: the questions are the same, so max-t needs no more
    # than for one set of them, while Bonferroni pays for both.
    frame = pd.DataFrame({"g": np.repeat(GROUPS, 50), "target": "no", "prediction": "no"})
    frame.loc[frame.index % 50 < 10, "prediction"] = "yes"
    base = {"metric": "error_rate", "by": ["g"], "max": 0.05}
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn", "correction": "max-t"},
        "evaluation": {
            "faces": {
                "positive": "yes",
                "classes": ["no", "yes"],
                "attributes": {"g": list(GROUPS)},
            }
        },
        "rule": [base | {"id": f"copy {i}"} for i in range(5)],
    }
    found = judge(policy, frame).verdicts[0].correction
    assert 0.95 < found.level < 1 - 2 * 0.05 / 20 + 0.001
    assert found.level < 1 - 2 * 0.05 / 100
    assert judge(policy, frame).verdicts == judge(policy, frame).verdicts


def test_no_correction_is_allowed_and_shown():
    policy = policy_of("none")
    found = judge_counts(
        policy, counts_of([40] + [0] * 19), evaluation=policy.evaluations["faces"], model="m"
    )[0]
    assert found.outcome == "fail"
    assert found.correction.method == "none"


def against_a_baseline(correction: str, *, lost: int):
    """Two groups asked for their error rate, and for their drop since a baseline."""
    frame = pd.DataFrame({"id": [f"i{i}" for i in range(400)], "g": ["a", "b"] * 200})
    frame = frame.assign(target="no", prediction=np.where(np.arange(400) < 80, "yes", "no"))
    later = frame.assign(prediction=np.where(np.arange(400) < 80 + 2 * lost, "yes", "no"))
    policy = {
        "schema": 1,
        "decision": {"inconclusive": "warn", "correction": correction},
        "evaluation": {"faces": {"classes": ["no", "yes"], "attributes": {"g": ["a", "b"]}}},
        "rule": [
            {"metric": "error_rate", "by": ["g"], "max": 0.05},
            {"id": "kept", "metric": "accuracy", "against": "baseline", "max_drop": 0.02},
        ],
    }
    return judge(policy, later, baseline=frame).verdicts


def test_under_max_t_a_question_that_counts_do_not_answer_has_its_part_of_the_error():
    verdicts = against_a_baseline("max-t", lost=30)
    levels = {v.question.split("[")[0]: v.correction.level for v in verdicts}
    assert levels["kept"] == pytest.approx(1 - 2 * 0.05 / 4)
    # What the two others leave of the error, 2 * 0.05 / 4, holds for those from counts.
    assert 0.95 < levels["error_rate"] <= 1 - 2 * 0.05 / 4 + 1e-9


def test_under_max_t_a_lucky_find_that_counts_do_not_answer_is_not_a_failure():
    def kept(correction: str) -> set[str]:
        verdicts = against_a_baseline(correction, lost=10)
        return {v.outcome for v in verdicts if v.rule == "kept"}

    assert kept("none") == {"fail"}
    assert kept("max-t") == {"inconclusive"}
