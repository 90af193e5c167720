"""A run against the last release: paired where the images are the same, and honest where not."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings, strategies as st

from pytest_fairness import RunRecord, describe, judge
from pytest_fairness.gate.record.kept import write_record
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy import load_policy
from pytest_fairness.report import table_lines
from pytest_fairness.report.parts import independent_text
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.paired import mcnemar_p_value

LEVELS = ["light", "medium", "dark"]


def policy_of(*rules, decision=None, **evaluation):
    faces = {
        "positive": "yes",
        "classes": ["no", "yes"],
        "attributes": {"tone": LEVELS},
        "reference": {"tone": "light"},
    }
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail", "correction": "none"} | (decision or {}),
        "evaluation": {"faces": faces | evaluation},
        "rule": list(rules),
    }


def rule_of(metric: str = "accuracy", **keys):
    limit = {"max_widening": 0.05} if metric.endswith("difference") else {"max_drop": 0.02}
    return {"id": f"{metric}-kept", "metric": metric, "against": "baseline"} | limit | keys


def frame_of(size: int = 900) -> pd.DataFrame:
    """`size` samples, a third in each tone, half of each class, one in ten predicted wrong."""
    number = np.arange(size)
    target = np.where(number // 3 % 2, "yes", "no")
    wrong = number // 6 % 10 == 0
    return pd.DataFrame(
        {
            "id": [f"s{i:04}" for i in number],
            "tone": np.array(LEVELS)[number % 3],
            "target": target,
            "prediction": np.where(wrong, flipped(target), target),
        }
    )


def flipped(classes):
    return np.where(np.asarray(classes) == "yes", "no", "yes")


def flip(frame: pd.DataFrame, chosen) -> pd.DataFrame:
    """The same predictions with those of chosen samples turned into the other class."""
    return frame.assign(
        prediction=np.where(chosen, flipped(frame["prediction"]), frame["prediction"])
    )


THEN = frame_of()
DARK = (THEN["tone"] == "dark").to_numpy()
RIGHT = (THEN["prediction"] == THEN["target"]).to_numpy()
LOST = DARK & RIGHT & (np.cumsum(DARK & RIGHT) <= 30)
GAINED = DARK & ~RIGHT & (np.cumsum(DARK & ~RIGHT) <= 4)
NOW = flip(THEN, LOST | GAINED)


def baseline_of(record: RunRecord) -> Any:
    return record.runs[0].baseline


def only(record: RunRecord, confidence: str = "dark", rule: str | None = None) -> Any:
    (verdict,) = [
        v for v in record.verdicts if v.group == {"tone": confidence} and rule in (None, v.rule)
    ]
    return verdict


def test_the_same_images_are_paired():
    record = judge(policy_of(rule_of()), NOW, baseline=THEN)
    dark = only(record)
    assert dark.value == pytest.approx((30 - 4) / 300)
    expected = paired_interval(30, 4, 300)
    assert (dark.low, dark.high) == pytest.approx((float(expected.low), float(expected.high)))
    assert (dark.outcome, dark.bound, dark.limit) == ("fail", "max_drop", 0.02)
    assert dark.change.paired
    assert dark.change.compared == "paired on 900 images"
    assert dark.change.p_value == pytest.approx(float(mcnemar_p_value(4, 30)))
    counts = dark.change.group
    assert (counts.successes, counts.baseline_successes) == (270 - 26, 270)
    assert (counts.n, counts.baseline_n) == (300, 300)
    assert (counts.right_to_wrong, counts.wrong_to_right) == (30, 4)
    assert (counts.lost, counts.gained) == (30, 4)
    assert not record.passed


def test_a_group_that_stayed_as_it_was_keeps_the_limit():
    light = only(judge(policy_of(rule_of()), NOW, baseline=THEN), "light")
    assert (light.value, light.outcome) == (0.0, "pass")
    assert np.copysign(1, light.value) == 1  # shown as +0.000
    assert light.change.p_value == 1.0


@pytest.mark.parametrize("turned", [False, True], ids=["worse", "better"])
@pytest.mark.parametrize(
    ("metric", "target", "sign"),
    [
        ("accuracy", None, 1),
        ("error_rate", None, 1),
        ("true_positive_rate", "yes", 1),
        ("false_negative_rate", "yes", 1),
        ("true_negative_rate", "no", 1),
        ("false_positive_rate", "no", 1),
    ],
)
def test_a_drop_is_what_is_worse_whichever_way_the_rate_points(metric, target, sign, turned):
    among = THEN["target"].to_numpy() == target if target else np.ones(len(THEN), dtype=bool)
    lost = DARK & RIGHT & among & (np.cumsum(DARK & RIGHT & among) <= 14)
    now, then = flip(THEN, lost), THEN
    if turned:
        now, then, sign = then, now, -sign
    dark = only(judge(policy_of(rule_of(metric)), now, baseline=then))
    assert dark.value == pytest.approx(sign * 14 / (DARK & among).sum())
    assert dark.outcome == ("pass" if turned else "fail")


def test_a_selection_rate_may_move_neither_way():
    more = flip(THEN, DARK & (THEN["prediction"] == "no"))
    fewer = flip(THEN, DARK & (THEN["prediction"] == "yes"))
    for now, value in ((more, 0.5), (fewer, -0.5)):
        dark = only(judge(policy_of(rule_of("selection_rate")), now, baseline=THEN))
        assert dark.value == pytest.approx(value)
        assert dark.outcome == "fail"


@pytest.mark.parametrize(
    ("metric", "short", "called"),
    [
        ("precision", "precision", "positive"),
        ("false_discovery_rate", "FDR", "positive"),
        ("negative_predictive_value", "NPV", "negative"),
        ("false_omission_rate", "FOR", "negative"),
    ],
)
def test_a_rate_among_predictions_is_worse_with_errors_and_never_paired(metric, short, called):
    wrong = DARK & RIGHT & (THEN["target"] != {"positive": "yes", "negative": "no"}[called])
    worse = flip(THEN, wrong & (np.cumsum(wrong) <= 40))
    for now, then, sign, outcome in ((worse, THEN, 1, "fail"), (THEN, worse, -1, "pass")):
        dark = only(judge(policy_of(rule_of(metric)), now, baseline=then))
        assert (np.sign(dark.value), dark.outcome) == (sign, outcome)
        assert dark.change.compared == (
            f"unpaired: {short} is counted among what each release called {called} itself"
        )
        assert not dark.change.paired
        assert dark.change.group.right_to_wrong is None


def test_a_gap_that_widens_fails_and_a_gap_that_closes_passes():
    rule = rule_of("accuracy_difference", max_widening=0.05)
    many = DARK & RIGHT & (np.cumsum(DARK & RIGHT) <= 150)
    wide, wider = flip(THEN, LOST | many), flip(THEN, DARK & RIGHT)
    widened = only(judge(policy_of(rule), wider, baseline=wide))
    assert widened.value == pytest.approx(270 / 300 - 150 / 300)
    assert (widened.outcome, widened.reference) == ("fail", {"tone": "light"})
    assert widened.change.reference.right_to_wrong == 0
    assert widened.change.p_value is None
    closed = only(judge(policy_of(rule), wide, baseline=wider))
    assert closed.value == pytest.approx(-0.4)
    assert closed.outcome == "pass"


def test_the_worst_samples_come_first_by_the_fall_of_their_score():
    policy = policy_of(rule_of(), score="p")
    then = THEN.assign(p=np.where(THEN["prediction"] == "yes", 0.9, 0.1)).drop(columns="prediction")
    now = NOW.assign(p=np.where(NOW["prediction"] == "yes", 0.9, 0.1)).drop(columns="prediction")
    yes = np.flatnonzero(LOST & (now["target"] == "yes").to_numpy())[[5]]
    no = np.flatnonzero(LOST & (now["target"] == "no").to_numpy())[[3]]
    now.loc[yes, "p"], now.loc[no, "p"] = 0.01, 0.995
    worst = only(judge(policy, now, baseline=then)).change.worst
    assert len(worst) == 10
    assert worst[:2] == (now["id"][no].item(), now["id"][yes].item())
    assert list(worst[2:]) == sorted(worst[2:])


def test_without_scores_the_worst_samples_are_in_the_order_of_their_ids():
    worst = only(judge(policy_of(rule_of()), NOW, baseline=THEN)).change.worst
    assert worst == tuple(sorted(NOW["id"][LOST])[:10])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (
            lambda frame: frame.drop(columns="id"),
            "unpaired: the images have no ids, only row numbers",
        ),
        (
            lambda frame: frame.assign(id="other-" + frame["id"]),
            "unpaired: 0 of 900 images are the same",
        ),
        (
            lambda frame: pd.concat([frame[:300], frame[300:].assign(id="x" + frame["id"])]),
            "unpaired: 300 of 900 images are the same",
        ),
        (
            lambda frame: frame.assign(target=np.where(frame.index == 4, "no", frame["target"])),
            "unpaired: 1 of 900 images now has another target, e.g. s0004",
        ),
    ],
    ids=["no ids", "other images", "few in common", "relabelled"],
)
def test_other_images_are_not_paired_and_the_message_says_why(change, words):
    paired = only(judge(policy_of(rule_of()), NOW, baseline=THEN))
    dark = only(judge(policy_of(rule_of()), NOW, baseline=change(THEN)))
    assert (dark.change.paired, dark.change.compared) == (False, words)
    assert words in describe(dark)
    assert (dark.change.group.lost, dark.change.p_value, dark.change.worst) == (None, None, ())
    assert dark.value == pytest.approx(paired.value, abs=0.01)
    assert dark.high - dark.low > paired.high - paired.low


def test_images_in_common_are_paired_when_they_are_most_of_both():
    record = judge(policy_of(rule_of()), NOW[:800], baseline=THEN[100:])
    assert baseline_of(record).compared == (
        "paired on 700 images (100 are new, 100 of the baseline are gone)"
    )
    assert sum(v.n for v in record.verdicts) == 700


def test_the_baseline_may_be_in_any_order_and_lack_the_attributes():
    shuffled = THEN.sample(frac=1, random_state=3).drop(columns="tone")
    assert only(judge(policy_of(rule_of()), NOW, baseline=shuffled)) == only(
        judge(policy_of(rule_of()), NOW, baseline=THEN)
    )


def test_a_record_in_memory_is_compared_by_its_counts():
    dark = only(judge(policy_of(rule_of()), NOW, baseline=judge(policy_of(rule_of()), THEN)))
    assert dark.change.compared == "unpaired: the baseline has counts only"
    assert dark.value == pytest.approx(26 / 300)
    assert dark.low < paired_interval(30, 4, 300).low


@pytest.fixture
def kept(tmp_path):
    """A record with its predictions beside it."""
    policy = load_policy(policy_of(rule_of()))
    found = read_predictions(THEN, policy.evaluations["faces"], model="ads")
    record = judge(policy, found)
    write_record(record, tmp_path / "record.json", predictions={("ads", "faces"): found})
    return tmp_path / "record.json"


def test_a_record_finds_the_predictions_that_were_kept_beside_it(kept):
    record = judge(policy_of(rule_of()), NOW, baseline=kept)
    assert only(record).change == only(judge(policy_of(rule_of()), NOW, baseline=THEN)).change
    assert (kept.parent / "record.ads-faces.parquet").is_file()
    baseline = baseline_of(record)
    assert (baseline.source, baseline.model, baseline.paired) == (str(kept), "ads", True)
    assert len(baseline.sha256) == 64


def test_a_record_whose_predictions_are_gone_is_compared_by_its_counts(kept):
    (kept.parent / "record.ads-faces.parquet").unlink()
    dark = only(judge(policy_of(rule_of()), NOW, baseline=kept))
    assert dark.change.compared == (
        "unpaired: the baseline has counts only, record.ads-faces.parquet is not beside it"
    )


def test_predictions_that_are_not_those_of_the_record_are_refused(kept):
    with (kept.parent / "record.ads-faces.parquet").open("ab") as file:
        file.write(b"more")
    with pytest.raises(Exception, match="not the predictions of the record beside it: sha256 is"):
        judge(policy_of(rule_of()), NOW, baseline=kept)


def test_without_a_baseline_the_question_is_inconclusive_and_says_what_to_give():
    record = judge(policy_of(rule_of()), NOW)
    dark = only(record)
    assert (dark.outcome, dark.value) == ("inconclusive", None)
    assert dark.reason == "no baseline: give --fairness-baseline"
    assert not record.passed


def test_a_baseline_without_the_model_or_the_evaluation_is_no_baseline(kept):
    policy = policy_of(rule_of())
    policy["evaluation"]["new"] = policy["evaluation"]["faces"]
    dark = only(judge(policy, NOW, evaluation="new", baseline=kept))
    assert dark.outcome == "inconclusive"
    assert dark.reason == f"the baseline {kept} has no answers of model on new"
    two = RunRecord.from_json(kept)
    two = two.model_copy(
        update={"runs": [two.runs[0], two.runs[0].model_copy(update={"model": "other"})]}
    )
    reason = only(judge(policy_of(rule_of()), NOW, baseline=two, model="third")).reason
    assert reason == "the baseline a record has no answers of third on faces, only of ads, other"
    assert only(judge(policy_of(rule_of()), NOW, baseline=two, model="other")).value is not None


def test_a_group_that_the_baseline_lacks_is_undefined_and_named():
    without = THEN[THEN["tone"] != "dark"].drop(columns="id")
    dark = only(judge(policy_of(rule_of()), NOW, baseline=without))
    assert dark.reason == "undefined: no samples in tone dark in the baseline"


def test_images_of_one_design_are_not_taken_for_independent():
    rules = [rule_of(), rule_of("accuracy_difference"), rule_of("precision")]
    design = [f"d{i // 45}" for i in range(900)]  # 15 images of each tone
    lost = DARK & RIGHT & np.isin(design, ["d0", "d3"])
    then, now = (frame.assign(design=design) for frame in (THEN, flip(THEN, lost)))
    clustered = policy_of(*rules, cluster="design")
    for baseline in (then, then.drop(columns="id"), judge(clustered, then)):
        plain, aware = (
            judge(policy, now, baseline=baseline) for policy in (policy_of(*rules), clustered)
        )
        for rule in rules:
            one, other = (only(record, rule=rule["id"]) for record in (plain, aware))
            assert one.value == other.value
            assert one.high - one.low < other.high - other.low
            assert (other.cluster, other.change.p_value) == ("design", None)
    dark = only(judge(clustered, now, baseline=then), rule="accuracy-kept")
    assert dark.effective_n < 60
    alike = independent_text(dark.effective_n)
    assert f"; clustered by design: {alike}" in describe(dark)
    assert "McNemar" not in describe(dark)


def test_the_record_with_all_its_details_survives_its_json(tmp_path):
    rules = [rule_of(), rule_of("precision"), rule_of("accuracy_difference")]
    record = judge(policy_of(*rules), NOW, baseline=THEN)
    record.to_json(tmp_path / "record.json")
    assert RunRecord.from_json(tmp_path / "record.json") == record


def test_a_record_without_these_details_still_reads(tmp_path):
    record = judge(policy_of({"metric": "accuracy", "min": 0.5}), NOW)
    new = {"change", "matched", "baseline", "predictions", "accepted"}
    old = record.model_dump(mode="json")
    old = {key: value for key, value in old.items() if key not in new}
    for part in (*old["verdicts"], *old["runs"]):
        for key in new & set(part):
            del part[key]
    assert RunRecord.model_validate(old) == record


def test_a_drop_reads_as_one_sentence_and_one_row():
    record = judge(policy_of(rule_of()), NOW, baseline=THEN)
    assert describe(only(record)) == (
        "accuracy drop, tone dark vs baseline: +0.087 (95 % interval +0.05 … +0.13), limit 0.02 -> "
        "fail; accuracy 0.81 (244 of 300), in the baseline 0.90 (270 of 300); paired on 900 "
        "images; 30 right -> wrong, 4 wrong -> right; McNemar p 6.2e-06; worst: s0008, s0011, "
        "s0014; rule accuracy-kept, policy, rule 1"
    )
    texts = [line.text for line in table_lines(record)]
    assert texts[0] == "model on faces: accuracy drop, limit 0.02 (rule accuracy-kept)"
    assert texts[1] == (
        "  fail          tone dark vs baseline    +0.087  +0.05 … +0.13  n 300  30 right -> wrong, "
        "4 wrong -> right"
    )


def test_a_widening_shows_both_groups_now_and_then():
    record = judge(policy_of(rule_of("accuracy_difference")), NOW, baseline=THEN)
    text = describe(only(record))
    assert text.startswith(
        "widening of the accuracy difference, tone dark vs light vs baseline: +0.0"
    )
    then = "in the baseline 0.90 (270 of 300) vs 0.90 (270 of 300)"
    assert f"accuracy 0.81 (244 of 300) vs 0.90 (270 of 300), {then}" in text


def test_the_correction_counts_rules_against_the_baseline():
    lost = DARK & RIGHT & (np.cumsum(DARK & RIGHT) <= 13)
    rules = [rule_of(), *({"metric": "accuracy", "id": f"a{i}", "min": 0.1} for i in range(30))]
    plain = judge(policy_of(rule_of()), flip(THEN, lost), baseline=THEN)
    assert only(plain).outcome == "fail"
    many = policy_of(*rules, decision={"correction": "holm"})
    corrected = only(judge(many, flip(THEN, lost), baseline=THEN), rule="accuracy-kept")
    assert corrected.outcome == "inconclusive"
    assert "among 93 questions that may be chance" in corrected.reason


@settings(max_examples=20, deadline=None)
@given(st.floats(0, 0.3), st.floats(0, 0.3))
def test_a_looser_drop_never_turns_pass_into_fail(limit, more):
    order = {"fail": 0, "inconclusive": 1, "pass": 2}
    tight, loose = (
        only(judge(policy_of(rule_of(max_drop=value)), NOW, baseline=THEN))
        for value in (limit, limit + more)
    )
    assert order[tight.outcome] <= order[loose.outcome]
