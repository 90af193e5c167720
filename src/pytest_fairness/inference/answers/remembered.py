"""Scores batch by batch, in the order of the images: from the cache where it has them, else computed."""

from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.caching.batches import Batch, KeptBatches
from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data.images import Images
    from pytest_fairness.inference.as_found import Precision
    from pytest_fairness.inference.forward import Forward

__all__ = ["NotRemembered", "Scorer"]

Scores = NDArray[np.floating]
Broken = dict[int, DataError]


class Start(Protocol):
    """Gives a forward pass."""

    def __call__(self, size: int, *, planned: bool, strict: bool) -> "Forward":
        """Return a forward pass of a batch size, with the plan of a recognised preprocessing or without.

        `strict` computes 32-bit numbers as such, whatever the precision of the run.
        """


class NotRemembered(Exception):  # noqa: N818  (it is no error: the model is then loaded)
    """The cache lacks a batch, and there is no model to compute it."""


@dataclass(slots=True)
class Scorer:
    """A model as a source of scores.

    Args:
        classifier: The model; its module is not called where all is remembered.
        device: The type of the device: `cpu`, `cuda`.
        batch_size: Images in a batch, at least 1; afterwards the size that fitted.
        start: Gives a forward pass; None where the model is not loaded.
        kept: What is remembered of it; None without a cache.
    """

    classifier: "Classifier"
    device: str
    batch_size: int
    start: Start | None
    kept: KeptBatches | None = None
    precision: "Precision" = "strict"
    """How exactly the model computes."""
    strict: bool = False
    """Whether it computes strictly all the same."""
    planned: bool = True
    """Whether a recognised preprocessing runs by its plan."""
    half: bool = False
    """Whether scores were computed in half precision, as far as their type tells."""
    single: bool = False
    """Whether the model gave one score an image, that of its second label."""
    remembered: int = 0
    """Images whose scores came from the cache."""
    compared: int = 0
    """Images of which the plan was compared with the preprocessing itself."""
    _forward: "Forward | None" = None

    def again(self, batch_size: int) -> "Scorer":
        """Return a scorer with batches of another size, which runs the preprocessing as it is."""
        return replace(
            self, batch_size=batch_size, planned=False, remembered=0, compared=0, _forward=None
        )

    def strictly(self) -> "Scorer":
        """Return a scorer that computes strictly, and runs the preprocessing as it is."""
        return replace(self.again(self.batch_size), strict=True)

    def without_cache(self, batch_size: int) -> "Scorer":
        """Return a scorer from the beginning, after all that was kept of the model is dropped."""
        if self.kept is not None:
            self.kept.forget()
        return Scorer(
            self.classifier, self.device, batch_size, self.start, precision=self.precision
        )

    def scores(
        self, images: "Images", *, broken: Broken | None = None, purpose: str = "answers"
    ) -> Iterator[Scores]:
        """Yield the scores (n, K) of one batch after the other.

        Args:
            images: What the model looks at.
            broken: Takes the position of each image that cannot be read; None raises instead.
            purpose: What the scores are for: only those computed for the same are remembered.

        Raises:
            DataError: An image cannot be decoded.
            ModelError: The preprocessing or the module gives something of the wrong shape.
            NotRemembered: There is no model, and the cache lacks a batch.
        """
        kept = self.kept if len(images.digests) == len(images) else None
        if kept is not None and broken is not None:
            _find_broken(kept, images, broken)
        place = 0
        while place < len(images):
            batch = None if kept is None else self._remembered(kept, images, place, broken, purpose)
            if batch is not None:
                scores, place = batch
                yield scores
                continue
            for scores, behind in self._computed(images, place, broken, purpose, kept):
                place = behind
                yield scores
            if not _positions(images, place, 1, broken):
                return

    def _remembered(
        self, kept: KeptBatches, images: "Images", place: int, broken: Broken | None, purpose: str
    ) -> tuple[Scores, int] | None:
        """Return the next scores and the place behind them, if the cache has the batch.

        Where memory ran out before, the batches of that run were smaller.
        """
        size, tried = self.batch_size, 0
        while size:
            positions = _positions(images, place, size, broken)
            digests = [images.digests[position] for position in positions]
            if positions and len(positions) != tried and all(digests):
                batch = kept.get(digests, purpose=purpose)
                if batch is not None:
                    self.batch_size = size
                    self.single |= batch.single
                    self.half |= batch.half
                    self.compared += batch.compared
                    self.remembered += len(positions)
                    return batch.scores, positions[-1] + 1
            size, tried = size // 2, len(positions)
        return None

    def _computed(
        self,
        images: "Images",
        place: int,
        broken: Broken | None,
        purpose: str,
        kept: KeptBatches | None,
    ) -> Generator[tuple[Scores, int]]:
        """Yield scores from the model, each with the place behind it, until the cache has the next."""
        forward = self._model()
        forward.checks.skip_to(place - sum(position < place for position in broken or ()))
        compared = forward.checks.compared
        rest = images if place == 0 else images.at(range(place, len(images)))
        missing: Broken | None = None if broken is None else {}
        first = place
        with closing(forward.scores(rest, broken=missing)) as batches:  # type: ignore[type-var]
            for scores in batches:
                if broken is not None and missing:
                    broken |= {first + position: problem for position, problem in missing.items()}
                self.batch_size = forward.batch_size
                self.half |= forward.half
                self.single |= forward.single
                positions = _positions(images, place, len(scores), broken)
                place = positions[-1] + 1
                batch = Batch(
                    scores.numpy(), self.single, self.half, forward.checks.compared - compared
                )
                compared = forward.checks.compared
                self.compared += batch.compared
                if kept is not None:
                    self._keep(kept, images, positions, batch, purpose)
                yield scores.numpy(), place
                if kept is not None and self._remembers_next(kept, images, place, broken, purpose):
                    return
        if broken is not None and missing:
            broken |= {first + position: problem for position, problem in missing.items()}
        if kept is not None:
            for position in broken or ():
                if digest := images.digests[position]:
                    kept.put_broken(digest)

    def _remembers_next(
        self, kept: KeptBatches, images: "Images", place: int, broken: Broken | None, purpose: str
    ) -> bool:
        positions = _positions(images, place, self.batch_size, broken)
        digests = [images.digests[position] for position in positions]
        return bool(digests) and all(digests) and kept.has(digests, purpose=purpose)

    def _keep(
        self,
        kept: KeptBatches,
        images: "Images",
        positions: list[int],
        batch: Batch,
        purpose: str,
    ) -> None:
        """Keep the scores of a batch if each image is still what it was when it was hashed."""
        if all(images.digests[position] and images.unchanged(position) for position in positions):
            digests = [images.digests[position] for position in positions]
            kept.put(digests, batch, purpose=purpose)

    def _model(self) -> "Forward":
        if self.start is None:
            raise NotRemembered
        if self._forward is None:
            self._forward = self.start(self.batch_size, planned=self.planned, strict=self.strict)
        self._forward.batch_size = self.batch_size
        return self._forward


def _positions(images: "Images", place: int, count: int, broken: Broken | None) -> list[int]:
    """Return the next positions of images that can be read, as far as that is known."""
    found: list[int] = []
    for position in range(place, len(images)):
        if len(found) == count:
            break
        if broken is None or position not in broken:
            found.append(position)
    return found


def _find_broken(kept: KeptBatches, images: "Images", broken: Broken) -> None:
    """Try to read those images that could not be read before, and those whose file could not."""
    before = kept.broken(images.digests)
    for position, digest in enumerate(images.digests):
        if not digest or digest in before:
            try:
                images.read(position)
            except DataError as problem:
                broken[position] = problem
