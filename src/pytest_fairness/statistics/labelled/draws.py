"""The labelled samples of one group in the order in which they were drawn, and what they show."""

import math
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.labelled.outcomes import Outcomes

__all__ = ["Draws"]

# How much of the largest loss that a draw may bring is staked, with the weight of each.
_STAKES = np.array([0.97, 0.8, 0.6, 0.45, 0.3, 0.15])
_STAKE_WEIGHTS = np.array([3.0, 3.0, 3.0, 3.0, 1.5, 0.5])
# How far the model's chances are trusted as control variate, with the weight of each.
_TRUST = np.array([0.0, 0.5, 1.0])
_TRUST_WEIGHTS = np.array([1.0, 1.0, 3.0])
_NO_BET = 0.02
# Weight of stakes that follow from what the labels so far, and before them the model, let expect.
_FOLLOWING = 0.5
# Draws that the expectation of the model counts for.
_PRIOR_DRAWS = 40.0
# Labels at which the evidence about the pool weighs as much as that of the labels, with weights.
_POOL_LABELS = np.array([100.0, 400.0, 1600.0])
_POOL_WEIGHTS = np.array([0.5, 0.3, 0.2])
_POOL_DEPTH = 4.3
# Sums of the pool that are tried, in standard deviations: fine steps, then coarse ones.
_FINE = np.arange(-4.0, 5.01, 0.5)
_GRID = np.concatenate([_FINE, [6.0, 7.0, 8.0, 9.5, 11.5, 14.0, 18.0, 24.0, np.inf]])
_HALVINGS = 40
# Rates at which the largest loss is found; it is convex in between.
_KNOTS = np.linspace(0.0, 1.0, 17)
_CHUNK = 2_000_000
_TRUSTED = _TRUST_WEIGHTS / _TRUST_WEIGHTS.sum()
_FIXED = (1 - _NO_BET - _FOLLOWING) * np.outer(_TRUSTED, _STAKE_WEIGHTS / _STAKE_WEIGHTS.sum())


@dataclass(frozen=True, eq=False)
class Draws:
    """Draws without replacement from the M samples of a group, with known probabilities.

    Args:
        outcomes: The outcomes that the labels of the M samples may have.
        drawn: Positions of the n samples that were drawn, in order.
        first: Whether the label was the first outcome, (n,).
        weights: In each of R rounds, what the probabilities were proportional to, (R, M); 0 only
            for samples that were drawn before the round.
        rounds: Position of the round of each draw, (n,).
        sizes: Samples of each cluster of dependent samples in the group; ones where independent.
    """

    outcomes: Outcomes
    drawn: Integers
    first: NDArray[np.bool_]
    weights: Floats
    rounds: Integers
    sizes: Floats

    @property
    def n(self) -> int:
        """The number of draws."""
        return len(self.drawn)

    @property
    def complement(self) -> "Draws":
        """The same draws for the rate of what is counted among and not seen."""
        return replace(self, outcomes=self.outcomes.complement)

    @cached_property
    def _seen_among(self) -> tuple[Floats, Floats]:
        """What each draw turned out to be, (n,) each: counted, and counted among."""
        which = np.where(self.first, 0, 1)
        return self.outcomes.seen[self.drawn, which], self.outcomes.among[self.drawn, which]

    @property
    def counted(self) -> tuple[float, float]:
        """The labels that the rate counted, and that it counted among."""
        seen, among = self._seen_among
        return float(seen.sum()), float(among.sum())

    @cached_property
    def _left(self) -> Floats:
        """Samples that each draw was drawn from, (n,)."""
        return len(self.outcomes.chance) - np.arange(self.n, dtype=np.float64)

    @cached_property
    def _scale(self) -> Floats:
        """The mean weight of the samples that each draw was drawn from, (n,)."""
        total = np.empty(self.n)
        for number, weights in enumerate(self.weights):
            here = np.flatnonzero(self.rounds == number)
            own = weights[self.drawn[here]]
            total[here] = weights.sum() - (np.cumsum(own) - own)
        return total / self._left

    @cached_property
    def _factor(self) -> Floats:
        """The inverse of each probability beside that of an even draw, (n,)."""
        return self._scale / self.weights[self.rounds, self.drawn]

    def _remaining(self, of_pool: Floats) -> Floats:
        """Sum of a number of the samples (M,) that are left before each draw, (n,)."""
        own = of_pool[self.drawn]
        return np.asarray(of_pool.sum() - (np.cumsum(own) - own))

    @property
    def estimate(self) -> float:
        """The rate by inverse probabilities with the model's chances as control variate, 0 to 1.

        The mean over the draws of unbiased estimates of the pool's sums, divided. nan without any.

        Source: Zrnic and Candes (2024), Active Statistical Inference, ICML.
        """
        sums = []
        for actual, expected in zip(self._seen_among, self.outcomes.expected, strict=True):
            known = np.cumsum(actual) - actual
            residual = (actual - expected[self.drawn]) * self._factor * self._left
            sums.append(float((known + self._remaining(expected) + residual).sum()))
        seen, among = sums
        return min(max(seen / among, 0.0), 1.0) if among > 0 else math.nan

    def log_evidence(self, rates: Floats, after: Integers | None = None) -> Floats:
        """Return the logarithm of the evidence that the population's rate is above each rate.

        If it is not, evidence of 1 / a or more is ever reached with probability a at most,
        whatever the chances of the model are worth, and however draws and rounds were stopped.

        It is a bet against each sum tau that seen - rate x among may have over the pool (sampling
        without replacement), multiplied by one on the pool itself against the population, at the
        worst tau. What a draw adds has mean 0 under tau:
        u = (x - c f) / (M q) + (c F + S - tau) / M, of M samples that are left, with the probability
        q, the expectation f, its sum F over those left, and S over those known. Stakes and several c
        are mixed.

        Args:
            rates: Rates to test (P,), 0 to 1.
            after: Numbers of draws (L,) after which to look, 1 to n; all of them when absent.

        Returns:
            (P,), or (P, L) with `after`.

        Source: Waudby-Smith and Ramdas (2024), JRSS B 86, 1 (betting); Shekhar et al. (2023), NeurIPS
            (weighted draws without replacement, with control variates); Zrnic and Candes (2024).
        """
        rates = np.clip(rates, 1e-6, 1 - 1e-6)
        looks = np.array([self.n]) if after is None else after
        size = max(1, _CHUNK // (len(_GRID) * max(self.n, 1)))
        parts = [self._evidence(rates[i : i + size], looks) for i in range(0, len(rates), size)]
        found = np.concatenate(parts) if parts else np.empty((0, len(looks)))
        return found[:, 0] if after is None else found

    def _evidence(self, rates: Floats, looks: Integers) -> Floats:
        m = len(self.outcomes.chance)
        squares = self.sizes**2
        spread = np.sqrt(squares.sum() * rates * (1 - rates) + squares.max() / 4)[:, None]
        tau = np.clip(spread * _GRID, -m * rates[:, None], m * (1 - rates)[:, None])
        wealth, pool = self._wealth(rates, tau, looks), self._pool(rates, tau)[:, :, None]
        fine = len(_FINE)
        smooth = (wealth + pool)[:, :fine]
        # Between two points the value is at most this much lower, by the curvature seen there.
        bend = np.maximum(np.diff(smooth, n=2, axis=1), 0.0) / 8
        bend = np.concatenate([bend[:, :1], bend, bend[:, -1:]], axis=1)
        # Wealth against a sum holds for every smaller one, and evidence about the pool grows.
        coarse = wealth[:, fine:] + pool[:, fine - 1 : -1]
        return np.asarray(np.minimum((smooth - bend).min(axis=1), coarse.min(axis=1)))

    def _wealth(self, rates: Floats, tau: Floats, looks: Integers) -> Floats:
        """Logarithm of the wealth against each sum of the pool after each look, (P, T, L)."""
        found = [np.full((*tau.shape, len(looks)), math.log(_NO_BET))]
        x, fx = (self._apart(rates, *pair) for pair in (self._seen_among, self._expected))
        known = np.cumsum(x, axis=1) - x
        seen, among = self.outcomes.expected
        expected = self._remaining(seen) - rates[:, None] * self._remaining(among)
        share = tau[:, :, None] / self._left
        for i, trust in enumerate(_TRUST):
            fixed = (trust * expected + known) / self._left
            gain = (x - trust * fx) * self._factor + fixed
            worst = fixed - self._at(rates, self._losses[i]) * self._scale
            loss = np.maximum(share - worst[:, None, :], 1e-12)
            gains = gain[:, None, :] - share
            relative = np.maximum(gains / loss, -1.0)
            following = self._following(gains, rates, tau, trust) * loss
            stakes = [*zip(_STAKES, _FIXED[i], strict=True)]
            stakes += [(np.clip(following, 0.0, _STAKES[0]), _FOLLOWING * _TRUSTED[i])]
            for stake, weight in stakes:
                grown = np.cumsum(np.log1p(stake * relative), axis=2)[:, :, looks - 1]
                found.append(math.log(weight) + grown)
        return np.asarray(special.logsumexp(found, axis=0))

    def _following(self, gains: Floats, rates: Floats, tau: Floats, trust: float) -> Floats:
        """Stakes by the mean and the mean square of the gains before each draw, (P, T, n).

        Before the first draw they are those that the model expects.

        Source: Waudby-Smith and Ramdas (2024), appendix B.3 (approximately growth-rate adaptive).
        """
        seen, among = self.outcomes.expected
        f = seen - rates[:, None] * among
        sides = self.outcomes.seen - rates[:, None, None] * self.outcomes.among
        chance = self.outcomes.chance
        squares = (sides[..., 0] - trust * f) ** 2 * chance
        squares += (sides[..., 1] - trust * f) ** 2 * (1 - chance)
        weights = self.weights[0]
        there = weights > 0
        spread = (squares[:, there] / weights[there]).mean(axis=1) * weights.mean()
        mean = f.mean(axis=1)[:, None] - tau / len(chance)
        first, second = mean[..., None], (spread[:, None] + mean**2)[..., None]
        past = np.arange(self.n) + _PRIOR_DRAWS
        total = np.cumsum(gains, axis=2) - gains + _PRIOR_DRAWS * first
        square = np.cumsum(gains**2, axis=2) - gains**2 + _PRIOR_DRAWS * second
        return np.asarray((total / past) / np.maximum(square / past, 1e-9))

    @property
    def _expected(self) -> tuple[Floats, Floats]:
        seen, among = self.outcomes.expected
        return seen[self.drawn], among[self.drawn]

    @staticmethod
    def _apart(rates: Floats, seen: Floats, among: Floats) -> Floats:
        return np.asarray(seen - rates[:, None] * among)

    @cached_property
    def _losses(self) -> Floats:
        """The largest loss of a draw by trust, round and knot, before the scale of the draw."""
        seen, among = self.outcomes.expected
        found = np.zeros((len(_TRUST), len(self.weights), len(_KNOTS)))
        for i, weights in enumerate(self.weights):
            there = weights > 0
            for k, rate in enumerate(_KNOTS):
                worst = (self.outcomes.seen - rate * self.outcomes.among)[there].min(axis=1)
                f = (seen - rate * among)[there]
                for t, trust in enumerate(_TRUST):
                    found[t, i, k] = ((trust * f - worst) / weights[there]).max(initial=0.0)
        return found

    def _at(self, rates: Floats, losses: Floats) -> Floats:
        by_round = np.array([np.interp(rates, _KNOTS, one) for one in losses])
        return np.asarray(by_round[self.rounds].T)

    def _pool(self, rates: Floats, tau: Floats) -> Floats:
        """Logarithm of the evidence of the pool's sum about the population, (P, T)."""
        squares = float((self.sizes**2).sum())
        share = 1.6 * _POOL_LABELS * squares / self.sizes.sum() ** 2
        depth = _POOL_DEPTH * share / (1 + share)
        sizes, number = np.unique(self.sizes, return_counts=True)
        p = rates[:, None]

        def moments(b: Floats) -> Floats:
            # The expectation of exp(b x) of a cluster is at most that of one whose samples agree.
            both = np.log1p(-p) - b * sizes * p, np.log(p) + b * sizes * (1 - p)
            return np.asarray((np.logaddexp(*both) @ number)[:, None])

        found = []
        for c, weight in zip(depth, _POOL_WEIGHTS, strict=True):
            low, high = np.zeros_like(p), 4 * np.sqrt(2 * c / (squares * p * (1 - p)))
            for _ in range(_HALVINGS):
                b = (low + high) / 2
                less = moments(b) < c
                low, high = np.where(less, b, low), np.where(less, high, b)
            found.append(math.log(weight) + low * tau - moments(low))
        evidence = special.logsumexp(found, axis=0)
        # Sums below the first count as the first, which adds at most its evidence to the mean of 1.
        return np.asarray(evidence - np.logaddexp(0.0, evidence[:, :1]))
