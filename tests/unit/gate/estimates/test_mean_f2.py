"""Mean F2 of label sets as a metric of a policy: known answers, intervals, and what it refuses."""

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from sklearn.metrics import accuracy_score, fbeta_score
from sklearn.preprocessing import MultiLabelBinarizer

from pytest_fairness import (
    Classifier,
    Predictions,
    Preprocessing,
    RunRecord,
    describe,
    judge,
    judge_model,
    load_evaluation_set,
    load_policy,
    predict,
)
from pytest_fairness.analyses.multilabel import mean_fbeta
from pytest_fairness.classifiers import LabelRule
from pytest_fairness.errors import ModelError, PolicyError, PredictionError

RULES = [
    {"metric": "mean_f2", "by": ["place"], "min": 0.3},
    {"metric": "mean_f2_difference", "by": ["place"], "max": 0.2},
]
# Set wanted, set given, and the F2 of papers' worked values.
WORKED = [
    ({"b", "c", "d", "e"}, {"a", "b", "c"}, 10 / 19),
    ({"a"}, set(), 0.0),
    (set(), set(), 1.0),
    ({"a", "b"}, {"a", "b"}, 1.0),
]


def policy_of(*rules, **evaluation):
    table = {
        "labels": "wanted",
        "predicted_labels": "given",
        "attributes": {"place": ["here", "there"]},
        "reference": {"place": "there"},
    }
    return {
        "schema": 1,
        "decision": {"inconclusive": "fail"},
        "evaluation": {"photos": table | evaluation},
        "rule": list(rules or RULES),
    }


def photos(n=400, seed=31):
    """Photographs with three of eight labels, of which a model finds more there than here."""
    rng = np.random.default_rng(seed)
    rows = []
    for i in range(n):
        place = ("here", "there")[i % 2]
        wanted = set(rng.choice(list("abcdefgh"), 3, replace=False).tolist())
        found = {
            label for label in sorted(wanted) if rng.random() < {"here": 0.5, "there": 0.8}[place]
        }
        more = set(rng.choice(list("abcdefgh"), rng.integers(0, 2)).tolist())
        rows.append({"id": f"p{i}", "place": place, "wanted": wanted, "given": found | more})
    return pd.DataFrame(rows)


def f2(frame):
    return mean_fbeta(frame["wanted"].tolist(), frame["given"].tolist())


def one(record, metric, place):
    (found,) = [v for v in record.verdicts if v.metric == metric and v.group == {"place": place}]
    return found


def test_worked_values_by_group_of_one_sample_each():
    for wanted, given, expected in WORKED:
        frame = pd.DataFrame(
            {"place": ["here", "there"], "wanted": [wanted] * 2, "given": [given] * 2}
        )

        assert one(judge(policy_of(), frame), "mean_f2", "here").value == pytest.approx(expected)


def test_values_of_groups_are_scikit_learns_and_lie_in_their_intervals():
    frame = photos()
    record = judge(policy_of(), frame)
    binary = MultiLabelBinarizer().fit([list("abcdefgh")])

    for place, some in frame.groupby("place"):
        verdict = one(record, "mean_f2", place)
        rows = binary.transform(some["wanted"]), binary.transform(some["given"])
        assert verdict.value == pytest.approx(fbeta_score(*rows, beta=2, average="samples"))
        assert verdict.n == 200
        assert verdict.low < verdict.value < verdict.high
        assert verdict.observed.deviation == pytest.approx(
            np.std([f2(some.iloc[[i]]) for i in range(len(some))], ddof=1)
        )


def test_the_difference_is_that_of_the_groups_and_is_decided_on_its_interval():
    frame = photos()
    verdict = one(judge(policy_of(), frame), "mean_f2_difference", "here")
    by_place = {place: f2(some) for place, some in frame.groupby("place")}

    assert verdict.value == pytest.approx(by_place["here"] - by_place["there"])
    assert verdict.low < verdict.value < verdict.high < 0
    assert verdict.outcome in ("fail", "inconclusive")
    strict = judge(policy_of(RULES[1] | {"max": 0.1}), frame)
    assert one(strict, "mean_f2_difference", "here").outcome == "fail"
    assert "mean F2 difference, place here vs there" in describe(strict.verdicts[0])


def test_intervals_cover_the_true_mean():
    """1,000 small sets of 30 from 4,000 photographs: at least 93 in 100 intervals hold the mean."""
    frame = photos(4000, seed=32)
    each = [
        mean_fbeta([wanted], [given])
        for wanted, given in zip(frame["wanted"], frame["given"], strict=True)
    ]
    here = np.array(each)[frame["place"] == "here"]
    from pytest_fairness.statistics.estimators.sample_means import sample_means

    rng = np.random.default_rng(33)
    groups = np.repeat(np.arange(1000), 30)
    found = sample_means(rng.choice(here, groups.size), groups, 1000).alone(0.95)

    assert np.mean((found.low <= here.mean()) & (here.mean() <= found.high)) >= 0.93


def test_clusters_widen_the_interval():
    frame = pd.concat([photos()] * 4).assign(id=lambda all_: [f"q{i}" for i in range(len(all_))])
    frame["person"] = [f"person {i % 400}" for i in range(len(frame))]
    alone, shared = (
        one(judge(policy_of(RULES[0], **more), frame), "mean_f2", "here")
        for more in ({}, {"cluster": "person"})
    )

    assert alone.value == pytest.approx(shared.value)
    assert shared.effective_n == pytest.approx(200, rel=0.05)
    assert shared.high - shared.low > 1.7 * (alone.high - alone.low)


def test_without_a_target_accuracy_is_the_share_of_sets_that_are_exactly_right():
    frame = photos()
    record = judge(policy_of({"metric": "accuracy", "by": ["place"], "min": 0.01}), frame)
    binary = MultiLabelBinarizer().fit([list("abcdefgh")])

    for place, some in frame.groupby("place"):
        rows = binary.transform(some["wanted"]), binary.transform(some["given"])
        assert one(record, "accuracy", place).value == pytest.approx(accuracy_score(*rows))


def test_label_sets_and_a_class_are_judged_side_by_side():
    frame = photos().assign(target="x", prediction="x")
    record = judge(
        policy_of(*RULES, {"metric": "accuracy", "by": ["place"], "min": 0.5}, classes=["x", "y"]),
        frame,
    )

    assert one(record, "accuracy", "here").value == 1
    assert one(record, "mean_f2", "here").value == pytest.approx(
        f2(frame[frame["place"] == "here"])
    )


@pytest.mark.parametrize("suffix", ["csv", "parquet", "ours"])
def test_files_give_the_same_verdicts(tmp_path, suffix):
    frame = photos(60)
    path = tmp_path / f"answers.{suffix if suffix == 'csv' else 'parquet'}"
    if suffix == "csv":
        text = {
            name: frame[name].map(lambda labels: "|".join(sorted(labels)))
            for name in ("wanted", "given")
        }
        frame.assign(**text).to_csv(path, index=False)
    elif suffix == "parquet":
        lists = {name: frame[name].map(sorted) for name in ("wanted", "given")}
        frame.assign(**lists).to_parquet(path)
    else:
        from pytest_fairness import read_predictions

        read_predictions(frame, load_policy(policy_of()).evaluations["photos"]).to_parquet(path)

    assert judge(policy_of(), path).verdicts == judge(policy_of(), frame).verdicts


def test_the_record_tells_it_again(tmp_path):
    record = judge(policy_of(), photos(60))
    record.to_json(tmp_path / "record.json")

    assert RunRecord.from_json(tmp_path / "record.json") == record


def test_predictions_without_label_sets_leave_the_question_open_with_the_reason():
    frame = photos(60).drop(columns="given").assign(target="x", prediction="x")
    policy = policy_of(classes=["x", "y"], predicted_labels="predicted_labels")

    verdict = one(judge(policy, frame), "mean_f2", "here")

    assert (verdict.outcome, verdict.value) == ("inconclusive", None)
    assert "the predictions have no predicted labels; give a column" in verdict.reason


def test_a_named_column_of_predicted_labels_must_be_there():
    with pytest.raises(PredictionError, match="no column 'given', which `predicted_labels` of"):
        judge(policy_of(), photos(20).drop(columns="given"))


def test_a_rule_needs_the_column_of_the_true_labels():
    policy = policy_of()
    del policy["evaluation"]["photos"]["labels"]

    with pytest.raises(PolicyError, match=r'write labels = "COLUMN".* in \[evaluation\.photos\]'):
        load_policy(policy)


def test_a_baseline_without_label_sets_is_still_compared_by_class():
    rules = [
        *RULES,
        {"metric": "accuracy", "by": ["place"], "against": "baseline", "max_drop": 0.1},
    ]
    frame = photos().assign(target="x", prediction="x")
    before = frame.drop(columns=["wanted", "given"])

    record = judge(policy_of(*rules, classes=["x", "y"]), frame, baseline=before)

    assert {v.outcome for v in record.verdicts if v.metric == "accuracy"} == {"pass"}


# A model that gives labels.

LABELS = ("dark", "light", "red", "blue")
LIKELY = LabelRule(0.5)


@pytest.fixture
def manifest(tmp_path):
    """Eight plain images: dark or light, and red or blue, with their labels."""
    rows = []
    for i in range(8):
        light, red = i % 2, i // 4
        shade = 200 if light else 60
        colour = (shade, 0, 0) if red else (0, 0, shade)
        Image.new("RGB", (8, 8), colour).save(tmp_path / f"{i}.png")
        wanted = [("dark", "light")[light], ("blue", "red")[red]]
        rows.append(
            {
                "image": f"{i}.png",
                "wanted": "|".join(wanted),
                "place": ("here", "there")[i // 2 % 2],
            }
        )
    pd.DataFrame(rows).to_csv(tmp_path / "photos.csv", index=False)
    return tmp_path / "photos.csv"


def colours(images):
    """Logits: dark and light by the largest channel, red and blue by the channels."""
    import torch

    red, _, blue = images.mean(dim=(2, 3)).unbind(1)
    largest = torch.maximum(red, blue)
    return 20 * torch.stack([0.5 - largest, largest - 0.5, red - blue, blue - red], dim=1)


def model(tagging=LIKELY, labels=LABELS):
    return Classifier("colours", colours, labels, Preprocessing(size=8), tagging=tagging)


def test_a_models_labels_are_judged_by_their_sets(manifest):
    policy = policy_of(manifest=str(manifest))
    del policy["evaluation"]["photos"]["predicted_labels"]

    record = judge_model(policy, model())
    worse = judge_model(policy, model(LabelRule(0.5, most=1)))

    assert one(record, "mean_f2", "here").value == 1
    assert one(worse, "mean_f2", "here").value == pytest.approx(5 / 9)  # one of two found
    assert record.runs[0].metadata["tagging"] == repr(LIKELY)


def test_predictions_keep_the_labels_that_were_given(manifest, tmp_path):
    evaluation = load_policy(policy_of(manifest=str(manifest))).evaluations["photos"]

    found = predict(model(), load_evaluation_set(evaluation))
    found.to_parquet(tmp_path / "p.parquet")
    table = Predictions.from_parquet(tmp_path / "p.parquet").table.to_pandas()

    assert table["predicted_labels"].tolist() == table["labels"].tolist()
    assert table["predicted_labels"].tolist()[0] == "blue|dark"
    assert set(table["prediction"]) == {"right"}
    assert (
        judge(policy_of(manifest=str(manifest)), tmp_path / "p.parquet").passed is False
    )  # 4 a group


def test_a_model_without_a_rule_for_labels_is_refused_where_only_labels_are_asked(manifest):
    with pytest.raises(
        ModelError, match=r"'colours' gives no sets of labels, .* give `Classifier\.tagg"
    ):
        judge_model(policy_of(manifest=str(manifest)), model(tagging=None))


def test_a_label_with_a_bar_is_refused(manifest):
    with pytest.raises(ModelError, match=r"'re\|d' is no label.*rename the label"):
        judge_model(
            policy_of(manifest=str(manifest)), model(labels=("dark", "light", "re|d", "blue"))
        )
