"""How much wider a sum of estimates varies than if they were independent."""

from dataclasses import dataclass

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["Dependence", "MostDependent"]


@dataclass(frozen=True, slots=True)
class Dependence:
    """Errors of the parts of a measure that come from the same units: clusters, or samples.

    Args:
        together: How far each of U units moves the sum of the parts of each group, (G, U).
        apart: Sum of the squares of how far each unit moves each part, (G,): the variance of the
            sum if the parts were independent.
        shared: Whether a unit of one group is the same as that of another (one design in two
            tones), or each group has units of its own.
        most: Largest variance of a sum of parts over that of independent ones.

    Source: the delta method; the variance of a sum over the sum of variances.
    """

    together: Floats
    apart: Floats
    shared: bool
    most: float

    def alone(self, groups: Integers) -> Floats:
        """Return the standard deviation of the sum of a group's parts, divided by the one of independent parts."""
        together = (self.together[groups] ** 2).sum(axis=-1)
        return _inflation(together, self.apart[groups], self.most)

    def pairs(self, first: Integers, second: Integers, *, times: Floats | float) -> Floats:
        """Return the same ratio for the difference of two groups, the second one `times` as large.

        Args:
            first: Positions of the first groups, (Q,).
            second: Positions of the second groups, (Q,).
            times: Broadcast against (Q,); not finite counts as 1.
        """
        times = np.broadcast_to(np.where(np.isfinite(times), times, 1.0), first.shape)
        one, other = self.together[first], self.together[second] * times[:, None]
        apart = self.apart[first] + self.apart[second] * times**2
        if self.shared:
            return _inflation(((one - other) ** 2).sum(axis=-1), apart, 2 * self.most)
        return _inflation((one**2).sum(axis=-1) + (other**2).sum(axis=-1), apart, self.most)


@dataclass(frozen=True, slots=True)
class MostDependent:
    """The dependence on the clusters of two columns: of each sum, that on the column that makes it vary most.

    Args:
        ways: The dependence on the clusters of each column.
    """

    ways: tuple[Dependence, ...]

    def alone(self, groups: Integers) -> Floats:
        """Return the largest of what `Dependence.alone` gives."""
        return np.asarray(np.maximum.reduce([way.alone(groups) for way in self.ways]))

    def pairs(self, first: Integers, second: Integers, *, times: Floats | float) -> Floats:
        """Return the largest of what `Dependence.pairs` gives."""
        each = [way.pairs(first, second, times=times) for way in self.ways]
        return np.asarray(np.maximum.reduce(each))


def _inflation(together: Floats, apart: Floats, most: float) -> Floats:
    """Never below 1; where nothing varies, nothing is known of it but its bound."""
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.where(apart > 0, together / apart, most)
    return np.asarray(np.sqrt(np.clip(ratio, 1.0, most)))
