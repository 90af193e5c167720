"""Topographic maps of a model's layers: one picture a group, on one layout and scale a layer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.analyses.topography.arranging import align_rotation, group_order
from pytest_fairness.analyses.topography.layouts import layout_channels
from pytest_fairness.analyses.topography.profiles import Weights, mean_profiles
from pytest_fairness.analyses.topography.rendering import Renderer
from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["LayerMaps", "TopographicMaps", "topographic_maps"]


@dataclass(frozen=True, slots=True, eq=False)
class LayerMaps:
    """The maps of one layer.

    Args:
        layer: Name of the layer.
        groups: G names, like ones beside each other.
        counts: Images of each group, (G,).
        colours: Contrast of each channel, (G, C).
        positions: Place of each channel, (C, 2) in [0, 1].
        maps: (G, size, size), the first pixel axis is x; nan outside of the channels' hull.
        limit: Largest absolute colour of all groups: the scale of the layer's maps.
        nearest: Whether pixels took the nearest channel, since no triangles could be laid.
    """

    layer: str
    groups: tuple[str, ...]
    counts: NDArray[np.int64]
    colours: Floats
    positions: Floats
    maps: Floats
    limit: float
    nearest: bool


@dataclass(frozen=True, slots=True, eq=False)
class TopographicMaps:
    """Maps of all layers that could be laid out.

    Args:
        layers: Layer -> maps, in the order of the network.
        skipped: Layer -> why it has none.
        layout: Name of the layout.
        seed: What all randomness was made from.
    """

    layers: Mapping[str, LayerMaps]
    skipped: Mapping[str, str]
    layout: str
    seed: int


def topographic_maps(
    activations: Mapping[str, torch.Tensor | NDArray[np.floating]],
    groups: Sequence[object] | ArrayLike,
    *,
    seed: int,
    layout: str = "umap_pso",
    weights: Weights = "equal",
    steps: int = 1000,
    size: int = 100,
    min_channels: int = 16,
    align: bool = False,
    device: str = "cpu",
) -> TopographicMaps:
    """Draw what each group activates more (red) or less (blue) than the groups on average.

    Args:
        activations: Layer -> (N, C) or (N, C, h, w).
        groups: N names of groups; their contrast runs over these alone.
        seed: All randomness comes from it.
        layout: As in `layout_channels`.
        weights: Whether groups count the same in the average, or by size.
        steps: Steps of the force model.
        size: Pixels along each side of a map.
        min_channels: Layers with fewer channels are skipped, as iNNtrospect does.
        align: Whether each layer is rotated to fit the one before.
        device: Where the force model runs.

    Raises:
        DataError: Shapes do not fit, the layout is unknown, or there are fewer than two groups.
        FairnessError: The package that the layout needs is not installed.

    Source: Krug and Stober (2023), arXiv 2204.03528, and (2025), arXiv 2506.03664.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> found = topographic_maps(
        ...     {"last": rng.normal(size=(40, 16))}, ["f", "m"] * 20, seed=0, layout="pca"
        ... )
        >>> found.layers["last"].maps.shape
        (2, 100, 100)
    """
    found: dict[str, LayerMaps] = {}
    skipped = {}
    before: LayerMaps | None = None
    for layer, values in activations.items():
        profiles = mean_profiles(values, groups)
        if len(profiles.groups) < 2:
            msg = f"maps compare two groups or more, got {list(profiles.groups)}"
            raise DataError(msg)
        colours = profiles.colours(weights)
        if colours.shape[1] < min_channels:
            skipped[layer] = f"{colours.shape[1]} channels, fewer than {min_channels}"
            continue
        order = group_order(colours)
        positions = layout_channels(
            np.ascontiguousarray(colours.T), layout, seed=seed, steps=steps, device=device
        )
        if align and before is not None:
            back = [before.groups.index(name) for name in profiles.groups]
            reference = before.positions, before.colours[back]
            positions = align_rotation(reference, (positions, colours))
        renderer = Renderer.over(positions, size)
        before = found[layer] = LayerMaps(
            layer=layer,
            groups=tuple(profiles.groups[i] for i in order),
            counts=profiles.counts[order],
            colours=colours[order],
            positions=positions,
            maps=renderer.render(colours[order]),
            limit=float(np.abs(colours).max()),
            nearest=renderer.nearest,
        )
    return TopographicMaps(found, skipped, layout, seed)
