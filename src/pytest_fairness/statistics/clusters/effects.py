"""Several images of one person or design are not independent: how many are they worth?

The residuals of a rate are summed per cluster, within and across groups, and give its
cluster-robust variance. Divided by the variance of independent samples it is the design effect;
the sample divided by it is the effective one, on which the usual intervals are computed.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.clusters.counts import ClusterCounts

__all__ = [
    "mean_factors",
    "mean_pair_factors",
    "mean_worth",
    "worth",
]


def mean_factors(
    clusters: ClusterCounts,
    variance: Floats | float,
    *,
    confidence: float,
    growth: Floats | float = 1.0,
) -> Floats:
    """Return effective n divided by n for means of any outcome, e.g. -1, 0 and 1.

    Args:
        clusters: Sums of the outcome and n, (G, C).
        variance: Variance of one outcome of each group if samples were independent, (G,).
        confidence: Confidence level of the interval that the effective samples are for, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (G,).

    Returns:
        (G,) in (0, 1].
    """
    residuals, n, _ = _residuals(clusters)
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = variance / n
    effect = _Effect.of(residuals, clusters.n > 0, independent)
    return effect.factor(_one_a_cluster(clusters, n), confidence, growth)


def worth(clusters: ClusterCounts) -> Floats:
    """Return 1 / design effect of each group, (G,) in (0, 1]."""
    residuals, n, variance = _residuals(clusters)
    return _Effect.of(residuals, clusters.n > 0, variance).worth(_one_a_cluster(clusters, n))


def mean_worth(clusters: ClusterCounts, variance: Floats) -> Floats:
    """Return 1 / design effect of means of any outcome, given the variance of one outcome, (G,)."""
    residuals, n, _ = _residuals(clusters)
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = variance / n
    effect = _Effect.of(residuals, clusters.n > 0, independent)
    return effect.worth(_one_a_cluster(clusters, n))


def mean_pair_factors(
    clusters: ClusterCounts,
    variance: Floats,
    first: Integers,
    second: Integers,
    *,
    confidence: float,
    growth: Floats | float = 1.0,
) -> tuple[Floats, Floats]:
    """Return effective n divided by n of both groups, for a difference of means of any outcome.

    Args:
        clusters: Sums of the outcome and n, (G, C).
        variance: Variance of one outcome of each group if samples were independent, (G,).
        first: Positions of the first groups, (P,).
        second: Positions of the second groups, (P,).
        confidence: Confidence level of the interval, 0 to 1.
        growth: How many times as many clusters of the same kind there would be, (P,).
    """
    residuals, n, _ = _residuals(clusters)
    with np.errstate(divide="ignore", invalid="ignore"):
        independent = variance / n
    found = _Residuals(residuals, n, independent)
    effects = _PairEffects.from_residuals(clusters, found, first, second)
    return effects.factors(confidence=confidence, growth=growth)


class _PairEffects(NamedTuple):
    """Design effects of P pairs of groups, from which their factors follow at any level and size.

    Args:
        pair: Of what is subtracted or divided.
        own: Of the first and of the second groups, each alone.
        scarce: What their samples are worth when they show no variation, (P,) each.
    """

    pair: "_Effect"
    own: tuple["_Effect", "_Effect"]
    scarce: tuple[Floats, Floats]

    @classmethod
    def from_residuals(
        cls, clusters: ClusterCounts, found: "_Residuals", first: Integers, second: Integers
    ) -> "_PairEffects":
        """Return the effects on pairs of means of any outcome."""
        residuals, n, variance = found
        present = (clusters.n[first] + clusters.n[second]) > 0
        together = residuals[first] - residuals[second]
        pair = _Effect.of(together, present, variance[first] + variance[second])
        own, scarce = _Effect.of(residuals, clusters.n > 0, variance), _one_a_cluster(clusters, n)
        return cls(pair, (own.at(first), own.at(second)), (scarce[first], scarce[second]))

    def factors(self, *, confidence: float, growth: Floats | float = 1.0) -> tuple[Floats, Floats]:
        """Return the factors of the first and of the second groups."""
        one, two = (
            # A group without variation of its own has no say in the pair's design effect.
            np.where(
                np.isfinite(own.effect),
                self.pair.factor(scarce, confidence, growth),
                own.factor(scarce, confidence, growth),
            )
            for own, scarce in zip(self.own, self.scarce, strict=True)
        )
        return one, two


class _Residuals(NamedTuple):
    """Residual of each cluster, n of each group, and the variance if samples were independent."""

    residuals: Floats
    n: Integers
    variance: Floats


def _residuals(clusters: ClusterCounts) -> _Residuals:
    n = clusters.n.sum(axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rates = clusters.successes.sum(axis=1) / n
        residuals = (clusters.successes - rates[:, None] * clusters.n) / n[:, None]
        return _Residuals(residuals, n, rates * (1 - rates) / n)


def _one_a_cluster(clusters: ClusterCounts, n: Integers) -> Floats:
    share: Floats = np.minimum((clusters.n > 0).sum(axis=1) / np.maximum(n, 1), 1.0)
    return share


class _Effect(NamedTuple):
    """Design effect of some rates or pairs; nan where there is no variation to see it in."""

    effect: Floats
    freedom: Floats
    number: Integers

    @classmethod
    def of(cls, residuals: Floats, present: NDArray[np.bool_], independent: Floats) -> "_Effect":
        count = np.maximum(present.sum(axis=1), 2)
        squares = (residuals**2).sum(axis=1)
        with np.errstate(divide="ignore", invalid="ignore"):
            effect = squares * count / (count - 1) / independent
            freedom = squares**2 / (residuals**4).sum(axis=1)
        return cls(np.where(effect > 0, effect, np.nan), freedom, count)

    def at(self, positions: Integers) -> "_Effect":
        """The effects at some positions."""
        return _Effect(self.effect[positions], self.freedom[positions], self.number[positions])

    def worth(self, scarce: Floats) -> Floats:
        """Share of the samples that is left after the design effect."""
        known = np.isfinite(self.effect)
        share: Floats = np.where(
            known, 1 / np.maximum(np.where(known, self.effect, 1.0), 1.0), scarce
        )
        return share

    def factor(self, scarce: Floats, confidence: float, growth: Floats | float) -> Floats:
        known = np.isfinite(self.effect)
        most = self.number * growth - 1
        freedom = np.clip(np.where(known, self.freedom * growth, most), 1, most)
        tail = (1 + confidence) / 2
        factor: Floats = (
            self.worth(scarce) * (special.ndtri(tail) / special.stdtrit(freedom, tail)) ** 2
        )
        return factor
