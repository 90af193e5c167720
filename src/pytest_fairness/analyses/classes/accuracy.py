"""Accuracy class by class: extremes, spread, the worst tenth, and fixed thirds."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts
from pytest_fairness.statistics.estimators.extremes import ExtremeRates
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.wording import counted

__all__ = ["ClassAccuracies", "Estimated", "Thirds", "class_disparity", "thirds_of"]


@dataclass(frozen=True, slots=True)
class Estimated:
    """A value with its interval.

    Args:
        value: The estimate; nan where it is undefined.
        low: Lower end.
        high: Upper end.
    """

    value: float
    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Thirds:
    """Hard, medium and easy classes, fixed on one model so that others can be compared.

    Args:
        hard: Positions of the classes with the lowest accuracy.
        medium: Positions of those in between.
        easy: Positions of those with the highest.
    """

    hard: tuple[int, ...]
    medium: tuple[int, ...]
    easy: tuple[int, ...]

    def means(self, values: ArrayLike) -> dict[str, float]:
        """Return the mean of a number of each class (K,) over each third."""
        values = np.asarray(values, dtype=np.float64)
        return {
            name: float(np.mean(values[list(getattr(self, name))]))
            for name in ("hard", "medium", "easy")
        }


@dataclass(frozen=True, slots=True, eq=False)
class ClassAccuracies:
    """Accuracy of each of K classes, and how unequal they are.

    Args:
        classes: Names of the classes.
        n: Samples of each class, (K,).
        right: Of these, rightly predicted, (K,).
        accuracy: Share of right ones, (K,); nan for a class without samples.
        interval: Interval of each class by itself.
        simultaneous: Intervals that hold for all classes together (Bonferroni).
        worst: Accuracy of the worst class; which one that is the data chose, so simultaneous.
        gap: Best minus worst.
        deviation: Standard deviation of the accuracies.
        worst_tenth: Mean accuracy of the worst tenth of the classes, at least one.
        confidence: Confidence level of the intervals, 0 to 1.
    """

    classes: tuple[str, ...]
    n: Integers
    right: Integers
    accuracy: Floats
    interval: Interval
    simultaneous: Interval
    worst: Estimated
    gap: Estimated
    deviation: float
    worst_tenth: float
    confidence: float

    @property
    def order(self) -> Integers:
        """The positions of the classes, the most accurate first, ties by position."""
        known = np.where(np.isnan(self.accuracy), -1.0, self.accuracy)
        return np.argsort(-known, kind="stable")

    @property
    def text(self) -> str:
        """The extremes in one sentence, with their intervals."""
        worst, best = self.classes[self.order[-1]], self.classes[self.order[0]]
        return (
            f"accuracy is {np.nanmax(self.accuracy):.2f} in {best} and {self.worst.value:.2f} in "
            f"{worst}: {self.gap.value:.2f} apart ({self.confidence * 100:g} % interval "
            f"{self.gap.low:.2f} … {self.gap.high:.2f} over all {counted(len(self.classes), 'class', 'classes')}); "
            f"worst tenth {self.worst_tenth:.2f}, SD {self.deviation:.2f}"
        )


def class_disparity(
    targets: ArrayLike,
    predictions: ArrayLike,
    classes: Sequence[str],
    *,
    clusters: ArrayLike | None = None,
    confidence: float = 0.95,
) -> ClassAccuracies:
    """Measure how unequal the classes of a model are.

    Args:
        targets: (N,) true classes: positions 0 … K - 1, or names.
        predictions: (N,) predicted classes, likewise.
        classes: The K names.
        clusters: (N,) cluster of each sample, where samples are dependent.
        confidence: Confidence level of the intervals, 0 to 1.

    Raises:
        ValueError: A value is not a class, or the arrays differ in length.

    Source: Cui et al. (2024), Classes Are Not Equal, CVPR (extremes and spread of class accuracy);
    the intervals of the extremes: `pytest_fairness.statistics.estimators.extremes`.

    Example:
        >>> found = class_disparity([0, 0, 1, 1], [0, 0, 1, 0], ["cat", "dog"])
        >>> found.accuracy.tolist(), found.gap.value
        ([1.0, 0.5], 0.5)
    """
    names = tuple(classes)
    true, called = (_positions(some, names) for some in (targets, predictions))
    if len(true) != len(called):
        msg = f"got {len(true)} targets and {counted(len(called), 'prediction')}; give one of each a sample"
        raise ValueError(msg)
    k = len(names)
    n = np.bincount(true, minlength=k)
    right = np.bincount(true[true == called], minlength=k)
    rates = GroupRates(RateCounts(right, n), _clustered(true, called, clusters, k))
    parts = tuple(_only(rates, i) for i in range(k) if n[i])
    whole = RateCounts(np.array([right.sum()]), np.array([n.sum()]))
    accuracy = rates.values
    tenth = max(round(k / 10), 1)
    known = np.sort(accuracy[~np.isnan(accuracy)])
    return ClassAccuracies(
        classes=names,
        n=n,
        right=right,
        accuracy=accuracy,
        interval=rates.alone(confidence),
        simultaneous=rates.alone(bonferroni(confidence, k)),
        worst=_estimated(ExtremeRates(whole, parts), confidence),
        gap=_estimated(ExtremeRates(whole, parts, spread=True), confidence),
        deviation=float(np.std(known)),
        worst_tenth=float(known[:tenth].mean()),
        confidence=confidence,
    )


def thirds_of(accuracy: ArrayLike) -> Thirds:
    """Sort classes into hard, medium and easy thirds by their accuracy.

    Classes that do not divide by three go to hard first, then to medium. Take the thirds from one
    reference model and split, and use them for all others: thirds chosen anew by each model would
    show gains that are regression to the mean.

    Args:
        accuracy: (K,) accuracy of each class on the reference model; ties go by position.

    Raises:
        ValueError: There are fewer than three classes, or one has no accuracy.

    Source: Cui et al. (2024), Classes Are Not Equal, CVPR, as re-implemented in public.

    Example:
        >>> thirds_of([0.9, 0.2, 0.5, 0.7])
        Thirds(hard=(1, 2), medium=(3,), easy=(0,))
    """
    accuracy = np.asarray(accuracy, dtype=np.float64)
    k = len(accuracy)
    if k < 3 or np.isnan(accuracy).any():
        msg = f"thirds need at least three classes, each with an accuracy, got {accuracy.tolist()}"
        raise ValueError(msg)
    order = [int(i) for i in np.argsort(accuracy, kind="stable")]
    hard = (k + 2) // 3
    medium = (k - hard + 1) // 2
    return Thirds(
        tuple(order[:hard]), tuple(order[hard : hard + medium]), tuple(order[hard + medium :])
    )


def _positions(values: ArrayLike, names: tuple[str, ...]) -> Integers:
    found = np.asarray(values)
    if np.issubdtype(found.dtype, np.integer):
        positions = found.astype(np.int64)
        wrong = (positions < 0) | (positions >= len(names))
    else:
        place = {name: i for i, name in enumerate(names)}
        positions = np.array([place.get(str(value), -1) for value in found], dtype=np.int64)
        wrong = positions < 0
    if wrong.any():
        msg = (
            f"{found[wrong.argmax()]!r} is no class; allowed: 0 … {len(names) - 1} or {names[:12]}"
        )
        raise ValueError(msg)
    return positions


def _clustered(
    true: Integers, called: Integers, clusters: ArrayLike | None, k: int
) -> ClusterCounts | None:
    if clusters is None:
        return None
    _, units = np.unique(np.asarray(clusters), return_inverse=True)
    count = int(units.max(initial=-1)) + 1
    flat = true * count + units
    right, n = (np.bincount(some, minlength=k * count) for some in (flat[true == called], flat))
    return ClusterCounts(right.reshape(k, count), n.reshape(k, count))


def _only(rates: GroupRates, position: int) -> GroupRates:
    """The rate of one class, as one of the parts of an extreme."""
    one = slice(position, position + 1)
    counts = RateCounts(*(part[one] for part in rates.counts))
    if rates.clusters is None:
        return GroupRates(counts)
    return GroupRates(counts, rates.clusters.at(one))


def _estimated(extreme: ExtremeRates, confidence: float) -> Estimated:
    low, high = extreme.alone(confidence)
    return Estimated(float(extreme.values[0]), float(low[0]), float(high[0]))
