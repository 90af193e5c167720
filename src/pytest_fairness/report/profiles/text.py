"""A data profile as text of at most 100 columns."""

from collections.abc import Iterator, Mapping, Sequence
from typing import get_args

from pytest_fairness.data.profile.record import (
    AuditPair,
    AuditRecord,
    ClassBalance,
    DataProfile,
    Duplicates,
    Grouping,
    ImagesRecord,
    Leak,
    PopulationRecord,
    Problem,
)
from pytest_fairness.report.profiles.tables import Grid, group_grids
from pytest_fairness.wording import counted, printable

__all__ = [
    "audit_cells",
    "audit_head",
    "duplicates_text",
    "leak_lines",
    "population_notes",
    "problem_kinds",
    "profile_lines",
]

_WIDTH = 100
_MOST_ROWS = 40
_MOST_PROBLEMS = 20
_SHOWN = 6


def problem_kinds() -> tuple[str, ...]:
    """Return the kinds of problem that a profile can find."""
    kinds: tuple[str, ...] = get_args(Problem.model_fields["kind"].annotation)
    return kinds


def profile_lines(found: DataProfile) -> list[str]:
    """Return the lines of a profile: problems last, where a terminal shows them."""
    lines = [*_wrapped(_title(found), "  "), *_columns(found), "", *_groups(found)]
    if found.classes is not None:
        lines += ["", *_classes(found.classes, crossed=found.classes.target in found.attributes)]
    for one in found.populations:
        lines += ["", *_population(one)]
    if found.images is not None:
        lines += ["", *_images(found.images, found.duplicates)]
    if found.leak is not None:
        lines += ["", *_leak(found.leak)]
    for audit in found.audits:
        lines += ["", *_audit(audit)]
    return [printable(line) for line in [*lines, "", *_problems(found)]]


def _title(found: DataProfile) -> str:
    text = f"profile of {found.name} ({found.source}): {counted(found.n, 'row')}"
    if found.left_out:
        text += f", {found.left_out:,} left out by where"
    if found.clusters is not None:
        text += f", {counted(found.clusters, 'different value')} of {found.cluster}"
    return text


def _columns(found: DataProfile) -> Iterator[str]:
    missing = [one for one in found.columns if one.missing]
    complete = len(found.columns) - len(missing)
    yield f"columns: {len(found.columns)}, {complete} of them without missing values"
    for one in missing[:_MOST_ROWS]:
        share = 100 * one.missing / found.n
        yield f"  {one.name}: {one.missing:,} missing ({share:.1f} %)"
    yield from _more(len(missing) - _MOST_ROWS, "columns with missing values")


def _groups(found: DataProfile) -> Iterator[str]:
    for title, grid in group_grids(found):
        yield title
        yield from _grid(grid)
    for one in found.groupings:
        yield from _empty(one)


def _empty(one: Grouping) -> Iterator[str]:
    """Declared groups without rows, named where they are few."""
    if not one.empty:
        return
    names = [", ".join(g.group.values()) for g in one.groups if g.declared and not g.n]
    shown = "; ".join(names[:_SHOWN])
    more = ", ..." if len(names) > _SHOWN else ""
    named = f": {shown}{more}" if names else ""
    yield from _wrapped(
        f"  {'*'.join(one.by)}: {counted(one.empty, 'group')} without rows{named}", "    "
    )


def _classes(found: ClassBalance, *, crossed: bool) -> Iterator[str]:
    """The classes; where the target is an attribute, its crosses were shown with the groups."""
    yield f"classes ({found.target}): " + _counted(found.counts)
    for one in found.by:
        v = "-" if one.cramers_v is None else f"{one.cramers_v:.3f}"
        yield f"  by {one.attribute} (Cramér's V {v}; 0 alike, 1 one tells the other)"
        classes = list(found.counts)
        rows = [
            [level, *(str(counts[name]) for name in classes)]
            for level, counts in one.counts.items()
            if sum(counts.values())
        ]
        if len(classes) <= 8 and not crossed:
            yield from _grid(Grid(["", *classes], rows))


def _population(found: PopulationRecord) -> Iterator[str]:
    yield f"{found.column} beside {found.reference}: {counted(found.n, 'row')} compared"
    ordered = sorted(found.rows, key=lambda row: -abs(row.difference))
    rows = [
        [
            row.level,
            f"{row.n:,}",
            f"{row.share:.3f}",
            f"{row.low:.3f} … {row.high:.3f}",
            f"{row.reference:.3f}",
            f"{row.difference:+.3f}",
            row.verdict + (" (beyond tolerance)" if row.beyond_tolerance else ""),
        ]
        for row in ordered[:_MOST_ROWS]
    ]
    head = ["", "n", "share", f"{found.level * 100:g} % together", "reference", "difference", ""]
    yield from _grid(Grid(head, rows))
    yield from _more(len(ordered) - _MOST_ROWS, "levels, nearer to the reference")
    yield from (f"  {line}" for line in population_notes(found))


def population_notes(found: PopulationRecord) -> Iterator[str]:
    """Yield what else there is to say about a distribution."""
    yield f"{found.distance * 100:.1f} % of the rows would have to be of another level to match"
    if found.p_value is not None and found.chi_square is not None and found.g is not None:
        yield (
            f"chi-square {found.chi_square:.2f}, {found.freedom} degrees of freedom, "
            f"p {_p(found.p_value)}; G {found.g:.2f}, p {_p(found.g_p_value or 0)}"
        )
    if found.note:
        yield found.note
    if found.cluster is not None:
        yield f"clustered by {found.cluster}: design effect {found.design_effect:.2f}"
    if all(row.verdict == "not shown to differ" for row in found.rows):
        widest = max(row.high - row.low for row in found.rows)
        yield (
            f"no level is shown to differ, which is not the same as alike: intervals are up to "
            f"{widest:.3f} wide"
        )
    if found.missing:
        yield f"not compared, since without a value: {counted(found.missing, 'row')}"
    if found.unlisted:
        yield f"not in the reference, so not compared: {_counted(found.unlisted)}"


def _p(value: float) -> str:
    return "below 0.0001" if value < 0.0001 else f"{value:.4f}"


def _images(found: ImagesRecord, duplicates: Sequence[Duplicates]) -> Iterator[str]:
    size = f"{found.file_bytes / 1e6:,.1f} MB"
    yield f"images: {found.read:,} of {found.n:,} read, {size}, {len(found.broken):,} broken"
    yield from _wrapped(f"  sizes: {_counted(found.sizes)}", "    ")
    yield f"  formats: {_counted(found.formats)}; modes: {_counted(found.modes)}"
    if found.turned:
        yield f"  {found.turned:,} are turned by an EXIF tag"
    for name, medians in found.pixels_by_group.items():
        known = {level: value for level, value in medians.items() if value is not None}
        if len(set(known.values())) > 1:
            text = ", ".join(f"{level} {value:,.0f}" for level, value in known.items())
            yield from _wrapped(f"  median pixels by {name}: {text}", "    ")
    for one in duplicates:
        yield from _wrapped(f"  {duplicates_text(one)}", "    ")
        if one.kind == "pixels":
            yield from (f"    {line}" for line in _listed_sets(one))


def duplicates_text(found: Duplicates) -> str:
    """Return how many images are the same."""
    what = "encoded bytes" if found.kind == "bytes" else "decoded pixels"
    if not found.sets:
        return f"no two images have the same {what}"
    differ = ", ".join(f"{name} {n:,}" for name, n in found.differ_in.items())
    text = (
        f"same {what}: {counted(found.sets, 'set')} of {counted(found.images, 'image')}, {found.surplus:,} surplus; "
        f"{found.within_groups:,} within a group, {found.across_groups:,} across"
    )
    return f"{text} (differ in {differ})" if differ else text


def _listed_sets(found: Duplicates) -> Iterator[str]:
    for one in found.listed[:_SHOWN]:
        differ = f" differ in {', '.join(one.differ_in)}" if one.differ_in else ""
        yield from _wrapped(f"{' = '.join(one.ids[:4])}{differ}", "  ")
    yield from (line.strip() for line in _more(found.sets - _SHOWN, "sets"))


def _leak(found: Leak) -> Iterator[str]:
    yield f"against {found.against} ({counted(found.n, 'row')}):"
    yield from (f"  {line}" for line in leak_lines(found))
    for name, levels in found.by_group.items():
        some = {level: n for level, n in levels.items() if n}
        if some:
            yield from _wrapped(f"  by {name}: {_counted(some)}", "    ")


def leak_lines(found: Leak) -> Iterator[str]:
    """Yield what two tables share, one line a kind."""
    for n, what in (
        (found.same_bytes, "images with the same encoded bytes"),
        (found.same_pixels, "images with the same decoded pixels"),
        (found.same_ids, "rows with the same id"),
        (found.shared_clusters, "clusters in both"),
    ):
        if n is None:
            yield f"not compared: {what}"
        else:
            rows = found.images_of_shared_clusters
            yield f"{n:,} {what}" + (
                f", with {counted(rows or 0, 'row')} here" if "clusters" in what else ""
            )
    if found.broken:
        yield f"compared by bytes only, since unreadable: {counted(found.broken, 'image')} there"


def _audit(found: AuditRecord) -> Iterator[str]:
    direction = "rise" if found.rising else "fall"
    yield from _wrapped(
        f"audit: {found.proxy} should {direction} along {found.attribute} "
        f"({', '.join(found.levels)})",
        "  ",
    )
    yield from _wrapped(
        f"  {found.measured:,} of {counted(found.sets, 'set')} measured (same {', '.join(found.match)})",
        "    ",
    )
    if found.unmeasured:
        yield f"  not measured: {_counted(found.unmeasured)}"
    pairs = [pair for pair in found.pairs if pair.adjacent or pair.inverted]
    rows = [[pair.stratum, *audit_cells(found, pair)] for pair in pairs[:_MOST_ROWS]]
    head = audit_head(found)
    yield from _grid(Grid(head, rows))
    yield from _more(len(pairs) - _MOST_ROWS, "pairs of levels")
    for one in found.orders:
        where = f"{found.by} {one.stratum}: " if found.by else ""
        order = ", ".join(one.order)
        yield from _wrapped(
            f"  {where}measured order in {one.sets:,} of {counted(one.of, 'complete set')}: {order}",
            "    ",
        )


def audit_head(found: AuditRecord) -> list[str]:
    """Return the headings of `audit_cells`, that of the stratum first."""
    clusters = [] if found.cluster is None else [found.cluster]
    interval = f"{found.level * 100:g} %"
    return [found.by or "", "levels", "inverted", *clusters, interval, "verdict"]


def audit_cells(found: AuditRecord, pair: AuditPair) -> list[str]:
    """Return levels, inversions, interval and verdict of a pair."""
    ties = f", {pair.ties:,} alike" if pair.ties else ""
    interval = "" if pair.low is None else f"{pair.low:.3f} … {pair.high:.3f}"
    verdict: str = pair.verdict
    if verdict == "undecided":
        verdict = "undecided (too few sets)" if pair.sets else "undecided (no set)"
    inverted = f"{pair.inverted:,} of {pair.sets:,}{ties}"
    clusters = [] if found.cluster is None else [f"{pair.clusters:,}"]
    return [f"{pair.first}, {pair.second}", inverted, *clusters, interval, verdict]


def _problems(found: DataProfile) -> Iterator[str]:
    yield from (f"note: {note}" for note in found.notes)
    if not found.problems:
        yield "no problem found"
        return
    yield f"{len(found.problems):,} problem{'s' * (len(found.problems) != 1)}:"
    for one in found.problems[:_MOST_PROBLEMS]:
        yield from _wrapped(f"  {one.kind}: {one.text}", "    ")
    yield from _more(len(found.problems) - _MOST_PROBLEMS, "problems")


def _counted(counts: Mapping[str, int]) -> str:
    parts = [f"{name} {n:,}" for name, n in list(counts.items())[:_SHOWN]]
    more = f", and {len(counts) - _SHOWN:,} more" if len(counts) > _SHOWN else ""
    return ", ".join(parts) + more


def _more(number: int, what: str) -> Iterator[str]:
    if number > 0:
        yield f"  ... and {number:,} more {what}; --json FILE has them"


def _grid(grid: Grid) -> Iterator[str]:
    """Lines of a table: words to the left, numbers to the right."""
    table = [grid.head, *grid.rows[:_MOST_ROWS]]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    texts = [grid.is_text(place) for place in range(len(widths))]
    for row in table:
        cells = (
            f"{cell:<{width}}" if text else f"{cell:>{width}}"
            for cell, width, text in zip(row, widths, texts, strict=True)
        )
        yield f"  {'  '.join(cells)}".rstrip()
    yield from _more(len(grid.rows) - _MOST_ROWS, "groups")


def _wrapped(text: str, indent: str) -> Iterator[str]:
    """Break a long line at its spaces."""
    line = text
    while len(line) > _WIDTH:
        cut = line.rfind(" ", len(indent), _WIDTH + 1)
        if cut <= len(indent):
            break
        yield line[:cut]
        line = indent + line[cut + 1 :]
    yield line
