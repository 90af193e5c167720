"""Rates of groups of a pool that is labelled in parts: their intervals hold at every look."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.measured import Kind, compared
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.labelled.draws import Draws

__all__ = ["Evidence", "LabelledRates"]

_WINDOW = np.linspace(-7.0, 7.0, 57)
_WIDE = np.sin(np.linspace(0.0, np.pi / 2, 33)) ** 2
_HALVINGS = 40


@dataclass(frozen=True, eq=False)
class Evidence:
    """The evidence of the labels of a group against each rate of its population.

    Args:
        rates: Rates (P,) in growing order, from 0 to 1.
        above: Logarithm of the evidence (P,) that the true rate is above each; it falls.
        below: Logarithm of the evidence (P,) that it is below each; it grows.
    """

    rates: Floats
    above: Floats
    below: Floats

    @classmethod
    def of(cls, draws: Draws) -> "Evidence":
        """Return the evidence of a group's draws."""
        if not draws.n or not draws.counted[1]:
            return cls(np.array([0.0, 1.0]), np.zeros(2), np.zeros(2))
        centre, n = draws.estimate, draws.counted[1]
        centre = 0.5 if math.isnan(centre) else centre
        error = math.sqrt(max(centre * (1 - centre), 1 / n) / n)
        rates = np.unique(np.clip(np.concatenate([_WIDE, centre + error * _WINDOW]), 0.0, 1.0))
        below = draws.complement.log_evidence(1 - rates)[::-1]
        return cls(
            rates,
            _under(rates, np.minimum.accumulate(draws.log_evidence(rates))),
            _under(1 - rates[::-1], np.minimum.accumulate(below))[::-1],
        )

    def interval(self, error: float) -> tuple[float, float]:
        """Return the rates against which the evidence stays below 1 / error on either side."""
        enough = math.log(1 / error)
        low = _reached(self.rates, self.above, enough)
        return low, 1 - _reached(1 - self.rates[::-1], self.below[::-1], enough)


def _reached(rates: Floats, evidence: Floats, enough: float) -> float:
    """The largest rate up to which falling evidence is enough; 0 where it never is."""
    there = np.flatnonzero(evidence >= enough)
    if not len(there):
        return 0.0
    last = int(there[-1])
    if last == len(rates) - 1:
        return float(rates[last])
    step = (evidence[last] - enough) / (evidence[last] - evidence[last + 1])
    return float(rates[last] + step * (rates[last + 1] - rates[last]))


def _under(rates: Floats, evidence: Floats) -> Floats:
    """Lower the points of falling evidence so that lines between them lie under the curve.

    A line lies above a curve by its curvature at most, and a falling curve above its next point.
    """
    steps = np.diff(rates)
    slopes = np.diff(evidence) / steps
    bends = np.maximum(2 * np.diff(slopes) / (steps[1:] + steps[:-1]), 0.0)
    bends = np.concatenate([bends[:1], bends, bends[-1:]])
    sag = steps**2 / 8 * np.maximum(bends[1:], bends[:-1])
    lowered = evidence - np.maximum(np.append(sag, 0.0), np.append(0.0, sag))
    lowered[:-1] = np.maximum(lowered[:-1], evidence[1:])
    return np.asarray(np.minimum.accumulate(lowered))


@dataclass(frozen=True, eq=False)
class LabelledRates:
    """A rate of G groups of a pool that is labelled in parts, as comparisons need to know it.

    Intervals hold for the population that the pool was drawn from, at every look. Two groups are
    compared at the worst rates that they may both have (the product of their evidence).

    Args:
        draws: What was drawn in each group.
    """

    draws: Sequence[Draws]

    @cached_property
    def evidence(self) -> tuple[Evidence, ...]:
        """The evidence of each group."""
        return tuple(map(Evidence.of, self.draws))

    @cached_property
    def counts(self) -> RateCounts:
        """The labels that were counted, and counted among, (G,) each."""
        both = np.array([one.counted for one in self.draws]).reshape(-1, 2)
        successes, n = both.T.astype(np.int64)
        return RateCounts(successes, n)

    @cached_property
    def values(self) -> Floats:
        """The estimates (G,), nan where nothing was labelled that they are counted among."""
        return np.where(
            self.defined, [one.estimate if one.n else np.nan for one in self.draws], np.nan
        )

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The estimates."""
        return (self.values,)

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether anything was labelled that the rate is counted among, (G,)."""
        return np.asarray(self.counts.n > 0)

    @property
    def smallest_n(self) -> Integers:
        """The labels that each rate was counted among, (G,)."""
        return np.asarray(self.counts.n)

    @property
    def effective_n(self) -> Floats:
        """The labels of each rate (G,), since clusters enter through the pool only."""
        return np.asarray(self.counts.n, dtype=np.float64)

    @property
    def dominant(self) -> Floats:
        """The share (1, G) of a dominant cluster, nan: labels are drawn one by one."""
        return np.full((1, len(self.draws)), np.nan)

    def alone(
        self,
        confidence: float,
        *,
        groups: Integers | None = None,
        size: Floats | float = 0.0,  # noqa: ARG002  (labels that are not there are not foretold)
    ) -> Interval:
        """Return the interval of each group's rate."""
        groups = np.arange(len(self.draws)) if groups is None else groups
        found = [self.evidence[i].interval((1 - confidence) / 2) for i in groups.tolist()]
        return Interval(*np.array(found).reshape(-1, 2).T)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference or ratio of each pair."""
        return compared(self.values[first], self.values[second], kind)

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,  # noqa: ARG002
    ) -> Interval:
        """Return the interval of the difference or ratio of each pair."""
        enough = math.log(2 / (1 - confidence))
        low, high = [], []
        for i, j in zip(first.tolist(), second.tolist(), strict=True):
            one, two = self.evidence[i], self.evidence[j]
            if kind == "difference":
                low.append(_lowest_difference(one, two, enough))
                high.append(-_lowest_difference(two, one, enough))
            else:
                low.append(_lowest_ratio(one, two, enough))
                other = _lowest_ratio(two, one, enough)
                high.append(1 / other if other else math.inf)
        return Interval(np.array(low), np.array(high))


def _lowest_difference(one: Evidence, two: Evidence, enough: float) -> float:
    """The largest difference up to which both groups together speak against it."""

    def speaks(gap: float) -> bool:
        rates = np.concatenate([two.rates, one.rates - gap])
        rates = rates[(rates >= max(0.0, -gap) - 1e-12) & (rates <= min(1.0, 1.0 - gap) + 1e-12)]
        both = np.interp(rates + gap, one.rates, one.above) + np.interp(rates, two.rates, two.below)
        return not len(rates) or float(both.min()) >= enough

    return _bisected(speaks, -1.0, 1.0)


def _lowest_ratio(one: Evidence, two: Evidence, enough: float) -> float:
    """The largest ratio up to which both groups together speak against it; found on log(1 + r)."""

    def speaks(place: float) -> bool:
        ratio = place / (1 - place)
        rates = np.concatenate([two.rates, one.rates / ratio]) if ratio else two.rates
        rates = rates[rates <= 1.0 + 1e-12]
        tested = rates * ratio
        rates, tested = rates[tested <= 1.0 + 1e-12], tested[tested <= 1.0 + 1e-12]
        both = np.interp(tested, one.rates, one.above) + np.interp(rates, two.rates, two.below)
        return float(both.min()) >= enough

    place = _bisected(speaks, 0.0, 1.0)
    return place / (1 - place)


def _bisected(speaks: Callable[[float], bool], low: float, high: float) -> float:
    if not speaks(low):
        return low
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if speaks(middle) else (low, middle)
    return low
