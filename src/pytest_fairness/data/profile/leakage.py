"""What a table shares with another one, such as the list that a model was trained on."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.profile.record import Leak
from pytest_fairness.data.profile.scan import ImageFacts
from pytest_fairness.data.profile.source import Table

__all__ = ["find_leak"]

_MOST_LISTED = 1_000


def find_leak(
    table: Table,
    other: Table,
    *,
    facts: Sequence[ImageFacts] | None,
    other_facts: Sequence[ImageFacts] | None,
) -> Leak:
    """Return what a table shares with another.

    Args:
        table: The table that is profiled.
        other: The table that must not share images with it.
        facts: Facts of the images of the first; None when no image was read.
        other_facts: Facts of the images of the other.
    """
    same_bytes = same_pixels = None
    leaked = np.zeros(len(table), dtype=bool)
    listed: list[tuple[str, str]] = []
    if facts is not None and other_facts is not None:
        known = {one.content for one in other_facts} - {None}
        same_bytes = sum(one.content in known for one in facts)
        first: dict[bytes, int] = {}
        for position, one in enumerate(other_facts):
            if one.pixels is not None:
                first.setdefault(one.pixels, position)
        # A broken file has no pixels, but its bytes may be those of a broken file there.
        leaked = np.array([one.pixels in first or one.content in known for one in facts])
        same_pixels = sum(one.pixels in first for one in facts)
        listed = [
            (table.ids[i], other.ids[first[one.pixels]])
            for i, one in enumerate(facts)
            if one.pixels is not None and one.pixels in first
        ]
    elif table.has_ids and other.has_ids:
        leaked = pd.Series(table.ids).isin(set(other.ids)).to_numpy(dtype=bool)
        listed = [(table.ids[i], table.ids[i]) for i in leaked.nonzero()[0].tolist()]
    shared, images = _clusters(table, other)
    return Leak(
        against=other.rows.source,
        n=len(other),
        broken=sum(one.problem is not None for one in other_facts or ()),
        same_bytes=same_bytes,
        same_pixels=same_pixels,
        same_ids=_ids(table, other),
        shared_clusters=shared,
        images_of_shared_clusters=images,
        by_group=_by_group(table, leaked),
        listed=tuple(listed[:_MOST_LISTED]),
    )


def _ids(table: Table, other: Table) -> int | None:
    if not (table.has_ids and other.has_ids):
        return None
    return int(pd.Series(table.ids).isin(set(other.ids)).sum())


def _clusters(table: Table, other: Table) -> tuple[int | None, int | None]:
    """Persons or designs that both tables show, and this table's rows of them."""
    others = {one.name: set(one.levels) for one in other.clusters}
    columns = [one for one in table.clusters if one.name in others]
    if not columns:
        return None, None
    number, rows = 0, np.zeros(len(table), dtype=bool)
    for one in columns:
        shared = np.array([level in others[one.name] for level in one.levels], dtype=bool)
        number += int(shared.sum())
        rows |= shared[one.codes]
    return number, int(rows.sum())


def _by_group(table: Table, leaked: NDArray[np.bool_]) -> dict[str, dict[str, int]]:
    return {
        one.name: dict(
            zip(
                one.levels,
                np.bincount(one.codes[leaked], minlength=len(one.levels)).tolist(),
                strict=True,
            )
        )
        for one in table.attributes
    }
