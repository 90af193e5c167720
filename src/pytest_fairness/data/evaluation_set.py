"""The evaluation set: samples whose groups are declared, and their images."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

import pandas as pd

from pytest_fairness.data.images import Images
from pytest_fairness.data.masks import Masks

__all__ = ["EvaluationSet", "hash_rows"]


@dataclass(frozen=True, slots=True, eq=False)
class EvaluationSet:
    """Samples that passed every check, in the order of the manifest.

    Args:
        name: Name of the evaluation in the policy.
        source: Path of the manifest, or of the file or folder that listed the samples.
        samples: (N, columns) text columns `id`, `target`, every attribute and carried column.
        levels: Attribute -> its levels: all that are declared, and `(missing)` where values are.
        classes: The declared classes, else the sorted values of the target.
        images: Reads the image of a sample by its position.
        left_out: Rows of the manifest that `where` removed.
        where: What `where` kept: column -> values.
        sha256: Hash of ids, targets, attributes and encoded images.
        manifest: (N, columns) every column of the manifest but encoded images, in the same order.
        masks: Parts of each image; None where the set has none.
        derived: Derived column -> how the policy makes it.
        positive: The class that counts as positive; None where there is none.
        threshold: Score from which an image is called positive; None: the class of the highest score.
        max_errors: Share of images that may be unreadable, 0 to 1: of all, and of each level.
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
    manifest: pd.DataFrame = field(default_factory=pd.DataFrame)
    masks: Masks | None = None
    derived: Mapping[str, str] = field(default_factory=dict)
    max_errors: float = 0.0
    positive: str | None = None
    threshold: float | None = None

    def __len__(self) -> int:
        return len(self.samples)


def hash_rows(frame: pd.DataFrame) -> str:
    """Return the sha256 of the column names and values of text columns."""
    return hashlib.sha256(frame.to_csv(index=False, lineterminator="\n").encode()).hexdigest()
