"""The rounds of a record beside the pool: who was chosen, with which weights, and what labels say."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.labelling.aims import Aim
from pytest_fairness.labelling.choosing import draw, weights_of
from pytest_fairness.labelling.labels_file import LabelRecord, Round
from pytest_fairness.labelling.pool import Pool
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.labelled.draws import Draws

__all__ = ["Drawn"]


@dataclass(frozen=True, eq=False)
class Drawn:
    """The images that the rounds of a record drew from a pool of N images.

    Args:
        pool: The images.
        rounds: The rounds, all with labels.
        aims: Every aim that a round may have had, by its key.
    """

    pool: Pool
    rounds: Sequence[Round]
    aims: Mapping[str, Aim]

    @cached_property
    def positions(self) -> list[Integers]:
        """The images of each round, in the order drawn."""
        place = {name: i for i, name in enumerate(self.pool.ids)}
        return [np.array([place[name] for name in one.ids], dtype=np.int64) for one in self.rounds]

    @cached_property
    def weights(self) -> list[Floats]:
        """The numbers that the chances of each round were proportional to, (N,) each."""
        return [
            self.weights_for([self.aims[key] for key in one.aims], number)
            for number, one in enumerate(self.rounds)
        ]

    @cached_property
    def labels(self) -> Integers:
        """The position of the class that each image (N,) was labelled with, -1 without a label."""
        found = np.full(len(self.pool.ids), -1, dtype=np.int64)
        for positions, one in zip(self.positions, self.rounds, strict=True):
            found[positions] = [self.pool.classes.index(target) for target in one.targets]
        return found

    def free(self, rounds: int) -> NDArray[np.bool_]:
        """Return which images (N,) none of the first rounds chose."""
        found = np.ones(len(self.pool.ids), dtype=bool)
        for positions in self.positions[:rounds]:
            found[positions] = False
        return found

    def weights_for(self, aims: Sequence[Aim], number: int) -> Floats:
        """Return the weights (N,) of a round with these aims, counted from 0."""
        free = self.free(number)
        return weights_of([(aim.members & free, aim.outcomes.doubt(aim.members)) for aim in aims])

    def next_round(self, aims: Sequence[Aim], count: int, record: LabelRecord) -> Round:
        """Return the images that are drawn next for some aims."""
        number = len(self.rounds)
        rng = np.random.default_rng([record.seed, number])
        drawn, chances = draw(self.weights_for(aims, number), count, rng)
        return Round(
            aims=tuple(aim.key for aim in aims),
            ids=tuple(self.pool.ids[i] for i in drawn.tolist()),
            probabilities=tuple(chances.tolist()),
        )

    def draws(self, aim: Aim) -> Draws:
        """Return what was drawn for a group, as long as its rate was an aim."""
        served = 0
        while served < len(self.rounds) and aim.key in self.rounds[served].aims:
            served += 1
        nothing = np.zeros(0, dtype=np.int64)
        inside = [one[aim.members[one]] for one in self.positions[:served]]
        positions = np.concatenate([nothing, *inside])
        rounds = np.concatenate([nothing, *(np.full(len(x), i) for i, x in enumerate(inside))])
        place = np.cumsum(aim.members) - 1
        sizes: Floats = np.ones(int(aim.members.sum()))
        if self.pool.clusters is not None:
            images = np.unique(self.pool.clusters[aim.members], return_counts=True)[1]
            sizes = images.astype(np.float64)
        return Draws(
            outcomes=aim.outcomes.part(aim.members),
            drawn=place[positions].astype(np.int64),
            first=self.pool.first(self.labels, aim.positive)[positions],
            weights=np.array([one[aim.members] for one in self.weights[:served]]),
            rounds=rounds,
            sizes=sizes,
        )
