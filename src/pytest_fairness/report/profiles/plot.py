"""Plots of a data profile; matplotlib is imported when one is asked for."""

import re
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pytest_fairness.data.profile.record import DataProfile, Grouping, PopulationRecord
from pytest_fairness.errors import FairnessError

if TYPE_CHECKING:
    from matplotlib.figure import Figure
from pytest_fairness.wording import counted, drawn

__all__ = ["NoPlotsError", "draw_profile"]

_MOST_BARS = 40
_DATA, _REFERENCE = "#4477aa", "#cc6677"


class NoPlotsError(FairnessError):
    """A plot cannot be drawn: matplotlib is not installed."""


def draw_profile(
    found: DataProfile, folder: Path, *, kind: Literal["png", "svg"] = "png"
) -> list[Path]:
    """Draw the groups by each attribute, and each distribution beside its reference.

    Args:
        found: The profile.
        folder: Folder to write to; it is made when it is missing.
        kind: Kind of file.

    Returns:
        The files, `groups-<attribute>` and `reference-<column>`. The same profile gives the same
        bytes with the same version of matplotlib.

    Raises:
        NoPlotsError: matplotlib is not installed.
    """
    if find_spec("matplotlib") is None:
        msg = (
            "no plots: matplotlib is not installed; pip install 'pytest-fairness[analyses]', the "
            "rest of the profile is complete"
        )
        raise NoPlotsError(msg)
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for one in found.groupings:
        if len(one.by) == 1:
            path = folder / f"groups-{_file_name(one.by[0])}.{kind}"
            written.append(_save(_groups(one), path))
    for population in found.populations:
        path = folder / f"reference-{_file_name(population.column)}.{kind}"
        written.append(_save(_population(population), path))
    return written


def _file_name(name: str) -> str:
    return re.sub(r"[^\w.-]+", "-", name)


def _save(figure: "Figure", path: Path) -> Path:
    import matplotlib as mpl  # noqa: PLC0415  (an optional package)

    # Without both, an SVG differs from one run to the next.
    metadata: dict[str, Any] = {"Date": None} if path.suffix == ".svg" else {"Software": None}
    with mpl.rc_context({"svg.hashsalt": "pytest-fairness"}):
        figure.savefig(path, metadata=metadata)
    return path


def _figure(bars: int) -> tuple["Figure", Any]:
    from matplotlib.figure import Figure  # noqa: PLC0415  (an optional package)

    figure = Figure(figsize=(8, 1.6 + 0.3 * bars), dpi=120, layout="constrained")
    axes = figure.subplots()
    axes.margins(y=0.01)
    axes.invert_yaxis()
    axes.spines[["top", "right"]].set_visible(False)
    return figure, axes


def _groups(one: Grouping) -> "Figure":
    groups = sorted(one.groups, key=lambda group: -group.n)[:_MOST_BARS]
    if len(one.groups) <= _MOST_BARS:
        groups = list(one.groups)
    figure, axes = _figure(len(groups))
    names = [drawn(next(iter(group.group.values()))) for group in groups]
    bars = axes.barh(names, [group.n for group in groups], color=_DATA)
    axes.bar_label(bars, labels=[f"{group.n:,}" for group in groups], padding=3)
    axes.set_xlabel("rows")
    left = len(one.groups) - len(groups)
    axes.set_title(
        f"rows by {drawn(one.by[0])}" + (f" ({left} smaller groups not shown)" if left else "")
    )
    return figure


def _population(found: PopulationRecord) -> "Figure":
    rows = sorted(found.rows, key=lambda row: -max(row.share, row.reference))
    shown, rest = rows[:_MOST_BARS], rows[_MOST_BARS:]
    names = [drawn(row.level) for row in shown]
    shares = [row.share for row in shown]
    ends = [[row.share - row.low for row in shown], [row.high - row.share for row in shown]]
    ends = [[max(value, 0.0) for value in side] for side in ends]
    references = [row.reference for row in shown]
    figure, axes = _figure(len(names))
    clustered = "" if found.cluster is None else f", clustered by {drawn(found.cluster)}"
    axes.barh(names, shares, color=_DATA, label=f"data, n = {found.n:,}{clustered}")
    axes.errorbar(shares, names, xerr=ends, fmt="none", ecolor="black", elinewidth=1, capsize=2)
    axes.plot(
        references,
        names,
        "D",
        color=_REFERENCE,
        markersize=5,
        label=drawn(Path(found.reference).stem),
    )
    axes.set_xlabel(f"share of rows ({found.level * 100:g} % intervals that hold together)")
    title = f"{drawn(found.column)} beside the reference population"
    if rest:
        here, there = sum(row.share for row in rest), sum(row.reference for row in rest)
        title += (
            f"\n{counted(len(rest), 'level')} not shown: {here:.1%} of the rows, {there:.1%} there"
        )
    axes.set_title(title)
    figure.legend(frameon=False, loc="outside lower center", ncols=2)  # never over an interval
    return figure
