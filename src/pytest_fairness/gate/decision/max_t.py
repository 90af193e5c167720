"""One critical value for all questions of a policy, from the joint distribution of their errors."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

import numpy as np
from scipy import special

from pytest_fairness.gate.decision.levels import breakable, sides_of
from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.estimates.counted import RowBounds, measure_groups
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.columns import Cluster, axis_of
from pytest_fairness.statistics.clusters.counts import Ways, ways_of
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["simultaneous_errors"]


# Draws of the counts, from which correlations are read, and of normal errors with these.
_DRAWS, _ERRORS = 500, 10_000
_AXIS = "(draw)"
# Cells that are drawn at a time.
_CELLS_AT_A_TIME = 4_000_000


def simultaneous_errors(
    answers: Sequence[Answer],
    counts: GroupCounts,
    *,
    positive: str | None,
    error: float,
    weights: Floats,
    cluster: Cluster | None,
    rng: np.random.Generator,
) -> Floats:
    """Return the error of each question at which some of them errs with probability `error`.

    Questions that share images are correlated, which Bonferroni and Holm cannot use. The counts
    are drawn again (each cell, or whole clusters) to see how the errors of the questions go
    together; then normal errors that go together so are drawn. A question errs where the
    p-value of its error is small, counted as its interval counts it: one that is taken over
    several pairs or rates pays for each of them, and one whose limit can be broken in one direction
    only errs in that direction. The smallest p-value over its weight is below the factor that is
    sought in just as many draws as are allowed. An error that does not vary in the draws is taken
    as independent, for which that factor is smallest.

    Args:
        answers: Answers to questions that the counts answer.
        counts: The counts behind them.
        positive: The positive class of the evaluation.
        error: Chance that any of them errs, 0 to 1.
        weights: Weight of each question (Q,).
        cluster: Column or columns of the clusters that are drawn whole; None to draw samples.
        rng: Source of the draws.

    Returns:
        Error of each question (Q,), at most `error` and at least that of Bonferroni.

    Source: Westfall and Young (1993), Resampling-Based Multiple Testing, ch. 2 (single-step
        min-p); Šidák (1967), J. Am. Stat. Assoc. 62, 626-633, for independence as the worst case.
    """
    batches = [list(some) for _, some in groupby(answers, key=lambda one: one.question.batch)]
    multipliers = rng.standard_normal((_ERRORS, _DRAWS))
    smallest = np.full(_ERRORS, np.inf)
    weight = iter((weights / weights.mean()).tolist())
    for batch, seen in zip(batches, _drawn(batches, counts, positive, cluster, rng), strict=True):
        errors = _Errors.of(seen, multipliers)
        for answer in batch:
            np.minimum(smallest, errors.p_values(answer, rng) / next(weight), out=smallest)
    factor = max(float(np.quantile(smallest, error)), error / len(answers))
    return np.asarray(np.minimum(factor * weights / weights.mean(), error))


def _drawn(
    batches: Sequence[Sequence[Answer]],
    counts: GroupCounts,
    positive: str | None,
    cluster: Cluster | None,
    rng: np.random.Generator,
) -> list[Floats]:
    """Values of the groups of each batch on each draw, (P, draws, G); ratios as logarithms."""
    found: list[list[Floats]] = [[] for _ in batches]
    for drawn in _draws(counts, cluster, rng):
        for batch, values in zip(batches, found, strict=True):
            question = batch[0].question
            metric, by = question.rule.metric, (_AXIS, *question.by)
            measured = measure_groups(
                drawn, by, metric.measure, question.positive or positive, None
            )
            size = len(drawn.levels[_AXIS])
            scores = np.stack([score.reshape(size, -1) for score in measured.scores])
            with np.errstate(divide="ignore"):
                values.append(np.log(scores) if metric.comparison == "ratio" else scores)
    return [np.concatenate(values, axis=1) for values in found]


def _draws(
    counts: GroupCounts, cluster: Cluster | None, rng: np.random.Generator
) -> Iterator[GroupCounts]:
    """Counts with a new first axis of draws, some at a time; clusters are drawn whole."""
    axis = None if cluster is None else axis_of(cluster)
    levels = {name: values for name, values in counts.levels.items() if name != axis}
    shape = [len(values) for values in levels.values()] + [len(counts.classes)] * 2
    apart = counts.cells.reshape(1, -1)
    times = None
    if cluster is not None and axis is not None:
        moved = np.moveaxis(counts.cells, list(counts.levels).index(axis), 0)
        apart = moved.reshape(len(moved), -1)
        times = partial(_times, ways_of(cluster, counts.levels[axis]), len(apart), rng)
    at_a_time = int(np.clip(_CELLS_AT_A_TIME // apart.shape[1], 1, _DRAWS))
    for start in range(0, _DRAWS, at_a_time):
        size = min(at_a_time, _DRAWS - start)
        if times is None:
            cells = rng.poisson(apart[0], size=(size, apart.shape[1]))
        else:
            cells = times(size) @ apart
        drawn = {_AXIS: tuple(map(str, range(size)))}
        yield GroupCounts(drawn | levels, counts.classes, cells.reshape(size, *shape))


def _times(ways: Ways | None, number: int, rng: np.random.Generator, size: int) -> Integers:
    """How often each cluster is drawn, (size, number): what two columns make, as often as both its values.

    Source: Owen (2007), Ann. Appl. Stat. 1, 386-411 (the pigeonhole bootstrap), with Poisson counts.
    """
    if ways is None:
        return rng.poisson(1.0, size=(size, number))
    first = rng.poisson(1.0, size=(size, int(max(ways.first.max(), ways.second.max())) + 1))
    second = first if ways.alike else rng.poisson(1.0, size=first.shape)
    return np.asarray(first[:, ways.first] * second[:, ways.second], dtype=np.int64)


@dataclass(frozen=True, slots=True, eq=False)
class _Errors:
    """Normal errors of the values of G groups, for P rates each.

    Args:
        drawn: (P, errors, G).
        covariance: (P, G, G).
    """

    drawn: Floats
    covariance: Floats

    @classmethod
    def of(cls, values: Floats, multipliers: Floats) -> "_Errors":
        """From the values on each draw of the counts, (P, draws, G)."""
        known = np.isfinite(values)
        seen = np.where(known, values, 0.0)
        mean = seen.sum(axis=1, keepdims=True) / np.maximum(known.sum(axis=1, keepdims=True), 1)
        away = np.where(known, seen - mean, 0.0) / np.sqrt(values.shape[1])
        return cls(multipliers @ away, away.transpose(0, 2, 1) @ away)

    def p_values(self, answer: Answer, rng: np.random.Generator) -> Floats:
        """P-values of the errors of a question, corrected as its interval is."""
        bounds = answer.estimate.bounds
        if not isinstance(bounds, RowBounds):
            msg = f"{answer.question.key} is not answered from counts"
            raise TypeError(msg)
        first, second = bounds.comparison.pairs_of(bounds.row)
        errors = self.drawn[:, :, first]
        variance = self.covariance[:, first, first]
        if second is not None:
            errors = errors - self.drawn[:, :, second]
            variance = variance + self.covariance[:, second, second]
            variance = variance - 2 * self.covariance[:, first, second]
        varying = variance > np.finfo(np.float64).eps
        if not varying.all():
            independent = rng.standard_normal(errors.shape)
            errors = np.where(varying[:, None], errors, independent)
        deviation = np.sqrt(np.where(varying, variance, 1.0))
        standardised = errors / deviation[:, None]
        direction = breakable(answer.question)
        if direction == "both":
            standardised = np.abs(standardised)
        elif direction == "below":
            standardised = -standardised
        largest = standardised.max(axis=(0, 2), initial=-np.inf)
        claims = varying.size * sides_of(answer.question)
        return np.asarray(np.minimum(special.ndtr(-largest) * claims, 1.0))
