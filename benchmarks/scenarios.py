"""True rates of some groups, and what a policy asks about them: the grid of the simulation."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.policy import Policy, load_policy
from pytest_fairness.statistics.arrays import ROUNDING, Floats
from pytest_fairness.statistics.counts import GroupCounts

__all__ = ["GROUPS", "KINDS", "SIZES", "WAYS", "Kind", "Scenario", "grid", "rates_of"]

Kind: TypeAlias = Literal["minimum", "difference", "difference, all", "ratio", "ratio, all"]
Spread: TypeAlias = Literal["one", "many"]

KINDS: tuple[Kind, ...] = ("minimum", "difference", "difference, all", "ratio", "ratio, all")
GROUPS = (2, 8, 24)
SIZES = (5, 20, 100, 400, 2000)
# A small group beside a large reference.
SMALL_BESIDE_LARGE = (20, 400)
# The true gap, as a share of the one that the limit allows.
WAYS = (0.0, 0.5, 1.0, 1.5, 2.0)
_LARGEST_DIFFERENCE, _SMALLEST_RATIO = 0.1, 0.8


def rates_of(kind: Kind) -> tuple[float, ...]:
    """Rates that are tried: of the reference; of a minimum, the limit itself."""
    return (0.5, 0.8, 0.9, 0.95, 0.99) if kind == "minimum" else (0.01, 0.1, 0.5, 0.9, 0.99)


@dataclass(frozen=True, slots=True)
class Scenario:
    """One truth, and the question or questions that the policy asks about it.

    Args:
        kind: A minimum of each group; a difference or ratio to a named group, or over all groups.
        groups: Number of groups, 2 or more.
        size: Images of each group.
        way: The true gap, as a share of the one that the limit allows.
        rate: True rate of the reference group; of a minimum, the limit.
        spread: How many groups are off: one; or as many as make errors likeliest.
        reference_size: Images of the reference group, where it has more than the others.
    """

    kind: Kind
    groups: int
    size: int
    way: float
    rate: float
    spread: Spread = "one"
    reference_size: int | None = None

    @property
    def sizes(self) -> NDArray[np.int64]:
        """Images of each group (G,)."""
        return np.array([self.reference_size or self.size] + [self.size] * (self.groups - 1))

    @property
    def rates(self) -> Floats:
        """True rate of each group (G,); the first is the reference."""
        if self.kind == "minimum":
            right, wrong = 1.0, 1 - self.way * (1 - self.rate)
        elif self.kind.startswith("ratio"):
            right, wrong = self.rate, self.rate * (1 - self.way * (1 - _SMALLEST_RATIO))
        else:
            gap = self.way * _LARGEST_DIFFERENCE
            right = self.rate
            wrong = right + gap if right < 0.5 else right - gap
        found = np.full(self.groups, right)
        found[self._off] = max(wrong, 0.0)
        return found

    @property
    def _off(self) -> slice:
        if self.spread == "one":
            return slice(-1, None)
        if self.kind == "minimum":
            return slice(None)
        return slice(self.groups // 2 if self.kind.endswith("all") else 1, None)

    @property
    def truth(self) -> Floats:
        """True value of each question (Q,)."""
        rates = self.rates
        match self.kind:
            case "minimum":
                return rates
            case "difference":
                return np.asarray(rates[1:] - rates[0])
            case "ratio":
                return np.asarray(rates[1:] / rates[0])
            case "difference, all":
                return np.array([rates.max() - rates.min()])
            case _:
                return np.array([rates.min() / rates.max()])

    @property
    def limit(self) -> tuple[float, float]:
        """Least and largest value that is allowed."""
        if self.kind == "minimum":
            return self.rate, np.inf
        if self.kind.startswith("ratio"):
            return _SMALLEST_RATIO, np.inf
        return -_LARGEST_DIFFERENCE, _LARGEST_DIFFERENCE

    @property
    def broken(self) -> NDArray[np.bool_]:
        """Whether the limit of each question (Q,) is truly broken."""
        return self.breaks(self.truth)

    def breaks(self, values: Floats) -> NDArray[np.bool_]:
        """Whether values lie beyond the limit."""
        low, high = self.limit
        return np.asarray((values < low - ROUNDING) | (values > high + ROUNDING))

    @property
    def at_limit(self) -> NDArray[np.bool_]:
        """Whether the truth of each question (Q,) lies on its limit."""
        away = [np.abs(self.truth - end) for end in self.limit if np.isfinite(end)]
        near = np.min(away, axis=0) < ROUNDING
        return np.asarray(near if self.way else np.zeros_like(near))

    def policy(self, **decision: str) -> Policy:
        """The policy with one rule that asks about the groups."""
        names = [f"g{i}" for i in range(self.groups)]
        evaluation = {"positive": "yes", "classes": ["no", "yes"], "attributes": {"g": names}}
        return load_policy(
            {
                "schema": 1,
                "decision": {"inconclusive": "warn", **decision},
                "evaluation": {"faces": evaluation | {"reference": {"g": "g0"}}},
                "rule": [{"by": ["g"], **self._rule}],
            }
        )

    @property
    def _rule(self) -> dict[str, Any]:
        everybody = {"reference": "all"} if self.kind.endswith("all") else {}
        if self.kind == "minimum":
            return {"metric": "accuracy", "min": self.rate}
        if self.kind.startswith("ratio"):
            return {"metric": "selection_rate_ratio", "min": _SMALLEST_RATIO, **everybody}
        return {"metric": "selection_rate_difference", "max": _LARGEST_DIFFERENCE, **everybody}

    def draw(self, runs: int, rng: np.random.Generator) -> NDArray[np.int64]:
        """Successes of each group, (runs, G)."""
        return rng.binomial(self.sizes, self.rates, size=(runs, self.groups))

    def counts(self, successes: NDArray[np.int64]) -> GroupCounts:
        """Counts of a run: of targets that are all `yes`, so many are predicted so."""
        cells = np.zeros((self.groups, 2, 2), dtype=np.int64)
        cells[:, 1, 0], cells[:, 1, 1] = self.sizes - successes, successes
        levels = {"g": tuple(f"g{i}" for i in range(self.groups))}
        return GroupCounts(levels, ("no", "yes"), cells)


def grid(
    *,
    kinds: tuple[Kind, ...] = KINDS,
    groups: tuple[int, ...] = GROUPS,
    sizes: tuple[int, ...] = SIZES,
    ways: tuple[float, ...] = WAYS,
) -> Iterator[Scenario]:
    """Every scenario, without those that are the same as another one."""
    cases: list[tuple[Kind, int, int | None]] = [
        (kind, size, None) for kind in kinds for size in sizes
    ]
    if SMALL_BESIDE_LARGE[0] in sizes:
        cases += [(kind, *SMALL_BESIDE_LARGE) for kind in kinds if kind in ("difference", "ratio")]
    for (kind, size, reference_size), number, way in product(cases, groups, ways):
        for rate in rates_of(kind):
            spreads: tuple[Spread, ...] = ("one", "many")
            if not way or (number == 2 and kind != "minimum"):
                spreads = ("one",)
            for spread in spreads:
                yield Scenario(kind, number, size, way, rate, spread, reference_size)
