"""What of a profile is a problem, in words."""

from collections.abc import Iterator, Mapping

from pytest_fairness.data.levels import MISSING
from pytest_fairness.data.profile.record import (
    AuditPair,
    AuditRecord,
    Duplicates,
    ImagesRecord,
    Leak,
    PopulationRecord,
    Problem,
)
from pytest_fairness.data.profile.source import Coded, Table
from pytest_fairness.wording import counted

__all__ = [
    "audit_problems",
    "duplicate_problems",
    "image_problems",
    "leak_problems",
    "population_problems",
    "table_problems",
]


def table_problems(table: Table, refused: Mapping[str, str]) -> Iterator[Problem]:
    """Return what is wrong with the columns, without looking at an image."""
    target = () if table.target is None else (table.target,)
    unique = {one.name: one for one in (*target, *table.attributes)}  # an attribute is declared
    for one in unique.values():
        yield from _level_problems(table, one)
    for name, text in refused.items():
        yield Problem(kind="not a number", text=f"column {name!r}, {text}")
    seen: dict[str, int] = {}
    for name in table.ids:
        seen[name] = seen.get(name, 0) + 1
    repeated = [name for name, times in seen.items() if times > 1]
    if repeated:
        times = f"{counted(len(repeated), 'id stands', 'ids stand')} more than once"
        yield Problem(kind="repeated id", text=f"{times}, first {repeated[0]!r}")


def _level_problems(table: Table, one: Coded) -> Iterator[Problem]:
    counts = one.counts()
    for place, level in enumerate(one.levels):
        n = int(counts[place])
        if place < one.declared:
            if not n:
                yield Problem(kind="empty group", text=f"{one.name} {level}: no row has it")
            continue
        first = int((one.codes == place).argmax())
        where = f"{counted(n, 'row')}, first {table.rows.place(first)}, sample {table.ids[first]!r}"
        if level == MISSING:
            yield Problem(kind="missing value", text=f"{one.name} is missing in {where}")
        else:
            text = f"{one.name} = {level!r} is not declared: {where}"
            yield Problem(kind="undeclared level", text=text)


def image_problems(found: ImagesRecord) -> Iterator[Problem]:
    """Return each image that cannot be read."""
    for one in found.broken:
        yield Problem(kind="broken image", text=one.problem)


def duplicate_problems(found: Duplicates, target: str | None) -> Iterator[Problem]:
    """Return pictures that appear more than once, by their decoded pixels."""
    if not found.sets:
        return
    text = f"{found.sets:,} pictures stand more than once ({counted(found.images, 'image')})"
    if found.across_classes:
        text += f"; {found.across_classes:,} of them with different {target}"
    if found.across_groups:
        names = ", ".join(name for name in found.differ_in if name != target)
        text += f"; {found.across_groups:,} in different groups{f' of {names}' if names else ''}"
    first = " = ".join(found.listed[0].ids[:3])
    yield Problem(kind="duplicate", text=f"{text}; first {first}")


def leak_problems(found: Leak) -> Iterator[Problem]:
    """Return the images, ids or persons that are also in the other table."""
    images = max(found.same_pixels or 0, found.same_bytes or 0)
    first = f"; first {found.listed[0][0]} = {found.listed[0][1]}" if found.listed else ""
    if images:
        yield Problem(
            kind="leak",
            text=f"{counted(images, 'image is', 'images are')} in {found.against} too{first}",
        )
    elif found.same_pixels is None and found.same_ids:
        yield Problem(
            kind="leak",
            text=f"{counted(found.same_ids, 'id is', 'ids are')} in {found.against} too{first}",
        )
    if found.shared_clusters:
        text = f"{counted(found.shared_clusters, 'cluster is', 'clusters are')} in {found.against} too, with "
        text += f"{counted(found.images_of_shared_clusters or 0, 'row')} here"
        yield Problem(kind="leak", text=text)


def population_problems(found: PopulationRecord) -> Iterator[Problem]:
    """Return the levels whose share is shown to differ from the reference by more than the tolerance."""
    for row in found.rows:
        if row.beyond_tolerance:
            text = (
                f"{found.column} {row.level}: {row.share:.3f} of {counted(found.n, 'row')} "
                f"({row.low:.3f} … {row.high:.3f}), {row.reference:.3f} in {found.reference}: "
                f"{row.verdict} by more than {found.tolerance:g}"
            )
            yield Problem(kind="reference", text=text)
    if found.unlisted:
        rows = sum(found.unlisted.values())
        names = ", ".join(found.unlisted)
        text = f"{found.column}: {counted(rows, 'row has', 'rows have')} levels that {found.reference} lacks: {names}"
        yield Problem(kind="reference", text=text)


def _worth(found: AuditRecord, pair: AuditPair) -> str:
    return (
        ""
        if found.cluster is None
        else f"{counted(pair.clusters, 'different value')} of {found.cluster}, "
    )


def audit_problems(found: AuditRecord) -> Iterator[Problem]:
    """Return the levels whose order is reversed in many matched sets."""
    orders = {one.stratum: one for one in found.orders}
    for pair in found.pairs:
        if pair.verdict not in {"swapped", "often inverted"}:
            continue
        where = f"{found.by} {pair.stratum}, " if found.by else ""
        text = (
            f"{where}{found.attribute} {pair.first} and {pair.second}: {pair.inverted:,} of "
            f"{counted(pair.sets, 'matched set has', 'matched sets have')} the {found.proxy} the other way round "
            f"({_worth(found, pair)}{found.level * 100:g} % interval {pair.low:.3f} … "
            f"{pair.high:.3f}): {pair.verdict}"
        )
        order = orders.get(pair.stratum)
        if pair.verdict == "swapped" and order is not None:
            text += f"; measured order in {order.sets:,} of {order.of:,}: {', '.join(order.order)}"
        if pair.suspects:
            text += f"; first {pair.suspects[0][0]} and {pair.suspects[0][1]}"
        yield Problem(kind="label", text=text)
