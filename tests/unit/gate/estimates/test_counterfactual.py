"""Matched images: the same design in another tone must be given the same class."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from pytest_fairness import RunRecord, describe, judge, load_policy
from pytest_fairness.errors import PolicyError, PredictionError
from pytest_fairness.gate.decision.judging import judge_counts
from pytest_fairness.gate.estimates.counterfactual import match
from pytest_fairness.inference import read_predictions
from pytest_fairness.report import table_lines
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.paired import mcnemar_p_value

EMOJI = Path(__file__).parents[4] / "fixtures" / "emoji_people" / "evaluation.parquet"
FLIPS = {"metric": "counterfactual_flip_rate", "by": ["tone"], "max": 0.1}
GAP = {"metric": "counterfactual_accuracy_difference", "by": ["tone"], "max": 0.05}
TONES = ["light", "medium", "dark"]


def policy_of(*rules, **evaluation):
    faces = {
        "positive": "yes",
        "classes": ["no", "yes"],
        "attributes": {"tone": TONES, "age": ["adult", "older"]},
        "reference": {"tone": "light", "age": "adult"},
        "counterfactual": ["design"],
    }
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail", "correction": "none"},
        "evaluation": {"faces": faces | evaluation},
        "rule": list(rules),
    }


def frame_of(designs: int = 200) -> pd.DataFrame:
    """`designs` designs, each in three tones and two ages, all predicted right."""
    rows = [
        (f"{design}-{tone}-{age}", f"d{design}", tone, age, "yes" if design % 2 else "no")
        for design in range(designs)
        for tone in TONES
        for age in ("adult", "older")
    ]
    frame = pd.DataFrame(rows, columns=["id", "design", "tone", "age", "target"])
    return frame.assign(prediction=frame["target"])


FAIR = frame_of()


def turned(frame: pd.DataFrame, *ids: str) -> pd.DataFrame:
    """The same predictions with those of some samples turned into the other class."""
    other = np.where(frame["prediction"] == "yes", "no", "yes")
    chosen = frame["id"].isin(ids)
    return frame.assign(prediction=np.where(chosen, other, frame["prediction"]))


def only(record: RunRecord, level: str):
    (verdict,) = [v for v in record.verdicts if level in v.group.values()]
    return verdict


def test_pairs_are_counted_over_the_other_attributes_too():
    record = judge(policy_of(FLIPS), turned(FAIR, "0-dark-adult", "5-dark-older", "7-light-older"))
    dark, medium = only(record, "dark"), only(record, "medium")
    assert (dark.n, dark.successes, dark.matched.flipped) == (400, 3, 3)
    assert (medium.n, medium.successes) == (400, 1)
    assert (dark.group, dark.reference) == ({"tone": "dark"}, {"tone": "light"})
    assert dark.value == pytest.approx(3 / 400)
    exact = stats.binomtest(3, 400).proportion_ci(0.95)
    assert (dark.low, dark.high) == pytest.approx((exact.low, exact.high))
    assert (dark.matched.right_to_wrong, dark.matched.wrong_to_right) == (2, 1)
    assert dark.outcome == "pass"


def test_a_model_that_flips_fails_and_names_the_pairs():
    flips = [f"{design}-dark-adult" for design in range(100)]
    record = judge(policy_of(FLIPS), turned(FAIR, "9-light-older", *flips))
    dark = only(record, "dark")
    assert dark.outcome == "fail"
    assert len(dark.matched.worst) == 10
    assert dark.matched.worst[0] == ("0-light-adult", "0-dark-adult")
    assert ("9-light-older", "9-dark-older") not in dark.matched.worst  # the reference is wrong
    assert "worst: 0-light-adult / 0-dark-adult, 1-light-adult / 1-dark-adult, " in describe(dark)


def test_two_wrong_images_of_one_pair_are_no_flip():
    record = judge(
        policy_of(FLIPS, GAP | {"id": "gap"}), turned(FAIR, "3-light-adult", "3-dark-adult")
    )
    assert [v.value for v in record.verdicts if v.group == {"tone": "dark"}] == [0, 0]


def test_the_accuracy_difference_is_the_one_on_the_pairs():
    lost = [f"{design}-dark-adult" for design in range(60)]
    gained = [f"{design}-light-older" for design in range(9)]
    dark = only(judge(policy_of(GAP), turned(FAIR, *lost, *gained)), "dark")
    assert dark.value == pytest.approx((9 - 60) / 400)
    expected = paired_interval(9, 60, 400)
    assert (dark.low, dark.high) == pytest.approx((float(expected.low), float(expected.high)))
    assert (dark.successes, dark.reference_successes) == (340, 391)
    assert (dark.n, dark.reference_n) == (400, 400)
    assert dark.matched.p_value == pytest.approx(float(mcnemar_p_value(9, 60)))
    assert dark.outcome == "fail"


def test_a_better_group_breaks_the_absolute_limit_too():
    gained = [f"{design}-light-{age}" for design in range(60) for age in ("adult", "older")]
    dark = only(judge(policy_of(GAP), turned(FAIR, *gained)), "dark")
    assert (dark.value, dark.outcome) == (pytest.approx(0.3), "fail")


def test_images_without_a_partner_are_counted_and_said():
    gone = FAIR["id"].isin(["0-light-adult", "1-light-older", "2-dark-adult"])
    dark = only(judge(policy_of(FLIPS), FAIR[~gone]), "dark")
    assert dark.n == 397
    assert (dark.matched.unmatched, dark.matched.reference_unmatched) == (2, 1)
    assert "3 images without a partner" in describe(dark)


def test_a_missing_attribute_matches_nothing():
    missing = FAIR.assign(age=FAIR["age"].where(FAIR["id"] != "4-dark-adult", None))
    dark = only(judge(policy_of(FLIPS), missing), "dark")
    assert (dark.n, dark.matched.unmatched, dark.matched.reference_unmatched) == (399, 1, 1)


def test_without_any_pair_the_rate_is_undefined():
    apart = FAIR.assign(design=FAIR["id"])
    dark = only(judge(policy_of(FLIPS), apart), "dark")
    assert dark.reason == "undefined: no matched images of tone dark and tone light"


def test_two_images_with_the_same_key_are_named():
    twice = FAIR[FAIR["id"] == "0-light-adult"].assign(id="0-light-again")
    both = pd.concat([FAIR, twice])
    with pytest.raises(PredictionError, match="'0-light-adult', '0-light-again' have the same key"):
        judge(policy_of(FLIPS), both)


def test_a_pair_with_two_targets_is_named():
    relabelled = FAIR.assign(target=FAIR["target"].where(FAIR["id"] != "0-dark-adult", "yes"))
    with pytest.raises(PredictionError, match="samples '0-light-adult', '0-dark-adult' match, but"):
        judge(policy_of(FLIPS), relabelled)


def test_columns_that_the_predictions_lack_are_named():
    policy = load_policy(policy_of(FLIPS))
    plain = load_policy(policy_of({"metric": "accuracy", "min": 0.5}, counterfactual=[]))
    found = read_predictions(FAIR, plain.evaluations["faces"])
    with pytest.raises(PredictionError, match="no column 'design', which `counterfactual`"):
        judge(policy, found)


def test_counts_alone_answer_no_question_about_pairs():
    policy = load_policy(policy_of(FLIPS))
    counts = judge(policy, FAIR).runs[0].counts.counted
    verdicts = judge_counts(policy, counts, evaluation=policy.evaluations["faces"], model="m")
    assert {v.reason for v in verdicts} == {
        "no predictions image by image: matched images need more than counts"
    }


def test_clusters_of_pairs_are_known_to_their_outcomes():
    policy = load_policy(policy_of(FLIPS, cluster="design"))
    evaluation = policy.evaluations["faces"]
    found = read_predictions(FAIR, evaluation)
    pairs = match(found, evaluation, attribute="tone", reference="light")["dark"]
    clusters = pairs.outcomes.clusters
    assert clusters is not None
    assert len(clusters.cells) == 400
    assert len(np.unique(clusters.cells)) == 200


@pytest.mark.parametrize("rule", [FLIPS, GAP], ids=["flips", "gap"])
def test_pairs_of_one_cluster_are_not_taken_for_independent(rule):
    lost = [f"{design}-dark-{age}" for design in range(20) for age in ("adult", "older")]
    now = turned(FAIR, *lost)
    plain, aware = (
        only(judge(policy_of(rule, **more), now), "dark") for more in ({}, {"cluster": "design"})
    )
    assert plain.value == aware.value
    assert plain.high - plain.low < aware.high - aware.low
    assert 150 < aware.effective_n < 210  # two pairs of a design are worth one
    assert (plain.matched.p_value is None, aware.matched.p_value) == (False, None)
    assert (
        f"clustered by design: the same as {aware.effective_n:.0f} independent pairs; "
        in describe(aware)
    )
    assert aware.largest_cluster is None


@pytest.mark.parametrize("rule", [FLIPS, GAP], ids=["flips", "gap"])
def test_an_artist_with_most_pairs_is_told(rule):
    number = FAIR["design"].str[1:].astype(int)
    frame = FAIR.assign(artist=number.where(number >= 120, 0).astype(str))
    verdict = only(judge(policy_of(rule, cluster="artist"), frame), "dark")
    assert verdict.largest_cluster == pytest.approx(0.6)
    assert "one artist holds 60 % of the pairs" in describe(verdict)


def test_a_flip_rate_reads_as_one_sentence_and_one_row():
    record = judge(policy_of(FLIPS), turned(FAIR, "0-dark-adult", "7-light-older"))
    assert describe(only(record, "dark")) == (
        "counterfactual flip rate, tone dark vs light: 0.005 (95 % interval 0.00 … 0.02), limit "
        "0.10 -> pass; 2 of 400 matched pairs; 1 right only in the reference's image, 1 only in "
        "the group's; McNemar p 1; worst: 0-light-adult / 0-dark-adult, 7-light-older / "
        "7-dark-older; rule counterfactual_flip_rate, policy, rule 1"
    )
    texts = [line.text for line in table_lines(record)]
    assert texts[0].startswith("model on faces: counterfactual flip rate, limit 0.10")
    assert texts[2].endswith("tone dark vs light    0.005  0.00 … 0.02  n 400  2 of 400 pairs flip")


def test_the_embedded_designs_are_matched_across_all_tones():
    columns = ["id", "vendor", "activity", "gender", "age", "skin_tone"]
    frame = pd.read_parquet(EMOJI, columns=columns)
    frame = frame[frame["skin_tone"] != "default"].assign(prediction=frame["gender"])
    tones = ["light", "medium-light", "medium", "medium-dark", "dark"]
    policy = policy_of(
        {"metric": "counterfactual_flip_rate", "by": ["skin_tone"], "max": 0.1},
        target="gender",
        positive="man",
        classes=["woman", "man"],
        attributes={"skin_tone": tones, "age": ["child", "adult", "older"]},
        reference={"skin_tone": "light"},
        counterfactual=["vendor", "activity", "gender"],
    )
    record = judge(policy, frame)
    for tone in tones[1:]:
        verdict = only(record, tone)
        assert (verdict.n, verdict.matched.unmatched) == (326, 0)
        assert verdict.matched.reference_unmatched == 0


@pytest.mark.parametrize(
    ("rule", "evaluation", "message"),
    [
        (
            FLIPS,
            {"counterfactual": []},
            r"needs matched images: write counterfactual = \[\"COLUMN\"",
        ),
        (FLIPS | {"by": ["tone*age"]}, {}, r"matched images differ in one attribute: tone\*age"),
        (FLIPS | {"reference": "best"}, {}, "needs a reference level of tone: write reference ="),
        (FLIPS, {"reference": {}}, "needs a reference level of tone: write reference ="),
        (FLIPS, {"target": "tone"}, "tone is the target, so a model that is right flips with it"),
        (
            {"metric": "counterfactual_flip_rate", "by": ["tone"], "min": 0.1},
            {},
            "a flip rate is bounded from above: write max, not min",
        ),
    ],
    ids=["no columns", "intersection", "best", "no reference", "target", "min"],
)
def test_what_pairs_cannot_answer_is_refused_in_the_policy(rule, evaluation, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(policy_of(rule, **evaluation))
