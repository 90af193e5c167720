"""Waterbirds: birds of CUB on land or water backgrounds of Places.

Sagawa, Koh, Hashimoto and Liang (2020), Distributionally Robust Neural Networks.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pytest_fairness.data.images import opened
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.tables import expect_columns, named_values, read_table
from pytest_fairness.errors import DataError
from pytest_fairness.files import read_regular

__all__ = ["BirdMasks", "read"]

_NAMES = {
    "y": {"0": "landbird", "1": "waterbird"},
    "split": {"0": "train", "1": "val", "2": "test"},
    "place": {"0": "land", "1": "water"},
}
_COLUMNS = ("img_id", "img_filename", *_NAMES)
_HALF = 128


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `y`, `place`, `split`, `species`, and the other columns."""
    path = source.find("the list of images", "metadata.csv")
    frame = read_table(source, path)
    expect_columns(source, frame, _COLUMNS, path)
    words = {
        column: named_values(source, frame[column], names, path, first_line=2)
        for column, names in _NAMES.items()
    }
    frame = frame.assign(
        id=frame["img_filename"],
        image=frame["img_filename"],
        species=frame["img_filename"].str.split("/").str[0],
        **words,
    )
    rows = source.of_split(source.rows(frame, path, first_line=2))
    masks = source.evaluation.masks
    if masks is None:
        return Listing(rows, source.root)
    return Listing(
        rows,
        source.root,
        lambda kept, ids: BirdMasks(source.root, masks, kept["image"].tolist(), list(ids)),
    )


@dataclass(frozen=True, slots=True, eq=False)
class BirdMasks:
    """Masks of the bird, from the segmentations of CUB.

    Args:
        root: Folder of the data set.
        folder: Name of the folders of masks: in each class folder (`001.Albatross/mask/x.jpg`), or
            beside the class folders (`segmentations/001.Albatross/x.png`).
        images: Path of each image below the root.
        ids: Ids of the samples.
    """

    root: Path
    folder: str
    images: Sequence[str]
    ids: Sequence[str]
    parts: tuple[str, ...] = ("background", "bird")

    def read(self, position: int) -> dict[str, NDArray[np.bool_]]:
        """Return part -> mask (H, W).

        A pixel is bird where at least half of CUB's annotators say so.

        Raises:
            DataError: The mask is missing or corrupt.
        """
        image = Path(self.images[position])
        places = (
            self.root / image.parent / self.folder / image.name,
            self.root / image.parent / self.folder / f"{image.stem}.png",
            self.root / self.folder / image.with_suffix(".png"),
        )
        path = next((place for place in places if place.is_file()), None)
        if path is None:
            msg = (
                f"{self.root}: no mask of sample {self.ids[position]!r}, looked for "
                f"{', '.join(map(str, places))}; the usual generator of Waterbirds writes none: copy "
                "the segmentations of CUB there"
            )
            raise DataError(msg)
        with opened(read_regular(path), name=f"{path}: mask of {self.ids[position]!r}") as picture:
            bird = np.asarray(picture.convert("L")) >= _HALF
        return {"background": ~bird, "bird": bird}
