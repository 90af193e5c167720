"""Groups of a profile as tables: one attribute a list, two a grid with totals as in Table 1."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeAlias

from pytest_fairness.data.levels import MISSING
from pytest_fairness.data.profile.record import DataProfile, GroupCount, Grouping

__all__ = ["Grid", "group_grids"]

Cell: TypeAlias = Callable[[GroupCount], str]

_WIDEST = 98
# Longer lists start with the largest groups, whatever the order of the levels.
_MOST_IN_ORDER = 40


@dataclass(frozen=True, slots=True)
class Grid:
    """A table of text.

    Args:
        head: Headings.
        rows: Cells, each row as long as the head.
    """

    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def is_text(self, place: int) -> bool:
        """Return whether a column holds words, the first one always."""
        return place == 0 or any(row[place][:1].isalpha() for row in self.rows)

    def beside(self, heading: str, cells: Sequence[str]) -> "Grid":
        """Return the table with one more column."""
        rows = [[*row, cell] for row, cell in zip(self.rows, cells, strict=True)]
        return Grid([*self.head, heading], rows)

    @property
    def width(self) -> int:
        """The characters of the widest line, with two between columns."""
        table = [self.head, *self.rows]
        return sum(max(map(len, column)) + 2 for column in zip(*table, strict=True))


def group_grids(found: DataProfile) -> Iterator[tuple[str, Grid]]:
    """Yield title and table of every grouping of a profile."""
    by = {one.by: one for one in found.groupings}
    columns = list(by[()].groups[0].numbers)
    for one in found.groupings:
        if len(one.by) == 1:
            yield from _lists(one, columns, found.cluster)
    for one in found.groupings:
        if len(one.by) == 2:
            yield from _crossed(one, by, columns, found)
    for one in found.groupings:
        if len(one.by) > 2 or not (one.by or len(by) > 1):
            yield from _lists(one, columns, found.cluster)


def _lists(
    one: Grouping, columns: Sequence[str], cluster: str | None
) -> Iterator[tuple[str, Grid]]:
    """One row a group; numeric columns that do not fit beside the others follow below."""
    title = f"by {'*'.join(one.by)}" if one.by else "all rows"
    groups = one.groups
    if len(groups) > _MOST_IN_ORDER:
        groups = tuple(sorted(groups, key=lambda group: -group.n))
    head = ["", "n", "share", *([] if cluster is None else [cluster])]
    cells = [
        [
            _name(group),
            f"{group.n:,}",
            f"{group.share:.3f}",
            *([] if cluster is None else [f"{group.clusters or 0:,}"]),
        ]
        for group in groups
    ]
    grid = Grid(head, cells)
    for name in columns:
        means = [mean_text(group, column=name) for group in groups]
        wider = grid.beside(f"{name} mean (SD)", means)
        if wider.width > _WIDEST and len(grid.head) > 1:
            yield title, grid
            names = Grid([""], [[_name(group)] for group in groups])
            wider = names.beside(f"{name} mean (SD)", means)
        grid = wider
    yield title, grid


def _name(group: GroupCount) -> str:
    name = ", ".join(group.group.values()) or "all"
    known = group.declared or MISSING in group.group.values()
    return name if known else f"{name} (not declared)"


def mean_text(group: GroupCount, *, column: str) -> str:
    """Return `27.51 (5.25)`, with - for what is undefined, and n where values are missing."""
    number = group.numbers[column]
    if number.mean is None:
        return "-"
    text = f"{number.mean:.2f} ({'-' if number.sd is None else f'{number.sd:.2f}'})"
    return f"{text} of {number.n:,}" if number.missing else text


def _crossed(
    one: Grouping,
    by: dict[tuple[str, ...], Grouping],
    columns: Sequence[str],
    found: DataProfile,
) -> Iterator[tuple[str, Grid]]:
    title = "*".join(one.by)
    cells: dict[str, Cell] = {f"n by {title}": lambda group: f"{group.n:,}"}
    for name in columns:
        cells[f"{name}, mean (SD), by {title}"] = partial(mean_text, column=name)
    grids = {heading: _grid(one, by, cell) for heading, cell in cells.items()}
    fitting = {
        heading: grid
        for heading, grid in grids.items()
        if grid is not None and grid.width <= _WIDEST
    }
    if len(fitting) == len(grids):
        yield from fitting.items()
    else:
        yield from _lists(one, columns, found.cluster)


def _grid(one: Grouping, by: dict[tuple[str, ...], Grouping], cell: Cell) -> Grid | None:
    """The levels of one attribute down, of the other across, and totals; None where cells lack."""
    down, across = one.by
    cells = {tuple(group.group.values()): cell(group) for group in one.groups}
    rows, columns = by[(down,)].groups, by[(across,)].groups
    if len(cells) != len(rows) * len(columns):
        return None
    names = [group.group[across] for group in columns]
    return Grid(
        ["", *names, "all"],
        [
            *(
                [row.group[down], *(cells[row.group[down], name] for name in names), cell(row)]
                for row in rows
            ),
            ["all", *map(cell, columns), cell(by[()].groups[0])],
        ],
    )
