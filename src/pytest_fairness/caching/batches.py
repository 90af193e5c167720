"""Scores of batches in the cache: found by the model and by the images of the batch, in their order.

The other images of a batch, and their number, change the last bits of a score. So a batch is kept as a
whole, and a run with the cache gives the bits that a run without it gives.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.caching.store import Store

__all__ = ["Batch", "KeptBatches"]

_TYPES = ("float32", "float64")


class Batch(NamedTuple):
    """The scores of a batch, and what they told about the model.

    Args:
        scores: (n, K) scores of all labels.
        single: Whether the model gave one score an image.
        half: Whether it computed in half precision.
        compared: How many of its images were compared with the preprocessing itself.
    """

    scores: NDArray[np.floating]
    single: bool
    half: bool
    compared: int = 0


@dataclass(frozen=True, slots=True)
class KeptBatches:
    """The batches of one model, as its key tells it.

    Args:
        store: The cache.
        key: Hash of all that decides the scores beside the images.
    """

    store: Store
    key: bytes
    _own: set[bytes] = field(default_factory=set)
    """Batches that this run kept: asked for again in this run, the model is run again."""

    def get(self, digests: Sequence[bytes], *, purpose: str) -> Batch | None:
        """Return the scores of a batch, or None where they are not known.

        Args:
            digests: Hashes of its images.
            purpose: What the batch was run for: one run twice for the same is compared.
        """
        key = self._key(digests, purpose)
        found = None if key in self._own else self.store.get(key)
        if found is None:
            return None
        head, _, data = found.partition(b"\n")
        shape, name, single, half, compared = json.loads(head)
        if name not in _TYPES or shape[0] != len(digests):
            return None
        scores = np.frombuffer(data, name).reshape(shape)
        return Batch(scores, bool(single), bool(half), int(compared))

    def has(self, digests: Sequence[bytes], *, purpose: str) -> bool:
        """Return whether a batch has an entry, which may be damaged."""
        key = self._key(digests, purpose)
        return key not in self._own and bool(self.store.known([key]))

    def put(self, digests: Sequence[bytes], batch: Batch, *, purpose: str) -> None:
        """Keep the scores of a batch."""
        scores = np.ascontiguousarray(batch.scores)
        head = json.dumps(
            [scores.shape, str(scores.dtype), batch.single, batch.half, batch.compared]
        )
        value = head.encode() + b"\n" + scores.tobytes()
        key = self._key(digests, purpose)
        self._own.add(key)
        self.store.put(key, value, owner=self.key)

    def broken(self, digests: Sequence[bytes]) -> set[bytes]:
        """Return those images that could not be read before, a hint where to look first."""
        keys = {self._key([digest], "unreadable"): digest for digest in digests if digest}
        return {keys[key] for key in self.store.known(keys)}

    def put_broken(self, digest: bytes) -> None:
        """Keep the fact that an image cannot be read."""
        self.store.put(self._key([digest], "unreadable"), b"", owner=self.key)

    def forget(self) -> None:
        """Drop all that is known of the model."""
        self.store.forget(self.key)

    def _key(self, digests: Sequence[bytes], purpose: str) -> bytes:
        return hashlib.sha256(b"".join([self.key, purpose.encode(), b"\0", *digests])).digest()
