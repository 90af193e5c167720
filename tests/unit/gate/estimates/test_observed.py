"""What analyses observed, judged by a policy: means by group, a model as a whole, pairs."""

import json
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import PolicyError, describe, judge, load_policy, read_predictions
from pytest_fairness.gate.estimates.wanted import wanted_by
from pytest_fairness.gate.questions import questions
from pytest_fairness.gate.run import judge_model
from pytest_fairness.inference.observed import Observed, observation, with_observed
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

SEXES, SKIN = ("female", "male"), ("light", "dark")


def policy_of(*rules, cluster=None):
    evaluation = {
        "classes": ["a", "b"],
        "positive": "b",
        "attributes": {"sex": list(SEXES), "skin": list(SKIN)},
        "reference": {"sex": "male", "skin": "light"},
    }
    if cluster:
        evaluation["cluster"] = cluster
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"faces": evaluation},
        "rule": list(rules),
    }


def predictions_of(policy, observed=None, n=200):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {
            "id": [f"s{i}" for i in range(n)],
            "sex": np.tile(SEXES, n // 2),
            "skin": np.repeat(SKIN, n // 2),
            "person": [f"p{i // 4}" for i in range(n)],
            "target": rng.choice(["a", "b"], n),
            "prediction": rng.choice(["a", "b"], n),
        }
    )
    evaluation = load_policy(policy).evaluations["faces"]
    found = read_predictions(frame, evaluation, model="net")
    return found if observed is None else with_observed(found, observed)


def background(low=0.2, high=0.4, n=200):
    """Scores that are higher for the second half: dark skin."""
    rng = np.random.default_rng(2)
    values = np.where(np.arange(n) < n // 2, low, high) + rng.uniform(-0.05, 0.05, n)
    name = observation("attention_mask_score", "background")
    return Observed({name: values}, {name: {"uniform": 0.6}})


MASK = {"metric": "attention_mask_score", "of": ["background"], "by": ["skin"], "max": 0.35}


def test_mean_of_each_group_is_judged_and_told_beside_uniform_attention():
    policy = policy_of(MASK)
    light, dark = judge(policy, predictions_of(policy, background())).verdicts
    assert (light.outcome, dark.outcome) == ("pass", "fail")
    assert light.value == pytest.approx(0.2, abs=0.01)
    assert light.observed.deviation == pytest.approx(0.029, abs=0.005)
    text = describe(dark)
    assert "attention mask score, skin dark, part background: 0.4" in text
    assert "samples with a value; uniform attention would score 0.600" in text


def test_difference_between_groups_is_judged_against_the_reference():
    rule = MASK | {"metric": "attention_mask_score_difference", "max": 0.1}
    policy = policy_of(rule)
    (verdict,) = judge(policy, predictions_of(policy, background())).verdicts
    assert verdict.outcome == "fail"
    assert verdict.value == pytest.approx(0.2, abs=0.02)
    assert verdict.reference == {"skin": "light"}
    assert "0.2" in describe(verdict)
    assert "v" in describe(verdict)


def test_samples_without_a_value_are_counted_never_scored():
    policy = policy_of(MASK)
    observed = background()
    (name,) = observed.columns
    observed.columns[name][:30] = np.nan
    light, _ = judge(policy, predictions_of(policy, observed)).verdicts
    assert (light.n, light.observed.without_value) == (70, 30)
    assert "30 samples have no value" in describe(light)


def test_a_group_without_any_value_is_undefined():
    policy = policy_of(MASK)
    observed = background()
    (name,) = observed.columns
    observed.columns[name][:100] = np.nan
    light, _ = judge(policy, predictions_of(policy, observed)).verdicts
    assert light.outcome == "inconclusive"
    assert "no samples with a value in skin light" in light.reason


def test_clusters_widen_the_interval():
    plain, clustered = policy_of(MASK), policy_of(MASK, cluster="person")
    rng = np.random.default_rng(4)
    name = observation("attention_mask_score", "background")
    observed = Observed({name: np.repeat(rng.uniform(0, 1, 50), 4)}, {})
    wide, narrow = (
        judge(policy, predictions_of(policy, observed)).verdicts[0] for policy in (clustered, plain)
    )
    assert wide.high - wide.low > 1.5 * (narrow.high - narrow.low)
    assert wide.effective_n < narrow.n / 2


def test_without_the_model_the_question_is_open_and_says_why():
    policy = policy_of(MASK)
    record = judge(policy, predictions_of(policy))
    assert not record.passed
    assert "needs the model itself" in record.verdicts[0].reason


def test_probe_is_judged_above_its_null():
    rule = {"metric": "probe_accuracy", "of": ["last"], "by": ["skin"], "max": 0.1}
    policy = policy_of(rule)
    name = observation("probe_accuracy", "last", by=("skin",))
    right = (np.arange(200) % 10 < 9).astype(float)
    observed = Observed({name: right}, {name: {"null": 0.5, "chance": 0.5}})
    (verdict,) = judge(policy, predictions_of(policy, observed)).verdicts
    assert verdict.outcome == "fail"
    assert verdict.value == pytest.approx(0.4)
    assert verdict.question == "probe_accuracy[net-faces-skin-all-last]"
    text = describe(verdict)
    assert "probe accuracy above its null, skin, layer last: +0.400" in text
    assert "180 of 200 held-out samples; its null is 0.500" in text


def test_similarity_of_two_groups_is_judged_by_its_standard_error():
    rule = {"metric": "topographic_similarity", "of": ["last"], "by": ["skin"], "min": 0.5}
    policy = policy_of(rule)
    name = observation("topographic_similarity", "last", by=("skin",), pair=("dark", "light"))
    facts = {"value": 0.9, "error": 0.04, "freedom": 50, "n": 100, "reference_n": 100}
    (verdict,) = judge(policy, predictions_of(policy, Observed({}, {name: facts}))).verdicts
    assert verdict.outcome == "pass"
    assert verdict.value == pytest.approx(0.9)
    assert (verdict.low, verdict.high) == pytest.approx((0.82, 0.98), abs=0.001)
    assert verdict.group == {"skin": "dark"}


def test_prediction_bias_is_the_mean_probability_given_by_samples_of_other_classes():
    rule = {"metric": "class_prediction_bias", "positive": "each", "by": ["overall"], "max": 0.9}
    policy = policy_of(rule)
    predictions = predictions_of(policy)
    frame = predictions.table.to_pandas()
    found = judge(policy, predictions).verdicts
    assert [verdict.positive for verdict in found] == ["a", "b"]
    for verdict in found:
        wrong = (frame["target"] != verdict.positive) & (frame["prediction"] == verdict.positive)
        assert verdict.value == pytest.approx(wrong.mean())


def test_overall_asks_of_all_samples_together():
    policy = policy_of({"metric": "accuracy", "by": ["overall", "sex"], "min": 0.1})
    overall, *groups = judge(policy, predictions_of(policy)).verdicts
    assert overall.n == sum(verdict.n for verdict in groups) == 200
    assert overall.question == "accuracy[net-faces-overall]"
    assert "accuracy, all samples: " in describe(overall)


def test_worst_class_is_judged_by_group_and_overall():
    rule = {"metric": "worst_class_accuracy", "by": ["overall", "skin"], "min": 0.2}
    policy = policy_of(rule)
    predictions = predictions_of(policy)
    frame = predictions.table.to_pandas()
    right = frame["target"] == frame["prediction"]
    overall, *_ = judge(policy, predictions).verdicts
    assert overall.value == pytest.approx(right.groupby(frame["target"]).mean().min())
    assert [part.name for part in overall.parts] == ["recall of a", "recall of b"]


def test_observations_survive_a_file_and_a_record_is_verified_from_it(tmp_path):
    from pytest_fairness.gate.audit.verify import verify
    from pytest_fairness.gate.record.kept import write_record

    policy = tmp_path / "policy.toml"
    policy.write_text(
        """schema = 1
[decision]
inconclusive = "fail"
[evaluation.faces]
classes = ["a", "b"]
attributes.skin = ["light", "dark"]
[[rule]]
metric = "attention_mask_score"
of = "background"
max = 0.35
"""
    )
    predictions_of(policy_of(MASK), background()).to_parquet(tmp_path / "first.parquet")
    evaluation = load_policy(policy).evaluations["faces"]
    read_predictions(tmp_path / "first.parquet", evaluation).to_parquet(tmp_path / "kept.parquet")
    record = judge(policy, tmp_path / "kept.parquet")
    assert [verdict.outcome for verdict in record.verdicts] == ["pass", "fail"]
    path = tmp_path / "record.json"
    write_record(record, path, predictions={("net", "faces"): tmp_path / "kept.parquet"})
    found = verify(path)
    assert (found.checked, found.differences, found.unchecked) == (2, [], [])
    changed = json.loads(path.read_text())
    changed["verdicts"][1]["outcome"] = "pass"
    path.write_text(json.dumps(changed))
    assert verify(path).differences
    path.with_name("record.net-faces.parquet").unlink()
    assert "not checked: needs the predictions" in verify(path).unchecked[0]


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"metric": "attention_mask_score", "max": 0.3}, r"needs the key 'of', one part or more"),
        ({"metric": "accuracy", "of": ["hair"], "min": 0.3}, r"has no key `of`: remove it"),
        (MASK | {"of": ["hair", "hair"]}, r"lists a name twice"),
        (
            {"metric": "mean_f2", "against": "baseline", "max_drop": 0.1},
            r"'mean_f2' is not compared with the baseline",
        ),
        ({"metric": "attention_mask_score", "of": "hair", "max": 1.5}, r"must be in \[0, 1\]"),
        (
            {"metric": "probe_accuracy", "of": "last", "by": ["overall"], "max": 0.2},
            r"asked of attributes, not of all samples together",
        ),
        (
            {
                "metric": "topographic_similarity",
                "of": "last",
                "by": ["skin"],
                "min": 0.5,
                "reference": "best",
            },
            r"compares each group with a named one|no group is the best",
        ),
        (
            {"metric": "accuracy_difference", "by": ["overall"], "max": 0.2},
            r"compares groups, and 'overall' is all samples together",
        ),
    ],
    ids=["no_of", "needless_of", "twice", "baseline", "range", "probe", "pairs", "overall"],
)
def test_a_rule_that_cannot_be_asked_is_refused(rule, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(policy_of(rule))


def test_each_observation_is_wanted_once_whatever_the_number_of_questions():
    policy = load_policy(
        policy_of(
            MASK | {"by": ["skin", "sex"]},
            MASK | {"id": "gap", "metric": "attention_mask_score_difference", "max": 0.1},
            {"metric": "probe_accuracy", "of": ["first", "last"], "by": ["skin"], "max": 0.2},
            {"metric": "accuracy", "min": 0.1},
        )
    )
    found = wanted_by(questions(policy, ["net"]))
    assert [(one.analysis, one.measure, one.of, one.by) for one in found] == [
        ("attention", "attention_mask_score", "background", ()),
        ("representation", "probe_accuracy", "first", ("skin",)),
        ("representation", "probe_accuracy", "last", ("skin",)),
    ]


def test_judging_a_model_makes_the_observations(monkeypatch, tmp_path):
    import torch
    from PIL import Image

    from pytest_fairness import Classifier, Preprocessing
    from pytest_fairness.doors import registry
    from pytest_fairness.doors.registry import declared

    def observer(classifier, samples, predictions, wanted, run):
        assert [one.of for one in wanted] == ["background"]
        assert (run.cluster, run.positive) == (None, "b")
        name = observation("attention_mask_score", "background")
        return Observed({name: np.full(len(samples), 0.3)}, {})

    import sys
    import types

    module = types.ModuleType("fake_observer")
    module.observe_all = observer
    monkeypatch.setitem(sys.modules, "fake_observer", module)
    attention = replace(declared("analyses", "attention"), observe="fake_observer:observe_all")
    monkeypatch.setitem(registry._SHELVES["analyses"].by_name, "attention", attention)
    for i in range(8):
        Image.new("RGB", (8, 8), (30 * i, 0, 0)).save(tmp_path / f"{i}.png")
    rows = [f"{i}.png,{SEXES[i % 2]},{SKIN[i // 4]},{'ab'[i % 2]}" for i in range(8)]
    (tmp_path / "m.csv").write_text("\n".join(["image,sex,skin,target", *rows]))
    policy = policy_of(MASK)
    policy["evaluation"]["faces"]["manifest"] = str(tmp_path / "m.csv")
    model = Classifier(
        "net",
        lambda x: torch.stack([x.mean((1, 2, 3)), 1 - x.mean((1, 2, 3))], 1),
        ("a", "b"),
        Preprocessing(8),
    )
    record = judge_model(policy, model)
    assert [verdict.value for verdict in record.verdicts] == pytest.approx([0.3, 0.3])


SIMILARITY = {"metric": "topographic_similarity", "of": ["last"], "by": ["skin"]}


def similarity(limit, **facts):
    """The verdict on two groups whose similarity has this value and error."""
    policy = policy_of(SIMILARITY | limit)
    name = observation("topographic_similarity", "last", by=("skin",), pair=("dark", "light"))
    facts = {"freedom": 50, "n": 100, "reference_n": 80} | facts
    return judge(policy, predictions_of(policy, Observed({}, {name: facts}))).verdicts[0]


def test_the_interval_of_a_similarity_stays_within_what_a_similarity_can_be():
    high = similarity({"min": 0.5}, value=0.95, error=0.1)
    assert (high.low, high.high) == (pytest.approx(0.95 - 2.0086 * 0.1, abs=1e-3), 1.0)
    low = similarity({"min": 0.5}, value=-0.95, error=0.1)
    assert (low.low, low.high) == (-1.0, pytest.approx(-0.95 + 2.0086 * 0.1, abs=1e-3))


def test_a_jackknife_of_little_freedom_has_a_wide_interval():
    wide = similarity({"min": 0.0}, value=0.5, error=0.02, freedom=1.0)
    assert wide.low == pytest.approx(0.5 - 12.706 * 0.02, abs=1e-3)
    # Less than one degree of freedom is none that a distribution has.
    assert similarity({"min": 0.0}, value=0.5, error=0.02, freedom=0.2).low == wide.low


def test_the_error_of_a_similarity_shrinks_with_the_root_of_the_samples():
    """The room above the limit is 0.1: 1 + 0.842 / 1.960 half widths fit in for a chance of 0.8."""
    verdict = similarity({"min": 0.5}, value=0.6, error=0.1)
    assert verdict.outcome == "inconclusive"
    student = 2.0086
    assert verdict.n_to_settle == pytest.approx(80 * (1.4294 * student * 0.1 / 0.1) ** 2, rel=0.02)


def test_what_a_probe_would_settle_follows_from_the_rate_above_its_null():
    rule = {"metric": "probe_accuracy", "of": ["last"], "by": ["skin"], "max": 0.1}
    policy = policy_of(rule)
    name = observation("probe_accuracy", "last", by=("skin",))
    right = (np.arange(200) % 20 < 11).astype(float)
    observed = Observed({name: right}, {name: {"null": 0.5, "chance": 0.5}})
    (verdict,) = judge(policy, predictions_of(policy, observed)).verdicts
    assert verdict.outcome == "inconclusive"
    assert verdict.value == pytest.approx(0.05)
    size = verdict.n_to_settle
    _, high = GroupRates(RateCounts(np.array([0.55 * size]), np.array([size]))).alone(0.95)
    assert 1.4294 * (high[0] - 0.55) == pytest.approx(0.05, abs=0.002)
