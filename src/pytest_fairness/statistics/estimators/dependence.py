"""How much wider a sum of estimates varies than if they were independent."""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from pytest_fairness.statistics.arrays import Floats, Integers

__all__ = ["Dependence", "MostDependent", "WholeUnit"]


class WholeUnit(NamedTuple):
    """The distances that a unit moves the parts of a measure if all of its samples turn one way.

    Few errors do not show that parts are independent. So one unit that turns as a whole is added to what is seen of each
    group. Its weight shrinks with every error, and one more error never makes an interval narrow at a stroke.

    Args:
        together: How far each of V units moves the sum of the parts of each group, (G, V).
        apart: The mean over units of the sum of the squares of how far each moves each part, (G,).
    """

    together: Floats
    apart: Floats

    @classmethod
    def of(cls, shares: Floats) -> "WholeUnit":
        """Return that of some clusters.

        Args:
            shares: How far each of U clusters moves each of P parts, (P, G, U), 0 where a group has none of it.
        """
        here = np.maximum((shares > 0).any(axis=0).sum(axis=-1), 1)
        # A mean over all clusters is to be one over those that the group has.
        scale = np.sqrt(shares.shape[-1] / here)
        return cls(shares.sum(axis=0) * scale[:, None], np.square(shares).sum(axis=(0, 2)) / here)


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
        whole: What is added to the units seen; nothing if None.

    Source: the delta method; the variance of a sum over the sum of variances.
    """

    together: Floats
    apart: Floats
    shared: bool
    most: float
    whole: WholeUnit | None = None

    def alone(self, groups: Integers) -> Floats:
        """Return the standard deviation of the sum of a group's parts, divided by the one of independent parts."""
        together, apart = (self.together[groups] ** 2).sum(axis=-1), self.apart[groups]
        if self.whole is not None:
            together = together + (self.whole.together[groups] ** 2).mean(axis=-1)
            apart = apart + self.whole.apart[groups]
        return _inflation(together, apart, self.most)

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
            together, most = ((one - other) ** 2).sum(axis=-1), 2 * self.most
        else:
            together, most = (one**2).sum(axis=-1) + (other**2).sum(axis=-1), self.most
        if self.whole is not None:
            whole, apart_whole = self.whole
            one, other = whole[first], whole[second] * times[:, None]
            # At worst, a unit of both groups turns one way in one and the other way in the other.
            squares = (one + other) ** 2 if self.shared else one**2 + other**2
            together = together + squares.mean(axis=-1)
            apart = apart + apart_whole[first] + apart_whole[second] * times**2
        return _inflation(together, apart, most)


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
