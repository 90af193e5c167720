"""Exact bounds by inversion: where the largest chance of a set of tables reaches its target.

Beside the sets of `nuisance`, this knows on which scale a parameter is sought, and how its search is
started: the difference of two rates, and their ratio.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np
from scipy import special

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.intervals.differences import miettinen_nurminen, score_statistic
from pytest_fairness.statistics.intervals.inversion import critical_value, crossing
from pytest_fairness.statistics.intervals.nuisance import Extreme, Parameter, Peak, Tables
from pytest_fairness.statistics.intervals.ratios import ratio_score_statistic, score_ratio

__all__ = ["CLOSE", "DIFFERENCE", "RATIO", "Kind", "Search"]


# A bound is found when a step moves it less than this, in so many steps at most.
CLOSE, _STEPS = 1e-9, 8
# So often the peak that is followed may turn out not to be the highest one.
_ROUNDS = 4
# How far the largest chance may be from its target, as a normal deviate.
_OFF = 1e-5


@dataclass(frozen=True)
class Kind:
    """A parameter, sought on a scale from `least` to `most` on which it is finite.

    Attributes:
        parameter: what is estimated.
        score_bound: lower score bound of some tables.
        value: the parameter, from its place on the scale.
        place: the other way round.
        estimate: place of the estimates of some tables.
        nothing: the least value, where a table says nothing.
        least: where the scale begins.
        most: where it ends.
        known: (table, confidence) -> bound, of tables seen before.
    """

    parameter: Parameter
    score_bound: Callable[..., Floats]
    value: Callable[[Floats], Floats]
    place: Callable[[Floats], Floats]
    estimate: Callable[[Tables], Floats]
    nothing: float
    least: float
    most: float
    known: dict[tuple[float, ...], float] = field(default_factory=dict)


DIFFERENCE = Kind(
    Parameter(
        score_statistic,
        first=lambda second, value: second + value,
        second=lambda first, value: first - value,
    ),
    lambda tables, **how: miettinen_nurminen(*tables, **how).low,
    value=lambda place: place,
    place=lambda value: value,
    estimate=lambda tables: tables.x1 / tables.n1 - tables.x2 / tables.n2,
    nothing=-1.0,
    least=-1.0,
    most=1.0,
)
# A ratio is sought as a share p1 / (p1 + p2), which stays finite when the second group has no
# success.
RATIO = Kind(
    Parameter(
        ratio_score_statistic,
        first=lambda second, value: second * value,
        second=lambda first, value: first / value,
    ),
    lambda tables, **how: score_ratio(*tables, **how).low,
    value=lambda share: share / (1 - share),
    place=lambda ratio: ratio / (1 + ratio),
    estimate=lambda t: t.x1 * t.n2 / (t.x1 * t.n2 + t.x2 * t.n1),
    nothing=0.0,
    least=1e-12,
    most=1 - 1e-12,
)


@dataclass(frozen=True)
class Search:
    """A search for the value at which the largest chance of some sets reaches (1 - confidence)/2."""

    kind: Kind
    extreme: Extreme
    confidence: float

    def place(self, start: Floats, estimate: Floats) -> Floats:
        """Return the places on the scale, near the score bound: by secants, then checked.

        As a normal deviate the chance is almost a straight line, so few steps are needed. On the
        way only the peak of the chance that was the highest at the start is followed.
        """
        extreme, value = self.extreme, self.kind.value
        slope = critical_value(self.confidence) / np.maximum(estimate - start, CLOSE)
        found, open_ = start.copy(), np.arange(len(start))
        peak = extreme.largest_chance(value(found))
        for _ in range(_ROUNDS):
            some = Search(self.kind, extreme.at(open_), self.confidence)
            found[open_] = some.followed(found[open_], peak, slope[open_])
            peak = some.extreme.largest_chance(value(found[open_]))
            off = np.abs(self._excess(peak.chance)) > _OFF
            open_, peak = open_[off], Peak(*(part[off] for part in peak))
            if not len(open_):
                return found
        found[open_] = Search(self.kind, extreme.at(open_), self.confidence).bracketed(len(open_))
        return found

    def followed(self, before: Floats, peak: Peak, slope: Floats) -> Floats:
        """Return the places where one peak (T,) of the chance reaches the target."""
        kind, excess, angle = self.kind, self._excess(peak.chance), peak.angle
        now = np.clip(before - excess / slope, kind.least, kind.most)
        moving = np.ones(len(now), dtype=bool)
        for _ in range(_STEPS):
            near = self.extreme.chance_near(kind.value(now), angle)
            angle, found = near.angle, self._excess(near.chance)
            with np.errstate(divide="ignore", invalid="ignore"):
                step = found * (now - before) / (found - excess)
            moving &= np.isfinite(step)
            before, excess = now, found
            now = np.clip(now - np.where(moving, step, 0.0), kind.least, kind.most)
            moving &= np.abs(now - before) > CLOSE
            if not moving.any():
                break
        return np.asarray(now)

    def bracketed(self, number: int) -> Floats:
        """Return the places without a guess, at more cost."""
        least, most = (np.full(number, end) for end in (self.kind.least, self.kind.most))

        def short(place: Floats) -> Floats:
            return -self._excess(self.extreme.largest_chance(self.kind.value(place)).chance)

        return crossing(short, least, most, close=CLOSE)

    def _excess(self, chance: Floats) -> Floats:
        deviate = special.ndtri(np.clip(chance, 1e-300, 1 - 1e-16))
        return np.asarray(deviate + critical_value(self.confidence))
