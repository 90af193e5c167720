"""The mean of a bounded number that every image has: a column of a policy, or a declared function."""

import dataclasses
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from pytest_fairness import (
    Classifier,
    Preprocessing,
    RunRecord,
    describe,
    judge,
    load_evaluation_set,
    load_policy,
    predict,
    read_predictions,
)
from pytest_fairness.cli import main
from pytest_fairness.doors.registry import kept_apart, register
from pytest_fairness.errors import DataError, PolicyError, PredictionError
from pytest_fairness.gate.audit.verify import verify
from pytest_fairness.gate.record.kept import write_record
from pytest_fairness.statistics.clusters.counts import SampleClusters
from pytest_fairness.statistics.estimators.sample_means import sample_means
from pytest_fairness.statistics.intervals.bounded_means import mean_interval
from pytest_fairness.statistics.metrics.observed import SampleMean

POLICY = """\
schema = 1

[decision]
inconclusive = "fail"

[evaluation.faces]
manifest = "faces.csv"
attributes = { tone = ["dark", "light"] }

[[rule]]
metric = "mean"
column = "iou"
bounds = [0, 1]
min = 0.5
"""
MEAN = {"metric": "mean", "column": "iou", "bounds": [0, 1], "by": ["tone"], "min": 0.5}
GAP = {
    "metric": "mean_difference",
    "column": "iou",
    "bounds": [0, 1],
    "by": ["tone"],
    "max": 0.1,
}


def policy_of(*rules, **evaluation):
    faces = {"attributes": {"tone": ["dark", "light"]}, "reference": {"tone": "light"}}
    return load_policy(
        {
            "schema": 1,
            "decision": {"inconclusive": "fail", "correction": "none"},
            "evaluation": {"faces": faces | evaluation},
            "rule": list(rules or (MEAN, GAP)),
        }
    )


def frame(n=200, seed=5):
    rng = np.random.default_rng(seed)
    dark = np.arange(n) % 2 == 0
    iou = np.where(dark, rng.beta(6, 4, n), rng.beta(9, 2, n)).round(4)
    return pd.DataFrame(
        {
            "id": [f"image-{i}" for i in range(n)],
            "tone": np.where(dark, "dark", "light"),
            "person": [f"p{i // 4}" for i in range(n)],
            "target": np.where(np.arange(n) % 3, "cat", "dog"),
            "prediction": "cat",
            "iou": iou,
        }
    )


def only(record, rule, group="dark"):
    (verdict,) = (v for v in record.verdicts if v.rule == rule and v.group["tone"] == group)
    return verdict


def test_the_mean_and_the_difference_of_a_column_are_those_of_numpy_with_their_intervals():
    table, policy = frame(), policy_of()
    record = judge(policy, table)
    dark, light = (table.iou[table.tone == tone].to_numpy() for tone in ("dark", "light"))
    mean = only(record, "mean")
    assert mean.value == pytest.approx(dark.mean())
    assert (mean.n, mean.outcome) == (100, "pass")
    own = mean_interval(dark, np.ones(100), np.array([0]), confidence=0.95)
    assert (mean.low, mean.high) == pytest.approx((own.low[0], own.high[0]))
    gap = only(record, "mean_difference")
    assert gap.value == pytest.approx(dark.mean() - light.mean())
    assert gap.outcome == "fail"
    assert describe(mean).startswith("mean, tone dark, column iou: 0.5")


def test_bounds_scale_the_interval():
    table = frame()
    hundred = table.assign(iou=table.iou * 100)
    rule = MEAN | {"bounds": [0, 100], "min": 50}
    mean, scaled = (
        only(judge(policy_of(asked), rows), "mean")
        for asked, rows in ((MEAN, table), (rule, hundred))
    )
    assert (scaled.low, scaled.high) == pytest.approx((mean.low * 100, mean.high * 100))
    wide = only(judge(policy_of(MEAN | {"bounds": [-5, 5], "min": 0.5}), table), "mean")
    assert wide.high - wide.low > mean.high - mean.low


def test_an_image_without_a_number_is_counted_as_without_value():
    table = frame()
    table.loc[[0, 2, 3], "iou"] = np.nan
    dark = only(judge(policy_of(), table), "mean")
    assert (dark.n, dark.observed.without_value) == (98, 2)
    assert dark.value == pytest.approx(table.iou[table.tone == "dark"].mean())


def test_clusters_widen_the_interval_of_a_mean():
    table = frame()
    of_person = np.repeat(np.random.default_rng(1).beta(3, 2, 50), 4).round(3)
    table = table.assign(iou=of_person, tone=np.repeat(["dark", "light"], 100))
    plain, clustered = (
        only(judge(policy_of(MEAN, **more), table), "mean") for more in ({}, {"cluster": "person"})
    )
    assert clustered.value == plain.value
    assert clustered.high - clustered.low > 1.5 * (plain.high - plain.low)
    groups = (table.tone == "light").to_numpy().astype(int)
    clusters = pd.factorize(table.person)[0]
    expected = sample_means(of_person, groups, 2, clusters=SampleClusters(clusters)).alone(0.95)
    assert (clustered.low, clustered.high) == pytest.approx((expected.low[0], expected.high[0]))


def test_the_best_group_is_at_the_end_that_the_rule_says():
    rule = GAP | {"reference": "best", "higher_is_better": True}
    (verdict,) = (v for v in judge(policy_of(rule), frame()).verdicts if v.group["tone"] == "dark")
    assert verdict.reference == {"tone": "light"}
    worst = judge(policy_of(rule | {"higher_is_better": False}), frame())
    (verdict,) = (v for v in worst.verdicts if v.group["tone"] == "light")
    assert verdict.reference == {"tone": "dark"}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (
            1.5,
            r"sample 'image-4': column 'iou' is 1.5, outside 0 to 1; correct the value, or the b",
        ),
        (-0.1, r"sample 'image-4': column 'iou' is -0.1, outside 0 to 1"),
        (1.0000000001, r"sample 'image-4': column 'iou' is 1.0000000001, outside 0 to 1"),
        ("high", r"sample 'image-4': column 'iou' is 'high', not a number; correct the value"),
        ("inf", r"sample 'image-4': column 'iou' is inf, outside 0 to 1"),
    ],
)
def test_what_is_no_number_within_the_bounds_is_an_error_that_names_the_sample(
    value, message, tmp_path
):
    table = frame().astype({"iou": object})
    table.loc[4, "iou"] = value
    table.to_csv(tmp_path / "faces.csv", index=False)
    with pytest.raises(PredictionError, match=f"faces.csv, line 6, {message}"):
        judge(policy_of(), tmp_path / "faces.csv")


@pytest.mark.parametrize(("true", "false"), [(True, False), ("true", "false"), (1, 0)])
def test_a_hit_may_be_written_as_a_truth_value(true, false, tmp_path):
    table = frame()
    hits = pd.Series([1, 0, 1, 1] * len(table)).iloc[: len(table)].to_numpy()
    table["iou"] = [true if hit else false for hit in hits]
    table.to_csv(tmp_path / "faces.csv", index=False)
    values = [verdict.value for verdict in judge(policy_of(), tmp_path / "faces.csv").verdicts]
    table["iou"] = hits
    assert values == [verdict.value for verdict in judge(policy_of(), table).verdicts]


@pytest.mark.parametrize("bounds", [[0], [], [0, 1, 2]])
def test_bounds_are_two_numbers(bounds):
    with pytest.raises(PolicyError, match=r"bounds = .*(two numbers|at most 2)"):
        policy_of(MEAN | {"bounds": bounds})


def test_a_missing_column_is_an_error_that_names_it_and_the_nearest_spelling():
    with pytest.raises(PredictionError, match=r"no column 'iou', which `column` .*mean 'iuo'\?"):
        judge(policy_of(), frame().rename(columns={"iou": "iuo"}))


def test_predictions_that_were_read_for_another_policy_say_that_the_column_is_missing():
    predictions = read_predictions(
        frame(), policy_of({"metric": "accuracy", "min": 0}).evaluations["faces"]
    )
    with pytest.raises(
        PredictionError, match=r"no column 'iou', which `column` of evaluation 'faces'"
    ):
        judge(policy_of(), predictions)


def brightness(images):
    return images.mean(dim=(2, 3))[:, :2]


def test_a_model_carries_the_column_of_its_manifest_to_the_predictions(tmp_path):
    table = frame(8)
    for name in table.id:
        Image.new("RGB", (4, 4)).save(tmp_path / f"{name}.png")
    table.assign(image=table.id + ".png").drop(columns="prediction").to_csv(
        tmp_path / "faces.csv", index=False
    )
    evaluation = policy_of(manifest="faces.csv").evaluations["faces"]
    evaluation = dataclasses.replace(evaluation, manifest=tmp_path / "faces.csv")
    model = Classifier("net", brightness, ("cat", "dog"), Preprocessing(size=4))
    predictions = predict(model, load_evaluation_set(evaluation), device="cpu")
    verdict = only(judge(policy_of(), predictions), "mean")
    assert verdict.value == pytest.approx(table.iou[table.tone == "dark"].mean())
    table.loc[5, "iou"] = 7
    table.assign(image=table.id + ".png").to_csv(tmp_path / "faces.csv", index=False)
    with pytest.raises(DataError, match="sample 'image-5': column 'iou' is 7, outside 0 to 1"):
        load_evaluation_set(evaluation)


def test_a_record_is_read_back_and_verified_with_the_predictions_beside_it(tmp_path):
    policy = policy_of()
    predictions = read_predictions(frame(), policy.evaluations["faces"], model="net")
    record = judge(policy, predictions)
    assert RunRecord.model_validate_json(record.model_dump_json()) == record
    kept = tmp_path / "record.json"
    write_record(record, kept, predictions={("net", "faces"): predictions})
    assert verify(kept).differences == []
    first = record.verdicts[0]
    changed = first.model_copy(update={"value": 0.9})
    forged = record.model_copy(update={"verdicts": [changed, *record.verdicts[1:]]})
    write_record(forged, kept, predictions={("net", "faces"): predictions})
    assert verify(kept).differences
    next(tmp_path.glob("*.parquet")).unlink()
    assert any("predictions beside the record" in text for text in verify(kept).unchecked)


def test_a_plan_says_that_means_are_not_planned(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("policy.toml").write_text(POLICY, encoding="utf-8")
    frame().assign(image="x.png").to_csv("faces.csv", index=False)
    assert main(["plan", "--policy", "policy.toml"]) == 0
    assert "not planned: how much what is observed varies" in capsys.readouterr().out


def brier(predictions, evaluation):
    """Squared error of a score of 0.8 for cat; the first sample has none."""
    target = np.array(predictions.table.column("target").to_pylist())
    return np.where(np.arange(len(target)) == 0, np.nan, np.where(target == "cat", 0.04, 0.64))


def too_few(predictions, evaluation):
    return np.zeros(3)


def words(predictions, evaluation):
    return np.full(predictions.table.num_rows, "x")


def too_large(predictions, evaluation):
    return np.full(predictions.table.num_rows, 1.25)


def error_of_age(predictions, evaluation):
    age, guess = (predictions.table.column(name).to_pylist() for name in ("age", "guess"))
    return np.abs(np.array(age, dtype=float) - np.array(guess, dtype=float))


def declared(function, **more):
    return SampleMean("brier_score", f"{__name__}:{function.__name__}", **more)


def test_a_declared_function_makes_a_metric_and_its_difference():
    rules = [
        {"metric": "brier_score", "by": ["tone"], "max": 0.5},
        {"metric": "brier_score_difference", "by": ["tone"], "max": 0.3},
    ]
    with kept_apart():
        register(declared(brier, higher_is_better=False))
        record = judge(policy_of(*rules), frame())
    dark = only(record, "brier_score")
    wanted = brier_of(frame())
    assert dark.value == pytest.approx(wanted[2::2].mean())
    assert (dark.n, dark.observed.without_value) == (99, 1)
    gap = only(record, "brier_score_difference")
    assert gap.value == pytest.approx(wanted[2::2].mean() - wanted[1::2].mean())


def brier_of(table):
    return np.where(table.target == "cat", 0.04, 0.64)


def test_a_declared_column_and_the_columns_of_a_function_are_read():
    table = frame().assign(age=40, guess=np.where(np.arange(200) % 2, 43, 47))
    with kept_apart():
        register(SampleMean("mean_iou", column="iou", bounds=(0, 1)))
        register(
            SampleMean(
                "age_error",
                f"{__name__}:error_of_age",
                bounds=(0, 120),
                columns=("age", "guess"),
            )
        )
        rules = [
            {"metric": "mean_iou", "by": ["tone"], "min": 0.4},
            {"metric": "age_error", "by": ["tone"], "max": 10},
        ]
        record = judge(policy_of(*rules), table)
    assert only(record, "age_error").value == pytest.approx(7)
    assert only(record, "age_error", "light").value == pytest.approx(3)
    assert only(record, "mean_iou").value == pytest.approx(table.iou[table.tone == "dark"].mean())


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (
            too_few,
            r"must return one number for each of 200 samples, shape \(200,\), got float64 of",
        ),
        (words, r"must return one number for each of 200 samples"),
        (too_large, r"sample 'image-0' has the value 1.25, outside 0 to 1"),
    ],
)
def test_what_a_function_may_not_return_names_the_metric_and_the_function(function, message):
    with kept_apart():
        register(declared(function))
        policy = policy_of({"metric": "brier_score", "by": ["tone"], "max": 0.5})
        with pytest.raises(PredictionError, match=rf"metric 'brier_score' \(.*\).*{message}"):
            judge(policy, frame())


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({}, "give one of value"),
        ({"value": "a:b", "column": "iou"}, "give one of value"),
        ({"column": "iou", "bounds": (1, 0)}, "the smaller first"),
        ({"column": "iou", "bounds": (0, np.inf)}, "two finite numbers"),
    ],
)
def test_a_mean_that_says_too_little_is_refused_where_it_is_declared(keys, message):
    with pytest.raises(ValueError, match=message):
        SampleMean("mean_iou", **keys)
