"""From confusion matrices to a measure of each group: a rate, or what is made of several."""

from collections.abc import Sequence

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts, Ways
from pytest_fairness.statistics.estimators.composites import MeanRates
from pytest_fairness.statistics.estimators.dependence import Dependence, MostDependent, WholeUnit
from pytest_fairness.statistics.estimators.extremes import ExtremeRates
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.largest_gap import LargestGap
from pytest_fairness.statistics.estimators.measured import Measured
from pytest_fairness.statistics.estimators.odds import Odds
from pytest_fairness.statistics.estimators.rate_counts import RateCounts, rate_counts
from pytest_fairness.statistics.metrics.definitions import (
    CompositeDefinition,
    FlipRate,
    Measure,
    Rate,
)
from pytest_fairness.statistics.metrics.observed import ObservedDefinition

__all__ = ["measure", "parts_of"]


def measure(
    definition: Measure,
    confusion: Integers,
    *,
    positive: int | None = None,
    clustered: Integers | None = None,
    ways: Ways | None = None,
) -> Measured:
    """Measure each group.

    Args:
        definition: What is counted among what, or what is made of several such rates.
        confusion: (G, K, K) counts of true class by predicted class.
        positive: Index of the positive class; None where none is needed.
        clustered: (G, C, K, K) the same counts in C clusters; None without clusters.
        ways: Where two columns make the clusters: what each of C cells is in both; else None.

    Raises:
        ValueError: The measure needs a positive class and none is given, or it is observed of
            samples and not counted.

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> f1 = metric_named("f1").measure
        >>> measure(f1, np.array([[[6, 2], [1, 3]]]), positive=1).values.round(3).tolist()
        [0.667]
    """
    if isinstance(definition, ObservedDefinition | FlipRate):
        msg = f"{definition.name} is observed of samples, not counted"
        raise ValueError(msg)  # noqa: TRY004  (a value of the right type, of another kind)
    if isinstance(definition, Rate):
        return _rates(definition, confusion, positive, clustered, ways)
    parts = tuple(
        _rates(rate, confusion, index, clustered, ways)
        for rate, index in parts_of(definition, confusion.shape[-1], positive)
    )
    counts = _counts(definition, confusion, positive, parts)
    if definition.formula == "odds":
        return Odds(counts, parts)
    if definition.formula == "largest gap":
        return LargestGap(counts, parts)
    if definition.formula in ("smallest", "spread"):
        return ExtremeRates(counts, parts, spread=definition.formula == "spread")
    as_f1 = definition.formula == "mean F1"
    dependence: Dependence | MostDependent | None = None
    if clustered is not None:
        dependence = _from_clusters(parts, as_f1=as_f1)
    elif as_f1 and len(parts) > 1:
        dependence = _from_samples(confusion)
    return MeanRates(counts, parts, as_f1, dependence)


def parts_of(
    definition: CompositeDefinition, classes: int, positive: int | None
) -> Sequence[tuple[Rate, int | None]]:
    """Return the rates that a measure is made of, each with its positive class."""
    if definition.each_class:
        return [(rate, index) for index in range(classes) for rate in definition.parts]
    return [(rate, positive) for rate in definition.parts]


def _rates(
    rate: Rate,
    confusion: Integers,
    positive: int | None,
    clustered: Integers | None,
    ways: Ways | None,
) -> GroupRates:
    whole = rate_counts(confusion, rate, positive=positive)
    if clustered is None:
        return GroupRates(whole)
    shape = clustered.shape[:2]
    apart = rate_counts(clustered.reshape(-1, *clustered.shape[2:]), rate, positive=positive)
    successes, n = (count.reshape(shape) for count in apart)
    return GroupRates(whole, ClusterCounts(successes, n, ways))


def _counts(
    definition: CompositeDefinition,
    confusion: Integers,
    positive: int | None,
    parts: tuple[GroupRates, ...],
) -> RateCounts:
    """What is told of the groups: of one part, that; else all samples."""
    if len(parts) == 1:
        return parts[0].counts
    total = confusion.sum(axis=(1, 2))
    if definition.each_class or positive is None:
        return RateCounts(np.trace(confusion, axis1=1, axis2=2), total)
    return RateCounts(confusion[:, :, positive].sum(axis=1), total)


def _from_clusters(parts: tuple[GroupRates, ...], *, as_f1: bool) -> Dependence | MostDependent:
    """Samples of one cluster enter several parts, and several groups."""
    each = [part.clusters.each_way for part in parts if part.clusters is not None]
    if len(each) < len(parts):
        msg = "a part without clusters cannot depend on them"
        raise ValueError(msg)
    ways = [_from_one_way(some, as_f1=as_f1) for some in zip(*each, strict=True)]
    return ways[0] if len(ways) == 1 else MostDependent(tuple(ways))


def _from_one_way(parts: tuple[ClusterCounts, ...], *, as_f1: bool) -> Dependence:
    """The dependence on the clusters of one column."""
    moved: list[Floats] = []
    shares: list[Floats] = []
    for part in parts:
        with np.errstate(divide="ignore", invalid="ignore"):
            n = part.n.sum(axis=1, keepdims=True)
            rate = part.successes.sum(axis=1, keepdims=True) / n
            slope = 2 / (1 + rate) ** 2 if as_f1 else 1.0
            moved.append(slope * (part.successes - rate * part.n) / n)
            shares.append(slope * part.n / n)
    together, apart = np.sum(moved, axis=0), np.sum(np.square(moved), axis=(0, 2))
    whole = WholeUnit.of(np.array(shares))
    return Dependence(together, apart, shared=True, most=float(len(parts)), whole=whole)


def _from_samples(confusion: Integers) -> Dependence:
    """A wrong sample enters the F1 scores of two classes: its own, and the one it is called."""
    own, called = confusion.sum(axis=2), confusion.sum(axis=1)
    hits = np.diagonal(confusion, axis1=1, axis2=2)
    with np.errstate(divide="ignore", invalid="ignore"):
        score = 2 * hits / (own + called)
        right, wrong = (2 - 2 * score) / (own + called), -score / (own + called)
    each = np.sqrt(confusion)
    moved = each * (wrong[:, :, None] + wrong[:, None, :])
    index = np.arange(confusion.shape[1])
    moved[:, index, index] = each[:, index, index] * right
    apart = hits * right**2 + (own + called - 2 * hits) * wrong**2
    size = len(confusion)
    with np.errstate(divide="ignore"):
        unit = np.mean((2 / (own + called)) ** 2, axis=1)
    whole = WholeUnit(np.sqrt(2 * unit)[:, None], unit)
    return Dependence(
        moved.reshape(size, -1), apart.sum(axis=1), shared=False, most=2.0, whole=whole
    )
