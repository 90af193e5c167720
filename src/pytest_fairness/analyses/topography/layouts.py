"""Channels of a layer -> points in the unit square, similar ones close to each other."""

from collections.abc import Callable, Mapping

import numpy as np
import torch
from scipy.spatial.distance import pdist, squareform

from pytest_fairness.analyses.packages import from_extra
from pytest_fairness.analyses.topography.force import move_apart
from pytest_fairness.analyses.topography.som import som_positions
from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats

__all__ = ["LAYOUTS", "cosine_distances", "layout_channels"]

_EDGE_PERCENTILE = 7.5


def layout_channels(
    profiles: Floats, method: str = "umap_pso", *, seed: int, steps: int = 1000, device: str = "cpu"
) -> Floats:
    """Place C channels in the unit square by their profiles.

    Args:
        profiles: (C, d), e.g. the colours of all groups, transposed.
        method: `random`, `pso`, `graph`, `som`, `pca`, `tsne` or `umap`; with `_pso` behind, the
            layout is spread afterwards by the local forces.
        seed: All randomness comes from it.
        steps: Steps of the force model.
        device: Where the force model runs.

    Returns:
        (C, 2) in [0, 1].

    Raises:
        DataError: The method is unknown, or there are fewer than two channels.
        FairnessError: The package that a method needs is not installed.

    Source: Krug and Stober (2023), arXiv 2204.03528; `umap_pso` is their later default.

    Example:
        >>> found = layout_channels(np.random.default_rng(0).normal(size=(20, 3)), "pca", seed=0)
        >>> found.shape, float(found.min()), float(found.max())
        ((20, 2), 0.0, 1.0)
    """
    start, _, after = method.partition("_")
    if start not in LAYOUTS or after not in {"", "pso"} or method == "pso_pso":
        msg = (
            f"layout {method!r} is unknown; choose one of {', '.join(LAYOUTS)}, with _pso behind "
            "to spread it"
        )
        raise DataError(msg)
    if profiles.ndim != 2 or len(profiles) < 2 or not np.isfinite(profiles).all():
        msg = f"profiles must be finite numbers (C, d) with C at least 2, got {profiles.shape}"
        raise DataError(msg)
    positions = to_unit_square(LAYOUTS[start](profiles, seed))
    if method == "pso":
        apart = torch.from_numpy(cosine_distances(profiles)).float()
        return _forced(positions, steps, device, apart)
    return _forced(positions, steps, device, None) if after else positions


def cosine_distances(profiles: Floats) -> Floats:
    """Return 1 - cosine of every two rows, (C, C).

    A row of zeros is at distance 1 of all others.
    """
    with np.errstate(invalid="ignore"):
        found = squareform(pdist(profiles, "cosine"))
    return np.where(np.isnan(found), 1.0, np.clip(found, 0.0, 2.0))


def to_unit_square(positions: Floats) -> Floats:
    """Scale each axis to [0, 1]. An axis without extent becomes 0.5."""
    low, high = positions.min(axis=0), positions.max(axis=0)
    extent = high - low
    scaled = (positions - low) / np.where(extent > 0, extent, 1.0)
    return np.asarray(np.where(extent > 0, scaled, 0.5), dtype=np.float64)


def _forced(positions: Floats, steps: int, device: str, apart: torch.Tensor | None) -> Floats:
    points = torch.from_numpy(positions).float().to(device)
    apart = None if apart is None else apart.to(device)
    moved = move_apart(points, steps=steps, dissimilarity=apart)
    return to_unit_square(moved.cpu().numpy().astype(np.float64))


def _random(profiles: Floats, seed: int) -> Floats:
    return np.random.default_rng(seed).random((len(profiles), 2))


def _pca(profiles: Floats, seed: int) -> Floats:  # noqa: ARG001  (has no randomness)
    centred = profiles - profiles.mean(axis=0)
    _, _, axes = np.linalg.svd(centred, full_matrices=False)
    axes = axes[:2] * np.sign(axes[:2].sum(axis=1, keepdims=True) + 1e-300)
    found = centred @ axes.T
    return np.pad(found, ((0, 0), (0, 2 - found.shape[1])))


def _tsne(profiles: Floats, seed: int) -> Floats:
    manifold = from_extra("sklearn.manifold", "scikit-learn", purpose="the layout `tsne`")
    wide = np.pad(profiles, ((0, 0), (0, max(0, 2 - profiles.shape[1]))))
    perplexity = min(30.0, (len(profiles) - 1) / 3)
    found = manifold.TSNE(
        init="pca", learning_rate="auto", perplexity=perplexity, random_state=seed
    ).fit_transform(wide.astype(np.float32))
    return np.asarray(found, dtype=np.float64)


def _umap(profiles: Floats, seed: int) -> Floats:
    umap = from_extra("umap", "umap-learn", purpose="the layout `umap`")
    neighbours = min(15, len(profiles) - 1)
    model = umap.UMAP(n_components=2, n_neighbors=neighbours, random_state=seed, n_jobs=1)
    threads = torch.get_num_threads()
    try:
        found = model.fit_transform(profiles)
    finally:
        torch.set_num_threads(threads)  # numba shares OpenMP with torch, and changes its number
    return np.asarray(found, dtype=np.float64)


def _graph(profiles: Floats, seed: int) -> Floats:
    """Join the closest channels, then each smaller component to the largest by one edge."""
    networkx = from_extra("networkx", "networkx", purpose="the layout `graph`")
    apart = cosine_distances(profiles)
    upper = apart[np.triu_indices(len(apart), 1)]
    near = np.triu(apart < np.percentile(upper, _EDGE_PERCENTILE), 1)
    graph = networkx.from_numpy_array(near | near.T)
    largest, *others = sorted(networkx.connected_components(graph), key=len, reverse=True)
    core = sorted(largest)
    for part in map(sorted, others):
        row, column = divmod(int(apart[np.ix_(part, core)].argmin()), len(core))
        graph.add_edge(part[row], core[column])
    found = networkx.spring_layout(graph, seed=seed)
    return np.array([found[i] for i in range(len(apart))])


def _som(profiles: Floats, seed: int) -> Floats:
    return som_positions(profiles, rng=np.random.default_rng(seed))


LAYOUTS: Mapping[str, Callable[[Floats, int], Floats]] = {
    "random": _random,
    "pso": _random,
    "graph": _graph,
    "som": _som,
    "pca": _pca,
    "tsne": _tsne,
    "umap": _umap,
}
