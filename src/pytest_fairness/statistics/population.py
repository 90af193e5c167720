"""A sample's distribution over K levels beside that of a reference population."""

from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

from pytest_fairness.errors import FairnessError
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.intervals.rates import Interval, clopper_pearson
from pytest_fairness.statistics.intervals.simultaneous import bonferroni

__all__ = ["FitTest", "goodness_of_fit", "mean_design_effect", "share_intervals", "total_variation"]


# Below this expected count the chi-square distribution is not trusted (Cochran 1954).
_FEW = 5.0


class FitTest(NamedTuple):
    """A test of whether counts are a sample of the population.

    Args:
        chi_square: Pearson's statistic, after the design effect.
        g: Likelihood-ratio statistic, after the design effect.
        p_value: Of `chi_square`.
        g_p_value: Of `g`.
        method: Whether p-values are from the chi-square distribution or from simulated samples.
        smallest_expected: Smallest expected count.
    """

    chi_square: float
    g: float
    p_value: float
    g_p_value: float
    method: Literal["chi-square", "simulated"]
    smallest_expected: float


def goodness_of_fit(
    counts: ArrayLike,
    shares: ArrayLike,
    *,
    rng: np.random.Generator,
    design_effect: float = 1.0,
    draws: int = 9_999,
) -> FitTest:
    """Test counts of K levels against the shares of a population.

    Where an expected count is below 5, p-values are those of simulated samples of the same size.

    Args:
        counts: (K,) counts.
        shares: (K,) shares of the population, above 0, adding up to 1.
        rng: Source of the simulated samples.
        design_effect: Mean design effect of clusters, at least 1; the statistics are divided by it.
        draws: Samples to simulate.

    Raises:
        FairnessError: There are fewer than two levels or no samples, or a share is 0.

    Source: Pearson (1900); Cochran (1954), Biometrics 10, 417 (small counts); Rao and Scott (1981),
    J. Am. Stat. Assoc. 76, 221 (clusters).

    Example:
        >>> found = goodness_of_fit([12, 20, 28], [1 / 3] * 3, rng=np.random.default_rng(0))
        >>> f"{found.chi_square:.1f} {found.p_value:.4f} {found.method}"
        '6.4 0.0408 chi-square'
    """
    observed = np.asarray(counts, dtype=np.int64)
    population = np.asarray(shares, dtype=np.float64)
    n = int(observed.sum())
    if len(observed) < 2 or n == 0 or (population <= 0).any():
        msg = "a test of fit needs two levels or more, each with a share above 0, and samples"
        raise FairnessError(msg)
    expected = population / population.sum() * n
    chi_square, g = (float(value) / design_effect for value in _statistics(observed, expected))
    if expected.min() >= _FEW:
        tails = np.asarray(stats.chi2.sf([chi_square, g], len(observed) - 1))
        return _fit(chi_square, g, tails, "chi-square", expected)
    drawn = _statistics(rng.multinomial(n, population / population.sum(), size=draws), expected)
    tails = np.array(
        [
            (1 + int((some >= value - 1e-9).sum())) / (draws + 1)
            for some, value in zip(drawn, (chi_square, g), strict=True)
        ]
    )
    return _fit(chi_square, g, tails, "simulated", expected)


def _fit(
    chi_square: float,
    g: float,
    tails: Floats,
    method: Literal["chi-square", "simulated"],
    expected: Floats,
) -> FitTest:
    own, likelihood = (float(tail) for tail in tails)
    return FitTest(chi_square, g, own, likelihood, method, float(expected.min()))


def _statistics(observed: Integers, expected: Floats) -> tuple[Floats, Floats]:
    """Pearson's statistic and G along the last axis."""
    wanted = np.broadcast_to(expected, observed.shape)
    pearson, g = (
        np.asarray(stats.power_divergence(observed, wanted, axis=-1, lambda_=kind).statistic)
        for kind in ("pearson", "log-likelihood")
    )
    return pearson, g


def share_intervals(
    counts: ArrayLike, *, worth: ArrayLike = 1.0, confidence: float = 0.95
) -> Interval:
    """Return intervals of the shares of K levels that hold together.

    The exact interval of each share at the level 1 - (1 - confidence)/K (Bonferroni): small shares are
    where an approximate one would show differences that are none.

    Args:
        counts: (K,) counts.
        worth: Share of the samples that is left after the design effect of clusters, (K,) or one.
        confidence: Confidence level that all intervals hold together, 0 to 1.

    Raises:
        FairnessError: Counts or confidence are out of range.

    Source: Goodman (1965), Technometrics 7, 247 (simultaneous intervals); Clopper and Pearson
    (1934), Biometrika 26, 404 (each of them).

    Example:
        >>> low, high = share_intervals([56, 72, 73, 59, 62, 87, 58])
        >>> f"{low[0]:.3f} {high[0]:.3f}"
        '0.083 0.166'
    """
    observed = np.asarray(counts, dtype=np.float64)
    factor = np.broadcast_to(np.asarray(worth, dtype=np.float64), observed.shape)
    each = bonferroni(confidence, len(observed))
    return clopper_pearson(observed * factor, observed.sum() * factor, confidence=each)


def mean_design_effect(shares: ArrayLike, effects: ArrayLike) -> float:
    """Return by what clusters inflate Pearson's statistic, at least 1.

    Args:
        shares: (K,) shares of the population, adding up to 1.
        effects: (K,) design effect of the share of each level.

    Source: Rao and Scott (1981), J. Am. Stat. Assoc. 76, 221: the first-order correction, with
    the shares of the hypothesis.

    Example:
        >>> mean_design_effect([0.5, 0.5], [4.0, 4.0])
        4.0
    """
    population = np.asarray(shares, dtype=np.float64)
    terms = (1 - population) * np.asarray(effects, dtype=np.float64)
    return max(float(terms.sum()) / (len(population) - 1), 1.0)


def total_variation(counts: ArrayLike, shares: ArrayLike) -> float:
    """Return the share of samples that would have to be of another level to match, 0 to 1.

    Example:
        >>> total_variation([75, 25], [0.5, 0.5])
        0.25
    """
    observed = np.asarray(counts, dtype=np.float64) / np.sum(counts)
    return float(np.abs(observed - np.asarray(shares, dtype=np.float64)).sum() / 2)
