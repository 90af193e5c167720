"""Hypothesis strategies for what the gate works on; needs the extra `test`."""

from typing import TYPE_CHECKING

import numpy as np
from hypothesis import strategies as st

from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.estimators.rate_counts import RateCounts

if TYPE_CHECKING:
    from pytest_fairness.analyses.perturbation import Perturbation

__all__ = ["group_counts", "perturbations", "rate_counts_of_groups"]


@st.composite
def group_counts(
    draw: st.DrawFn, *, max_levels: int = 4, max_classes: int = 3, max_count: int = 50
) -> GroupCounts:
    """Draw counts of two attributes, with an empty group and a group of one true class among them.

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
    """Draw successes out of n of several groups, where n may be 0."""
    n = draw(st.lists(st.integers(0, max_n), min_size=min_groups, max_size=max_groups))
    successes = [draw(st.integers(0, size)) for size in n]
    return RateCounts(np.array(successes, dtype=np.int64), np.array(n, dtype=np.int64))


# Kind of change -> its largest strength, and what a step of the search is worth.
_CHANGES = {
    "brightness": (60, 0.01),
    "contrast": (60, 0.01),
    "hue": (45, 1.0),
    "blur": (50, 0.001),
    "jpeg_loss": (95, 1.0),
    "rotation": (20, 1.0),
    "crop": (20, 0.01),
    "occlusion": (40, 0.01),
}
_SIGNED = {"brightness", "contrast", "hue", "rotation"}


@st.composite
def perturbations(
    draw: st.DrawFn, *, kinds: tuple[str, ...] = tuple(_CHANGES), most: int = 2
) -> "Perturbation":
    """Draw changes of an image, of one kind or several. They shrink to fewer and milder ones.

    Args:
        draw: Given by Hypothesis.
        kinds: Kinds that may be drawn: brightness, contrast, hue, blur, jpeg_loss, rotation, crop,
            occlusion.
        most: Largest number of kinds in one change.
    """
    from pytest_fairness.analyses.perturbation import Perturbation  # noqa: PLC0415  (torch)

    chosen = draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=most, unique=True))
    values: dict[str, float] = {}
    for kind in chosen:
        largest, step = _CHANGES[kind]
        least = -largest if kind in _SIGNED else 0
        values[kind] = round(draw(st.integers(least, largest)) * step, 6)
        if kind == "occlusion":
            values["occlusion_x"], values["occlusion_y"] = (
                draw(st.integers(0, 4)) / 4 for _ in range(2)
            )
    return Perturbation(**values)
