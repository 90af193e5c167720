"""Estimates from matched images: the same person or design, other in one attribute only."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pandas as pd

from pytest_fairness.data import MISSING
from pytest_fairness.errors import PredictionError
from pytest_fairness.gate.estimates.estimate import Counted, Details, Estimate
from pytest_fairness.gate.estimates.parts import named
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.details import MatchedRecord
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.clusters.columns import Cluster, columns_of
from pytest_fairness.statistics.clusters.counts import clusters_of
from pytest_fairness.statistics.comparisons.matched import MatchedOutcomes
from pytest_fairness.statistics.intervals.paired import mcnemar_p_value
from pytest_fairness.statistics.looks import Look, Looks
from pytest_fairness.wording import listed

__all__ = ["MatchedPairs", "estimate_matched", "match"]

_MOST_NAMED = 10
# Columns of a merged pair that are of the reference's image.
_OF_REFERENCE = " (reference)"


@dataclass(frozen=True, slots=True, eq=False)
class MatchedPairs:
    """The matched images of a group and its reference.

    Args:
        frame: (P, columns) one row a pair, the reference's columns ending in ` (reference)`.
        unmatched: Images of the group without a partner.
        reference_unmatched: Images of the reference without a partner.
        cluster: Column or columns of the clusters; None without them.
    """

    frame: pd.DataFrame
    unmatched: int
    reference_unmatched: int
    cluster: Cluster | None = None

    @property
    def outcomes(self) -> MatchedOutcomes:
        """The answers to both images of each pair."""
        now, then = self.frame["prediction"], self.frame[f"prediction{_OF_REFERENCE}"]
        clusters = None
        if self.cluster is not None:
            clusters = clusters_of([self.frame[name] for name in columns_of(self.cluster)])
        return MatchedOutcomes(
            right=(now == self.frame["target"]).to_numpy(dtype=bool),
            reference_right=(then == self.frame[f"target{_OF_REFERENCE}"]).to_numpy(dtype=bool),
            flipped=(now != then).to_numpy(dtype=bool),
            clusters=clusters,
        )

    def worst(self, outcomes: MatchedOutcomes, *, flips: bool) -> tuple[tuple[str, str], ...]:
        """Return the ids of the worst pairs, reference first.

        Pairs that are right only in the reference lead.

        Args:
            outcomes: Outcomes of the pairs.
            flips: Whether a pair counts when its classes differ; else when one image is right.
        """
        differ = outcomes.flipped if flips else outcomes.right != outcomes.reference_right
        names = [f"id{_OF_REFERENCE}", "id"]
        found = self.frame[names].assign(kept=outcomes.right | ~outcomes.reference_right)[differ]
        ordered = found.sort_values(["kept", *names]).head(_MOST_NAMED)
        return tuple(ordered[names].itertuples(index=False, name=None))


def match(
    predictions: Predictions,
    evaluation: Evaluation,
    *,
    attribute: str,
    reference: str,
) -> dict[str, MatchedPairs]:
    """Match the images of each level of an attribute with those of its reference level.

    Two images match when they agree in all columns of `counterfactual` and in all other
    attributes; one with a missing value there matches none.

    Args:
        predictions: Predictions with the columns of `counterfactual`.
        evaluation: Names these columns.
        attribute: The attribute in which matched images differ.
        reference: Its reference level.

    Returns:
        Level -> its pairs, for every level but the reference.

    Raises:
        PredictionError: A column is missing; two images have the same key and level; or matched
            images have different targets though the attribute is not the target.
    """
    key = [
        name
        for name in dict.fromkeys((*evaluation.counterfactual, *evaluation.attributes))
        if name != attribute
    ]
    frame = predictions.table.to_pandas()
    _check_columns(frame, key, evaluation)
    known = frame[(frame[key] != MISSING).all(axis=1)]
    _check_unique(known, key, attribute, evaluation)
    partners = known[known[attribute] == reference]
    whole = frame[attribute].value_counts()
    found = {}
    for level in predictions.levels[attribute]:
        if level != reference:
            own = known[known[attribute] == level]
            pairs = own.merge(partners, on=key, suffixes=("", _OF_REFERENCE), validate="1:1")
            _check_targets(pairs, attribute, evaluation)
            alone, left = (int(whole.get(name, 0)) - len(pairs) for name in (level, reference))
            found[level] = MatchedPairs(pairs, alone, left, evaluation.cluster)
    return found


def _check_columns(frame: pd.DataFrame, key: list[str], evaluation: Evaluation) -> None:
    missing = [name for name in key if name not in frame.columns]
    if missing:
        msg = (
            f"evaluation {evaluation.name!r}: the predictions have no column {missing[0]!r}, which "
            f"`counterfactual` names; the columns are {listed(frame.columns)}; run the model again, "
            "or give predictions that have it"
        )
        raise PredictionError(msg)


def _check_unique(
    frame: pd.DataFrame, key: list[str], attribute: str, evaluation: Evaluation
) -> None:
    repeated = frame[frame.duplicated([*key, attribute], keep=False)]
    if repeated.empty:
        return
    first = repeated.iloc[0]
    same = repeated[(repeated[[*key, attribute]] == first[[*key, attribute]]).all(axis=1)]
    values = named({name: str(first[name]) for name in [*key, attribute]})
    msg = (
        f"evaluation {evaluation.name!r}: samples {listed(same['id'])} have the same key of "
        f"matched images ({values}), {len(repeated)} such samples in all; add a column to "
        "`counterfactual` that tells them apart"
    )
    raise PredictionError(msg)


def _check_targets(pairs: pd.DataFrame, attribute: str, evaluation: Evaluation) -> None:
    other = pairs[pairs["target"] != pairs[f"target{_OF_REFERENCE}"]]
    if other.empty or attribute == evaluation.target:
        return
    first = other.iloc[0]
    ids = listed([first[f"id{_OF_REFERENCE}"], first["id"]])
    msg = (
        f"evaluation {evaluation.name!r}: samples {ids} match, but their targets are "
        f"{first[f'target{_OF_REFERENCE}']!r} and {first['target']!r} ({len(other)} such pairs); "
        f"matched images differ in {attribute} only: add a column to `counterfactual`"
    )
    raise PredictionError(msg)


def estimate_matched(
    asked: Sequence[Question],
    predictions: Predictions,
    *,
    evaluation: Evaluation,
    confidence: float,
    looks: Looks = 1,
) -> list[Estimate]:
    """Answer the questions of one rule on matched images, by one attribute.

    Args:
        asked: Questions as `ask` gives them: same rule, same `by`.
        predictions: Predictions with the columns of `counterfactual`.
        evaluation: Names these columns.
        confidence: Confidence level of the intervals, 0 to 1.
        looks: How often the set may be looked at.

    Raises:
        PredictionError: As for `match`.
    """
    (attribute,) = asked[0].by
    reference = asked[0].reference
    if not isinstance(reference, Mapping):
        msg = f"{asked[0].key}: matched images need a reference level, got {reference!r}"
        raise TypeError(msg)
    found = match(predictions, evaluation, attribute=attribute, reference=reference[attribute])
    return [
        _estimate(question, found[question.group[attribute]], dict(reference), confidence, looks)
        for question in asked
    ]


def _estimate(
    question: Question,
    pairs: MatchedPairs,
    reference: dict[str, str],
    confidence: float,
    looks: Looks,
) -> Estimate:
    outcomes = pairs.outcomes
    look = Look(looks, outcomes.pairs)
    flips = question.rule.metric.comparison == "none"
    interval = outcomes.flip_interval if flips else outcomes.accuracy_interval

    def bounds(confidence: float, size: float = 0.0) -> tuple[float, float]:
        level = look.grown(size).level(confidence)
        if level == 1:
            return question.rule.metric.allowed_range
        found = interval(level, size=size)
        return float(found.low), float(found.high)

    n = outcomes.pairs
    right, reference_right = (
        Counted(int(answers.sum()), n) for answers in (outcomes.right, outcomes.reference_right)
    )
    difference = outcomes.flips if flips else outcomes.right_only - outcomes.reference_only
    lacking = f"no matched images of {named(question.group)} and {named(reference)}"
    return Estimate.at(
        confidence,
        bounds,
        difference / n if n else None,
        group=dict(question.group),
        reference=reference,
        counted=Counted(outcomes.flips, n) if flips else right,
        reference_counted=None if flips else reference_right,
        effective_n=outcomes.effective_pairs(confidence, flips=flips),
        dominant=tuple(outcomes.dominant.tolist()),
        reason=None if n else lacking,
        details=Details(matched=_record(pairs, outcomes, flips=flips)),
        look=look,
    )


def _record(pairs: MatchedPairs, outcomes: MatchedOutcomes, *, flips: bool) -> MatchedRecord:
    p_value = None
    if outcomes.clusters is None:
        p_value = float(mcnemar_p_value(outcomes.right_only, outcomes.reference_only))
    return MatchedRecord(
        pairs=outcomes.pairs,
        flipped=outcomes.flips,
        right_to_wrong=outcomes.reference_only,
        wrong_to_right=outcomes.right_only,
        p_value=p_value,
        unmatched=pairs.unmatched,
        reference_unmatched=pairs.reference_unmatched,
        worst=pairs.worst(outcomes, flips=flips),
    )
