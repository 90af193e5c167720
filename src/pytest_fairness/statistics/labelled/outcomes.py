"""What a label may turn out to be: two outcomes of each sample, and how likely a model holds them."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG, Cells
from pytest_fairness.statistics.metrics.definitions import Rate

__all__ = ["Outcomes", "outcomes_of"]


class Outcomes(NamedTuple):
    """Two outcomes of each of M samples.

    The first one is that the true class is the positive one, or that the answer is right.

    Args:
        seen: Whether each outcome is one that the rate counts, (M, 2), 0 or 1.
        among: Whether it is one that the rate counts among, (M, 2), 0 or 1.
        chance: How likely the model holds the first one, (M,), 0 to 1. Any numbers are allowed.
    """

    seen: Floats
    among: Floats
    chance: Floats

    def part(self, members: NDArray[np.bool_]) -> "Outcomes":
        """Return the outcomes of some samples."""
        return Outcomes(self.seen[members], self.among[members], self.chance[members])

    @property
    def complement(self) -> "Outcomes":
        """The outcomes of the rate of what is counted among and not seen."""
        return Outcomes(self.among - self.seen, self.among, self.chance)

    @property
    def concerned(self) -> NDArray[np.bool_]:
        """Whether the rate may be counted among each sample (M,)."""
        return np.asarray(self.among.any(axis=1))

    @property
    def needs_labels(self) -> bool:
        """Whether any label can change the rate."""
        same = (self.seen[:, 0] == self.seen[:, 1]) & (self.among[:, 0] == self.among[:, 1])
        return not bool(same.all())

    @property
    def expected(self) -> tuple[Floats, Floats]:
        """The chances (M,) of being seen, and of being counted among."""
        chance = np.stack([self.chance, 1 - self.chance], axis=1)
        return (self.seen * chance).sum(axis=1), (self.among * chance).sum(axis=1)

    def doubt(self, members: NDArray[np.bool_]) -> Floats:
        """Return how far each label may be from what the model expects (M,), a standard deviation.

        Args:
            members: Samples of the group whose rate is to be known, (M,).
        """
        seen, among = (float(sums[members].sum()) for sums in self.expected)
        rate = min(max(seen / among if among else 0.5, 0.02), 0.98)
        gap = (self.seen - rate * self.among) @ np.array([1.0, -1.0])
        return np.asarray(np.abs(gap) * np.sqrt(self.chance * (1 - self.chance)))


def outcomes_of(rate: Rate, *, called_positive: NDArray[np.bool_], chance: Floats) -> Outcomes:
    """Return the outcomes that the labels of N samples may have for a rate.

    Args:
        rate: What is counted among what.
        called_positive: Whether the model called each sample positive (N,); without meaning for a
            rate of right and wrong answers.
        chance: How likely the true class is the positive one, or the answer right (N,).

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> found = outcomes_of(metric_named("true_positive_rate").rate,
        ...                     called_positive=np.array([True, False]), chance=np.array([.9, .2]))
        >>> found.seen.tolist(), found.among.tolist()
        ([[1.0, 0.0], [0.0, 0.0]], [[1.0, 0.0], [1.0, 0.0]])
    """

    def counted(cells: Cells) -> Floats:
        if not rate.needs_positive:
            both = np.array([RIGHT in cells, WRONG in cells], dtype=np.float64)
            return np.tile(both, (len(chance), 1))
        yes = np.array([TP in cells, FP in cells], dtype=np.float64)
        no = np.array([FN in cells, TN in cells], dtype=np.float64)
        return np.where(called_positive[:, None], yes, no)

    return Outcomes(counted(rate.seen), counted(rate.among), chance)
