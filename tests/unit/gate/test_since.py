"""All that changed since the baseline is listed, and what vanished stops the release."""

from pytest_fairness import judge
from pytest_fairness.report import since_lines
from tests.unit.gate.baseline.test_baseline import LEVELS, LOST, NOW, THEN, baseline_of, policy_of


def test_every_group_is_listed_though_all_rules_pass():
    policy = policy_of({"metric": "accuracy", "min": 0.5}, {"preset": "four-fifths"})
    record = judge(policy, NOW, baseline=THEN)
    rows = {tuple(row.group.values()): row for row in baseline_of(record).flips}
    assert set(rows) == {(), ("light",), ("medium",), ("dark",)}
    assert (rows["dark",].right_to_wrong, rows["dark",].wrong_to_right) == (30, 4)
    assert rows["dark",].worst[0] == min(NOW["id"][LOST])
    assert (rows[()].n, rows[()].right, rows[()].baseline_right) == (900, 784, 810)
    texts = [line.text for line in since_lines(record)]
    assert (
        texts[1] == "model on faces: changes since predictions, model model; paired on 900 images"
    )
    assert texts[2].startswith("  all samples  accuracy 0.900 -> 0.871  n 900  4 wrong -> right")
    assert (
        texts[3]
        == "  tone light   accuracy 0.900 -> 0.900  n 300  0 wrong -> right, 0 right -> wrong"
    )
    assert texts[5].endswith("30 right -> wrong: s0008, s0011, s0014, ...")


def test_without_a_baseline_nothing_is_listed():
    assert since_lines(judge(policy_of({"metric": "accuracy", "min": 0.5}), NOW)) == []


def test_what_vanished_since_the_baseline_is_named_and_stops_the_release():
    rules = [{"metric": "accuracy", "min": 0.5}, {"metric": "error_rate", "max": 0.5}]
    attributes = {"tone": LEVELS, "sex": ["f"]}
    before = judge(
        policy_of(*rules, {"preset": "four-fifths", "by": ["tone", "sex"]}, attributes=attributes),
        THEN.assign(sex="f"),
    )
    rest = NOW[NOW["tone"] == "light"].assign(sex="f")
    levels = {"tone": ["light", "medium"], "sex": ["f"]}
    now = policy_of(
        rules[0],
        {"id": "error_rate", "metric": "selection_rate", "max": 0.9},
        {"preset": "four-fifths", "by": ["sex"]},
        attributes=levels,
        reference={"sex": "f"},
    )
    record = judge(now, rest, baseline=before)
    assert record.vanished == [
        "rule error_rate: it asked error_rate and now asks selection_rate",
        "rule disparate_impact: no longer asked by tone",
        "level tone dark of faces: the policy no longer declares it",
        "group tone medium of faces: 300 samples in the baseline, none now",
    ]
    assert not record.passed


def test_a_level_of_predictions_that_the_policy_dropped_is_named_too(tmp_path):
    THEN.to_csv(tmp_path / "then.csv", index=False)
    policy = policy_of({"metric": "accuracy", "min": 0.5}, attributes={"tone": LEVELS[:2]})
    rest = NOW[NOW["tone"] != "dark"]
    for baseline in (THEN, tmp_path / "then.csv"):
        record = judge(policy, rest, baseline=baseline)
        assert record.vanished == ["level tone dark of faces: the policy no longer declares it"]


def test_nothing_vanished_when_the_policy_only_grew():
    before = judge(policy_of({"metric": "accuracy", "min": 0.5}), THEN)
    policy = policy_of({"metric": "accuracy", "min": 0.6}, {"metric": "error_rate", "max": 0.5})
    record = judge(policy, NOW, baseline=before)
    assert record.vanished == []
    assert record.passed


def test_images_without_a_value_that_now_have_one_are_no_loss():
    holes = THEN.assign(tone=THEN["tone"].where(THEN.index % 9 != 0, None))
    policy = policy_of({"metric": "accuracy", "min": 0.5})
    for baseline in (holes, judge(policy, holes)):
        record = judge(policy, NOW, baseline=baseline)
        assert record.vanished == []
        assert record.passed
