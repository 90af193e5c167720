"""FairFace: 97,698 faces with race, gender and age, balanced by race.

Karkkainen and Joo (2021), FairFace: Face Attribute Dataset for Balanced Race, Gender, and Age.
"""

import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.readers.tables import expect_columns, read_table

__all__ = ["read"]

_SPLITS = ("train", "val")
_COLUMNS = ("file", "age", "gender", "race")


def read(source: Source) -> Listing:
    """Return the samples: `id`, `image`, `split`, `age`, `gender`, `race`, `service_test`."""
    splits = source.evaluation.split or tuple(
        name for name in _SPLITS if source.look_for(_labels(name))
    )
    if unknown := [name for name in splits if name not in _SPLITS]:
        source.error(f"{source.root}: no split {unknown[0]!r}; FairFace has train and val")
    if not splits:
        source.find("the list of labels", *map(_labels, _SPLITS))
    folder = source.find("the folder of images", source.options.get("images", "."))
    frames = [_read_split(source, name) for name in splits]
    if len(frames) == 1:
        path = source.root / _labels(splits[0])
        return Listing(source.rows(frames[0], path, first_line=2), folder)
    return Listing(source.rows(pd.concat(frames, ignore_index=True), source.root), folder)


def _labels(split: str) -> str:
    return f"fairface_label_{split}.csv"


def _read_split(source: Source, split: str) -> pd.DataFrame:
    path = source.find("the list of labels", _labels(split))
    frame = read_table(source, path)
    expect_columns(source, frame, _COLUMNS, path)
    return frame.rename(columns={"file": "image"}).assign(id=frame["file"], split=split)
