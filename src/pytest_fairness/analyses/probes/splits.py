"""Folds without a cluster on both sides, and labels that mean nothing."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.errors import DataError
from pytest_fairness.wording import counted

__all__ = ["as_codes", "check_split", "cluster_folds", "cluster_labels", "permuted_labels"]

Codes = NDArray[np.int64]


def as_codes(
    values: Sequence[object] | ArrayLike, n: int, name: str
) -> tuple[tuple[str, ...], Codes]:
    """Return the sorted levels that occur, and the position (N,) of each value among them.

    Raises:
        DataError: There is not one value a sample.
    """
    found = np.asarray(values)
    if found.shape != (n,):
        msg = f"{name} must hold one value for each of {counted(n, 'sample')}, got shape {found.shape}"
        raise DataError(msg)
    levels, codes = np.unique(found.astype(str), return_inverse=True)
    return tuple(levels.tolist()), codes.astype(np.int64)


def cluster_folds(clusters: Codes, folds: int, *, rng: np.random.Generator) -> Codes:
    """Deal whole clusters to folds of about equal size, (N,) of 0 to `folds` - 1.

    Raises:
        DataError: There are fewer clusters than folds, or fewer than two folds.
    """
    sizes = np.bincount(clusters)
    if not 2 <= folds <= len(sizes):
        msg = (
            f"folds must lie between 2 and the number of clusters, {len(sizes)}, got {folds}; "
            "without clusters each sample is one"
        )
        raise DataError(msg)
    order = rng.permutation(len(sizes))
    order = order[np.argsort(-sizes[order], kind="stable")]
    of_cluster, filled = np.zeros(len(sizes), dtype=np.int64), np.zeros(folds, dtype=np.int64)
    for cluster in order:  # the largest first, each into the emptiest fold
        of_cluster[cluster] = filled.argmin()
        filled[of_cluster[cluster]] += sizes[cluster]
    return of_cluster[clusters]


def check_split(split: Codes, clusters: Codes) -> None:
    """Raise for a cluster with samples in two folds.

    Raises:
        DataError: A cluster lies on both sides, or there is one fold only.
    """
    pairs = np.unique(np.stack([clusters, split]), axis=1)
    shared = np.bincount(pairs[0]) > 1
    if shared.any() or len(np.unique(split)) < 2:
        msg = (
            f"{counted(int(shared.sum()), 'cluster has', 'clusters have')} samples in several folds of the split, of which "
            f"there are {len(np.unique(split))}; give every cluster one fold, and have two or more"
        )
        raise DataError(msg)


def permuted_labels(labels: Codes, clusters: Codes, *, rng: np.random.Generator) -> Codes:
    """Permute labels so that those of one cluster stay together.

    Samples are lined up cluster by cluster in two random orders, with random orders within; the
    labels move from the one line to the other. Clusters of equal size exchange their labels as
    blocks; where sizes differ, a block may lie across a border. Each label occurs as often as
    before, and nothing links it to its sample.

    Args:
        labels: (N,) codes.
        clusters: (N,) codes.
        rng: Where randomness comes from.

    Source: Winkler et al. (2015), NeuroImage 123, 253 (permutation of whole blocks).

    Example:
        >>> labels = np.array([0, 0, 1, 1, 2, 2])
        >>> found = permuted_labels(labels, np.array([0, 0, 1, 1, 2, 2]), rng=np.random.default_rng(0))
        >>> bool((found[::2] == found[1::2]).all())
        True
    """
    source, destination = (_line(clusters, rng) for _ in range(2))
    found = np.empty_like(labels)
    found[destination] = labels[source]
    return found


def cluster_labels(labels: Codes, clusters: Codes, *, rng: np.random.Generator) -> Codes:
    """Draw one label a cluster from the distribution of the labels: a control task, (N,).

    Source: Hewitt and Liang (2019), arXiv 1909.03368: a type's label is random but fixed.
    """
    drawn = rng.choice(labels, size=int(clusters.max()) + 1)
    return np.asarray(drawn[clusters], dtype=np.int64)


def _line(clusters: Codes, rng: np.random.Generator) -> NDArray[np.intp]:
    rank = rng.permutation(int(clusters.max()) + 1)
    return np.lexsort((rng.random(len(clusters)), rank[clusters]))
