"""What is assumed of the true rates when a question is planned, and how likely it is settled."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from pytest_fairness.gate.questions import Question
from pytest_fairness.statistics.arrays import ROUNDING, Floats, Integers
from pytest_fairness.statistics.estimators.group_rates import GroupRates, Kind
from pytest_fairness.statistics.estimators.rate_counts import RateCounts
from pytest_fairness.statistics.intervals.chosen import paired_interval
from pytest_fairness.statistics.intervals.rates import Interval
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Looks, by_level, forecast_level, look_level
from pytest_fairness.statistics.metrics.definitions import compared_range
from pytest_fairness.statistics.power.margins import Margins, Settled
from pytest_fairness.statistics.power.power import (
    loss_power,
    pair_power,
    rate_power,
)

__all__ = ["Design", "Levels", "Target", "design_of", "target_of"]


# Ratios beyond this are not planned for.
_LARGEST_RATIO = 100.0


@dataclass(frozen=True, slots=True)
class Target:
    """The way from perfect fairness over the limit to the worst value.

    Args:
        perfect: 0 for a difference, 1 for a ratio, 0 or 1 for a rate; the middle of a limit
            that leaves these out.
        edge: The end of the limit that is planned for.
        worst: The worst value beyond that end.
    """

    perfect: float
    edge: float
    worst: float

    def at(self, way: float) -> float:
        """Return the value at a relative distance from perfect fairness: 0 is perfect, 1 is the limit.

        1.5 is 50 % beyond the limit.
        """
        value = self.perfect + min(way, self.longest) * (self.edge - self.perfect)
        return float(np.round(value, 12))

    @property
    def longest(self) -> float:
        """The relative distance of the worst value.

        It is infinite where the limit allows only perfect fairness.
        """
        if self.edge == self.perfect:
            return np.inf
        return (self.worst - self.perfect) / (self.edge - self.perfect)


def target_of(question: Question) -> Target | None:
    """Return the path from perfect fairness to the limit of a question, or None where no value breaks it."""
    rule = question.rule
    metric = replace(rule.metric, comparison="difference") if rule.against else rule.metric
    comparison = metric.comparison
    least, most = metric.allowed_range
    most = min(most, _LARGEST_RATIO)
    low, high = rule.limit.low, rule.limit.high
    ends = {}
    if low > least:
        ends["low"] = low, least
    if high < most:
        ends["high"] = high, most
    if not ends:
        return None
    perfect = {"none": 0.0 if "high" in ends else 1.0, "difference": 0.0, "ratio": 1.0}[comparison]
    if len(ends) == 2 and not low < perfect < high:
        perfect = (low + high) / 2
    end = _end(question, comparison)
    return Target(perfect, *ends.get(end, next(iter(ends.values()))))


def _end(question: Question, comparison: str) -> str:
    """The end of the limit that unfairness breaks."""
    if question.rule.against:
        return "high"
    if question.reference == "all":
        return "high" if comparison == "difference" else "low"
    return "high" if question.rule.metric.measure.higher_is_better is False else "low"


@dataclass(frozen=True, slots=True)
class Levels:
    """Levels at which a limit is shown to be kept and to be broken, 0 to 1.

    Args:
        kept: The one of a pass.
        broken: The one of a failure.
        looks: How often the set may be looked at; then each level depends on the samples.
        worth: What one sample is worth, 0 to 1: sizes of designs are effective ones.
    """

    kept: float
    broken: float
    looks: Looks = 1
    worth: float = 1.0

    def of(self, settled: Settled, sizes: Integers) -> Floats:
        """Return the confidence of one of the two verdicts at some sizes, of their shape."""
        return look_level(self._all_looks(settled), sizes / self.worth, self.looks)

    def power(
        self, settled: Settled, sizes: Integers, power: Callable[[Integers, float], Floats]
    ) -> Floats:
        """Return the power at some sizes (S,), each at its own level: none where nothing is shown."""
        levels = forecast_level(self._all_looks(settled), sizes / self.worth, self.looks)
        found = np.zeros(sizes.shape)
        for level in np.unique(levels[levels < 1]).tolist():
            found[levels == level] = power(sizes[levels == level], level)
        return found

    def _all_looks(self, settled: Settled) -> float:
        return self.kept if settled == "kept" else self.broken


class Design(Protocol):
    """A question under assumed rates. Sizes are samples of all G groups."""

    def power(self, value: float, sizes: Integers, settled: Settled) -> Floats:
        """Return the chance (S,) of being settled so if the value is true, at sizes (S, G)."""

    def can_fail(self, sizes: Integers) -> bool:
        """Return whether the worst result would break the limit."""


def design_of(
    question: Question,
    groups: list[dict[str, str]],
    *,
    sizes: Integers,
    base: float,
    target: Target,
    levels: Levels,
) -> Design:
    """Return the design of a question.

    Args:
        question: What is asked.
        groups: The G groups of its `by`.
        sizes: Their samples, (G,).
        base: Assumed rate of the reference.
        target: The way to its limit.
        levels: Levels of the gate.
    """
    rule, reference = question.rule, question.reference
    margins = Margins(rule.limit.low, rule.limit.high)
    if reference == "all":
        kind: Kind = "difference" if rule.metric.comparison == "difference" else "ratio"
        return _all_groups(sizes, kind, margins, base, levels)
    group = groups.index(dict(question.group))
    if rule.against or (rule.metric.matched and rule.metric.comparison == "difference"):
        return _Loss(group, margins, levels)
    if rule.metric.comparison == "none":
        return _Alone(group, margins, levels)
    spread = np.zeros(len(groups))
    spread[group] = 1.0
    if reference == "best":
        rivals = np.array([i for i in range(len(groups)) if i != group])
        one_sided = _towards(target, margins, rule.metric.allowed_range)
        wide = replace(levels, broken=bonferroni(levels.broken, len(rivals)))
    else:
        rivals, one_sided, wide = np.array([groups.index(dict(reference or {}))]), margins, levels
    return _Pairs(
        np.full_like(rivals, group), rivals, spread, base, rule.metric.comparison, one_sided, wide
    )


def _towards(target: Target, margins: Margins, allowed: tuple[float, float]) -> Margins:
    """The limit towards the worst value only: the best group bounds the other end."""
    least, most = allowed
    return (
        margins._replace(high=most) if target.worst < target.edge else margins._replace(low=least)
    )


def _all_groups(
    sizes: Integers, kind: Kind, margins: Margins, base: float, levels: Levels
) -> "_Pairs":
    """The two smallest groups are as far apart as the value says, the others lie between them."""
    filled = np.flatnonzero(sizes > 0) if (sizes > 0).sum() > 1 else np.arange(len(sizes))
    smallest = filled[np.argsort(sizes[filled], kind="stable")[:2]]
    spread = np.full(len(sizes), 0.5)
    spread[smallest[0]], spread[smallest[1]] = 1.0, 0.0
    first, second = np.triu_indices(len(filled), k=1)
    low, high = margins
    both = Margins(-high, high) if kind == "difference" else Margins(low, 1 / low)
    wide = replace(levels, broken=bonferroni(levels.broken, len(first)))
    return _Pairs(filled[first], filled[second], spread, base, kind, both, wide)


@dataclass(frozen=True, slots=True)
class _Alone:
    """The rate of one group."""

    group: int
    margins: Margins
    levels: Levels

    def power(self, value: float, sizes: Integers, settled: Settled) -> Floats:
        def power(n: Integers, level: float) -> Floats:
            return rate_power(value, n, margins=self.margins, confidence=level, settled=settled)

        return self.levels.power(settled, sizes[..., self.group], power)

    def can_fail(self, sizes: Integers) -> bool:
        n = sizes[self.group]
        return _breaks(self._interval(np.array([0, n]), n, "broken"), self.margins)

    def _interval(self, successes: Floats | Integers, n: Integers, settled: Settled) -> Interval:
        level = float(self.levels.of(settled, n))
        x, n = np.broadcast_arrays(np.atleast_1d(successes), n)
        if level == 1:
            return Interval(np.zeros(len(x)), np.ones(len(x)))
        return GroupRates(RateCounts(x, n)).alone(level)


@dataclass(frozen=True, slots=True)
class _Loss:
    """The drop of a rate on the same samples, of which none is gained."""

    group: int
    margins: Margins
    levels: Levels

    def power(self, value: float, sizes: Integers, settled: Settled) -> Floats:
        margins = self._worse()

        def power(n: Integers, level: float) -> Floats:
            return loss_power(abs(value), n, margins=margins, confidence=level, settled=settled)

        return self.levels.power(settled, sizes[..., self.group], power)

    def can_fail(self, sizes: Integers) -> bool:
        n = sizes[self.group]
        return _breaks(self._interval(int(n), n, "broken"), self._worse())

    def _interval(self, lost: int, n: Integers, settled: Settled) -> Interval:
        level = float(self.levels.of(settled, n))
        if level == 1:
            return Interval(np.array([-1.0]), np.array([1.0]))
        return paired_interval([lost], 0, n, confidence=level)

    def _worse(self) -> Margins:
        """The limit of what is lost, whichever sign the metric gives it."""
        return Margins(-1.0, min(abs(end) for end in self.margins if abs(end) < 1))


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Groups that are compared in pairs: all must keep the limit to pass, one breaks it to fail.

    The chance that all keep it is bounded from below by the sum of the chances that they do not,
    that one breaks it by the largest chance of a pair.

    Args:
        first: (P,) positions of the first groups.
        second: (P,) positions of the second groups.
        spread: (G,) distance of each group's rate from the base, as a share of the value.
        base: Rate of a group whose spread is 0.
        kind: How rates are compared.
        margins: Limit of each pair.
        levels: Levels at which a pair is decided.
    """

    first: Integers
    second: Integers
    spread: Floats
    base: float
    kind: Kind
    margins: Margins
    levels: Levels

    def power(self, value: float, sizes: Integers, settled: Settled) -> Floats:
        rates = self._rates(value)
        power = pair_power(
            (rates[self.first], rates[self.second]),
            (sizes[..., self.first], sizes[..., self.second]),
            kind=self.kind,
            margins=self.margins,
            confidence=self._levels(settled, sizes),
            settled=settled,
        )
        if settled == "kept":
            return np.asarray(np.maximum(1 - (1 - power).sum(axis=-1), 0.0))
        return np.asarray(power.max(axis=-1))

    def can_fail(self, sizes: Integers) -> bool:
        return any(_breaks(self._interval(sizes, x, 1 - x, "broken"), self.margins) for x in (0, 1))

    def _interval(self, sizes: Integers, first: int, second: int, settled: Settled) -> Interval:
        """Intervals (P,) when all or none of the samples of each group are successes."""
        n = np.concatenate([sizes, sizes])
        x = np.concatenate([sizes * first, sizes * second])
        groups, kind = GroupRates(RateCounts(x, n)), self.kind
        shifted = self.second + len(sizes)

        def interval(rows: Integers, level: float) -> Interval:
            return groups.pairs(self.first[rows], shifted[rows], kind=kind, confidence=level)

        return by_level(self._levels(settled, sizes), interval, whole=compared_range(kind))

    def _levels(self, settled: Settled, sizes: Integers) -> Floats:
        """Levels of the pairs at sizes (..., G), each of its smaller group."""
        smaller = np.minimum(sizes[..., self.first], sizes[..., self.second])
        return self.levels.of(settled, smaller)

    def _rates(self, value: float) -> Floats:
        """Rates (G,), moved into 0 … 1 where the base would lead out of it."""
        if self.kind == "difference":
            base = float(np.clip(self.base, -min(value, 0.0), 1 - max(value, 0.0)))
            return np.asarray(base + value * self.spread)
        return np.asarray(min(self.base, 1 / max(value, 1.0)) * value**self.spread)


def _breaks(worst: Interval, margins: Margins) -> bool:
    """Return whether one of some intervals lies wholly beyond the limit."""
    beyond = (worst.low > margins.high + ROUNDING) | (worst.high < margins.low - ROUNDING)
    return bool(beyond.any())
