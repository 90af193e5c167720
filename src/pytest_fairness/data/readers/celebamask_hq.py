"""CelebAMask-HQ: 30,000 photographs of CelebA in high resolution with masks of 19 parts.

Lee, Liu, Wu and Luo (2020), MaskGAN: Towards Diverse and Interactive Facial Image Manipulation.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.images import opened
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.masks import read_index
from pytest_fairness.data.readers.celeba import (
    SPLITS,
    needed_of_celeba,
    read_attributes,
    read_pairs,
)
from pytest_fairness.data.readers.tables import expect_columns, matched, read_table
from pytest_fairness.errors import DataError
from pytest_fairness.files import read_regular

__all__ = ["GROUPS", "PART_IDS", "PartMasks", "merge_parts", "read"]

PART_IDS = [
    "background",
    "skin",
    "nose",
    "eye_g",
    "l_eye",
    "r_eye",
    "l_brow",
    "r_brow",
    "l_ear",
    "r_ear",
    "mouth",
    "u_lip",
    "l_lip",
    "hair",
    "hat",
    "ear_r",
    "neck_l",
    "neck",
    "cloth",
]
"""Parts in the order of their numbers, from 0; a later part is painted over an earlier one."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "background": ("background",),
    "skin": ("skin",),
    "nose": ("nose",),
    "eyeglasses": ("eye_g",),
    "eyes": ("l_eye", "r_eye"),
    "eyebrows": ("l_brow", "r_brow"),
    "ears": ("l_ear", "r_ear"),
    "mouth": ("mouth", "u_lip", "l_lip"),
    "hair": ("hair",),
    "hat": ("hat",),
    "earrings": ("ear_r",),
    "necklace": ("neck_l",),
    "neck": ("neck",),
    "cloth": ("cloth",),
}
"""The 19 parts as 14 groups."""

_IN_A_FOLDER = 2000


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `celeba` (name in CelebA), and the attributes.

    CelebA's own list_eval_partition.txt and identity_CelebA.txt beside them add `split` and
    `identity`.
    """
    path = source.find("the list of attributes", "CelebAMask-HQ-attribute-anno.txt")
    frame = read_attributes(source, path)
    columns = {"id": frame["image"]}
    columns |= _of_celeba(source, frame["image"])
    folder = source.find("the folder of images", source.options.get("images", "CelebA-HQ-img"))
    whole = pd.concat([pd.DataFrame(columns), frame], axis=1)
    rows = source.of_split(source.rows(whole, path, first_line=3))
    masks = source.evaluation.masks
    if masks is None:
        return Listing(rows, folder)
    annotations = source.find("the folder of masks", masks)
    return Listing(rows, folder, lambda kept, ids: _masks(source, annotations, kept, ids))


def _of_celeba(source: Source, images: pd.Series) -> dict[str, pd.Series]:
    """What CelebA says of the same photographs."""
    needs = needed_of_celeba(source)
    name = "CelebA-HQ-to-CelebA-mapping.txt"
    path = source.find("the mapping to CelebA", name) if needs else source.look_for(name)
    if path is None:
        return {}
    mapping = read_table(source, path, sep=r"\s+")
    expect_columns(source, mapping, ("idx", "orig_file"), path)
    mapping["image"] = mapping["idx"] + ".jpg"
    celeba = matched(source, images, mapping, on="image", path=path)["orig_file"]
    found = {"celeba": celeba.set_axis(images.index)}
    for column, file, names in (
        ("split", "list_eval_partition.txt", SPLITS),
        ("identity", "identity_CelebA.txt", None),
    ):
        needed = column in needs
        there = source.find(f"the {column} of CelebA", file) if needed else source.look_for(file)
        if there is not None:
            found[column] = _pairs_of_some(source, there, found["celeba"], column, names)
    return found


def _pairs_of_some(
    source: Source, path: Path, images: pd.Series, column: str, names: dict[str, str] | None
) -> pd.Series:
    """Values of some of the images of CelebA; its files list all of them."""
    every = read_table(source, path, sep=r"\s+", header=None, names=["image", "value"])["image"]
    values = read_pairs(source, path, every, column, names=names)
    table = pd.DataFrame({"image": every, column: values})
    return matched(source, images, table, on="image", path=path)[column].set_axis(images.index)


def _masks(source: Source, folder: Path, kept: pd.DataFrame, ids: Sequence[str]) -> "PartMasks":
    numbers = pd.to_numeric(kept["id"].str.removesuffix(".jpg"), errors="coerce")
    if numbers.isna().any():
        source.error(f"{folder}: images of CelebAMask-HQ are named by a number, got {ids[0]!r}")
    return PartMasks(folder, numbers.astype(int).tolist(), list(ids))


@dataclass(frozen=True, slots=True, eq=False)
class PartMasks:
    """The masks of the 14 groups, made of the files of the parts when they are asked for.

    Args:
        folder: CelebAMask-HQ-mask-anno with a file a part (`0/00012_hair.png`), or a folder of
            pictures whose pixel values are the numbers of the parts (`12.png`).
        numbers: Number of each sample.
        ids: Ids of the samples.
    """

    folder: Path
    numbers: Sequence[int]
    ids: Sequence[str]
    parts: tuple[str, ...] = tuple(GROUPS)

    def read(self, position: int) -> dict[str, NDArray[np.bool_]]:
        """Return group -> mask (H, W), 512 x 512 in the original.

        Raises:
            DataError: There is no mask, or it is corrupt.
        """
        number = self.numbers[position]
        whole = self.folder / f"{number}.png"
        name = f"{self.folder}, mask of sample {self.ids[position]!r}"
        if whole.is_file():
            return merge_parts(read_index(read_regular(whole), name=f"{name}, {whole}"), name=name)
        return merge_parts(self._painted(number, name), name=name)

    def _painted(self, number: int, name: str) -> NDArray[np.int32]:
        """Paint the parts over each other in the order of their numbers."""
        index: NDArray[np.int32] | None = None
        for value, part in enumerate(PART_IDS[1:], start=1):
            path = self.folder / str(number // _IN_A_FOLDER) / f"{number:05d}_{part}.png"
            if not path.is_file():
                continue
            with opened(read_regular(path), name=f"{name}, {path}") as picture:
                drawn = np.asarray(picture.convert("L")) != 0
            index = np.zeros(drawn.shape, np.int32) if index is None else index
            if drawn.shape != index.shape:
                msg = f"{name}, {path}: has size {drawn.shape}, but the parts before it have {index.shape}; all parts of a mask must have one size"
                raise DataError(msg)
            index[drawn] = value
        if index is None:
            msg = (
                f"{name}: no file {number // _IN_A_FOLDER}/{number:05d}_<part>.png and no "
                f"{number}.png; `masks` names the folder of one of the two"
            )
            raise DataError(msg)
        return index


def merge_parts(index: NDArray[np.int32], *, name: str) -> dict[str, NDArray[np.bool_]]:
    """Return group -> mask (H, W) of the numbers (H, W) of the 19 parts.

    Raises:
        DataError: A number is none of a part.

    Example:
        >>> masks = merge_parts(np.array([[0, 4], [5, 12]]), name="x")
        >>> masks["eyes"].tolist(), masks["mouth"].tolist()
        ([[False, True], [True, False]], [[False, False], [False, True]])
    """
    if int(index.max()) >= len(PART_IDS):
        msg = (
            f"{name}: part number {int(index.max())} is not allowed; the parts have numbers 0 to 18"
        )
        raise DataError(msg)
    numbers = {part: number for number, part in enumerate(PART_IDS)}
    return {
        group: np.isin(index, [numbers[part] for part in parts]) for group, parts in GROUPS.items()
    }
