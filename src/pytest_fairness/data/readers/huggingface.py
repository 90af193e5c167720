"""A data set of the Hugging Face library `datasets`, as `save_to_disk` wrote it."""

from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from pytest_fairness.data.images import Cell
from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.rows import arrow_rows
from pytest_fairness.wording import counted, listed

__all__ = ["read"]


def read(source: Source) -> Listing:
    """Return the samples with every plain column. Images stay encoded, in the memory-mapped file.

    A column of classes holds their names. With several splits, there is a column `split`.
    """
    try:
        import datasets  # noqa: PLC0415  (optional)
    except ImportError:
        source.error(
            f"{source.root}: reading it needs the package datasets; pip install "
            "'pytest-fairness[datasets]'"
        )
    try:
        loaded = datasets.load_from_disk(str(source.root))
    except (OSError, ValueError, KeyError, pa.ArrowException) as problem:
        source.error(f"{source.root}: not a data set that `save_to_disk` wrote: {problem}")
    parts = _parts(source, loaded)
    frames = [_frame(source, datasets, name, part) for name, part in parts.items()]
    frame = frames[0] if len(frames) == 1 else pd.concat(frames, ignore_index=True)
    return Listing(source.rows(frame, source.root), source.root)


def _parts(source: Source, loaded: Any) -> dict[str, Any]:
    asked = source.evaluation.split
    if not isinstance(loaded, dict):
        if asked and asked != (str(loaded.split),):
            source.error(
                f"{source.root}: split {listed(asked)} is asked for, but it holds one data set"
                f"{f' (split {loaded.split})' if loaded.split else ', which names no split'}"
            )
        return {str(loaded.split or ""): loaded}
    if unknown := [name for name in asked if name not in loaded]:
        source.error(f"{source.root}: no split {unknown[0]!r}; there are {listed(loaded)}")
    return {name: loaded[name] for name in (asked or loaded)}


def _frame(source: Source, datasets: Any, split: str, part: Any) -> pd.DataFrame:
    pictures = [name for name, kind in part.features.items() if isinstance(kind, datasets.Image)]
    for name in pictures:
        part = part.cast_column(name, datasets.Image(decode=False))
    plain = [
        name
        for name, kind in part.features.items()
        if isinstance(kind, datasets.Value | datasets.ClassLabel)
    ]
    table: pa.Table = part.with_format("arrow")[:]
    frame = arrow_rows(table.select(plain))
    for name in plain:
        if isinstance(part.features[name], datasets.ClassLabel):
            frame[name] = _class_names(frame[name], part.features[name].names)
    images = {name: _encoded(source, name, table.column(name)) for name in pictures}
    frame = frame.assign(**images)
    return frame if not split or "split" in frame.columns else frame.assign(split=split)


def _class_names(codes: pd.Series, names: list[str]) -> pd.Series:
    """Names of classes (N,); -1 is the library's word for an unknown label."""
    numbers = codes.fillna(-1).astype(int).to_numpy()
    return pd.Series(np.array([*names, None], dtype=object)[numbers], index=codes.index)


def _encoded(source: Source, name: str, column: pa.ChunkedArray) -> pd.Series:
    """The encoded images of a column, or their paths where it holds paths only."""
    content = pc.struct_field(column, "bytes")
    if content.null_count == 0:
        # A copy of each image would be made where rows are chosen.
        return pd.Series([Cell(content, row, source.root) for row in range(len(content))])
    paths = pc.struct_field(column, "path")
    if content.null_count < len(content) or paths.null_count:
        source.error(
            f"{source.root}: column {name!r} lacks the image of {content.null_count} of "
            f"{counted(len(content), 'sample')}; save the data set with its images embedded"
        )
    return pd.Series(paths.to_pylist())
