"""One critical value for all questions of a policy, from the joint distribution of their errors."""

from collections.abc import Sequence
from itertools import groupby

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.sides import Answer
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics import rate_counts

__all__ = ["simultaneous_level"]

_DRAWS = 2000
_AXIS = "(draw)"


def simultaneous_level(
    answers: Sequence[Answer],
    counts: GroupCounts,
    *,
    positive: str | None,
    level: float,
    cluster: str | None,
    rng: np.random.Generator,
) -> float:
    """The level at which all intervals of a policy hold together with probability `level`.

    The counts are drawn again (multinomially within each group, or whole clusters), every
    question is answered on every draw, and the largest standardised error over the questions
    gives the critical value. Questions that share images are correlated, which Bonferroni and
    Holm cannot use.

    Args:
        answers: Answers to the questions.
        counts: The counts behind them.
        positive: The positive class.
        level: Level that holds for all together, 0 to 1.
        cluster: Axis of the counts whose levels are drawn whole; None to draw samples.
        rng: Source of the draws.

    Returns:
        Level of each interval, at least `level` and at most that of Bonferroni.

    Source: Westfall and Young (1993), Resampling-Based Multiple Testing, ch. 2 (single-step max-t).
    """
    drawn = _draw(counts, cluster, rng)
    index = None if positive is None else counts.classes.index(positive)
    errors = [np.zeros((_DRAWS, 1))]
    for _, some in groupby(answers, key=lambda one: (one.question.rule.id, one.question.by)):
        together = [one.question for one in some]
        values = _values(together, drawn, counts, index)
        values = values[:, np.isfinite(values).mean(axis=0) > 0.5]
        spread = np.nanstd(values, axis=0)
        varying = values[:, spread > 0]
        errors.append(np.abs(varying - np.nanmean(varying, axis=0)) / spread[spread > 0])
    worst = np.nanmax(np.concatenate(errors, axis=1), axis=1)
    critical = float(np.quantile(worst, level))
    bonferroni = 1 - (1 - level) / max(len(answers), 1)
    return float(np.clip(2 * stats.norm.cdf(critical) - 1, level, bonferroni))


def _draw(counts: GroupCounts, cluster: str | None, rng: np.random.Generator) -> GroupCounts:
    """Counts with a new first axis of draws, and without the axis of the clusters."""
    k = len(counts.classes)
    names = [name for name in counts.levels if name != cluster]
    levels = {_AXIS: tuple(map(str, range(_DRAWS)))} | {name: counts.levels[name] for name in names}
    shape = tuple(len(values) for values in levels.values())
    if cluster is None:
        groups = counts.cells.reshape(-1, k * k)
        n = groups.sum(axis=1)
        shares = groups / np.maximum(n, 1)[:, None]
        shares[n == 0, 0] = 1.0
        cells = rng.multinomial(n, shares, size=(_DRAWS, len(n)))
    else:
        moved = np.moveaxis(counts.cells, list(counts.levels).index(cluster), 0)
        apart = moved.reshape(len(moved), -1)
        times = rng.multinomial(len(apart), np.full(len(apart), 1 / len(apart)), size=_DRAWS)
        cells = times @ apart
    return GroupCounts(levels, counts.classes, cells.reshape(*shape, k, k))


def _values(
    asked: list[Question], drawn: GroupCounts, counts: GroupCounts, positive: int | None
) -> NDArray[np.float64]:
    """Value of each question on each draw, (draws, questions); ratios as logarithms."""
    first = asked[0]
    metric = first.rule.metric
    found = rate_counts(drawn.confusion((_AXIS, *first.by)), metric.rate, positive=positive)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = (found.successes / found.n).reshape(_DRAWS, -1)
        if metric.comparison == "ratio":
            rates = np.log(rates)
    rates = np.where(np.isfinite(rates), rates, np.nan)
    groups = counts.groups(first.by)
    highest = np.where(np.isnan(rates), -np.inf, rates).max(axis=1)
    lowest = np.where(np.isnan(rates), np.inf, rates).min(axis=1)
    if first.reference == "all":
        return np.asarray((highest - lowest)[:, None])
    columns = [groups.index(dict(question.group)) for question in asked]
    values: NDArray[np.float64] = rates[:, columns]
    if first.reference is None:
        return values
    if first.reference == "best":
        best = highest if metric.rate.higher_is_better else lowest
        return np.asarray(values - best[:, None])
    return np.asarray(values - rates[:, [groups.index(dict(first.reference))]])
