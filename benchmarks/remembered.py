"""Intervals of pairs, remembered by their counts: a simulation asks for the same ones many times."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.gate.decision import judging
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.estimators import group_rates
from pytest_fairness.statistics.intervals.rates import Interval

__all__ = ["Remembered", "only_decisions", "remembered_pairs"]


class _Table(NamedTuple):
    """Ends of the interval of every table (x1, x2) seen so far."""

    known: NDArray[np.bool_]
    low: Floats
    high: Floats

    @classmethod
    def of(cls, n1: int, n2: int) -> "_Table":
        shape = n1 + 1, n2 + 1
        return cls(np.zeros(shape, dtype=bool), np.zeros(shape), np.zeros(shape))

    def fill(self, at: tuple[Integers, Integers], interval: Interval) -> None:
        self.low[at], self.high[at] = interval
        self.known[at] = True


class Remembered:
    """An interval of two groups, each table computed once; as the function that it wraps.

    Args:
        interval: `difference_interval` or `ratio_interval`.
    """

    def __init__(self, interval: Callable[..., Interval]) -> None:
        self.interval = interval
        self.tables: dict[tuple[int, int, float, str], _Table] = {}

    def __call__(
        self,
        x1: ArrayLike,
        n1: ArrayLike,
        x2: ArrayLike,
        n2: ArrayLike,
        *,
        confidence: float,
        method: str = "auto",
    ) -> Interval:
        """Interval of each table; the groups of a call have one size each."""
        x1, x2 = (np.asarray(x, dtype=np.int64) for x in (x1, x2))
        sizes = {(int(a), int(b)) for a, b in np.broadcast(n1, n2)}
        if not sizes:
            return Interval(np.zeros(x1.shape), np.zeros(x1.shape))
        ((first, second),) = sizes
        key = first, second, confidence, method
        if key not in self.tables:
            self.tables[key] = _Table.of(first, second)
        table = self.tables[key]
        new = ~table.known[x1, x2]
        if new.any():
            a, b = np.unique(np.stack([x1[new], x2[new]]), axis=1)
            table.fill(
                (a, b), self.interval(a, first, b, second, confidence=confidence, method=method)
            )
        return Interval(table.low[x1, x2], table.high[x1, x2])

    def forget(self) -> None:
        """Free the memory."""
        self.tables.clear()


@contextmanager
def remembered_pairs() -> Iterator[dict[str, Remembered]]:
    """Make the gate look intervals of pairs up; its decisions stay its own."""
    names = {"difference": "difference_interval", "ratio": "ratio_interval"}
    plain = {kind: getattr(group_rates, name) for kind, name in names.items()}
    found = {kind: Remembered(interval) for kind, interval in plain.items()}
    try:
        for kind, name in names.items():
            setattr(group_rates, name, found[kind])
        yield found
    finally:
        for kind, name in names.items():
            setattr(group_rates, name, plain[kind])


@contextmanager
def only_decisions() -> Iterator[None]:
    """Leave out what the gate adds to a verdict after it is given: two numbers that take time."""
    room: Any = judging
    robustness, lacking = room.with_robustness, room._lacking  # noqa: SLF001
    try:
        room.with_robustness = lambda verdicts, *_, **__: list(verdicts)
        room._lacking = lambda *_: {}  # noqa: SLF001
        yield
    finally:
        room.with_robustness, room._lacking = robustness, lacking  # noqa: SLF001
