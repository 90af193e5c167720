"""`[precision]` refuses models that computed less exactly than the policy allows."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pytest_fairness import judge
from pytest_fairness.errors import PolicyError, PredictionError
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.policy import compare, load_policy, read_document
from pytest_fairness.policy.effective import effective_lines
from pytest_fairness.report.models import model_lines

POLICY: dict[str, Any] = {
    "schema": 1,
    "decision": {"inconclusive": "fail"},
    "evaluation": {"faces": {"attributes": {"sex": ["f", "m"]}}},
    "rule": [{"id": "accuracy", "metric": "accuracy", "min": 0.5}],
}
FLIPS = {
    "precision_compared": "500",
    "precision_flips": "2",
    "precision_flips_low": "0.000485",
    "precision_flips_high": "0.01437",
}


def predictions(**metadata: str) -> Predictions:
    table = pd.DataFrame(
        {"sex": ["f", "m"] * 20, "target": ["a", "b"] * 20, "prediction": ["a", "b"] * 20}
    )
    read = read_predictions(table, load_policy(POLICY).evaluations["faces"], model="m")
    return replace(read, metadata={**read.metadata, **metadata})


def policy(**precision: Any) -> dict[str, Any]:
    return {**POLICY, "precision": precision}


@pytest.mark.parametrize("precision", ["tf32", "bf16", "fp16", "half"])
def test_what_is_not_allowed_is_refused(precision: str) -> None:
    with pytest.raises(
        PredictionError, match=f"ran in precision {precision}, and .* allows strict"
    ):
        judge(policy(allowed=["strict"]), predictions(precision=precision))


@pytest.mark.parametrize("metadata", [{}, {"precision": "strict"}])
def test_strict_and_unknown_precision_pass(metadata: dict[str, str]) -> None:
    assert judge(policy(allowed=["strict"]), predictions(**metadata)).passed


@pytest.mark.parametrize(("most", "passes"), [(0.0144, True), (0.0143, False)])
def test_the_upper_end_of_changed_answers_is_bounded(most: float, *, passes: bool) -> None:
    run = predictions(precision="bf16", **FLIPS)
    if passes:
        assert judge(policy(max_flips=most), run).passed
        return
    with pytest.raises(
        PredictionError, match=r"changed 2 of 500 answers, which may be 1\.44% of all"
    ):
        judge(policy(max_flips=most), run)


def test_a_model_of_half_precision_cannot_be_bounded() -> None:
    with pytest.raises(PredictionError, match="was compared with no strict run"):
        judge(policy(max_flips=0.5), predictions(precision="half"))


def test_a_bound_without_effect_is_refused() -> None:
    with pytest.raises(PolicyError, match="max_flips has no effect"):
        load_policy(policy(allowed=["strict"], max_flips=0.1))


@pytest.mark.parametrize("allowed", [[], ["double"], "strict"])
def test_an_unknown_precision_is_an_error(allowed: Any) -> None:
    with pytest.raises(PolicyError, match="allowed"):
        load_policy(policy(allowed=allowed))


@pytest.mark.parametrize("most", [-0.1, 1.5, True, "0.1"])
def test_a_share_outside_of_0_to_1_is_an_error(most: Any) -> None:
    with pytest.raises(PolicyError, match="max_flips"):
        load_policy(policy(max_flips=most))


@pytest.mark.parametrize(
    ("before", "after", "kind"),
    [
        ({}, {"allowed": ["strict"]}, "tightened"),
        ({"allowed": ["strict", "bf16"]}, {"allowed": ["strict"]}, "tightened"),
        ({"allowed": ["strict"]}, {"allowed": ["strict", "bf16"]}, "loosened"),
        ({"allowed": ["strict"]}, {}, "removed"),
        ({"max_flips": 0.1}, {"max_flips": 0.05}, "tightened"),
        ({"max_flips": 0.1}, {"max_flips": 0.2}, "loosened"),
        ({"max_flips": 0.1}, {}, "removed"),
    ],
)
def test_a_policy_that_extends_may_only_allow_less(
    before: dict[str, Any], after: dict[str, Any], kind: str
) -> None:
    (change,) = compare(read_document(policy(**before)), read_document(policy(**after)))
    assert (change.subject, change.kind) == ("[precision]", kind)


def test_the_child_of_a_policy_inherits_it(tmp_path: Path) -> None:
    (tmp_path / "org.toml").write_text(
        'schema = 1\n[decision]\ninconclusive = "fail"\n[evaluation.faces.attributes]\nsex = ["f", "m"]\n'
        '[[rule]]\nid = "a"\nmetric = "accuracy"\nmin = 0.5\n[precision]\nallowed = ["strict"]\n',
        encoding="utf-8",
    )
    (tmp_path / "team.toml").write_text('schema = 1\nextends = "org.toml"\n', encoding="utf-8")
    team = load_policy(tmp_path / "team.toml")
    assert team.precision.allowed == ("strict",)
    lines = effective_lines(team.document)
    place = lines.index(next(line for line in lines if line.startswith("[precision]")))
    assert lines[place + 1].split("  ")[0] == 'allowed = ["strict"]'
    with pytest.raises(PredictionError, match=r"org.toml:11 allows strict"):
        judge(team, predictions(precision="bf16"))


def test_the_summary_tells_changed_answers() -> None:
    record = judge(POLICY, predictions(precision="bf16", **FLIPS))
    assert (
        "m on faces: precision bf16 changed 2 of 500 answers, 0.05% to 1.44% of all"
        in model_lines(record)
    )
    half = judge(POLICY, predictions(precision="half"))
    assert "m on faces: computed in half precision" in model_lines(half)
