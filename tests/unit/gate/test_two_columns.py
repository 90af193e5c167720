"""`cluster` may name two columns: everything that judges, records and plans counts both."""

import json

import numpy as np
import pandas as pd
import pytest

from pytest_fairness import judge, load_policy
from pytest_fairness.errors import PolicyError
from pytest_fairness.gate.audit.verify import verify
from pytest_fairness.gate.decision.max_t import _times
from pytest_fairness.gate.record.kept import write_record
from pytest_fairness.planning.at_hand import read_at_hand
from pytest_fairness.planning.plan import plan
from pytest_fairness.policy import compare, read_document
from pytest_fairness.report.messages import describe
from pytest_fairness.report.plan import plan_lines
from pytest_fairness.statistics.clusters.counts import Ways

# Limits so wide that nothing is left open, which would ask how many images are enough.
RULES = [
    {"id": "floor", "metric": "accuracy", "min": 0.3},
    {"id": "gap", "metric": "accuracy_difference", "max": 0.9},
    {"id": "ratio", "metric": "selection_rate_ratio", "min": 0.01},
    {"id": "f1", "metric": "f1", "min": 0.1},
    {"id": "odds", "metric": "equalized_odds_difference", "max": 0.99},
    {"id": "errors", "metric": "treatment_equality_ratio", "min": 0.001},
    {"id": "all", "metric": "accuracy_difference", "max": 0.9, "reference": "all"},
    {"id": "score", "metric": "mean", "column": "score", "bounds": [0, 1], "min": 0.1},
    {"id": "moved", "metric": "accuracy", "against": "baseline", "max_drop": 0.9},
]


def frame_of(n: int = 400, *, people: int = 40, cameras: int = 25, seed: int = 0) -> pd.DataFrame:
    """Images of people by cameras; 8 % are misread."""
    rng = np.random.default_rng(seed)
    person, target = rng.integers(0, people, n), rng.choice(["a", "b"], n)
    wrong = rng.random(n) < 0.08
    return pd.DataFrame(
        {
            "id": [f"image {i}" for i in range(n)],
            "person": [f"p{i}" for i in person],
            "camera": [f"c{i}" for i in rng.integers(0, cameras, n)],
            "sex": np.where(person % 2, "f", "m"),
            "score": rng.random(n),
            "target": target,
            "prediction": np.where(wrong, np.where(target == "a", "b", "a"), target),
        }
    )


def policy_of(cluster=None, rules=RULES, **decision):
    faces = {
        "positive": "a",
        "attributes": {"sex": ["m", "f"]},
        "reference": {"sex": "m"},
    }
    if cluster is not None:
        faces["cluster"] = cluster
    return {
        "schema": 1,
        "decision": {"inconclusive": "warn", **decision},
        "evaluation": {"faces": faces},
        "rule": rules,
    }


@pytest.fixture(scope="module")
def judged():
    """By person, by camera and by both, in this order, beside a baseline that is right once more in twenty."""
    frame = frame_of(200, people=24, cameras=22)
    before = frame.assign(
        prediction=frame["prediction"].where(frame.index % 20 > 0, frame["target"])
    )
    return [
        judge(policy_of(cluster), frame, baseline=before)
        for cluster in ("person", "camera", ["person", "camera"])
    ]


def test_every_question_is_at_most_as_sure_as_by_each_column_alone(judged):
    person, camera, both = (record.verdicts for record in judged)
    for alone, other, verdict in zip(person, camera, both, strict=True):
        assert verdict.value == alone.value
        # Melded intervals are drawn, so they may differ in the last digits.
        assert verdict.low <= min(alone.low, other.low) + 2e-3, verdict.question
        assert verdict.high >= max(alone.high, other.high) - 2e-3, verdict.question
        assert verdict.effective_n <= min(alone.effective_n, other.effective_n) + 1e-6
        assert verdict.cluster == ("person", "camera")


def test_one_column_in_a_list_is_that_column():
    frame, rules = frame_of(120), RULES[:3]
    verdicts = [
        [v.model_dump() for v in judge(policy_of(cluster, rules), frame).verdicts]
        for cluster in ("person", ["person"])
    ]
    assert verdicts[0] == verdicts[1]


def test_the_order_of_the_columns_does_not_matter():
    frame, rules = frame_of(120), RULES[:2]
    one, other = (
        judge(policy_of(cluster, rules), frame).verdicts
        for cluster in (["person", "camera"], ["camera", "person"])
    )
    for verdict, same in zip(one, other, strict=True):
        assert (verdict.low, verdict.high) == pytest.approx((same.low, same.high), abs=1e-9)


def test_a_record_is_verified_from_its_counts(tmp_path):
    frame = frame_of(120)
    record = judge(policy_of(["person", "camera"], RULES[:4], correction="max-t"), frame)
    path = tmp_path / "record.json"
    write_record(record, path, predictions={})
    (run,) = json.loads(path.read_text(encoding="utf-8"))["runs"]
    assert run["counts"]["levels"]["person, camera"][0].startswith('["p0", "c')
    assert verify(path).differences == []


def test_messages_name_both_columns_and_whose_value_dominates():
    frame = frame_of(300)
    frame.loc[:200, "camera"] = "c0"
    verdict = judge(policy_of(["person", "camera"], RULES[:1]), frame).verdicts[0]
    assert verdict.largest_cluster_of == "camera"
    assert "clustered by person and camera: the same as" in describe(verdict)
    assert "one camera holds" in describe(verdict)
    pairs = frame.assign(camera=np.roll(frame["person"], 7))
    pairs.loc[:150, "camera"] = "p0"
    verdict = judge(policy_of(["person", "camera"], RULES[:1]), pairs).verdicts[0]
    assert verdict.largest_cluster_of == "person or camera"


def test_max_t_draws_what_two_columns_make_as_often_as_both_values():
    ways = Ways(np.array([0, 0, 1]), np.array([0, 1, 1]))
    times = _times(ways, 3, np.random.default_rng(0), 4000)
    assert times.mean(axis=0) == pytest.approx([1, 1, 1], abs=0.1)
    together = np.asarray(np.corrcoef(times.T))
    # The first two share a person, the last two a camera; the first and the last share nothing.
    assert min(together[0, 1], together[1, 2]) > 0.2
    assert abs(together[0, 2]) < 0.06
    alike = _times(ways._replace(alike=True), 3, np.random.default_rng(0), 4000)
    assert np.asarray(np.corrcoef(alike.T))[0, 1] > 0.3


def test_a_plan_counts_both_columns(tmp_path):
    frame = frame_of(300)
    frame.to_csv(tmp_path / "faces.csv", index=False)
    effective, texts = [], []
    for cluster in ("person", ["person", "camera"]):
        raw = policy_of(cluster, RULES[:1])
        raw["evaluation"]["faces"]["manifest"] = str(tmp_path / "faces.csv")
        policy = load_policy(raw)
        found = plan(policy, read_at_hand(policy.evaluation_named(None)))
        effective.append(found.questions[0].effective_n)
        texts.append("\n".join(plan_lines(found)))
    assert effective[1] < effective[0]
    assert "clustered by person and camera: " in texts[1]


@pytest.mark.parametrize(
    ("cluster", "message"),
    [
        (["person", "camera", "day"], r"cluster = .*\"day\"\]; write one column, or two"),
        (["person", "person"], "two different ones such as"),
        ([], r"cluster = \[\]; write one column"),
        (["person", "sex"], "cluster = 'sex' is also an attribute"),
    ],
)
def test_other_columns_are_refused(cluster, message):
    with pytest.raises(PolicyError, match=message):
        load_policy(policy_of(cluster, RULES[:1]))


def test_analyses_that_know_one_column_say_so():
    rule = {"metric": "probe_accuracy", "by": ["sex"], "max": 0.1, "of": ["last"]}
    with pytest.raises(PolicyError, match="'probe_accuracy' knows one column of clusters"):
        load_policy(policy_of(["person", "camera"], [rule]))


ORG = """\
schema = 1
[decision]
inconclusive = "fail"
[evaluation.faces]
manifest = "faces.csv"
attributes.sex = ["m", "f"]
cluster = {}
[[rule]]
metric = "accuracy"
min = 0.8
"""
CHILD = 'schema = 1\nextends = "org.toml"\n[evaluation.faces]\ncluster = {}\n'


@pytest.mark.parametrize(
    ("inherited", "written", "message"),
    [
        ('["person", "camera"]', '"person"', 'cluster = "person" loosens .*narrower'),
        ('"person"', '["person", "camera"]', "changes cluster = .*keeps its meaning"),
        ('["person", "camera"]', '["person", "day"]', "changes cluster"),
    ],
)
def test_a_child_keeps_the_columns_of_its_clusters(tmp_path, inherited, written, message):
    (tmp_path / "org.toml").write_text(ORG.format(inherited), encoding="utf-8")
    (tmp_path / "team.toml").write_text(CHILD.format(written), encoding="utf-8")
    with pytest.raises(PolicyError, match=message):
        load_policy(tmp_path / "team.toml")


@pytest.mark.parametrize(
    ("inherited", "written"),
    [('"person"', '["person"]'), ('["person", "camera"]', '["camera", "person"]')],
)
def test_the_same_columns_are_no_change(tmp_path, inherited, written):
    (tmp_path / "org.toml").write_text(ORG.format(inherited), encoding="utf-8")
    (tmp_path / "team.toml").write_text(CHILD.format(written), encoding="utf-8")
    policy = load_policy(tmp_path / "team.toml")
    assert compare(read_document(tmp_path / "org.toml"), policy.document) == []
