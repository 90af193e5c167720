"""Intersections after their attributes: the error of a question goes on to what it is crossed with."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.questions import Question
from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["Gatekeeping", "gates_of"]


def gates_of(asked: Sequence[Question]) -> list[tuple[int, int]]:
    """Return which questions stand before which, as positions (gate, intersection).

    The gates of an intersection are the questions of the same rule about the largest crossings of
    some of its attributes, and there about its own group: those of `dark` and of `man` stand before
    that of `dark*man`. All samples together are no gate.

    Args:
        asked: Questions of one model and evaluation set.
    """
    batches: dict[tuple[str, str | None, str | None], dict[tuple[str, ...], dict[str, int]]] = {}
    for position, question in enumerate(asked):
        rule, by, positive, of = question.batch
        if by:
            groups = batches.setdefault((rule, positive, of), {}).setdefault(by, {})
            groups[_named(question, by)] = position
    return [
        (gate, position)
        for crossings in batches.values()
        for by, groups in crossings.items()
        for before in _largest(by, list(crossings))
        for position in groups.values()
        for gate in _gates(asked[position], before, crossings[before])
    ]


def _named(question: Question, by: tuple[str, ...]) -> str:
    """The levels of a question in some of its attributes; empty where all groups are compared."""
    return repr([question.group[name] for name in by]) if question.group else ""


def _largest(by: tuple[str, ...], asked: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """Those parts of a crossing that are asked for and lie in no other such part."""
    parts = [other for other in asked if set(other) < set(by)]
    return [part for part in parts if not any(set(part) < set(other) for other in parts)]


def _gates(question: Question, before: tuple[str, ...], groups: dict[str, int]) -> Iterator[int]:
    if not question.group:
        yield from groups.values()
        return
    for name in (_named(question, before), ""):
        if name in groups:
            yield groups[name]


@dataclass(frozen=True, slots=True, eq=False)
class Gatekeeping:
    """Shares of which a confirmed question leaves its own to the intersections behind it.

    The questions without a gate share the error by their weights. Once one is confirmed, the
    intersections behind it share what it had. Once all behind it are confirmed too, its share goes
    back to the questions beside it. What a question has is a sum over the ways that lead to it
    through confirmed questions, of the error times a part for each step. With one more question
    confirmed there are as many ways or more, and no part is smaller, since a part is shared among
    those behind which something is left. So no share ever shrinks.

    Args:
        error: Error of the family, 0 to 1.
        weights: Weight of each question (Q,).
        attributes: How many attributes each crosses (Q,): gates cross fewer.
        gate: Position of the gate of each pair (E,).
        behind: Position of the intersection of each pair (E,).

    Source: Bretz, Maurer, Brannath and Posch (2009), Statist. Med. 28, 586, for error that is passed
        on along a graph; Goeman and Finos (2012), Stat. Appl. Genet. Mol. Biol. 11, for shares that
        are inherited within a tree; Goeman and Solari (2010), Ann. Statist. 38, 3782, theorem 1:
        shares that never shrink keep the error of the family.
    """

    error: float
    weights: Floats
    attributes: Integers
    gate: Integers
    behind: Integers

    @classmethod
    def of(cls, error: float, weights: Floats, asked: Sequence[Question]) -> "Gatekeeping":
        """Return the shares of questions of one model and evaluation set.

        Args:
            error: Error of the family, 0 to 1.
            weights: Weight of each question (Q,).
            asked: The questions.
        """
        pairs = np.array(gates_of(asked), dtype=np.int64).reshape(-1, 2)
        attributes = np.array([len(one.by) for one in asked], dtype=np.int64)
        return cls(error, weights, attributes, pairs[:, 0], pairs[:, 1])

    @property
    def first(self) -> Floats:
        """The error of each question when it is first looked at: as if all gates were confirmed."""
        found = self.errors(np.zeros(len(self.weights), dtype=bool))
        is_gate = self._count(self.gate, np.ones(len(self.gate))) > 0
        gated = self._count(self.behind, np.ones(len(self.behind))) > 0
        for attributes in np.unique(self.attributes[gated]):
            here = gated & (self.attributes == attributes)
            found[here] = self.errors(is_gate & (self.attributes < attributes))[here]
        return found

    def errors(self, confirmed: NDArray[np.bool_]) -> Floats:
        """Return the error of each question (Q,), once some of them are confirmed to be broken."""
        left = self._left(confirmed)
        gated = self._count(self.behind, np.ones(len(self.behind))) > 0
        entry = np.where(left & ~gated, self.weights, 0.0)
        errors = self.error * entry / max(float(entry.sum()), np.finfo(np.float64).tiny)
        passing = left[self.behind] & confirmed[self.gate]
        weight = np.where(passing, self.weights[self.behind], 0.0)
        shared = self._count(self.gate, weight)[self.gate]
        part = np.divide(weight, shared, out=np.zeros_like(weight), where=passing)
        for attributes in np.unique(self.attributes[self.gate]):
            here = self.attributes[self.gate] == attributes
            passed = errors[self.gate[here]] * part[here]
            errors = errors + self._count(self.behind[here], passed)
        return np.asarray(errors)

    def _left(self, confirmed: NDArray[np.bool_]) -> NDArray[np.bool_]:
        """Whether each question or one behind it is not confirmed yet (Q,)."""
        left = ~confirmed
        for attributes in np.unique(self.attributes[self.behind])[::-1]:
            here = self.attributes[self.behind] == attributes
            behind = self._count(self.gate[here], left[self.behind[here]].astype(np.float64))
            left = left | (behind > 0)
        return left

    def _count(self, positions: Integers, weights: Floats) -> Floats:
        counted = np.bincount(positions, weights=weights, minlength=len(self.weights))
        return counted.astype(np.float64)  # of no pairs it counts whole numbers
