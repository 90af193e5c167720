"""The search for the number of mislabelled samples that a statement withstands."""

import numpy as np
import pytest

from pytest_fairness.statistics.intervals.chosen import difference_interval, ratio_interval
from pytest_fairness.statistics.power import mislabelled
from pytest_fairness.statistics.power.mislabelled import (
    PairRows,
    RateRows,
    Statements,
    pairs_withstand,
)

INTERVALS = {"difference": difference_interval, "ratio": ratio_interval}


def rows(x: int, n: int, worth: float = 1.0) -> RateRows:
    return RateRows(np.array([x]), np.array([n]), np.array([worth]))


@pytest.mark.parametrize(
    ("kind", "first", "second", "edge", "upward"),
    [
        ("difference", (38, 40), (20, 40), 0.1, True),
        ("difference", (3, 60), (2, 50), 0.2, False),
        ("ratio", (58, 60), (30, 60), 1.1, True),
        ("ratio", (4, 60), (40, 60), 0.8, False),
    ],
    ids=["difference above", "difference below", "ratio above", "ratio below"],
)
def test_it_is_what_trying_every_number_gives(kind, first, second, edge, upward):
    statement = Statements(np.array([edge]), np.array([upward]), 0.9, strict=False)
    (found,) = pairs_withstand(PairRows(rows(*first), rows(*second)), statement, kind=kind)

    def shown(k: int) -> bool:
        moved = first[0] - k if upward else first[0] + k
        low, high = INTERVALS[kind](moved, first[1], *second, confidence=0.9)
        return bool(low >= edge if upward else high <= edge)

    assert found >= 0
    assert [shown(k) for k in range(found + 2)] == [True] * (found + 1) + [False]


def test_the_steps_of_the_search_do_not_grow_with_the_samples(monkeypatch):
    """An interval of few effective samples of very many: each step moves it by next to nothing."""
    asked = []
    exact = mislabelled.exact_is_above

    def counted(*args, **kw):
        asked.append(1)
        return exact(*args, **kw)

    monkeypatch.setattr(mislabelled, "exact_is_above", counted)
    statement = Statements(np.array([0.3]), np.array([True]), 0.95, strict=False)
    sizes = []
    for n in (10**4, 10**8):
        asked.clear()
        pair = PairRows(rows(n * 97 // 100, n, 60 / n), rows(n // 50, n, 100 / n))
        (found,) = pairs_withstand(pair, statement, kind="difference")
        sizes.append(found / n)
        assert 0 < len(asked) <= 60
    assert sizes[0] == pytest.approx(sizes[1], abs=0.01)
