"""Do the maps of two groups show the same? A cosine without its noise, with an interval."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import NamedTuple, TypeAlias

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from pytest_fairness.errors import DataError
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.wording import counted

__all__ = ["Similarities", "Similarity", "topographic_similarity"]

Codes: TypeAlias = NDArray[np.int64]
_BLOCKS = 100
"""Most blocks of clusters that the jackknife leaves out in turn."""


class Similarity(NamedTuple):
    """Similarity of two levels' maps.

    Args:
        first: One level.
        second: The other.
        value: Estimate; nan where `reason` says why there is none.
        low: Lower bound, at least -1.
        high: Upper bound, at most 1.
        n: Images of both levels.
        reason: Why it is undefined; empty where it is not.
        error: Standard error of the value; nan where it is undefined.
        sizes: Images of the first and of the second level.
    """

    first: str
    second: str
    value: float
    low: float
    high: float
    n: int
    reason: str = ""
    error: float = float("nan")
    sizes: tuple[int, int] = (0, 0)


@dataclass(frozen=True, slots=True, eq=False)
class Similarities:
    """Similarities of all pairs of levels in one layer.

    Args:
        pairs: In the order of the levels.
        noise: Share of the squared contrasts that was taken off as noise, 0 to 1.
        blocks: Blocks that the jackknife left out in turn.
    """

    pairs: tuple[Similarity, ...]
    noise: float
    blocks: int

    @property
    def lowest(self) -> Similarity:
        """The pair that is least alike. It is undefined only where all pairs are."""
        defined = [pair for pair in self.pairs if not pair.reason]
        return min(defined, key=lambda pair: pair.value) if defined else self.pairs[0]


def topographic_similarity(
    activations: torch.Tensor | ArrayLike,
    levels: Sequence[object] | ArrayLike,
    *,
    rng: np.random.Generator,
    classes: Sequence[object] | ArrayLike | None = None,
    cluster: Sequence[object] | ArrayLike | None = None,
    confidence: float = 0.95,
) -> Similarities:
    """Return the cosine between the contrast profiles of levels, side by side over the classes.

    The contrast runs over all cells level x class. Where the levels make no difference to how a
    layer tells the classes apart, their profiles are the same: 1. Where the layer tells levels
    apart rather than classes, they are opposite: for two levels -1, for G ones about -1 / (G - 1).
    Without classes two levels are always opposite, so a gate needs the classes. Profiles, not
    pixels, are compared: a picture also depends on the layout and its seed.

    Noise in the means would pull the cosine towards that of the fair model's opposite: its part
    in every inner product is estimated from the clusters and taken off. The interval is a
    jackknife-t over clusters, in at most 100 blocks; a percentile bootstrap of the plain cosine
    never covered the truth in simulation (`python -m benchmarks.similarity_coverage`).

    Args:
        activations: (N, C) or (N, C, h, w), which is averaged over positions.
        levels: N levels of the attribute.
        rng: Deals clusters to blocks.
        classes: N classes of the target; one class when None.
        cluster: N names of clusters; each image is one when None.
        confidence: Confidence level of the intervals, 0 to 1.

    Raises:
        DataError: Shapes do not fit, or there are fewer than two levels or three clusters.

    Source: the definition is ours, from the maps of Krug and Stober (2023); jackknife: Efron and
    Stein (1981), Ann. Statist. 9, 586.
    """
    values = torch.as_tensor(activations).detach().cpu().numpy()
    values = values.reshape(*values.shape[:2], -1).mean(axis=2, dtype=np.float64)
    names, of_level = _codes(levels, len(values), "levels")
    kinds = np.zeros(len(values)) if classes is None else classes
    class_names, of_class = _codes(kinds, len(values), "classes")
    units = np.arange(len(values)) if cluster is None else cluster
    blocks = _blocks(_codes(units, len(values), "cluster")[1], rng)
    if len(names) < 2 or blocks.max() < 2:
        msg = (
            f"similarity needs two levels and three clusters or more, got levels {list(names)} "
            f"and {counted(int(blocks.max()) + 1, 'cluster')}"
        )
        raise DataError(msg)
    cells = _Cells.of(values, (blocks, of_level, of_class), (len(names), len(class_names)))
    return _compared(cells, names, class_names, confidence)


def _codes(values: object, n: int, name: str) -> tuple[tuple[str, ...], Codes]:
    found = np.asarray(values)
    if found.shape != (n,):
        msg = f"{name} must hold one value for each of {counted(n, 'sample')}, got shape {found.shape}"
        raise DataError(msg)
    levels, codes = np.unique(found.astype(str), return_inverse=True)
    return tuple(levels.tolist()), codes.astype(np.int64)


def _blocks(clusters: Codes, rng: np.random.Generator) -> Codes:
    count = int(clusters.max()) + 1
    dealt = rng.permutation(count) % _BLOCKS
    return np.asarray(dealt[clusters], dtype=np.int64)


class _Cells(NamedTuple):
    """Sums and counts of every block, level and class: (B, A, K, C) and (B, A, K)."""

    sums: Floats
    counts: Floats

    @classmethod
    def of(cls, values: Floats, codes: tuple[Codes, ...], shape: tuple[int, int]) -> "_Cells":
        whole = (int(codes[0].max()) + 1, *shape)
        place = np.ravel_multi_index(codes, whole)
        order = np.argsort(place, kind="stable")
        filled, first = np.unique(place[order], return_index=True)
        sums = np.zeros((np.prod(whole), values.shape[1]))
        sums[filled] = np.add.reduceat(values[order], first, axis=0)
        counts = np.bincount(place, minlength=int(np.prod(whole))).astype(np.float64)
        return cls(sums.reshape(*whole, -1), counts.reshape(whole))

    def only(self, levels: NDArray[np.bool_]) -> "_Cells":
        return _Cells(self.sums[:, levels], self.counts[:, levels])

    def without(self, block: int) -> "_Cells":
        return _Cells(np.delete(self.sums, block, axis=0), np.delete(self.counts, block, axis=0))

    def products(self) -> tuple[Floats, Floats]:
        """Inner products of the levels' contrasts (A, A), and the noise in them.

        The noise is the sum over blocks of the products of how far each moves the contrasts.
        """
        total = self.counts.sum(axis=0)
        means = self.sums.sum(axis=0) / total[..., None]
        moves = (self.sums - self.counts[..., None] * means) / total[..., None]
        profile, move = _contrast(means), _contrast(moves)
        count = len(self.counts)
        noise = np.tensordot(move, move, axes=((0, 2), (0, 2))) * (count / (count - 1))
        return profile @ profile.T, noise

    def cosines(self) -> Floats:
        """Cosines without noise (A, A), not clipped; nan where no contrast is above its noise."""
        plain, noise = self.products()
        clean = plain - noise
        squares = np.diag(clean)
        with np.errstate(invalid="ignore"):
            lengths = np.sqrt(np.where(squares > 0, squares, np.nan))
        return np.asarray(clean / np.outer(lengths, lengths))


def _contrast(means: Floats) -> Floats:
    """(…, A, K, C) less the mean of all cells, with classes side by side: (…, A, K * C)."""
    centred = means - means.mean(axis=(-3, -2), keepdims=True)
    return np.asarray(centred.reshape(*centred.shape[:-2], -1), dtype=np.float64)


def _compared(
    cells: _Cells, names: tuple[str, ...], classes: tuple[str, ...], confidence: float
) -> Similarities:
    reasons = _reasons(cells.counts, classes)
    usable = np.array([not reason for reason in reasons])
    n = cells.counts.sum(axis=(0, 2))
    kept = cells.only(usable)
    place = {int(i): k for k, i in enumerate(np.flatnonzero(usable))}
    count = len(cells.counts)
    noise, value, error = np.nan, np.empty((0, 0)), np.empty((0, 0))
    quantile = float(stats.t.ppf((1 + confidence) / 2, count - 1))
    if len(place) > 1:
        plain, taken = kept.products()
        noise = float(np.clip(np.trace(taken) / np.trace(plain), 0, 1)) if plain.any() else np.nan
        value = kept.cosines()
        left_out = np.stack([kept.without(block).cosines() for block in range(count)])
        spread = (left_out - left_out.mean(axis=0)) ** 2
        error = np.sqrt((count - 1) / count * spread.sum(axis=0))
    pairs = []
    for i, j in combinations(range(len(names)), 2):
        sizes = int(n[i]), int(n[j])
        why = next((f"level {names[k]!r} {reasons[k]}" for k in (i, j) if reasons[k]), "")
        if not why:
            one, other = place[i], place[j]
            found, off = value[one, other], float(error[one, other])
            if np.isfinite(off):
                margin = off * quantile
                low, high = np.clip([found - margin, found + margin], -1, 1).tolist()
                clipped = float(np.clip(found, -1, 1))
                pairs.append(
                    Similarity(names[i], names[j], clipped, low, high, sum(sizes), "", off, sizes)
                )
                continue
            why = "the layer shows no pattern above its noise; more images would tell"
        nothing = np.nan, np.nan, np.nan
        pairs.append(Similarity(names[i], names[j], *nothing, sum(sizes), why, np.nan, sizes))
    return Similarities(tuple(pairs), noise, count)


def _reasons(counts: Floats, classes: tuple[str, ...]) -> list[str]:
    """Why each level cannot be compared; empty where it can."""
    present = (counts > 0).sum(axis=0)
    reasons = []
    for of_class in present:
        worst = int(of_class.argmin())
        kind = f" of class {classes[worst]!r}" if len(classes) > 1 else ""
        if of_class[worst] == 0:
            reasons.append(f"has no image{kind}")
        elif of_class[worst] == 1:
            reasons.append(f"has images{kind} in one cluster only")
        else:
            reasons.append("")
    return reasons
