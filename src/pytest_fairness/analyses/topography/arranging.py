"""The order in which groups are shown, and turning one layer's layout to fit another's."""

import numpy as np
from numpy.typing import NDArray
from scipy.cluster.hierarchy import leaves_list, linkage
from scipy.spatial.distance import cdist, squareform

from pytest_fairness.analyses.topography.layouts import cosine_distances, to_unit_square
from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["align_rotation", "group_order"]


def group_order(colours: Floats) -> NDArray[np.int64]:
    """Order of groups (G,) in which like ones are neighbours: the leaves of a dendrogram.

    Average linkage with optimal ordering on cosine distances between the groups' colours (G, C).

    Source: Bar-Joseph et al. (2001), Bioinformatics 17, S22; Krug and Stober (2023).
    """
    if len(colours) < 3:
        return np.arange(len(colours))
    apart = squareform(cosine_distances(colours), checks=False)
    return np.asarray(leaves_list(linkage(apart, "average", optimal_ordering=True)), dtype=np.int64)


def align_rotation(
    reference: tuple[Floats, Floats], layer: tuple[Floats, Floats], *, degrees: int = 360
) -> Floats:
    """Rotate a layer's layout so that like colours come to lie where the reference has them.

    Args:
        reference: Positions (C1, 2) in [0, 1] and colours (G, C1) of the reference layer.
        layer: The same of the layer to turn, (C2, 2) and (G, C2).
        degrees: How many equal rotations of the full turn are tried.

    Returns:
        The best rotation of the positions, (C2, 2), scaled to [0, 1].

    Raises:
        DataError: The layers have different groups.

    Source: Krug and Stober (2023), arXiv 2204.03528, code: mean of closeness (distances above the
    median count 0) times likeness of colours.
    """
    if len(reference[1]) != len(layer[1]):
        msg = f"layers must have the same groups, got {len(reference[1])} and {len(layer[1])}"
        raise DataError(msg)
    ours, theirs = (_scaled(colours).T for _, colours in (reference, layer))
    unlike = cdist(ours, theirs)
    alike = unlike.max() - unlike
    best, found = -np.inf, layer[0]
    for angle in np.arange(degrees) * (2 * np.pi / degrees):
        turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
        turned = to_unit_square((layer[0] - 0.5) @ turn.T)
        close = np.sqrt(2) - cdist(reference[0], turned)
        close[close < np.median(close)] = 0.0
        score = float((close * alike).mean())
        if score > best + 1e-12:
            best, found = score, turned
    return found


def _scaled(colours: Floats) -> Floats:
    return colours / max(float(np.abs(colours).max()), 1e-300)
