"""Measures that are made of several rates of a group; intervals of means and of F1 scores."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators.dependence import Dependence, MostDependent
from pytest_fairness.statistics.estimators.group_rates import GroupRates
from pytest_fairness.statistics.estimators.measured import Kind, compared, growth
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.melding import (
    Known,
    Spread,
    beta_draws,
    beta_spread,
    melded_ratio,
    melded_sum,
    spread_of,
)
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson

__all__ = ["Composite", "MeanRates", "f1_of"]


def f1_of(rate: Floats) -> Floats:
    """Return the F1 score of true positives among all that is positive or called positive.

    Example:
        >>> f1_of(np.array([0.0, 0.5, 1.0])).round(3).tolist()
        [0.0, 0.667, 1.0]
    """
    return 2 * rate / (1 + rate)


@dataclass(frozen=True, slots=True)
class Composite:
    """A measure of G groups that is made of P rates.

    Args:
        counts: What was counted of the groups, (G,) each.
        parts: The P rates, of the same groups.
    """

    counts: RateCounts
    parts: tuple[GroupRates, ...]

    @property
    def defined(self) -> NDArray[np.bool_]:
        """Whether every part of each group has samples."""
        return np.asarray(np.all([part.defined for part in self.parts], axis=0))

    @property
    def smallest_n(self) -> Integers:
        """The samples of the smallest part of each group."""
        return np.asarray(np.min([part.smallest_n for part in self.parts], axis=0))

    @property
    def effective_n(self) -> Floats:
        """The samples of each group after the largest design effect of its parts."""
        worth = [part.effective_n / np.maximum(part.counts.n, 1) for part in self.parts]
        known = [np.where(part.defined, w, 1.0) for part, w in zip(self.parts, worth, strict=True)]
        return np.asarray(np.min(known, axis=0) * self.counts.n)

    @property
    def dominant(self) -> Floats:
        """The share (W, G) of a part's samples in the largest cluster where it decides, else nan."""
        return np.asarray(np.fmax.reduce([part.dominant for part in self.parts]))


@dataclass(frozen=True, slots=True)
class MeanRates(Composite):
    """The mean of P rates of each of G groups, or of the F1 scores of P rates.

    Args:
        as_f1: Whether each rate enters as its F1 score.
        dependence: How errors of the parts go together; None where they are independent.
    """

    as_f1: bool = False
    dependence: Dependence | MostDependent | None = None

    @property
    def values(self) -> Floats:
        """The mean of each group, nan where a part has no samples."""
        rates = np.stack([part.values for part in self.parts])
        return np.asarray(np.mean(self._scored(rates), axis=0))

    @property
    def scores(self) -> tuple[Floats, ...]:
        """The means."""
        return (self.values,)

    def alone(
        self, confidence: float, *, groups: Integers | None = None, size: Floats | float = 0.0
    ) -> Interval:
        """Return the interval of each group's mean."""
        groups = np.arange(len(self.counts.n)) if groups is None else groups
        known = self._known(groups, confidence, growth(self.counts, groups, size))
        if len(self.parts) == 1:
            return Interval(known.low[..., 0], known.high[..., 0])
        inflation = 1.0 if self.dependence is None else self.dependence.alone(groups)
        return melded_sum(known, 1 / len(self.parts), confidence=confidence, inflation=inflation)

    def compare(self, first: Integers, second: Integers, *, kind: Kind) -> Floats:
        """Return the difference or ratio of each pair."""
        values = self.values
        return compared(values[first], values[second], kind)

    def pairs(
        self,
        first: Integers,
        second: Integers,
        *,
        kind: Kind,
        confidence: float,
        size: Floats | float = 0.0,
    ) -> Interval:
        """Return the interval of the difference or ratio of each pair."""
        one, other = (
            self._known(groups, confidence, growth(self.counts, groups, size))
            for groups in (first, second)
        )
        known = _side_by_side(one, other)
        above_line = np.repeat([True, False], len(self.parts))
        times = self.compare(first, second, kind="ratio") if kind == "ratio" else 1.0
        inflation = (
            1.0 if self.dependence is None else self.dependence.pairs(first, second, times=times)
        )
        if kind == "ratio":
            return melded_ratio(known, above_line, confidence=confidence, inflation=inflation)
        weights = np.where(above_line, 1.0, -1.0) / len(self.parts)
        return melded_sum(known, weights, confidence=confidence, inflation=inflation)

    def _scored(self, rates: Floats) -> Floats:
        return f1_of(rates) if self.as_f1 else rates

    def _known(self, groups: Integers, confidence: float, factor: Floats) -> Known:
        """What is known of the parts of some groups, (Q, P) each."""
        bounds = zip(
            *(part.effective(groups, confidence=confidence, factor=factor) for part in self.parts),
            strict=True,
        )
        (x, n), (x_above, n_above) = (
            [np.stack(count, axis=-1) for count in zip(*side, strict=True)] for side in bounds
        )
        low = clopper_pearson(x, n, confidence=confidence).low
        high = clopper_pearson(x_above, n_above, confidence=confidence).high
        with np.errstate(invalid="ignore"):
            value = x / n
        below = self._spread(x, n - x + 1)
        above = self._spread(x_above + 1, n_above - x_above)
        return Known(
            self._scored(value), self._scored(low), self._scored(high), below=below, above=above
        )

    def _spread(self, a: Floats, b: Floats) -> Spread:
        return spread_of(f1_of(beta_draws(a, b))) if self.as_f1 else beta_spread(a, b)


def _side_by_side(first: Known, second: Known) -> Known:
    def joined(one: Iterable[Floats], other: Iterable[Floats]) -> Iterator[Floats]:
        return (np.concatenate(both, axis=-1) for both in zip(one, other, strict=True))

    value, low, high = joined(first[:3], second[:3])
    below, above = (Spread(*joined(*both)) for both in zip(first[3:], second[3:], strict=True))
    return Known(value, low, high, below, above)
