"""Intervals of means of a bounded number: an empirical likelihood that expects what was not seen.

A tested mean m is doubted as far as the values could have won bets against it: with a stake b, a
value y multiplies the winnings by 1 + b (y - m) / m. Stakes are limited by what could be seen, a
value at its lower limit, whether it was or not. The evidence is the largest sum of logarithms; half
of a squared normal deviate is its scale. One value at the lower limit is added to those seen (a rare
one may have been missed), and a third of the largest is left out (it may be a rare one), which
makes it right for means of zeros and ones too, and for values that were never seen to vary.

Every term rises with its value, so a worse value never helps.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.intervals.inversion import critical_value, crossing
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Units", "mean_interval", "shared_difference_interval", "subtracted"]

# The part of the largest value that is left out.
_LEFT_OUT = 1 / 3
_STEPS, _CLOSE, _BOUND_CLOSE = 60, 1e-5, 1e-9
_LEAST_SCALE = 1e-12
# At so many angles, 0 and a right angle among them, bounds of two groups are subtracted.
_ANGLES = 9


@dataclass(frozen=True, slots=True, eq=False)
class Units:
    """The gains and weights of independent units (samples, or clusters of them) of G groups.

    The sum over the units of a group of `gains - value * weights` is 0 at the estimate.

    Args:
        gains: (U,) what each unit adds to the estimate.
        weights: (U,) its share, or anything in proportion to it.
        losses: (U,) how far below 0 the gain of such a unit may be.
        times: (U,) how many units like it there are.
        starts: (G,) position of the first unit of each group; no group is without one.
    """

    gains: Floats
    weights: Floats
    losses: Floats
    times: Floats
    starts: Integers

    @property
    def estimate(self) -> Floats:
        """The estimate of each group (G,)."""
        return np.asarray(self._total(self.gains) / self._total(self.weights))

    @property
    def sizes(self) -> Integers:
        """The number of units of each group (G,)."""
        return np.diff(self.starts, append=len(self.gains))

    def lower(self, least: float, confidence: Floats | float) -> Floats:
        """Return the lower bound of each group (G,).

        Args:
            least: Smallest value that is possible.
            confidence: Two-sided confidence levels, 0 to 1: one, or one a group (G,).
        """
        error = (1 - np.asarray(confidence)) / 2
        z, tail = -special.ndtri(error), -np.log(error)
        stakes = np.full(len(self.starts), 0.5)

        def excess(value: Floats) -> Floats:
            odds = self._odds(value)
            evidence, stakes[:] = self._evidence(odds, stakes)
            # All winnings staked each time: right by Markov's inequality, and the narrowest there
            # is where no value was seen to be low.
            with np.errstate(divide="ignore"):
                all_staked = self._total(np.log1p(np.maximum(odds, -1.0)))
            return np.asarray(np.maximum(np.sqrt(2 * evidence) - z, all_staked - tail))

        most = np.maximum(self.estimate, least + _LEAST_SCALE)
        found = crossing(excess, least, most, close=_BOUND_CLOSE)
        return np.asarray(np.minimum(found, self.estimate))

    def _odds(self, value: Floats) -> Floats:
        """Return what a full stake on each unit wins if the tested value is right, at least -1."""
        each = self._spread(value)
        worst = np.maximum.reduceat(self.losses + each * self.weights, self.starts)
        scale = self._spread(np.maximum(worst, _LEAST_SCALE))
        return np.asarray((self.gains - each * self.weights) / scale)

    def _evidence(self, odds: Floats, stakes: Floats) -> tuple[Floats, Floats]:
        """Return the largest evidence of each group, and the stakes that win it, by Newton."""
        top = np.maximum(np.maximum.reduceat(odds, self.starts), 0.0)
        low, high = np.zeros_like(stakes), np.ones_like(stakes)
        for _ in range(_STEPS):
            won = odds / (1 + self._spread(stakes) * odds)
            most = top / (1 + stakes * top)
            slope = self._total(won) - _LEFT_OUT * most - 1 / (1 - stakes)
            bend = self._total(won**2) - _LEFT_OUT * most**2 + 1 / (1 - stakes) ** 2
            low, high = np.where(slope > 0, stakes, low), np.where(slope > 0, high, stakes)
            new = stakes + slope / bend
            new = np.where((new > low) & (new < high), new, (low + high) / 2)
            done = np.abs(new - stakes) <= _CLOSE * (1 - stakes)
            stakes = new
            if done.all():
                break
        terms = np.log1p(self._spread(stakes) * odds)
        evidence = self._total(terms) - _LEFT_OUT * np.log1p(stakes * top) + np.log1p(-stakes)
        return np.maximum(evidence, 0.0), np.clip(stakes, 1e-6, 1 - 1e-6)

    def _total(self, terms: Floats) -> Floats:
        return np.asarray(np.add.reduceat(self.times * terms, self.starts))

    def _spread(self, groups: Floats) -> Floats:
        return np.repeat(groups, self.sizes)


def mean_interval(
    sums: Floats,
    sizes: Floats,
    starts: Integers,
    *,
    confidence: Floats | float,
    times: Floats | float = 1.0,
) -> Interval:
    """Return the interval of the mean of each group of numbers between 0 and 1.

    Args:
        sums: (U,) sum of the values of each independent unit, a sample or a cluster of some.
        sizes: (U,) samples of each unit.
        starts: (G,) position of the first unit of each group; no group is without one.
        confidence: Two-sided confidence levels, 0 to 1: one, or one a group (G,).
        times: How many units like it there are, (U,); need not be whole numbers.

    Source: the dual form of the empirical likelihood, Honda and Takemura (2010), COLT, 67-79, and
        Owen (2001), Empirical Likelihood; limited stakes: Waudby-Smith and Ramdas (2024), J. R.
        Stat. Soc. B 86, 1-27. What is added and left out is our own; errors are enumerated in
        benchmarks/mean_coverage.py.

    >>> half = np.full(30, 0.5)
    >>> low, high = mean_interval(half, np.ones(30), np.array([0]), confidence=0.95)
    >>> print(f"{low[0]:.3f} {high[0]:.3f}")
    0.442 0.558
    """
    each = np.broadcast_to(np.asarray(times, dtype=np.float64), sums.shape)
    nothing = np.zeros(len(sums))
    low, one_minus_high = (
        Units(gains, sizes, nothing, each, starts).lower(0.0, confidence)
        for gains in (sums, sizes - sums)
    )
    return Interval(low, 1 - one_minus_high)


def shared_difference_interval(units: Units, *, confidence: float) -> Interval:
    """Return the interval of differences of two means of the same clusters.

    Args:
        units: Gain and share of each cluster, with the most that its gain may lose.
        confidence: Two-sided confidence level, 0 to 1.
    """
    turned = replace(units, gains=-units.gains, losses=2 * units.weights - units.losses)
    low, minus_high = (some.lower(-1.0, confidence) for some in (units, turned))
    return Interval(low, -minus_high)


def subtracted(
    values: tuple[Floats, Floats],
    bounds: tuple[Callable[[Floats], Interval], Callable[[Floats], Interval]],
    *,
    confidence: float,
) -> Interval:
    """Return the interval of the difference of two independent values from bounds at all levels.

    The deviates by which both values may be off together lie on a circle; at every angle, the
    bounds at the levels of its two deviates are subtracted, and the outermost result counts. Where
    bounds are in proportion to their deviates this is MOVER. A worse value never helps where it
    helps none of the bounds.

    Args:
        values: The values, and those that are subtracted.
        bounds: Their intervals at L confidence levels, (L, ...).
        confidence: Two-sided confidence level, 0 to 1.

    Source: Zou and Donner (2008), Statist. Med. 27, 1693-1702 (MOVER), here without its assumption
        that evidence grows with the square of the distance.

    >>> def bounds(deviation):
    ...     def at(confidence):
    ...         half = deviation * special.ndtri((1 + confidence) / 2)
    ...         return Interval(-half, half)
    ...     return at
    >>> found = subtracted((np.array(0.0),) * 2, (bounds(3), bounds(4)), confidence=0.95)
    >>> print(f"{found.high / critical_value(0.95):.2f}")
    5.02
    """
    angles = np.linspace(0, np.pi / 2, _ANGLES)
    # Between two angles the circle is passed on its outside.
    deviates = critical_value(confidence) / np.cos(angles[1] / 2) * np.cos(angles[:-1])
    levels = 1 - 2 * special.ndtr(-deviates)
    # Where the deviate of one value is the largest, that of the other is 0.
    first, second = (
        Interval(*(np.concatenate([end, value[None]]) for end in bound(levels)))
        for value, bound in zip(values, bounds, strict=True)
    )
    low = (first.low - second.high[::-1]).min(axis=0)
    high = (first.high - second.low[::-1]).max(axis=0)
    return Interval(low, high)
