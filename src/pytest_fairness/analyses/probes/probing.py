"""Many layers x many targets, probed at once."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray

from pytest_fairness.analyses.probes.cross_fit import Setting, cross_fit, held_out_accuracy
from pytest_fairness.analyses.probes.kinds import ConvexProbe, Probe
from pytest_fairness.analyses.probes.pooling import Pooling, pool_activations
from pytest_fairness.analyses.probes.results import (
    Control,
    LinearProbes,
    Null,
    ProbedRate,
    ProbeResult,
    probed_rate,
)
from pytest_fairness.analyses.probes.splits import (
    as_codes,
    check_split,
    cluster_folds,
    cluster_labels,
    permuted_labels,
)
from pytest_fairness.errors import DataError

__all__ = ["linear_probes"]

Codes = NDArray[np.int64]
Values: TypeAlias = torch.Tensor | NDArray[np.floating]


def linear_probes(
    activations: Mapping[str, Values],
    targets: Mapping[str, Sequence[object] | ArrayLike],
    *,
    rng: np.random.Generator,
    cluster: Sequence[object] | ArrayLike | None = None,
    split: ArrayLike | None = None,
    folds: int = 5,
    probe: Probe | None = None,
    pool: int = 8,
    pooling: Pooling = "average",
    intersection: bool = True,
    permutations: int = 99,
    control: bool = True,
    confidence: float = 0.95,
    device: str = "cpu",
) -> LinearProbes:
    """Ask of every layer how well a linear probe reads each attribute off it.

    Every sample is named by probes that saw neither it nor any sample of its cluster.

    Args:
        activations: Layer -> (N, C, H, W), (N, T, C) or (N, C).
        targets: Attribute -> N levels.
        rng: Deals folds, permutes labels, seeds probes; the same generator state, the same result.
        cluster: N names of clusters (subjects, designs); None where samples are independent.
        split: N fold numbers of your own instead of `folds`.
        folds: Number of folds.
        probe: `ConvexProbe()` by default, or `PaperProbe()`.
        pool: Most positions of a map along each axis.
        pooling: `average` or `subsample`.
        intersection: Whether to probe all attributes' full intersection too.
        permutations: B of the permutation null; 0 for none.
        control: Whether to run the control task; it needs clusters.
        confidence: Confidence level of the intervals, 0 to 1.
        device: Where probes are fitted.

    Raises:
        DataError: Shapes do not fit, a cluster lies in two folds, or there are too few clusters.

    Source: Krug and Stober (2025), arXiv 2506.03664; Hewitt and Liang (2019), arXiv 1909.03368.

    Example:
        >>> rng = np.random.default_rng(0)
        >>> sex = np.repeat(["f", "m"], 50)
        >>> found = linear_probes({"last": (sex == "m")[:, None] * 1.0}, {"sex": sex}, rng=rng)
        >>> found.of("last", "sex").accuracy.value
        1.0
    """
    n = _count(activations)
    asked, undefined = _targets(targets, n, intersection=intersection)
    of_cluster = np.arange(n) if cluster is None else as_codes(cluster, n, "cluster")[1]
    if split is None:
        fold_of = cluster_folds(of_cluster, folds, rng=rng)
    else:
        fold_of = as_codes(split, n, "split")[1]
        check_split(fold_of, of_cluster)
    plan = _Plan(
        probe=ConvexProbe() if probe is None else probe,
        folds=fold_of,
        mixed=cluster_folds(np.arange(n), min(folds, n), rng=rng),
        clusters=of_cluster,
        clustered=cluster is not None,
        confidence=confidence,
        seed=int(rng.integers(2**31)),
    )
    drawn = [plan.draw(target, permutations, rng, control=control) for target in asked]
    results = {}
    for layer, values in activations.items():
        maps = torch.as_tensor(values)
        maps = maps if maps.is_floating_point() else maps.float()
        features = pool_activations(maps, pool, pooling=pooling).flatten(1).to(device)
        for labels in drawn:
            results[layer, labels.target.name] = plan.run(layer, features, labels)
    return LinearProbes(results, fold_of, undefined)


@dataclass(frozen=True, slots=True, eq=False)
class _Target:
    """A target: its levels that occur, each sample's, and what an intersection is made of."""

    name: str
    levels: tuple[str, ...]
    codes: Codes
    parts: Mapping[str, Codes]
    """Attribute -> its code of each of the intersection's levels."""


@dataclass(frozen=True, slots=True, eq=False)
class _Labels:
    """A target, and the labels that mean nothing which it is compared with."""

    target: _Target
    permuted: Codes
    control: Codes | None
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class _Plan:
    """How every layer is probed."""

    probe: Probe
    folds: Codes
    mixed: Codes
    clusters: Codes
    clustered: bool
    confidence: float
    seed: int

    def draw(
        self, target: _Target, permutations: int, rng: np.random.Generator, *, control: bool
    ) -> _Labels:
        """Draw the labels once, so that all layers are asked the same."""
        codes = target.codes
        permuted = [permuted_labels(codes, self.clusters, rng=rng) for _ in range(permutations)]
        drawn: Codes | None = None
        notes: tuple[str, ...] = ()
        if control and self.clustered:
            drawn = cluster_labels(codes, self.clusters, rng=rng)
        elif control:
            notes = ("no control task: without clusters, random labels have nothing to go by",)
        found = np.stack(permuted, axis=1) if permuted else np.empty((len(codes), 0), np.int64)
        return _Labels(target, found, drawn, notes)

    def run(self, layer: str, features: torch.Tensor, labels: _Labels) -> ProbeResult:
        target = labels.target
        classes = len(target.levels)
        apart = Setting(classes, self.folds, self.clusters, self.probe, self.seed)
        own = next(cross_fit(features, target.codes[:, None], apart))[1][:, 0]
        predicted = own.argmax(axis=0)
        correct = predicted == target.codes
        null = None
        if labels.permuted.shape[1]:
            draws = held_out_accuracy(features, labels.permuted, apart)
            null = Null(draws, float(correct.mean()))
        control = None
        if labels.control is not None:
            both = np.stack([target.codes, labels.control], axis=1)
            rates = held_out_accuracy(features, both, apart._replace(folds=self.mixed))
            control = Control(*rates.tolist())
        return ProbeResult(
            layer=layer,
            target=target.name,
            levels=target.levels,
            truth=target.codes,
            predicted=predicted,
            accuracy=self._rate(correct),
            features=features.shape[1],
            unseen=_unseen(target.codes, self.folds),
            null=null,
            control=control,
            marginals=self._marginals(target, own),
            notes=labels.notes,
        )

    def _rate(self, correct: NDArray[np.bool_]) -> ProbedRate:
        return probed_rate(
            correct, self.clusters if self.clustered else None, confidence=self.confidence
        )

    def _marginals(self, target: _Target, found: NDArray[np.float32]) -> dict[str, ProbedRate]:
        rates = {}
        for name, part in target.parts.items():
            summed = np.zeros((part.max() + 1, found.shape[1]))
            np.add.at(summed, part, found)
            rates[name] = self._rate(summed.argmax(axis=0) == part[target.codes])
        return rates


def _count(activations: Mapping[str, Values]) -> int:
    sizes = {layer: len(values) for layer, values in activations.items()}
    if len(set(sizes.values())) != 1 or min(sizes.values()) < 2:
        msg = f"every layer must hold the same two samples or more, got {sizes}"
        raise DataError(msg)
    return next(iter(sizes.values()))


def _targets(
    targets: Mapping[str, Sequence[object] | ArrayLike], n: int, *, intersection: bool
) -> tuple[list[_Target], dict[str, str]]:
    """What can be probed, and why the rest cannot."""
    found, undefined = [], {}
    for name, values in targets.items():
        levels, codes = as_codes(values, n, f"target {name!r}")
        if len(levels) < 2:
            undefined[name] = f"all samples have the level {levels[0]!r}; there is nothing to tell"
        else:
            found.append(_Target(name, levels, codes, {}))
    if intersection and len(found) > 1:
        found.append(_crossed(found))
    return found, undefined


def _crossed(parts: list[_Target]) -> _Target:
    """The full intersection, of which only what occurs is a level."""
    cells, codes = np.unique(np.stack([part.codes for part in parts]), axis=1, return_inverse=True)
    levels = tuple(
        "*".join(part.levels[i] for part, i in zip(parts, cell, strict=True)) for cell in cells.T
    )
    inside = {part.name: row for part, row in zip(parts, cells, strict=True)}
    return _Target("*".join(inside), levels, codes.reshape(-1).astype(np.int64), inside)


def _unseen(codes: Codes, folds: Codes) -> int:
    counts = np.zeros((int(codes.max()) + 1, int(folds.max()) + 1), dtype=np.int64)
    np.add.at(counts, (codes, folds), 1)
    elsewhere = counts.sum(axis=1, keepdims=True) - counts
    return int(counts[elsewhere == 0].sum())
