"""The whole flow on one page, without pytest: policy, predictions, counts, verdicts, record."""

import datetime as dt
import functools
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa

from pytest_fairness.data import load_evaluation_set
from pytest_fairness.gate.decision.judging import MAX_T_SEED, judge_counts
from pytest_fairness.gate.decision.required import check_required
from pytest_fairness.gate.decision.waivers import apply_waivers, today_utc, waiver_problems
from pytest_fairness.gate.estimates.below_chance import below_chance
from pytest_fairness.gate.estimates.wanted import observe_wanted
from pytest_fairness.gate.evidence import Evidence, gather_evidence
from pytest_fairness.gate.former import Former, former_records, with_former
from pytest_fairness.gate.precision import check_computed
from pytest_fairness.gate.questions import questions
from pytest_fairness.gate.record.counts_record import CountsRecord
from pytest_fairness.gate.record.policy_records import PolicyFile, RequiredRecord, RuleRecord
from pytest_fairness.gate.record.run_record import JudgedRun, PolicyRecord, RunRecord, Verdict
from pytest_fairness.gate.since import describe_baseline
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.inference.reading.counting import count_answers
from pytest_fairness.policy import Evaluation, Policy, load_policy
from pytest_fairness.statistics.clusters.columns import axis_of, cell_name, columns_of
from pytest_fairness.statistics.counts import GroupCounts, count_groups

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.gate.baseline.read import BaselineSource
    from pytest_fairness.inference.as_found import Precision

__all__ = [
    "Judged",
    "count_predictions",
    "judge",
    "judge_model",
    "judge_predictions",
    "not_checked",
    "record_of",
]

# Rows counted at a time: large enough for speed, small enough to stay in the cache.
_ROWS_AT_A_TIME = 131_072


def judge(
    policy: str | Path | Mapping[str, Any] | Policy,
    predictions: "pd.DataFrame | pa.Table | NDArray[Any] | str | Path | Predictions",
    *,
    evaluation: str | None = None,
    model: str = "model",
    baseline: "BaselineSource | None" = None,
    today: dt.date | None = None,
) -> RunRecord:
    """Judge predictions by a policy, without a model and without pytest.

    Args:
        policy: Path of a policy file, a mapping of the same shape, or a loaded policy.
        predictions: Table or file (Parquet, CSV, JSON Lines) with the target, the prediction or
            score, and the attribute columns that the evaluation names; or an array `y_pred` (N,) of
            classes in the order of its manifest; or `Predictions`, which are compared with the manifest
            like a file.
        evaluation: Which `[evaluation.NAME]` they are of; may be left out when there is one.
        model: Name of the model in the record.
        baseline: The last release, for rules against it: a run record (a file finds the
            predictions kept beside it), or predictions.
        today: Day (UTC) on which waivers must still hold; today when absent.

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
    if isinstance(predictions, Predictions):  # checked as a file with the same content would be
        predictions = read_predictions(predictions.to_table(), chosen, model=predictions.model)
    return _judge_alone(policy, predictions, chosen, model=model, baseline=baseline, today=today)


def _judge_alone(
    policy: Policy,
    predictions: "pd.DataFrame | pa.Table | NDArray[Any] | str | Path | Predictions",
    chosen: Evaluation,
    *,
    model: str = "model",
    baseline: "BaselineSource | None",
    today: dt.date | None = None,
) -> RunRecord:
    """Judge checked predictions or those of a source, and return the record of this run alone."""
    today = today or today_utc()
    counted = None
    if baseline is None and _needs_counts_only(policy) and not isinstance(predictions, Predictions):
        counted = count_answers(predictions, chosen)
    if counted is not None:
        evidence = Evidence(counted.counts, chosen)
        judged = _judged(policy, evidence, model, counted.metadata, today=today)
    else:
        if not isinstance(predictions, Predictions):
            predictions = read_predictions(predictions, chosen, model=model)
        model = predictions.model
        judged = judge_predictions(policy, predictions, chosen, baseline=baseline, today=today)
    run, verdicts = judged
    required = check_required(policy, [run], verdicts, models=[model], evaluations=[chosen.name])
    asked = questions(policy, [model])
    complete = {question.evaluation for question in asked} <= {chosen.name}
    return record_of(
        policy,
        [run],
        verdicts,
        complete=complete,
        required=required,
        problems=waiver_problems(policy, asked, verdicts, today=today) if complete else (),
        former=former_records([] if baseline is None else [baseline]),
        models=[model],
        not_checked=() if complete else not_checked(policy),
    )


def not_checked(policy: Policy) -> list[str]:
    """Return the tables of a policy that a run of a part of its questions does not check."""
    tables = {"[[waiver]]": policy.waivers, "[[required]]": policy.required}
    return [name for name, content in tables.items() if content]


class Judged(NamedTuple):
    """The counts and the verdicts of one model on one evaluation set."""

    run: JudgedRun
    verdicts: list[Verdict]


def judge_predictions(
    policy: Policy,
    predictions: Predictions,
    evaluation: Evaluation,
    *,
    baseline: "BaselineSource | None" = None,
    today: dt.date | None = None,
) -> Judged:
    """Judge the predictions of one model on one evaluation set, waivers applied.

    Args:
        policy: The policy.
        predictions: What the model answered.
        evaluation: The evaluation set.
        baseline: As for `judge`.
        today: As for `judge`.

    Raises:
        FairnessError: The baseline cannot be used.
    """
    check_computed(policy, predictions.metadata, model=predictions.model)
    counts = count_predictions(predictions, evaluation)
    evidence = gather_evidence(predictions, counts, evaluation, baseline=baseline)
    return _judged(policy, evidence, predictions.model, predictions.metadata, today=today)


def _judged(
    policy: Policy,
    evidence: Evidence,
    model: str,
    metadata: Mapping[str, str],
    *,
    today: dt.date | None,
) -> Judged:
    counts, evaluation = evidence.counts, evidence.evaluation
    run = JudgedRun(
        model=model,
        evaluation=evaluation.name,
        n=counts.n,
        counts=CountsRecord.of(counts),
        metadata={**metadata, **below_chance(counts)},
        baseline=describe_baseline(policy, evidence),
    )
    verdicts = judge_counts(policy, counts, evaluation=evaluation, model=model, evidence=evidence)
    return Judged(run, apply_waivers(policy, verdicts, today=today or today_utc()))


def _needs_counts_only(policy: Policy) -> bool:
    """Whether counts answer all rules of a policy, and of those that it extends."""
    return all(rule.from_counts for one in (policy, *policy.alone) for rule in one.rules)


def count_predictions(predictions: Predictions, evaluation: Evaluation) -> GroupCounts:
    """Count predictions over the attributes, and over the clusters where there are some."""
    levels, table = dict(predictions.levels), predictions.table
    if evaluation.cluster is not None and axis_of(evaluation.cluster) not in levels:
        axis = axis_of(evaluation.cluster)
        if axis not in table.column_names:
            table = table.append_column(axis, _cells(table, columns_of(evaluation.cluster)))
        levels[axis] = tuple(sorted(table.column(axis).unique().to_pylist()))
    return count_groups(
        table.to_batches(max_chunksize=_ROWS_AT_A_TIME),
        levels=levels,
        classes=predictions.classes,
    )


def _cells(table: "pa.Table", columns: tuple[str, ...]) -> "pa.Array":
    """What each sample is in two columns, as one text."""
    first, second = (table.column(name).to_pylist() for name in columns)
    names = functools.cache(cell_name)
    return pa.array(map(names, first, second), type=pa.string())


def judge_model(
    policy: str | Path | Mapping[str, Any] | Policy,
    classifier: "Classifier",
    *,
    evaluation: str | None = None,
    baseline: "BaselineSource | None" = None,
    device: str = "auto",
    batch_size: int = 64,
    precision: "Precision" = "strict",
) -> RunRecord:
    """Run a model over an evaluation set and judge its predictions.

    Args:
        policy: As for `judge`.
        classifier: The model under test.
        evaluation: Which `[evaluation.NAME]` to run it on; may be left out when there is one.
        baseline: As for `judge`.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`.
        batch_size: Images in a batch.
        precision: How exactly it computes, as for `predict`; analyses are always strict.
    """
    from pytest_fairness.inference import predict  # noqa: PLC0415  (torch loads when it is used)

    policy = load_policy(policy)
    chosen = policy.evaluation_named(evaluation)
    samples = load_evaluation_set(chosen)
    predictions = predict(
        classifier, samples, device=device, batch_size=batch_size, precision=precision
    )
    predictions = observe_wanted(
        questions(policy, [classifier.name], evaluations=[chosen.name]),
        classifier,
        samples,
        predictions,
        evaluation=chosen,
        device=device,
        batch_size=batch_size,
    )
    return _judge_alone(policy, predictions, chosen, baseline=baseline)


def record_of(
    policy: Policy,
    runs: list[JudgedRun],
    verdicts: list[Verdict],
    *,
    complete: bool,
    required: Sequence[RequiredRecord] = (),
    problems: Sequence[str] = (),
    former: Former = Former(),  # noqa: B008  (it cannot change)
    models: Sequence[str] = (),
    not_checked: Sequence[str] = (),
    finished: bool = True,
) -> RunRecord:
    """Put the parts of a run together, with what former records show of its sets."""
    return RunRecord(
        created=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        versions=dict(_versions()),
        policy=PolicyRecord(
            source=policy.source,
            sha256=policy.sha256,
            text=policy.text,
            inconclusive=policy.decision.inconclusive,
            decide=policy.decision.decide,
            level=policy.decision.confidence,
            pass_level=policy.decision.pass_confidence,
            correction=policy.decision.correction,
            looks=policy.decision.looks,
            files=[PolicyFile(**asdict(file)) for file in policy.texts],
            rules=[RuleRecord.of(rule) for rule in policy.rules],
        ),
        runs=with_former(runs, policy.sha256, former.records),
        unread=list(former.unread),
        verdicts=verdicts,
        complete=complete,
        required=list(required),
        problems=list(problems),
        seeds={"max-t": MAX_T_SEED} if policy.decision.correction == "max-t" else {},
        models=list(models),
        not_checked=list(not_checked),
        finished=finished,
    )


@functools.cache
def _versions() -> dict[str, str]:
    """Versions of Python and the packages; looked up once, since they do not change while it runs."""
    packages = (
        *("pytest-fairness", "numpy", "scipy", "pandas", "pyarrow", "pillow"),
        *("torch", "torchvision"),
    )
    return {"python": platform.python_version()} | {name: version(name) for name in packages}
