"""CelebA: 202,599 photographs of celebrities with 40 attributes of yes or no.

Liu, Luo, Wang and Tang (2015), Deep Learning Face Attributes in the Wild.
"""

from itertools import islice
from pathlib import Path

import numpy as np
import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.tables import matched, named_values, read_table
from pytest_fairness.wording import listed

__all__ = ["SPLITS", "needed_of_celeba", "read", "read_attributes", "read_pairs"]

SPLITS = {"0": "train", "1": "valid", "2": "test"}
# Beside each other, or in the folders of the original download.
_ATTRIBUTES = ("list_attr_celeba.txt", "Anno/list_attr_celeba.txt", "list_attr_celeba.csv")
_PARTITION = (
    "list_eval_partition.txt",
    "Eval/list_eval_partition.txt",
    "list_eval_partition.csv",
)
_IDENTITY = ("identity_CelebA.txt", "Anno/identity_CelebA.txt")
_IMAGES = (
    "img_align_celeba/img_align_celeba",
    "img_align_celeba",
    "Img/img_align_celeba",
)
_FIRST_LINE = 3


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `split`, `identity`, and the attributes as yes or no."""
    path = source.find("the list of attributes", *_ATTRIBUTES)
    frame, needs = read_attributes(source, path), needed_of_celeba(source)
    columns = {"id": frame["image"]}
    splits = _optional(source, "the list of partitions", _PARTITION, needed="split" in needs)
    if splits is not None:
        columns["split"] = read_pairs(source, splits, frame["image"], "split", names=SPLITS)
    who = _optional(source, "the list of identities", _IDENTITY, needed="identity" in needs)
    if who is not None:
        columns["identity"] = read_pairs(source, who, frame["image"], "identity")
    folder = _images(source)
    whole = pd.concat([pd.DataFrame(columns), frame], axis=1)
    first_line = 2 if path.suffix == ".csv" else _FIRST_LINE
    return Listing(source.of_split(source.rows(whole, path, first_line=first_line)), folder)


def needed_of_celeba(source: Source) -> set[str]:
    """Return which of `split` and `identity` the evaluation needs."""
    evaluation = source.evaluation
    asked = {*evaluation.carried, *evaluation.attributes, *evaluation.where}
    return asked & {"split", "identity"} | ({"split"} if evaluation.split else set())


def _optional(source: Source, what: str, names: tuple[str, ...], *, needed: bool) -> Path | None:
    return source.find(what, *names) if needed else source.look_for(*names)


def _images(source: Source) -> Path:
    names = (source.options["images"],) if "images" in source.options else _IMAGES
    return source.find("the folder of images", *names)


def read_attributes(source: Source, path: Path) -> pd.DataFrame:
    """Read a list of attributes: a line with the count, one with the names, one for each image.

    The CSV file of Kaggle has a line with the names, `image_id` first, and no count.

    Returns:
        (N, 1 + attributes) column `image` with file names, then `yes` or `no`.

    Raises:
        DataError: The count disagrees, or a value is neither 1 nor -1.
    """
    first_line = _FIRST_LINE
    if path.suffix == ".csv":
        frame, names, first_line = *_of_kaggle(source, path), 2
    else:
        frame, names = _of_text(source, path)
    _check_values(source, frame, names, path, first_line=first_line)
    yes = frame[names].to_numpy() == 1
    words = pd.CategoricalDtype(["no", "yes"])
    answers = {
        name: pd.Categorical.from_codes(yes[:, i].astype(np.int8), dtype=words)
        for i, name in enumerate(names)
    }
    return pd.DataFrame({"image": frame["image"], **answers})


def _of_kaggle(source: Source, path: Path) -> tuple[pd.DataFrame, list[str]]:
    frame = read_table(source, path)
    if len(frame.columns) < 2 or frame.columns[0] != "image_id":
        source.error(f"{path}: the first column must be image_id; got {listed(frame.columns)}")
    names = [str(name) for name in frame.columns[1:]]
    numbers = frame[names].apply(pd.to_numeric, errors="coerce").fillna(0)
    return pd.concat([frame["image_id"].rename("image"), numbers], axis=1), names


def _of_text(source: Source, path: Path) -> tuple[pd.DataFrame, list[str]]:
    with path.open(encoding="utf-8-sig") as file:
        count, *names = [*" ".join(islice(file, 2)).split(), ""]
    names = names[:-1]
    if not count.isdigit() or not names:
        source.error(
            f"{path}, line 1: expected the number of images, and their attributes in line 2; got "
            f"{count!r}; get the file again"
        )
    frame = read_table(
        source,
        path,
        sep=r"\s+",
        skiprows=2,
        header=None,
        names=["image", *names],
        dtype={"image": str} | dict.fromkeys(names, "int8"),
    )
    source.check_count(source.rows(frame, path), int(count), where="line 1")
    return frame, names


def _check_values(
    source: Source, frame: pd.DataFrame, names: list[str], path: Path, *, first_line: int
) -> None:
    wrong = np.abs(frame[names].to_numpy()) != 1
    if wrong.any():
        line, column = np.argwhere(wrong)[0]
        source.error(
            f"{path}, line {line + first_line}: {names[column]} = "
            f"{frame[names[column]].iloc[line]}; allowed: 1 and -1"
        )


def read_pairs(
    source: Source,
    path: Path,
    images: pd.Series,
    column: str,
    *,
    names: dict[str, str] | None = None,
) -> pd.Series:
    """Read a file of image and value, and return the value of each image (N,).

    Args:
        source: For errors.
        path: Lines such as `000001.jpg 0`.
        images: (N,) names of images.
        column: What the values are.
        names: Value -> its word; None keeps values as they are.

    Raises:
        DataError: An image has no line, or a value no word.
    """
    if path.suffix == ".csv":
        table = read_table(source, path, header=0, names=["image", column])
    else:
        table = read_table(source, path, sep=r"\s+", header=None, names=["image", column])
    if len(table) != len(images):
        source.check_count(source.rows(table, path), len(images), where="the list of attributes")
    if names is not None:
        table[column] = named_values(source, table[column], names, path, first_line=1)
    return matched(source, images, table, on="image", path=path)[column].set_axis(images.index)
