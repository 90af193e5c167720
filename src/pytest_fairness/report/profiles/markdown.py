"""A data profile as Markdown."""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from pytest_fairness.data.profile.record import (
    AuditRecord,
    ClassBalance,
    DataProfile,
    PopulationRecord,
)
from pytest_fairness.report.profiles.tables import Grid, group_grids
from pytest_fairness.report.profiles.text import (
    audit_cells,
    audit_head,
    duplicates_text,
    leak_lines,
    population_notes,
)
from pytest_fairness.wording import counted, printable, printable_lines

__all__ = ["profile_markdown"]


def profile_markdown(found: DataProfile, *, plots: Sequence[Path] = (), folder: Path) -> str:
    """Return a profile as Markdown.

    Args:
        found: The profile.
        plots: Images to show.
        folder: Folder of the Markdown file, which paths of plots are relative to.
    """
    parts = [*_head(found), *_groups(found)]
    parts += _classes(found.classes) if found.classes is not None else []
    for one in found.populations:
        parts += _population(one)
    parts += _images(found)
    for audit in found.audits:
        parts += _audit(audit)
    for path in plots:
        parts.append(f"![{path.stem}]({Path(os.path.relpath(path, folder)).as_posix()})")
    parts += [f"`{found.source}`, SHA-256 `{found.sha256}`"]
    return printable_lines("\n\n".join(parts)) + "\n"


def _head(found: DataProfile) -> Iterator[str]:
    yield f"# Profile of {_escaped(found.name)}"
    text = f"{counted(found.n, 'row')}"
    text += f", {found.left_out:,} left out by `where`" if found.left_out else ""
    if found.clusters is not None:
        text += f", {counted(found.clusters, 'different value')} of {_escaped(found.cluster or '')}"
    yield f"{text}."
    yield "## Problems"
    if not found.problems:
        yield "None found."
    else:
        yield _bullets(f"**{one.kind}**: {_escaped(one.text)}" for one in found.problems)
    if found.notes:
        yield _bullets(_escaped(note) for note in found.notes)


def _groups(found: DataProfile) -> Iterator[str]:
    yield "## Groups"
    for title, grid in group_grids(found):
        yield f"### {_escaped(title)}"
        yield _table(grid)
    missing = [one for one in found.columns if one.missing]
    if missing:
        yield "## Missing values"
        rows = [[one.name, f"{one.missing:,}", f"{one.missing / found.n:.3f}"] for one in missing]
        yield _table(Grid(["column", "missing", "share"], rows))


def _classes(found: ClassBalance) -> Iterator[str]:
    yield f"## Classes ({_escaped(found.target)})"
    total = sum(found.counts.values())
    rows = [[name, f"{n:,}", f"{n / total:.3f}"] for name, n in found.counts.items()]
    yield _table(Grid(["class", "n", "share"], rows))
    for one in found.by:
        v = "undefined" if one.cramers_v is None else f"{one.cramers_v:.3f}"
        yield f"By {_escaped(one.attribute)}: Cramér's V {v}."
        head = ["", *found.counts]
        yield _table(
            Grid(head, [[level, *map(str, n.values())] for level, n in one.counts.items()])
        )


def _population(found: PopulationRecord) -> Iterator[str]:
    yield f"## {_escaped(found.column)} beside a reference population"
    head = ["", "n", "share", f"{found.level * 100:g} % together", "reference", "difference", ""]
    rows = [
        [
            row.level,
            f"{row.n:,}",
            f"{row.share:.3f}",
            f"{row.low:.3f} … {row.high:.3f}",
            f"{row.reference:.3f}",
            f"{row.difference:+.3f}",
            row.verdict,
        ]
        for row in found.rows
    ]
    yield _table(Grid(head, rows))
    yield _bullets(_escaped(note) for note in (*population_notes(found), found.reference))


def _images(found: DataProfile) -> Iterator[str]:
    if found.images is not None:
        one = found.images
        yield "## Images"
        rows = [
            [what, name, f"{n:,}"]
            for what, counts in (("size", one.sizes), ("format", one.formats), ("mode", one.modes))
            for name, n in list(counts.items())[:20]
        ]
        yield f"{one.read:,} of {one.n:,} read, {len(one.broken):,} broken."
        yield _table(Grid(["", "value", "images"], rows))
        yield _bullets(_escaped(duplicates_text(some)) for some in found.duplicates)
    if found.leak is not None:
        yield f"## Shared with {_escaped(found.leak.against)}"
        yield _bullets(_escaped(line) for line in leak_lines(found.leak))


def _audit(found: AuditRecord) -> Iterator[str]:
    yield f"## Audit of {_escaped(found.attribute)} by {found.proxy}"
    yield (
        f"{found.measured:,} of {counted(found.sets, 'matched set')} measured; {found.proxy} should "
        f"{'rise' if found.rising else 'fall'} along {_escaped(', '.join(found.levels))}."
    )
    rows = [[pair.stratum, *audit_cells(found, pair)] for pair in found.pairs]
    yield _table(Grid(audit_head(found), rows))
    if found.orders:
        yield _bullets(
            _escaped(f"{one.stratum} measured order in {one.sets:,} of {one.of:,}: {order}".strip())
            for one in found.orders
            for order in [", ".join(one.order)]
        )


def _table(grid: Grid) -> str:
    marks = ["---" if grid.is_text(place) else "---:" for place in range(len(grid.head))]
    rows = [grid.head, marks, *grid.rows]
    return "\n".join(
        f"| {' | '.join(cell if row is marks else _escaped(cell) for cell in row)} |"
        for row in rows
    )


def _bullets(lines: Iterator[str]) -> str:
    return "\n".join(f"- {line}" for line in lines)


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is."""
    for mark in ("\\", "`", "*", "_", "|", "<", "[", "]"):
        text = text.replace(mark, f"\\{mark}")
    return printable(text.replace("\n", " "))
