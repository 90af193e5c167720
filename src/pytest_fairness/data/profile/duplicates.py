"""Images that are the same, within a table."""

from collections import Counter
from collections.abc import Sequence
from typing import Literal

from pytest_fairness.data.profile.record import Duplicates, DuplicateSet
from pytest_fairness.data.profile.scan import ImageFacts
from pytest_fairness.data.profile.source import Coded, Table

__all__ = ["find_duplicates"]

_MOST_LISTED = 1_000


def find_duplicates(table: Table, facts: Sequence[ImageFacts]) -> tuple[Duplicates, Duplicates]:
    """Return the sets of images with the same bytes, and with the same pixels.

    The second hold the first, and pictures that were only encoded anew.

    Args:
        table: The table.
        facts: Facts of its images (N,).
    """
    by_bytes = [one.content for one in facts]
    by_pixels = [one.pixels for one in facts]
    return _duplicates(table, by_bytes, "bytes"), _duplicates(table, by_pixels, "pixels")


def _duplicates(
    table: Table, hashes: Sequence[bytes | None], kind: Literal["bytes", "pixels"]
) -> Duplicates:
    found: dict[bytes, list[int]] = {}
    for position, key in enumerate(hashes):
        if key is not None:
            found.setdefault(key, []).append(position)
    sets = [some for some in found.values() if len(some) > 1]
    differ = [_differ_in(table, some) for some in sets]
    target = None if table.target is None else table.target.name
    attributes = {one.name for one in table.attributes}
    order = sorted(range(len(sets)), key=lambda i: (target not in differ[i], not differ[i], i))
    return Duplicates(
        kind=kind,
        sets=len(sets),
        images=sum(map(len, sets)),
        surplus=sum(map(len, sets)) - len(sets),
        within_groups=sum(attributes.isdisjoint(names) for names in differ),
        across_groups=sum(not attributes.isdisjoint(names) for names in differ),
        across_classes=sum(target in names for names in differ),
        differ_in=dict(Counter(name for names in differ for name in names)),
        listed=tuple(
            DuplicateSet(ids=tuple(table.ids[p] for p in sets[i]), differ_in=differ[i])
            for i in order[:_MOST_LISTED]
        ),
    )


def _differ_in(table: Table, positions: Sequence[int]) -> tuple[str, ...]:
    columns: dict[str, Coded] = {one.name: one for one in table.attributes}
    if table.target is not None:
        columns[table.target.name] = table.target
    return tuple(
        name for name, one in columns.items() if len(set(one.codes[list(positions)].tolist())) > 1
    )
