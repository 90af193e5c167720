"""Estimates of what analyses observed: means by group, a model as a whole, pairs of groups."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy import special

from pytest_fairness.doors.registry import load_object
from pytest_fairness.gate.estimates.counted import read_estimates
from pytest_fairness.gate.estimates.estimate import (
    Bounds,
    Counted,
    Details,
    Estimate,
    reference_of,
)
from pytest_fairness.gate.estimates.values import values_of_samples
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import ObservedRecord
from pytest_fairness.inference import Predictions
from pytest_fairness.inference.observed import facts_of, observation, observed_values
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.columns import columns_of
from pytest_fairness.statistics.clusters.counts import SampleClusters, clusters_of
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.at_looks import at_looks, look_of
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.sample_means import SampleMeans, sample_means
from pytest_fairness.statistics.looks import Look, Looks
from pytest_fairness.statistics.metrics.observed import ObservedDefinition

if TYPE_CHECKING:
    from pytest_fairness.gate.estimates.derived import Derive

__all__ = ["estimate_observed"]


def estimate_observed(
    asked: Sequence[Question],
    predictions: Predictions,
    counts: GroupCounts,
    *,
    evaluation: Evaluation,
    confidence: float,
    looks: Looks = 1,
) -> list[Estimate] | str:
    """Answer the questions of one rule, model, evaluation, `by`, class and `of`, in their order.

    Args:
        asked: Questions as `ask` gives them.
        predictions: Predictions with what was observed beside them.
        counts: Their counts, which name the groups.
        evaluation: The evaluation set.
        confidence: Confidence level of the intervals, 0 to 1.
        looks: How often the set may be looked at.

    Returns:
        The estimates; or why there are none, where nothing was observed.
    """
    definition = _definition(asked[0])
    if definition.shape == "whole":
        return _whole(asked, definition, predictions, evaluation, (confidence, looks))
    if definition.shape == "pairs":
        return _pairs(asked, definition, predictions, (confidence, looks))
    return _by_group(
        asked, predictions, counts, evaluation=evaluation, confidence=confidence, looks=looks
    )


def _definition(question: Question) -> ObservedDefinition:
    definition = question.rule.metric.observed
    if definition is None:
        msg = f"{question.key}: not a metric of an analysis"
        raise TypeError(msg)
    return definition


def _by_group(
    asked: Sequence[Question],
    predictions: Predictions,
    counts: GroupCounts,
    *,
    evaluation: Evaluation,
    confidence: float,
    looks: Looks,
) -> list[Estimate] | str:
    first = asked[0]
    definition = _definition(first)
    name = observation(definition.name, first.of)
    values: Floats | str | None
    if definition.value or definition.column is not None:
        values = values_of_samples(definition, predictions, evaluation)
    elif definition.derive:
        derive: Derive = load_object(definition.derive)
        values = derive(predictions, evaluation, first.positive or evaluation.positive)
    else:
        values = observed_values(predictions, name)
    if values is None or isinstance(values, str):
        return values or _not_observed(definition)
    groups = counts.groups(first.by)
    codes = _codes(predictions, first.by, counts)
    clusters = _clusters(predictions, evaluation)
    measured = _measured(definition, values, codes, len(groups), clusters)
    missing = np.bincount(codes[np.isnan(values)], minlength=len(groups))
    deviations = measured.deviations if isinstance(measured, SampleMeans) else None
    place = {tuple(group.values()): position for position, group in enumerate(groups)}
    found = []
    for one in read_estimates(asked, measured, counts, confidence=confidence, looks=looks):
        position = place[tuple(one.group.values())]
        other = None if one.reference is None else place[tuple(one.reference.values())]
        lacking = int(missing[position] + (0 if other is None else missing[other]))
        record = ObservedRecord(
            of=first.of,
            mean=_known(measured.values, position),
            reference_mean=_known(measured.values, other),
            deviation=_known(deviations, position),
            reference_deviation=_known(deviations, other),
            without_value=lacking,
            facts=facts_of(predictions, name),
        )
        found.append(replace(one, details=Details(observed=record)))
    return found


def _measured(
    definition: ObservedDefinition,
    values: Floats,
    codes: Integers,
    count: int,
    clusters: SampleClusters | None,
) -> Measured:
    if not definition.binary:
        low, high = definition.floor, definition.ceiling
        return sample_means(values, codes, count, floor=low, ceiling=high, clusters=clusters)
    return _rates(values, codes, count, clusters)


def _rates(
    values: Floats, codes: Integers, count: int, clusters: SampleClusters | None
) -> GroupRates:
    """Rates of values that are 0 or 1; nan is left out."""
    means = sample_means(values, codes, count, clusters=clusters)
    if means.clusters is None:
        return GroupRates(means.counts)
    right = np.round(means.clusters.successes).astype(np.int64)
    return GroupRates(means.counts, means.clusters._replace(successes=right))


def _known(values: Floats | None, position: int | None) -> float | None:
    if values is None or position is None or not np.isfinite(values[position]):
        return None
    return float(values[position])


def _whole(
    asked: Sequence[Question],
    definition: ObservedDefinition,
    predictions: Predictions,
    evaluation: Evaluation,
    at: tuple[float, Looks],
) -> list[Estimate] | str:
    """How far a rate lies above its null; one question, as each layer has a batch of its own."""
    (question,) = asked
    name = observation(definition.name, question.of, by=question.by)
    values = observed_values(predictions, name)
    if values is None:
        return _not_observed(definition)
    facts = facts_of(predictions, name)
    null = facts["null"]
    clusters = _clusters(predictions, evaluation)
    rates = _rates(values, np.zeros(len(values), dtype=np.int64), 1, clusters)
    n, successes = int(rates.counts.n[0]), int(rates.counts.successes[0])

    confidence, looks = at
    looked = at_looks(rates, looks, whole=(0.0, 1.0))

    def bounds(confidence: float, size: float = 0.0) -> tuple[float, float]:
        low, high = looked.alone(confidence, size=size)
        return float(low[0]) - null, float(high[0]) - null

    observed = ObservedRecord(
        of=question.of,
        mean=_known(rates.values, 0),
        without_value=int(np.isnan(values).sum()),
        facts=facts,
    )
    return [
        Estimate.at(
            confidence,
            bounds,
            successes / n - null if n else None,
            group={},
            reference=None,
            counted=Counted(successes, n),
            effective_n=float(rates.effective_n[0]),
            reason=None if n else "no held-out samples",
            details=Details(observed=observed),
            look=look_of(rates, looks, [0]),
        )
    ]


def _pairs(
    asked: Sequence[Question],
    definition: ObservedDefinition,
    predictions: Predictions,
    at: tuple[float, Looks],
) -> list[Estimate] | str:
    """A number of two groups, with its standard error and degrees of freedom (a jackknife's)."""
    confidence, looks = at
    found = []
    for question in asked:
        reference = reference_of(question) or {}
        pair = tuple("*".join(levels.values()) for levels in (question.group, reference))
        facts = facts_of(
            predictions, observation(definition.name, question.of, by=question.by, pair=pair)
        )
        if not facts:
            return _not_observed(definition)
        known = math.isfinite(facts["value"]) and math.isfinite(facts["error"])
        look = Look(looks, min(facts["n"], facts["reference_n"]))
        found.append(
            Estimate.at(
                confidence,
                _jackknife(definition, facts, look),
                facts["value"] if known else None,
                group=dict(question.group),
                reference=reference,
                counted=Counted(0, int(facts["n"])),
                reference_counted=Counted(0, int(facts["reference_n"])),
                reason=None if known else "no pattern above its noise, or a group without samples",
                details=Details(observed=ObservedRecord(of=question.of, facts=facts)),
                look=look,
            )
        )
    return found


def _jackknife(definition: ObservedDefinition, facts: Mapping[str, float], look: Look) -> Bounds:
    seen = min(facts["n"], facts["reference_n"])

    def bounds(confidence: float, size: float = 0.0) -> tuple[float, float]:
        level = look.grown(size).level(confidence)
        if level == 1:
            return definition.floor, definition.ceiling
        error = facts["error"] / math.sqrt(max(size / max(seen, 1.0), 1.0))
        half = float(special.stdtrit(max(facts["freedom"], 1.0), (1 + level) / 2)) * error
        low, high = facts["value"] - half, facts["value"] + half
        return max(low, definition.floor), min(high, definition.ceiling)

    return bounds


def _codes(predictions: Predictions, by: tuple[str, ...], counts: GroupCounts) -> Integers:
    """Position (N,) of the group of each sample among `counts.groups(by)`."""
    codes = np.zeros(predictions.table.num_rows, dtype=np.int64)
    for attribute in by:
        levels = counts.levels[attribute]
        column = predictions.table.column(attribute).to_pandas()
        codes = codes * len(levels) + pd.Categorical(column, categories=list(levels)).codes
    return codes


def _clusters(predictions: Predictions, evaluation: Evaluation) -> SampleClusters | None:
    columns = columns_of(evaluation.cluster)
    if not columns:
        return None
    return clusters_of([predictions.table.column(name).to_pandas() for name in columns])


def _not_observed(definition: ObservedDefinition) -> str:
    return (
        f"{definition.short} needs the model itself: run it under pytest, or with judge_model; these "
        "predictions hold no such observation"
    )
