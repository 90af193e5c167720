"""The counts of models that could be: always right, always wrong, or calling all one class."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.statistics.arrays import Integers
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.metrics.definitions import Measure

__all__ = ["Between", "Calls", "Targets", "extreme_calls"]

Calls: TypeAlias = tuple[int, ...]
"""The class that a model gives to the samples of each true class, by position."""


def extreme_calls(measure: Measure, classes: int, positive: int | None) -> list[Calls]:
    """Return the answers in which no sample of a class is answered otherwise than another.

    They are the corners of all that a model can do: any rate is 0 or 1 at them.

    Args:
        measure: What is counted; right and wrong answers, or those about a positive class.
        classes: The number of classes.
        positive: Position of the positive class.

    Example:
        >>> from pytest_fairness.statistics.metrics.names import metric_named
        >>> extreme_calls(metric_named("accuracy").measure, 3, None)
        [(0, 1, 2), (1, 2, 0)]
    """
    right = tuple(range(classes))
    if not measure.needs_positive or positive is None:
        return [right, tuple((own + 1) % classes for own in right)]
    other = (positive + 1) % classes
    missed = tuple(other if own == positive else own for own in right)
    swapped = tuple(other if own == positive else positive for own in right)
    return [right, swapped, (positive,) * classes, missed]


@dataclass(frozen=True, slots=True, eq=False)
class Targets:
    """The true classes of an evaluation set, which no model changes.

    Args:
        levels: Axis -> its levels: the attributes of `by`, and the columns of clusters.
        classes: The K class names.
        by: Attributes whose groups are told apart.
        n: (levels..., K) samples of each true class.
    """

    levels: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    by: tuple[str, ...]
    n: Integers

    @classmethod
    def of(cls, counts: GroupCounts, by: tuple[str, ...], attributes: Sequence[str]) -> "Targets":
        """Return the true classes behind some counts.

        Args:
            counts: Counts of any model's answers.
            by: Attributes whose groups are told apart.
            attributes: All attributes; other axes of the counts are clusters, and stay.
        """
        names = list(counts.levels)
        gone = tuple(i for i, name in enumerate(names) if name in attributes and name not in by)
        levels = {name: counts.levels[name] for i, name in enumerate(names) if i not in gone}
        return cls(levels, counts.classes, by, counts.cells.sum(axis=-1).sum(axis=gone))

    @property
    def everything(self) -> NDArray[np.bool_]:
        """The mask of all samples, as `group` returns those of one group."""
        return np.ones((1,) * self.n.ndim, dtype=bool)

    def group(self, position: int) -> NDArray[np.bool_]:
        """Return which samples are of a group, broadcast against `n`.

        Args:
            position: Position of the group among those of `by`.
        """
        shape = tuple(len(self.levels[name]) for name in self.by)
        chosen = np.zeros(shape, dtype=bool)
        chosen.flat[position] = True
        order = [self.by.index(name) for name in self.levels if name in self.by]
        sizes = [len(levels) if name in self.by else 1 for name, levels in self.levels.items()]
        return chosen.transpose(order).reshape(*sizes, 1)

    def answered(
        self,
        calls: Calls,
        *,
        elsewhere: Calls | None = None,
        group: NDArray[np.bool_] | None = None,
        moved: int = 0,
        towards: Calls | None = None,
    ) -> GroupCounts:
        """Return the counts of a model.

        Args:
            calls: What it answers in a group.
            elsewhere: What it answers to all other samples; the same when absent.
            group: Which samples are of the group, as `group` returns them; all when absent.
            moved: How many of the samples that `calls` and `towards` answer differently are
                answered as `towards` says, spread evenly over the clusters.
            towards: See `moved`.
        """
        inside = np.broadcast_to(self.everything if group is None else group, self.n.shape)
        cells = np.zeros((*self.n.shape, self.n.shape[-1]), dtype=np.int64)
        own, others = self.n * inside, self.n * ~inside
        switched = np.zeros_like(own)
        if towards is not None:
            differ = np.array(calls) != np.array(towards)
            switched = _spread(own * differ, moved)
        for way, n in ((calls, own - switched), (towards, switched), (elsewhere or calls, others)):
            for true, called in enumerate(way or ()):
                cells[..., true, called] += n[..., true]
        return GroupCounts(self.levels, self.classes, cells)


@dataclass(frozen=True, slots=True)
class Between:
    """Models between two that differ in the answers to some samples.

    Args:
        targets: The true classes.
        group: Which samples are answered differently.
        calls: The answers to them of the first model.
        towards: The answers to them of the second model.
        elsewhere: The answers to all others.
    """

    targets: Targets
    group: NDArray[np.bool_]
    calls: Calls
    towards: Calls
    elsewhere: Calls

    @property
    def samples(self) -> int:
        """The number of samples that are answered differently."""
        differ = np.array(self.calls) != np.array(self.towards)
        return int((self.targets.n * differ * self.group).sum())

    def counts(self, moved: int) -> GroupCounts:
        """Return the counts of the model that answers so many of them as the second one does."""
        return self.targets.answered(
            self.calls,
            elsewhere=self.elsewhere,
            group=self.group,
            moved=moved,
            towards=self.towards,
        )


def _spread(n: Integers, moved: int) -> Integers:
    """Choose so many samples, the same share of every cell as far as whole numbers allow."""
    total = int(n.sum())
    upto = np.cumsum(n.ravel()) * moved // max(total, 1)
    return np.diff(upto, prepend=0).reshape(n.shape)
