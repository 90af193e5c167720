"""The whole flow on one page, without pytest: policy, predictions, counts, verdicts, record."""

import platform
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.gate.estimates import estimate
from pytest_fairness.gate.questions import Question, ask
from pytest_fairness.gate.record import JudgedRun, PolicyRecord, RunRecord, Verdict
from pytest_fairness.gate.verdict import give_verdict
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.policy import Evaluation, Policy, load_policy
from pytest_fairness.statistics.counts import GroupCounts, count_groups

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa

    from pytest_fairness.models import Classifier

__all__ = ["judge", "judge_counts", "judge_model", "record_of"]

# Rows counted at a time: large enough for speed, small enough to stay in the cache.
_ROWS_AT_A_TIME = 131_072


def judge(
    policy: str | Path | Mapping[str, Any] | Policy,
    predictions: "pd.DataFrame | pa.Table | str | Path | Predictions",
    *,
    evaluation: str | None = None,
    model: str = "model",
) -> RunRecord:
    """Judge predictions by a policy; needs no model and no pytest.

    Args:
        policy: Path of a policy file, a mapping of the same shape, or a loaded policy.
        predictions: Table or file (Parquet, CSV) with the target, the prediction or score, and
            the attribute columns that the evaluation names.
        evaluation: Which `[evaluation.NAME]` they are of; may be left out when there is one.
        model: Name of the model in the record.

    Raises:
        PolicyError: The policy is not valid, or has no such evaluation.
        PredictionError: The predictions are incomplete or hold values that are not allowed.

    Example:
        >>> import pandas as pd
        >>> policy = {
        ...     "schema": 1,
        ...     "decision": {"inconclusive": "fail"},
        ...     "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
        ...     "rule": [{"metric": "accuracy", "min": 0.5}],
        ... }
        >>> table = pd.DataFrame({
        ...     "sex": ["female", "male"] * 20, "target": ["a", "b"] * 20,
        ...     "prediction": ["a", "b"] * 20})
        >>> record = judge(policy, table)
        >>> record.passed, [(v.group["sex"], v.value, round(v.low, 2)) for v in record.verdicts]
        (True, [('female', 1.0, 0.83), ('male', 1.0, 0.83)])
    """
    policy = load_policy(policy)
    chosen = policy.evaluation_named(evaluation)
    if not isinstance(predictions, Predictions):
        predictions = read_predictions(predictions, chosen, model=model)
    counts = count_groups(
        predictions.table.to_batches(max_chunksize=_ROWS_AT_A_TIME),
        levels=predictions.levels,
        classes=predictions.classes,
    )
    judged = JudgedRun(
        model=predictions.model,
        evaluation=chosen.name,
        n=counts.n,
        counts=counts.to_dict(),
        metadata=dict(predictions.metadata),
    )
    verdicts = judge_counts(policy, counts, evaluation=chosen, model=predictions.model)
    return record_of(policy, [judged], verdicts, complete=True)


def judge_model(
    policy: str | Path | Mapping[str, Any] | Policy,
    classifier: "Classifier",
    *,
    evaluation: str | None = None,
    device: str = "auto",
    batch_size: int = 64,
) -> RunRecord:
    """Run a model over an evaluation set and judge its predictions.

    Args:
        policy: As for `judge`.
        classifier: The model under test.
        evaluation: Which `[evaluation.NAME]` to run it on; may be left out when there is one.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        batch_size: Images in a batch.
    """
    from pytest_fairness.inference import predict  # noqa: PLC0415  (torch loads when it is used)

    policy = load_policy(policy)
    chosen = policy.evaluation_named(evaluation)
    samples = load_evaluation_set(chosen)
    predictions = predict(classifier, samples, device=device, batch_size=batch_size)
    return judge(policy, predictions, evaluation=chosen.name)


def judge_counts(
    policy: Policy, counts: GroupCounts, *, evaluation: Evaluation, model: str
) -> list[Verdict]:
    """Answer every question that the policy asks of one model on one evaluation set.

    Levels that the data have and the policy does not declare, missing values, are asked too.
    """
    asked: list[Question] = [
        question
        for rule in policy.rules
        if evaluation.name in rule.evaluations
        for by in rule.by
        for question in ask(rule, evaluation, by, model=model, levels=counts.levels)
    ]
    verdicts: list[Verdict] = []
    for _, some in groupby(asked, key=lambda question: (question.rule.id, question.by)):
        together = list(some)
        found = estimate(
            together, counts, positive=evaluation.positive, level=policy.decision.level
        )
        pairs = zip(together, found, strict=True)
        verdicts += [give_verdict(question, value, policy.decision) for question, value in pairs]
    return verdicts


def record_of(
    policy: Policy, runs: list[JudgedRun], verdicts: list[Verdict], *, complete: bool
) -> RunRecord:
    """Put the parts of a run together."""
    return RunRecord(
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        versions=_versions(),
        policy=PolicyRecord(
            source=policy.source,
            sha256=policy.sha256,
            text=policy.text,
            inconclusive=policy.decision.inconclusive,
            decide=policy.decision.decide,
            level=policy.decision.level,
        ),
        runs=runs,
        verdicts=verdicts,
        complete=complete,
    )


def _versions() -> dict[str, str]:
    packages = ("pytest-fairness", "numpy", "scipy", "pyarrow", "torch")
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
