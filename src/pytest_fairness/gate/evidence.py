"""What a run knows beside its counts, and which estimate a question needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from pytest_fairness.gate.baseline.comparison import ReleaseComparison
from pytest_fairness.gate.baseline.pairing import pair
from pytest_fairness.gate.baseline.read import Baseline, BaselineSource, read_baseline
from pytest_fairness.gate.baseline.regression import estimate_changes
from pytest_fairness.gate.estimates.counted import estimate
from pytest_fairness.gate.estimates.counterfactual import estimate_matched
from pytest_fairness.gate.estimates.estimate import Estimate
from pytest_fairness.gate.estimates.observed import estimate_observed
from pytest_fairness.gate.questions import Question
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.counts import GroupCounts, count_groups
from pytest_fairness.statistics.looks import Looks

__all__ = ["Evidence", "answer_together", "gather_evidence"]

_NO_BASELINE = "no baseline: give --fairness-baseline"
_NO_SAMPLES = "no predictions image by image: an analysis needs more than counts"
_NO_IMAGES = "no predictions image by image: matched images need more than counts"


@dataclass(frozen=True, slots=True, eq=False)
class Evidence:
    """The data that answer the questions about one model on one evaluation set.

    Args:
        counts: Counts of the predictions.
        evaluation: The evaluation set.
        predictions: The predictions themselves; None where only counts are known.
        baseline: What the run is compared with; None where nothing was given.
        comparison: The run beside its baseline; None where there is no baseline to compare with.
        recalled: Question -> the answer that a record gives, where it cannot be found anew.
    """

    counts: GroupCounts
    evaluation: Evaluation
    predictions: Predictions | None = None
    baseline: Baseline | None = None
    comparison: ReleaseComparison | None = None
    recalled: Mapping[str, Estimate] = field(default_factory=dict)


def gather_evidence(
    predictions: Predictions,
    counts: GroupCounts,
    evaluation: Evaluation,
    *,
    baseline: "BaselineSource | None",
) -> Evidence:
    """Put the predictions of a run beside its baseline.

    Args:
        predictions: What the model answered.
        counts: Their counts.
        evaluation: The evaluation set.
        baseline: The last release, as `read_baseline` takes it; None without one.

    Raises:
        FairnessError: The baseline cannot be read.
    """
    if baseline is None:
        return Evidence(counts, evaluation, predictions)
    found = read_baseline(baseline, evaluation, model=predictions.model)
    comparison = None
    if found.counts is not None:
        cluster = evaluation.cluster
        pairing = pair(predictions, found, cluster=cluster)
        comparison = ReleaseComparison(counts, found.counts, pairing, evaluation.positive, cluster)
    return Evidence(counts, evaluation, predictions, found, comparison)


def answered_as(evidence: Evidence, answers: Sequence[str]) -> Evidence:
    """Return the evidence of another model on the same images, beside the same baseline.

    Args:
        evidence: The evidence of any model, with its predictions.
        answers: The class that the other model predicts of each image (N,).

    Raises:
        ValueError: The evidence has no predictions.
    """
    if evidence.predictions is None:
        msg = "the evidence has no predictions image by image"
        raise ValueError(msg)
    table = evidence.predictions.table
    column = pa.array(answers, pa.string())
    changed = table.set_column(table.column_names.index("prediction"), "prediction", column)
    predictions = replace(evidence.predictions, table=changed)
    known, comparison = evidence.counts, evidence.comparison
    counts = count_groups(changed.to_batches(), levels=known.levels, classes=known.classes)
    if comparison is not None and evidence.baseline is not None:
        cluster = evidence.evaluation.cluster
        pairing = pair(predictions, evidence.baseline, cluster=cluster)
        comparison = replace(comparison, counts=counts, pairing=pairing, cluster=cluster)
    return replace(evidence, counts=counts, predictions=predictions, comparison=comparison)


def answer_together(
    asked: Sequence[Question],
    evidence: Evidence,
    *,
    confidence: float,
    looks: Looks = 1,
    effective: bool = True,
) -> list[Estimate]:
    """Answer the questions of one rule, model, evaluation and `by`, in their order.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`.
        evidence: What they are answered from.
        confidence: Confidence level of the intervals, 0 to 1.
        looks: How often the set may be looked at.
        effective: Whether the effective n of clustered images is told, where counts answer.
    """
    rule = asked[0].rule
    if rule.against == "baseline":
        if evidence.comparison is None:
            lacking = _NO_BASELINE if evidence.baseline is None else evidence.baseline.lacking
            return [_recalled(question, evidence, lacking) for question in asked]
        return estimate_changes(asked, evidence.comparison, confidence=confidence, looks=looks)
    if rule.metric.matched:
        if evidence.predictions is None:
            return [_recalled(question, evidence, _NO_IMAGES) for question in asked]
        return estimate_matched(
            asked,
            evidence.predictions,
            evaluation=evidence.evaluation,
            confidence=confidence,
            looks=looks,
        )
    if rule.metric.observed is not None:
        return _observed(asked, evidence, confidence, looks)
    return estimate(
        asked,
        evidence.counts,
        positive=evidence.evaluation.positive,
        confidence=confidence,
        cluster=evidence.evaluation.cluster,
        looks=looks,
        effective=effective,
    )


def _observed(
    asked: Sequence[Question], evidence: Evidence, confidence: float, looks: Looks
) -> list[Estimate]:
    found: list[Estimate] | str = _NO_SAMPLES
    if evidence.predictions is not None:
        found = estimate_observed(
            asked,
            evidence.predictions,
            evidence.counts,
            evaluation=evidence.evaluation,
            confidence=confidence,
            looks=looks,
        )
    if isinstance(found, str):
        return [_recalled(question, evidence, found) for question in asked]
    return found


def _recalled(question: Question, evidence: Evidence, lacking: str) -> Estimate:
    return evidence.recalled.get(question.key) or Estimate.undefined(question, lacking)
