"""The search for what samples can settle: the values that they tell apart, and the samples needed."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.gate.record.details import FrozenRecord
from pytest_fairness.planning.designs import Design, Target
from pytest_fairness.statistics.arrays import Integers
from pytest_fairness.statistics.power.margins import Settled
from pytest_fairness.statistics.power.power import smallest_size

__all__ = ["HALF_AGAIN", "HALF_WAY", "Effort", "Planned"]


# Where the truth is taken to lie on the way from perfect fairness (0) to the limit (1).
HALF_WAY, HALF_AGAIN = 0.5, 1.5
# The way is halved so often: values are found to a thousandth of the distance to the limit.
_HALVINGS = 11


class Effort(FrozenRecord):
    """The samples that each group needs for a verdict."""

    value: float
    """The value that is taken for the truth."""
    n: int | None
    """Samples in each group; larger other groups stay as they are. None: a million will not do."""


@dataclass(frozen=True, slots=True)
class Planned:
    """A question under assumed rates, with the samples at hand.

    Args:
        design: How likely it is settled.
        target: The way from perfect fairness to the limit.
        sizes: (G,) samples that each group is worth.
        own: Position of the group that is asked about.
        worth: What one sample of it is worth, 0 to 1: clustered ones are worth less.
        chance: Power that is planned for, 0 to 1.
    """

    design: Design
    target: Target
    sizes: Integers
    own: int
    worth: float
    chance: float

    def passes_at(self) -> float | None:
        """Return the value nearest the limit that passes, or None if even perfect fairness does not pass."""
        if not self._settles(0.0, "kept"):
            return None
        passing, open_ = 0.0, 1.0
        for _ in range(_HALVINGS):
            middle = (passing + open_) / 2
            passing, open_ = (middle, open_) if self._settles(middle, "kept") else (passing, middle)
        return self.target.at(passing)

    def fails_at(self) -> float | None:
        """Return the value nearest the limit that fails, or None if even the worst value does not fail."""
        open_, failing = 1.0, self.target.longest
        if not np.isfinite(failing) or not self._settles(failing, "broken"):
            return None
        while failing - open_ > 2.0**-_HALVINGS:
            middle = (open_ + failing) / 2
            open_, failing = (
                (open_, middle) if self._settles(middle, "broken") else (middle, failing)
            )
        return self.target.at(failing)

    def effort(self, way: float, settled: Settled, *, least: int) -> Effort:
        """Return the samples needed where the truth lies so far on the way, at least `least`."""
        value = self.target.at(way)

        def power(needed: Integers) -> NDArray[np.float64]:
            sizes = np.maximum(self.sizes, needed[:, None])
            sizes[:, self.own] = needed
            return self.design.power(value, sizes, settled)

        n = smallest_size(power, target=self.chance)
        return Effort(
            value=value, n=None if n is None else max(math.ceil(n / self.worth - 1e-9), least)
        )

    @property
    def can_fail(self) -> bool:
        """Whether the worst result of these samples fails."""
        return self.design.can_fail(self.sizes)

    def _settles(self, way: float, settled: Settled) -> bool:
        found = self.design.power(self.target.at(way), self.sizes[None, :], settled)
        return bool(found[0] >= self.chance)
