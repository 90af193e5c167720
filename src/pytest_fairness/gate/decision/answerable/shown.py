"""What shows that no answers of any model pass: what is known of the intervals of clustered images.

With clusters, the narrowest interval need not be that of a model that is always right or always wrong: a
model that is right in half of each person's images can have a narrower one. So a question is called
unanswerable only where one of these shows it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from pytest_fairness.gate.estimates.counted import measure_groups
from pytest_fairness.gate.questions import Question
from pytest_fairness.policy import Decision, Evaluation, Limit
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.columns import Cluster
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.clusters.rates import clustered_rate_interval
from pytest_fairness.statistics.clusters.reach import Range, most_of_clusters, pair_may_keep
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.composites import Composite
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Kind, Measured
from pytest_fairness.statistics.looks import look_level
from pytest_fairness.statistics.metrics.definitions import CompositeDefinition, Measure, Rate

__all__ = ["Shown"]


@dataclass(frozen=True, slots=True)
class Shown:
    """The bounds of all answers to the questions of a batch, from a model that is always right.

    Args:
        counts: Counts of that model.
        measured: What the questions measure of it.
        cluster: Column of the clusters, or two.
        decision: The levels of the gate.
        known: What was computed for all groups at once.
    """

    counts: GroupCounts
    measured: Measured
    cluster: Cluster
    decision: Decision
    known: dict[int, Floats] = field(default_factory=dict)

    @classmethod
    def of(
        cls, question: Question, counts: GroupCounts, evaluation: Evaluation, decision: Decision
    ) -> "Shown | None":
        """Return what is known, or None without clusters.

        Args:
            question: Any question of the batch.
            counts: Counts of a model that is always right.
            evaluation: The evaluation set.
            decision: The levels of the gate.
        """
        cluster = evaluation.cluster
        if cluster is None:
            return None
        measure, positive = question.rule.metric.measure, question.positive or evaluation.positive
        measured = measure_groups(counts, question.by, measure, positive, cluster)
        return cls(counts, measured, cluster, decision)

    def of_question(self, question: Question) -> bool | None:
        """Return whether it is shown that no answers pass a question that the extreme models do not.

        None where it is shown if no answers pass without the clusters: intervals are narrower then.

        Args:
            question: The question.
        """
        measure, rule = question.rule.metric.measure, question.rule
        otherwise = None if _is_narrower_without_clusters(measure) else False
        if not isinstance(self.cluster, str):  # no law is known for two columns
            return otherwise
        groups = self.counts.groups(question.by)
        if question.reference is None:
            if _is_surest_without_errors(measure, rule.limit):
                return True
            if isinstance(measure, Rate) and not measure.among_true_classes:
                images = self.counts.confusion((*question.by, self.cluster)).sum(axis=(-2, -1))
                sizes = images.reshape(len(groups), -1)[groups.index(dict(question.group))]
                if _has_too_few_clusters(sizes, rule.limit, self.decision):
                    return True
            return otherwise
        if isinstance(measure, Rate) or _formula_of(measure) == "largest gap":
            pairs, rates = _pairs_of(question, groups), _rates_of(self.measured)
            return any(self._pair_is_shown(question, part, pairs) for part in rates)
        return otherwise

    def _pair_is_shown(
        self, question: Question, rates: GroupRates, pairs: list[tuple[int, int]]
    ) -> bool:
        """Whether the interval of one of the pairs cannot keep the limit."""
        clusters, limit, decision = rates.clusters, _limit_of(question), self.decision
        if clusters is None or not _is_counted_among_true(question):
            return False
        kind: Kind = "ratio" if question.rule.metric.comparison == "ratio" else "difference"
        for first, second in pairs:
            n = [int(clusters.n[group].sum()) for group in (first, second)]
            if not min(n):
                continue
            level = float(look_level(decision.confidence_to_pass, min(n), decision.looks))
            if level == 1:
                return True
            known = self._flawless(clusters, level)
            both = None if known is None else (float(known[first]), float(known[second]))
            sizes = clusters.n[first], clusters.n[second]
            if not pair_may_keep(*sizes, limit, kind=kind, confidence=level, flawless=both):
                return True
        return False

    def _flawless(self, clusters: ClusterCounts, level: float) -> Floats | None:
        """The lower bound of each group if it had no failure, where all pairs share the level."""
        if self.decision.looks == "any":
            return None
        key = id(clusters)
        if key not in self.known:
            sizes = ClusterCounts(clusters.n, clusters.n)
            self.known[key] = clustered_rate_interval(sizes, confidence=level).low
        return self.known[key]


def _is_surest_without_errors(measure: Measure, limit: Limit) -> bool:
    """Whether a group whose images are all a success (or none is) has the outermost bound.

    One more failure never raises the lower bound of a rate above the one without failures, as long
    as the rate is counted among the same images.
    """
    if limit.kind not in ("min", "max"):
        return False
    if isinstance(measure, Rate):
        return measure.among_true_classes
    return (
        isinstance(measure, CompositeDefinition)
        and (measure.formula, limit.kind) == ("smallest", "min")
        and all(part.among_true_classes for part in measure.parts)
    )


def _formula_of(measure: Measure) -> str:
    """How a measure is made of its rates; nothing for one rate."""
    return measure.formula if isinstance(measure, CompositeDefinition) else ""


def _is_narrower_without_clusters(measure: Measure) -> bool:
    """Whether the same answers always have a narrower interval if images are independent.

    Of F1 scores over several classes they need not: one image enters the scores of two classes.
    """
    several = isinstance(measure, CompositeDefinition) and measure.each_class
    return not (several and _formula_of(measure) == "mean F1")


def _has_too_few_clusters(sizes: Integers, limit: Limit, decision: Decision) -> bool:
    """Whether not even the bound of so many clusters without a failure keeps the limit."""
    levels = look_level(
        decision.confidence_to_pass, np.arange(1, int(sizes.sum()) + 1), decision.looks
    )
    least = float(levels.min(initial=1.0))
    most = 1.0 if least == 1 else most_of_clusters(int((sizes > 0).sum()), confidence=least)
    return limit.low > most or limit.high < 1 - most


def _rates_of(measured: Measured) -> tuple[GroupRates, ...]:
    """The rates whose pairs are compared."""
    if isinstance(measured, Composite):
        return measured.parts
    return (measured,) if isinstance(measured, GroupRates) else ()


def _pairs_of(question: Question, groups: list[dict[str, str]]) -> list[tuple[int, int]]:
    """Positions of the pairs all of which have to keep the limit."""
    if question.reference == "all":
        return [(i, j) for j in range(len(groups)) for i in range(j)]
    own = groups.index(dict(question.group))
    if question.reference == "best":
        return [(own, other) for other in range(len(groups)) if other != own]
    reference = question.reference
    return [(own, groups.index(dict(reference)))] if isinstance(reference, Mapping) else []


def _is_counted_among_true(question: Question) -> bool:
    """Whether true classes alone tell what the rates are counted among."""
    measure = question.rule.metric.measure
    parts = measure.parts if isinstance(measure, CompositeDefinition) else (measure,)
    return all(isinstance(part, Rate) and part.among_true_classes for part in parts)


def _limit_of(question: Question) -> Range:
    """The limit on the signed difference, or the ratio, of each pair."""
    limit, infinite = question.rule.limit, float("inf")
    ratio = question.rule.metric.comparison == "ratio"
    if question.without_sign:
        if not ratio:
            return Range(-limit.high, limit.high)
        return Range(limit.low, 1 / limit.low if limit.low > 0 else infinite)
    if question.reference == "best":
        # The group may be any better than others, never that much worse.
        if question.rule.metric.measure.higher_is_better:
            return Range(limit.low, infinite)
        return Range(0.0 if ratio else -infinite, limit.high)
    return Range(limit.low, limit.high)
