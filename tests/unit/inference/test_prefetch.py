"""Work done ahead is handed out in order, and never too much of it."""

import threading
import time

import pytest
from hypothesis import given, strategies as st

from pytest_fairness.inference.prefetch import in_order


@given(n=st.integers(0, 40), ahead=st.integers(1, 50))
def test_every_result_comes_once_and_in_order(n: int, ahead: int) -> None:
    assert list(in_order(lambda i: i, n, ahead=ahead)) == list(range(n))


def test_slow_first_piece_does_not_change_the_order() -> None:
    def work(i: int) -> int:
        time.sleep(0.05 if i == 0 else 0)
        return i

    assert list(in_order(work, 8, ahead=8)) == list(range(8))


def test_work_goes_on_while_results_are_used() -> None:
    started = threading.Event()

    def work(i: int) -> int:
        if i == 1:
            started.set()
        return i

    results = in_order(work, 10, ahead=3)
    next(results)
    assert started.wait(timeout=5)
    results.close()


def test_no_more_than_asked_is_done_ahead() -> None:
    begun: list[int] = []
    results = in_order(begun.append, 100, ahead=4)
    next(results)
    time.sleep(0.05)
    assert len(begun) == 4
    results.close()


def test_error_is_raised_where_its_result_was_due() -> None:
    def work(i: int) -> int:
        if i == 3:
            msg = "broken"
            raise ValueError(msg)
        return i

    results = in_order(work, 6, ahead=6)
    assert [next(results) for _ in range(3)] == [0, 1, 2]
    with pytest.raises(ValueError, match="broken"):
        next(results)


def test_threads_end_with_the_results() -> None:
    before = threading.active_count()
    results = in_order(lambda i: i, 100, ahead=4)
    next(results)
    results.close()
    assert threading.active_count() == before
