"""Work done ahead by threads, handed out in order."""

import os
from collections import deque
from collections.abc import Callable, Generator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["in_order"]

T = TypeVar("T")
_MOST_THREADS = 16


def in_order(work: Callable[[int], T], n: int, *, ahead: int) -> Generator[T]:
    """Yield `work(0)` … `work(n - 1)`, with at most `ahead` of them done or under way.

    An error of `work` is raised where its result was due; no new work starts after it.

    Example:
        >>> list(in_order(lambda i: i * i, 4, ahead=2))
        [0, 1, 4, 9]
    """
    waiting: deque[Future[T]] = deque()
    pool = ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1))
    try:
        for i in range(n):
            waiting.append(pool.submit(work, i))
            if len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        pool.shutdown(cancel_futures=True)
