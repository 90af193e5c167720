"""Hypothesis strategies for what the gate works on; needs the extra `test`."""

import numpy as np
from hypothesis import strategies as st

from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics import RateCounts

__all__ = ["group_counts", "rate_counts_of_groups"]


@st.composite
def group_counts(
    draw: st.DrawFn, *, max_levels: int = 4, max_classes: int = 3, max_count: int = 50
) -> GroupCounts:
    """Counts of two attributes with an empty group and a group of one true class among them.

    Args:
        draw: Given by Hypothesis.
        max_levels: Most levels of the first attribute; at least 3 are drawn.
        max_classes: Most classes; at least 2 are drawn.
        max_count: Largest count of a cell.
    """
    levels = draw(st.integers(3, max_levels))
    k = draw(st.integers(2, max_classes))
    shape = (levels, 2, k, k)
    flat = draw(
        st.lists(
            st.integers(0, max_count),
            min_size=int(np.prod(shape)),
            max_size=int(np.prod(shape)),
        )
    )
    cells = np.array(flat, dtype=np.int64).reshape(shape)
    cells[-1] = 0
    cells[-2, :, 1:] = 0
    names = {"tone": tuple(f"tone {i}" for i in range(levels)), "sex": ("female", "male")}
    return GroupCounts(names, tuple(f"class {i}" for i in range(k)), cells)


@st.composite
def rate_counts_of_groups(
    draw: st.DrawFn, *, min_groups: int = 2, max_groups: int = 6, max_n: int = 200
) -> RateCounts:
    """Successes out of n of several groups; n may be 0."""
    n = draw(st.lists(st.integers(0, max_n), min_size=min_groups, max_size=max_groups))
    successes = [draw(st.integers(0, size)) for size in n]
    return RateCounts(np.array(successes, dtype=np.int64), np.array(n, dtype=np.int64))
