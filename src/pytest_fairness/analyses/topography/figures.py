"""Maps of a layer -> a figure, as PNG or SVG."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pytest_fairness.analyses.packages import from_extra
from pytest_fairness.errors import DataError
from pytest_fairness.wording import drawn

if TYPE_CHECKING:
    from pytest_fairness.analyses.topography.maps import LayerMaps

__all__ = ["draw_maps", "save_maps"]

_FORMATS = (".png", ".svg")


def draw_maps(maps: "LayerMaps", *, columns: int = 5, order: Sequence[str] | None = None) -> Any:
    """Draw all groups of a layer on one symmetric colour scale. The y axis points up.

    Args:
        maps: Of one layer.
        columns: Maps in a row.
        order: Groups in the order to draw; the dendrogram's when None.

    Returns:
        A matplotlib figure that belongs to no window.

    Raises:
        DataError: A group is unknown.
        FairnessError: matplotlib is not installed.
    """
    figure_module = from_extra("matplotlib.figure", "matplotlib", purpose="drawing maps")
    names = maps.groups if order is None else tuple(order)
    if unknown := [name for name in names if name not in maps.groups]:
        msg = f"layer {maps.layer!r} has no group {unknown[0]!r}; it has {list(maps.groups)}"
        raise DataError(msg)
    rows = -(-len(names) // columns)
    figure = figure_module.Figure(
        figsize=(1.3 * columns + 0.8, 1.5 * rows + 0.4), layout="constrained"
    )
    axes = figure.subplots(rows, columns, squeeze=False)
    image = None
    for place in axes.flat:
        place.set_axis_off()
    for place, name in zip(axes.flat, names, strict=False):
        values = maps.maps[maps.groups.index(name)]
        image = place.imshow(
            np.ma.masked_invalid(values.T),
            origin="lower",
            cmap="bwr",
            vmin=-maps.limit,
            vmax=maps.limit,
        )
        place.set_title(drawn(name.replace("*", " ")), fontsize=7)
    figure.suptitle(drawn(maps.layer), fontsize=9)
    if image is not None:
        figure.colorbar(image, ax=axes, shrink=0.8, label="activation less the mean of groups")
    return figure


def save_maps(maps: "LayerMaps", path: str | Path, **options: Any) -> Path:
    """Write `draw_maps` to a file whose bytes depend on the maps alone.

    Args:
        maps: Of one layer.
        path: Ends in `.png` or `.svg`; its folder is there.
        options: Of `draw_maps`.

    Raises:
        DataError: The ending is another one.
        FairnessError: matplotlib is not installed.
    """
    target = Path(path)
    if target.suffix not in _FORMATS:
        msg = f"figures are written as {' or '.join(_FORMATS)}, got {str(path)!r}"
        raise DataError(msg)
    matplotlib = from_extra("matplotlib", "matplotlib", purpose="drawing maps")
    figure = draw_maps(maps, **options)
    dated = {"Date": None} if target.suffix == ".svg" else {}
    with matplotlib.rc_context({"svg.hashsalt": maps.layer}):
        figure.savefig(target, dpi=110, metadata=dated)
    return target
