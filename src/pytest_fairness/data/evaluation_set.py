"""The evaluation set: samples whose groups are declared, and their images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from pytest_fairness.data.images import Images

__all__ = ["EvaluationSet", "hash_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """Samples that passed every check, in the order of the manifest.

    Args:
        name: Name of the evaluation in the policy.
        source: Path of the manifest.
        samples: (N, columns) text columns `id`, `target`, every attribute and carried column.
        levels: Attribute -> its levels: all that are declared, and `(missing)` where values are.
        classes: The declared classes, else the sorted values of the target.
        images: Reads the image of a sample by its position.
        left_out: Rows of the manifest that `where` removed.
        where: What `where` kept: column -> values.
        sha256: Hash of ids, targets, attributes and encoded images.
    """

    name: str
    source: str
    samples: pd.DataFrame
    levels: Mapping[str, tuple[str, ...]]
    classes: tuple[str, ...]
    images: Images
    left_out: int
    where: Mapping[str, tuple[str, ...]]
    sha256: str

    def __len__(self) -> int:
        return len(self.samples)


def hash_rows(frame: pd.DataFrame) -> str:
    """Return the sha256 of the column names and values of text columns."""
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
