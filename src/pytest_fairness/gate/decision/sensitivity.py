"""How many mislabelled images would change a verdict: `robust to 7 mislabelled images`.

A verdict is robust to k mislabelled images when it stands whichever k images of any one of the
groups that it compares have a wrong target, or a wrong group.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, permutations
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.estimates.counted import measure_groups
from pytest_fairness.gate.questions import Question
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.pairs import pair_worth
from pytest_fairness.statistics.clusters.rates import rate_bound_factors
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.group_rates import GroupRates, Kind
from pytest_fairness.statistics.intervals.simultaneous import bonferroni
from pytest_fairness.statistics.looks import Look
from pytest_fairness.statistics.power.mislabelled import (
    PairRows,
    RateRows,
    Statements,
    pairs_withstand,
    rates_withstand,
)

__all__ = ["with_robustness"]


_NOBODY = -1


class _Claim(NamedTuple):
    """That a value is at least or at most an edge, and whose samples may be mislabelled.

    Args:
        verdict: Position of the verdict that rests on it.
        pair: Number of the pair within the verdict; its groups may both be mislabelled.
        moved: Position of the group whose samples may be mislabelled.
        other: Position of the group that it is compared with; -1 for a rate alone.
        upward: Whether the value of `moved` against `other` is at least the edge.
        edge: What it is compared with.
        confidence: Confidence level of the interval that shows it; None for the bare value.
        strict: Whether it must lie beyond the edge.
    """

    verdict: int
    pair: int
    moved: int
    other: int
    upward: bool
    edge: float
    confidence: float | None
    strict: bool


def with_robustness(
    verdicts: Sequence[Verdict],
    questions: Sequence[Question],
    *,
    counts: GroupCounts,
    evaluation: Evaluation,
) -> list[Verdict]:
    """Return the verdicts with the number of wrong labels that do not change them.

    Rules that need more than counts, and measures of several rates, are left as they are.

    Args:
        verdicts: Verdicts on one model and evaluation set.
        questions: Their questions, in the same order.
        counts: The counts behind them.
        evaluation: The evaluation set.
    """
    found = list(verdicts)
    together = groupby(range(len(found)), key=lambda i: questions[i].batch)
    for _, positions in together:
        some = [i for i in positions if found[i].outcome != "inconclusive"]
        if not some or not questions[some[0]].rule.from_counts:
            continue
        table = _table(questions[some[0]], counts, evaluation)
        if table is None:
            continue
        numbers = table.withstood([(questions[i], found[i]) for i in some])
        for i, number in zip(some, numbers, strict=True):
            found[i] = found[i].model_copy(update={"robust_to": number})
    return found


def _table(question: Question, counts: GroupCounts, evaluation: Evaluation) -> "_Table | None":
    rule, by = question.rule, question.by
    positive = question.positive or evaluation.positive
    rates = measure_groups(counts, by, rule.metric.measure, positive, evaluation.cluster)
    if not isinstance(rates, GroupRates):
        return None
    candidates = np.flatnonzero((rates.counts.n > 0) & (counts.shares(by) >= rule.min_share))
    return _Table(rates, counts.groups(by), candidates.tolist())


@dataclass(frozen=True, slots=True)
class _Table:
    """The groups of one rule and `by`.

    Args:
        rates: Their rates.
        groups: Attribute -> level of each.
        candidates: Positions of those that may be the best.
    """

    rates: GroupRates
    groups: list[dict[str, str]]
    candidates: list[int]

    def withstood(self, decided: Sequence[tuple[Question, Verdict]]) -> list[int]:
        """Mislabelled images that each verdict withstands."""
        claims = [
            claim
            for position, (question, verdict) in enumerate(decided)
            for claim in self._claims(position, question, verdict)
        ]
        numbers = self._numbers(claims, decided[0][0].rule.metric.comparison)
        mine: dict[int, list[tuple[_Claim, int]]] = {i: [] for i in range(len(decided))}
        for claim, number in zip(claims, numbers, strict=True):
            mine[claim.verdict].append((claim, number))
        return [
            self._stands(mine[position], question, verdict)
            for position, (question, verdict) in enumerate(decided)
        ]

    def _stands(
        self, claims: list[tuple[_Claim, int]], question: Question, verdict: Verdict
    ) -> int:
        smallest = min(n for n in (verdict.n, verdict.reference_n) if n is not None)
        # With a wrong group an image is missing from the right one.
        left = smallest - question.rule.min_samples
        if verdict.outcome == "fail" and len({claim.pair for claim, _ in claims}) > 1:
            found = self._last_to_fall(claims)
        else:
            found = min((number for _, number in claims), default=smallest)
        return max(min(left, found), 0)

    def _last_to_fall(self, claims: list[tuple[_Claim, int]]) -> int:
        """A failure over many pairs stands as long as one pair breaks the limit."""
        pairs = {claim.pair for claim, number in claims if number >= 0}
        ways: dict[tuple[int, bool], dict[int, int]] = {}
        for claim, number in claims:
            if claim.pair in pairs:
                ways.setdefault((claim.moved, claim.upward), {})[claim.pair] = number
        return min(
            (
                max(numbers.values()) if len(numbers) == len(pairs) else int(self._n[moved])
                for (moved, _), numbers in ways.items()
            ),
            default=0,
        )

    def _claims(self, position: int, question: Question, verdict: Verdict) -> Iterator[_Claim]:
        """What a verdict rests on; each pair twice, since either group may be mislabelled."""
        difference = question.rule.metric.comparison == "difference"
        pairs, strict = self._pairs(question, verdict), verdict.outcome == "fail"
        shared = self._level(question, verdict, len(pairs))
        for number, (first, second) in enumerate(pairs):
            confidence = self._at_look(verdict, shared, first, second)
            for upward, edge in _shown(question, verdict):
                yield _Claim(position, number, first, second, upward, edge, confidence, strict)
                if second != _NOBODY:
                    turned = -edge if difference else 1 / edge
                    yield _Claim(
                        position, number, second, first, not upward, turned, confidence, strict
                    )

    def _level(self, question: Question, verdict: Verdict, pairs: int) -> float | None:
        """Level of the interval that a verdict rests on; None for the bare value."""
        if verdict.decide == "estimate":
            return None
        if verdict.outcome == "pass":
            return verdict.pass_interval.level if verdict.pass_interval else verdict.level
        if verdict.correction is None:
            return verdict.level
        confidence = verdict.correction.level
        if question.reference == "all":
            return bonferroni(confidence, pairs // 2)
        if question.reference == "best":
            outside = (self._n > 0).sum() > len(self.candidates)
            return bonferroni(confidence, len(self.candidates) - (not outside))
        return confidence

    def _at_look(
        self, verdict: Verdict, confidence: float | None, first: int, second: int
    ) -> float | None:
        """Level at which the interval of a pair is computed at this look."""
        if confidence is None or verdict.looks == 1:
            return confidence
        n = self._n[first] if second == _NOBODY else self._n[[first, second]].min()
        return Look(verdict.looks, float(n)).level(confidence)

    def _pairs(self, question: Question, verdict: Verdict) -> list[tuple[int, int]]:
        if question.rule.metric.comparison == "none":
            return [(self.groups.index(verdict.group), _NOBODY)]
        if question.reference == "all":
            filled = np.flatnonzero(self.rates.counts.n > 0).tolist()
            return list(permutations(filled, 2))
        own = self.groups.index(verdict.group)
        if question.reference == "best":
            return [(own, other) for other in self.candidates if other != own]
        return [(own, self.groups.index(verdict.reference or {}))]

    def _numbers(self, claims: list[_Claim], comparison: str) -> list[int]:
        """Mislabelled images that each claim withstands; -1 where it does not hold."""
        found = np.zeros(len(claims), dtype=np.int64)
        alike = sorted(range(len(claims)), key=lambda i: _kind(claims[i]))
        for _, positions in groupby(alike, key=lambda i: _kind(claims[i])):
            chosen = list(positions)
            some = [claims[i] for i in chosen]
            found[chosen] = self._withstand(some, comparison)
        return [int(number) for number in found]

    def _withstand(self, claims: list[_Claim], comparison: str) -> Integers:
        """The same for claims of one level."""
        moved = np.array([claim.moved for claim in claims])
        other = np.array([claim.other for claim in claims])
        confidence = claims[0].confidence
        statements = Statements(
            np.array([claim.edge for claim in claims]),
            np.array([claim.upward for claim in claims]),
            confidence,
            claims[0].strict,
        )
        if comparison == "none":
            rates = self._rows(moved, self._worth(moved, confidence))
            return np.asarray(np.minimum(rates_withstand(rates, statements), self._n[moved]))
        kind: Kind = "difference" if comparison == "difference" else "ratio"
        worth = self._pair_worth(moved, other, kind, confidence, upward=statements.upward)
        rows = PairRows(self._rows(moved, worth), self._rows(other, worth))
        first_to_fall = None
        if not claims[0].strict:  # a pass falls with its first claim
            first_to_fall = np.array([claim.verdict for claim in claims])
        found = pairs_withstand(rows, statements, kind=kind, first_to_fall=first_to_fall)
        return np.asarray(np.minimum(found, self._n[moved]))

    def _worth(self, moved: Integers, confidence: float | None) -> Floats:
        """What a sample is worth after the design effect of clusters."""
        if self.rates.clusters is None or confidence is None:
            return np.ones(len(moved))
        return rate_bound_factors(self.rates.clusters, confidence=confidence).least[moved]

    def _pair_worth(
        self,
        moved: Integers,
        other: Integers,
        kind: Kind,
        confidence: float | None,
        *,
        upward: NDArray[np.bool_],
    ) -> Floats:
        """What a sample of both groups is worth for the bound that a claim rests on."""
        if self.rates.clusters is None or confidence is None:
            return np.ones(len(moved))
        worth = pair_worth(self.rates.clusters, moved, other, kind=kind, confidence=confidence)
        return np.where(upward, worth.lower, worth.upper)

    def _rows(self, positions: Integers, worth: Floats) -> RateRows:
        counts = self.rates.counts
        return RateRows(counts.successes[positions], counts.n[positions], worth)

    @property
    def _n(self) -> Integers:
        return self.rates.counts.n


def _kind(claim: _Claim) -> tuple[float, bool]:
    return claim.confidence or 0.0, claim.strict


def _shown(question: Question, verdict: Verdict) -> list[tuple[bool, float]]:
    """The ends of the limit that a verdict is sure of, each with whether the value lies above."""
    limit, metric = question.rule.limit, question.rule.metric
    least, most = metric.allowed_range
    if verdict.outcome == "fail":
        low = verdict.low if verdict.decide == "interval" else verdict.value
        above = low is not None and low > limit.high
        return [(True, limit.high) if above else (False, limit.low)]
    ends = {True: limit.low, False: limit.high}
    if question.reference == "all":
        ends.pop(metric.comparison == "difference")
    if question.reference == "best":
        ends.pop(not metric.rate.higher_is_better)
    return [(upward, edge) for upward, edge in ends.items() if least < edge < most]
