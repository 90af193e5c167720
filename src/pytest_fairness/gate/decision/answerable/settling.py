"""How many samples would settle an open question, if the rates stay as seen."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
from scipy import special

from pytest_fairness.gate.decision.sides import Answer
from pytest_fairness.gate.estimates.counted import RowBounds
from pytest_fairness.statistics.arrays import ROUNDING, Floats
from pytest_fairness.statistics.intervals.inversion import crossing
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.looks import Looks, look_level
from pytest_fairness.statistics.power.forecast import chance_settled
from pytest_fairness.statistics.power.margins import MOST_SAMPLES, Margins

__all__ = ["CHANCE", "settling_sizes"]

# A level and sizes (Q,) -> intervals of Q answers, if their groups had so many samples.
Bounds: TypeAlias = Callable[[float, Floats], Interval]

CHANCE = 0.8
"""Chance that a set of the size that is told decides the question: four of five such sets."""
# Chances that are as good as 0 and 1.
_SEEN = (1e-12, 1 - 1e-12)
# The answer is a guide: it is sought to half a percent, and rounded up by as much.
_CLOSE = 0.005


def settling_sizes(
    answers: Sequence[Answer],
    *,
    to_pass: float,
    to_fail: Sequence[float],
    chance: float | None = CHANCE,
) -> list[int | None]:
    """Return the samples that each group needs to decide inconclusive questions at the same rates.

    Args:
        answers: Open questions whose values are defined.
        to_pass: Confidence level at which a limit is shown to be kept.
        to_fail: Level at which each of them is shown to be broken.
        chance: Chance that another set of that size decides, 0 to 1. None for a set that repeats
            the same rates exactly, for which it is enough that the interval reaches the limit.

    Returns:
        The smallest number to about one percent; None when a million would not do, which is
        so when the value lies on its limit.
    """
    sizes: list[int | None] = [None] * len(answers)
    batches: dict[tuple[bool, float, int], list[int]] = {}
    for position, answer in enumerate(answers):
        broken = _is_broken(answer)
        confidence = to_fail[position] if broken else to_pass
        batches.setdefault((broken, confidence, _batch(answer)), []).append(position)
    for (broken, confidence, _), positions in batches.items():
        search = _Search.of([answers[i] for i in positions], broken=broken)
        for position, size in zip(positions, search.sizes(confidence, chance), strict=True):
            sizes[position] = size
    return sizes


def _is_broken(answer: Answer) -> bool:
    value, limit = answer.estimate.value, answer.question.rule.limit
    return value is not None and not limit.low <= value <= limit.high


def _batch(answer: Answer) -> int:
    """What answers that can be computed together have in common."""
    bounds = answer.estimate.bounds
    return id(bounds.comparison if isinstance(bounds, RowBounds) else answer)


@dataclass(frozen=True, slots=True)
class _Search:
    """Answers to the questions of one rule, all on the same side of its limit.

    Values, limits and intervals of ratios are taken as shares r / (1 + r), which are finite.

    Args:
        bounds: Their intervals at other levels and sizes.
        now: Samples of the smaller of the groups compared, (Q,).
        value: Values, (Q,).
        low: Lower end of the limit.
        high: Upper end.
        broken: On which side they are.
        ratio: Whether the values are ratios.
        possible: The smallest and the largest value that the metric can take: a limit that is not
            within these cannot be broken there.
        least: Samples that the rule asks for.
        looks: How often the set may be looked at.
    """

    bounds: Bounds
    now: Floats
    value: Floats
    low: Floats
    high: Floats
    broken: bool
    ratio: bool
    possible: tuple[float, float]
    least: int
    looks: Looks

    @classmethod
    def of(cls, answers: Sequence[Answer], *, broken: bool) -> "_Search":
        estimates = [answer.estimate for answer in answers]
        rule = answers[0].question.rule
        metric = replace(rule.metric, comparison="difference") if rule.against else rule.metric
        ratio = metric.comparison == "ratio"
        smaller = [min(one.sizes) for one in estimates]
        value, low, high, *possible = (
            _as_share(np.array(ends, dtype=np.float64), ratio=ratio)
            for ends in (
                [one.value for one in estimates],
                *(rule.limit.low, rule.limit.high),
                *metric.allowed_range,
            )
        )
        now = np.maximum(np.array(smaller, dtype=np.float64), 1.0)
        ends = float(possible[0]), float(possible[1])
        looks = estimates[0].look.looks
        least = rule.min_samples
        return cls(_bounds(answers), now, value, low, high, broken, ratio, ends, least, looks)

    def sizes(self, confidence: float, chance: float | None) -> list[int | None]:
        """Return the sizes at which the intervals of this level settle the questions."""

        def excess(log_size: Floats) -> Floats:
            ends = self.bounds(confidence, np.exp(log_size))
            low, high = (_as_share(end, ratio=self.ratio) for end in ends)
            if chance is None:
                return self._excess(low, high)
            level = look_level(confidence, np.maximum(np.exp(log_size), self.now), self.looks)
            return self._lacking(Interval(low, high), level, chance)

        most = np.full_like(self.now, math.log(MOST_SAMPLES))
        start = np.minimum(np.log(self.now), most)
        open_at_most = excess(most) > 0
        found = crossing(excess, start, np.where(open_at_most, start, most), close=_CLOSE)
        sizes = np.ceil(np.exp(found + _CLOSE))
        sizes = np.maximum(sizes, self.least)
        return [
            None if never else int(size) for never, size in zip(open_at_most, sizes, strict=True)
        ]

    def _lacking(self, interval: Interval, confidence: Floats, chance: float) -> Floats:
        """How far the chance to settle is below the one that is asked for, as normal deviates."""
        margins = Margins(
            float(self.low) if self.low > self.possible[0] else -math.inf,
            float(self.high) if self.high < self.possible[1] else math.inf,
        )
        seen = chance_settled(
            self.value,
            interval,
            margins=margins,
            confidence=confidence,
            settled="broken" if self.broken else "kept",
        )
        return np.asarray(special.ndtri(chance) - special.ndtri(np.clip(seen, *_SEEN)))

    def _excess(self, low: Floats, high: Floats) -> Floats:
        """Logarithm of how many times too wide the intervals are: positive where still open."""
        below, above = self.value - low, high - self.value
        if self.broken:
            over = self.value > self.high
            width = np.where(over, below, above)
            room = np.where(over, self.value - self.high, self.low - self.value)
            return _log_share(width, room - 2 * ROUNDING)
        return np.maximum(
            _log_share(below, self.value - self.low + ROUNDING),
            _log_share(above, self.high - self.value + ROUNDING),
        )


def _bounds(answers: Sequence[Answer]) -> Bounds:
    bounds = answers[0].estimate.bounds
    if not isinstance(bounds, RowBounds):

        def one_by_one(confidence: float, sizes: Floats) -> Interval:
            ends = [
                answer.estimate.bounds(confidence, size)
                for answer, size in zip(answers, sizes.tolist(), strict=True)
            ]
            return Interval(*np.array(ends, dtype=np.float64).T)

        return one_by_one
    comparison = bounds.comparison
    rows = np.array(
        [one.estimate.bounds.row for one in answers if isinstance(one.estimate.bounds, RowBounds)]
    )
    return lambda confidence, sizes: comparison.bounds(confidence, rows, size=sizes)


def _as_share(ends: Floats, *, ratio: bool) -> Floats:
    if not ratio:
        return ends
    with np.errstate(invalid="ignore"):
        return np.where(np.isinf(ends), 1.0, ends / (1 + ends))


def _log_share(width: Floats, room: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(room > 0, np.log(np.maximum(width, 0.0) / room), np.inf)
