"""Predictions from a file are judged by the targets and attributes of the manifest."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, strategies as st

from pytest_fairness import judge
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import read_predictions
from pytest_fairness.policy import Evaluation
from pytest_fairness.policy.records import Derivation
from pytest_fairness.report import table_lines
from pytest_fairness.report.models import model_lines

N = 20


@pytest.fixture
def manifest(tmp_path: Path) -> pd.DataFrame:
    frame = pd.DataFrame(
        {
            "id": [f"s{i}" for i in range(N)],
            "image": [f"s{i}.png" for i in range(N)],
            "target": ["yes", "no"] * (N // 2),
            "tone": ["light"] * 10 + ["dark"] * 10,
            "split": ["test"] * 16 + ["val"] * 4,
            "person": [f"p{i // 2}" for i in range(N)],
            "age": range(N),
        }
    )
    frame.to_csv(tmp_path / "faces.csv", index=False)
    return frame


@pytest.fixture
def faces(manifest: pd.DataFrame, tmp_path: Path) -> Evaluation:
    return Evaluation(
        "faces",
        manifest=tmp_path / "faces.csv",
        positive="yes",
        classes=("no", "yes"),
        attributes={"tone": ("light", "dark")},
        cluster="person",
    )


@pytest.fixture
def answers(manifest: pd.DataFrame) -> pd.DataFrame:
    """The ids and the predictions alone, in another order than the manifest."""
    wrong = manifest["tone"] == "dark"
    prediction = manifest["target"].where(
        ~wrong, manifest["target"].map({"yes": "no", "no": "yes"})
    )
    return manifest[["id"]].assign(prediction=prediction).sample(frac=1, random_state=0)


def test_targets_and_attributes_come_from_the_manifest(faces, answers, manifest):
    found = read_predictions(answers, faces)
    table = found.table.to_pandas()
    assert table[["id", "target", "tone", "person"]].equals(
        manifest[["id", "target", "tone", "person"]]
    )
    assert (table["prediction"] == table["target"]).tolist() == [True] * 10 + [False] * 10
    assert found.metadata["ground_truth"] == "manifest"


def test_without_a_manifest_they_come_from_the_file_and_it_is_told(faces, answers, manifest):
    policy: dict[str, Any] = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {"faces": {"attributes": {"tone": ["light", "dark"]}}},
        "rule": [{"metric": "accuracy", "min": 0.1}],
    }
    record = judge(policy, answers.merge(manifest))
    assert model_lines(record) == ["model on faces: ground truth from the predictions file"]
    policy["evaluation"]["faces"]["manifest"] = str(faces.manifest)
    assert model_lines(judge(policy, answers)) == []


@given(st.sets(st.integers(0, N - 1), min_size=1, max_size=N - 1))
def test_whatever_rows_are_deleted_is_refused(tmp_path_factory, gone):
    folder = tmp_path_factory.mktemp("truth")
    ids = [f"s{i}" for i in range(N)]
    truth = pd.DataFrame({"id": ids, "image": ids, "target": ["yes", "no"] * (N // 2)})
    truth.to_csv(folder / "faces.csv", index=False)
    faces = Evaluation("faces", manifest=folder / "faces.csv")
    left = truth.assign(prediction="yes").drop(index=sorted(gone))
    with pytest.raises(PredictionError) as raised:
        read_predictions(left, faces)
    count = f"{len(gone)} sample{'s' if len(gone) > 1 else ''} of the manifest"
    assert f"{count} {folder / 'faces.csv'} ha" in str(raised.value)
    assert f"'s{min(gone)}'" in str(raised.value)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        pytest.param(
            lambda frame: pd.concat([frame, frame.iloc[:1].assign(id="new")]),
            r"sample 'new': the manifest .*faces.csv has no such sample; remove the row",
            id="extra",
        ),
        pytest.param(lambda frame: pd.concat([frame, frame.iloc[:1]]), "appears twice", id="twice"),
        pytest.param(
            lambda frame: frame.drop(columns="id"),
            r"no column 'id', and evaluation 'faces' has a manifest",
            id="no ids",
        ),
        pytest.param(
            lambda frame: frame.assign(target="yes"),
            r"sample 's1': target is 'yes', and the manifest .* says 'no' \(10 such samples\)",
            id="target",
        ),
        pytest.param(
            lambda frame: frame.assign(tone="light"),
            r"sample 's10': tone is 'light', and the manifest .* says 'dark' \(10 such samples\)",
            id="attribute",
        ),
        pytest.param(
            lambda frame: frame.assign(person="p0"),
            r"sample 's2': person is 'p0', and the manifest .* says 'p1' \(18 such samples\)",
            id="cluster",
        ),
        pytest.param(
            lambda frame: frame.assign(tone=None),
            r"sample 's0': tone is None, and the manifest .* says 'light'",
            id="attribute gone",
        ),
    ],
)
def test_what_the_manifest_does_not_have_or_says_otherwise_is_refused(
    faces, answers, tmp_path, change, problem
):
    changed = change(answers)
    changed.to_csv(tmp_path / "answers.csv", index=False)
    changed.to_parquet(tmp_path / "answers.parquet")
    changed.reset_index(drop=True).to_json(tmp_path / "answers.jsonl", orient="records", lines=True)
    for source in (changed, *sorted(tmp_path.glob("answers.*"))):
        with pytest.raises(PredictionError, match=problem):
            read_predictions(source, faces)


def test_what_where_leaves_out_may_be_missing_or_there(faces, answers, manifest):
    faces = Evaluation(**{**_fields(faces), "where": {"split": ("test",)}})
    of_test = answers[answers["id"].isin(manifest["id"][:16])]
    whole, part = (read_predictions(frame, faces) for frame in (answers, of_test))
    assert whole.table == part.table
    assert whole.table.num_rows == 16
    assert whole.metadata["left_out"] == part.metadata["left_out"] == "4"
    with pytest.raises(PredictionError, match=r"1 sample of the manifest .* has no prediction: 's"):
        read_predictions(of_test.iloc[1:], faces)


def test_attributes_may_be_derived_from_the_manifest(faces, answers):
    old = Derivation("old", ("age",), bins=(0, 10), labels=("young", "old"))
    fields = {**_fields(faces), "derive": {"old": old}, "attributes": {"old": ("young", "old")}}
    table = read_predictions(answers, Evaluation(**fields)).table.to_pandas()
    assert table["old"].tolist() == ["young"] * 10 + ["old"] * 10


def test_scores_and_our_own_files_are_matched_too(faces, answers, manifest, tmp_path):
    scored = answers.assign(score=(answers["prediction"] == "yes").astype(float))
    by_score = read_predictions(scored.drop(columns="prediction"), faces)
    by_score.to_parquet(tmp_path / "kept.parquet")
    again = read_predictions(tmp_path / "kept.parquet", faces)
    assert again.table == by_score.table
    manifest.assign(target=manifest["target"].iloc[::-1].to_numpy()).to_csv(
        faces.manifest, index=False
    )
    with pytest.raises(PredictionError, match=r"kept.parquet, sample 's0': target is 'yes'"):
        read_predictions(tmp_path / "kept.parquet", faces)
    manifest.iloc[:-1].to_csv(faces.manifest, index=False)
    with pytest.raises(PredictionError, match=r"sample 's19': the manifest .* has no such sample"):
        read_predictions(tmp_path / "kept.parquet", faces)


def test_images_that_could_not_be_read_are_missing_unless_the_policy_counts_them(
    faces, answers, tmp_path
):
    found = read_predictions(answers, faces)
    metadata = {**found.metadata, "unreadable": "1", "unreadable_images": '{"s0": "broken"}'}
    kept = tmp_path / "kept.parquet"
    parts = ("net", "faces", found.classes, found.levels, metadata)
    type(found)(found.table.slice(1), *parts).to_parquet(kept)
    # A file that says so itself is not believed: whoever deletes wrong rows could write it too.
    with pytest.raises(
        PredictionError, match=r"1 sample of the manifest .* has no prediction: 's0'"
    ):
        read_predictions(kept, faces)
    fields = {**_fields(faces), "on_error": "count"}
    allowed = read_predictions(kept, Evaluation(**{**fields, "max_errors": 0.1}))
    assert allowed.table.num_rows == N - 1
    # 1 of 20 images is 5 %, and 1 of the 10 of its class and of its group 10 %.
    with pytest.raises(PredictionError, match=r"1 image of 10 with target yes could not be read"):
        read_predictions(kept, Evaluation(**{**fields, "max_errors": 0.06}))
    with pytest.raises(PredictionError, match=r"1 image of 20 could not be read .* allows 4.0%"):
        read_predictions(kept, Evaluation(**{**fields, "max_errors": 0.04}))


def test_a_stated_share_of_the_samples_may_lack_a_prediction(faces, answers, manifest):
    """Two of 20 samples: a tenth of all, and a fifth of their group and of a class."""
    fields = _fields(faces)
    policy: dict[str, Any] = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {
            "faces": {
                "manifest": str(faces.manifest),
                "attributes": {"tone": ["light", "dark"]},
                "max_unpredicted": 0.2,
            }
        },
        "rule": [{"metric": "accuracy", "min": 0.1}],
    }
    part = answers[~answers["id"].isin(["s10", "s12"])]
    found = read_predictions(part, Evaluation(**{**fields, "max_unpredicted": 0.2}))
    assert found.table.num_rows == N - 2
    assert not {"s10", "s12"} & {*found.table.column("id").to_pylist()}
    record = judge(policy, part)
    assert record.runs[0].metadata["unpredicted"] == "2"
    assert (
        "2 of 20 samples of faces have no prediction of model (max_unpredicted 20.0%): 's10', 's12'"
        in [line.text for line in table_lines(record)]
    )
    for share, of in ((0.15, "2 samples of 10 with target yes"), (0.09, "2 samples of 20 ")):
        tight = Evaluation(**{**fields, "max_unpredicted": share})
        with pytest.raises(PredictionError, match=of):
            read_predictions(part, tight)
    with pytest.raises(PredictionError, match="2 samples of the manifest"):
        read_predictions(part, faces)
    for group, outcome in (("dark", "fail"), ("light", "pass")):
        policy["required"] = [{"group": {"tone": group}, "max_unpredicted": 0.1}]
        (line,) = judge(policy, part).required
        assert (line.outcome, line.n) == (outcome, 8 if group == "dark" else 10)
    policy["required"] = [{"evaluation": "faces", "max_unpredicted": 0}]
    (line,) = judge(policy, part).required
    assert line.reason == (
        "2 of 20 samples have no prediction (10.0%), and max_unpredicted allows 0.0%"
    )
    assert judge(policy, answers).required[0].outcome == "pass"


@given(st.sets(st.integers(0, N - 1), max_size=N - 1), st.sampled_from([0.1, 0.25, 0.5]))
def test_no_group_may_lack_more_than_the_share(tmp_path_factory, gone, share):
    folder = tmp_path_factory.mktemp("share")
    ids = [f"s{i}" for i in range(N)]
    truth = pd.DataFrame({"id": ids, "target": ["yes", "no"] * (N // 2), "tone": "light"})
    truth.loc[: N // 4, "tone"] = "dark"
    truth.to_csv(folder / "faces.csv", index=False)
    faces = Evaluation(
        "faces",
        manifest=folder / "faces.csv",
        attributes={"tone": ("light", "dark")},
        max_unpredicted=share,
    )
    left = truth.assign(prediction="yes").drop(index=sorted(gone))
    absent = truth.index.isin(sorted(gone))
    shares = [absent.mean()] + [
        absent[truth[name] == level].mean()
        for name in ("target", "tone")
        for level in truth[name].unique()
    ]
    if max(shares) > share:
        with pytest.raises(PredictionError, match="no prediction"):
            read_predictions(left, faces)
    else:
        assert read_predictions(left, faces).table.num_rows == N - len(gone)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda frame: frame.iloc[1:], "1 sample of the manifest"),
        (lambda frame: frame.assign(target="yes"), "target is 'yes', and the manifest"),
        (lambda frame: frame.assign(tone="light"), "tone is 'light', and the manifest"),
    ],
    ids=["missing", "target", "attribute"],
)
def test_predictions_in_memory_are_compared_with_the_manifest_too(faces, answers, change, problem):
    policy: dict[str, Any] = {
        "schema": 1,
        "decision": {"inconclusive": "warn"},
        "evaluation": {
            "faces": {
                "manifest": str(faces.manifest),
                "attributes": {"tone": ["light", "dark"]},
                "cluster": "person",
            }
        },
        "rule": [{"metric": "accuracy", "min": 0.1}],
    }
    found = read_predictions(answers, faces, model="net")
    table = pa.Table.from_pandas(change(found.table.to_pandas()), preserve_index=False)
    with pytest.raises(PredictionError, match=problem):
        judge(policy, replace(found, table=table))
    record = judge(policy, found)
    assert record.runs[0].model == "net"
    assert record.runs[0].metadata["ground_truth"] == "manifest"


def test_images_are_the_ids_of_a_manifest_without_ids(faces, answers, manifest):
    manifest.drop(columns="id").to_csv(faces.manifest, index=False)
    by_image = answers.assign(image=answers["id"] + ".png").drop(columns="id")
    assert (
        read_predictions(by_image, faces).table.column("id").to_pylist()
        == manifest["image"].tolist()
    )


def _fields(evaluation: Evaluation) -> dict:
    return {name: getattr(evaluation, name) for name in ("name", *Evaluation.__slots__)}
