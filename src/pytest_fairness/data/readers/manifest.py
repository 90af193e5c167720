"""A manifest: a CSV or Parquet file with one row a sample, and paths relative to it."""

from dataclasses import replace
from pathlib import Path

import pandas as pd

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.errors import DataError
from pytest_fairness.wording import listed, suggest

__all__ = ["read"]


def read(source: Source) -> Listing:
    """Return the rows of a manifest, followed by those of the files that `more_files` names.

    Raises:
        DataError: A file cannot be read, or has other columns than the first.
    """
    folder = source.root.parent
    names = [source.root.name, *_further(source)]
    files = [
        read_rows(
            folder / name,
            evaluation=source.evaluation.name,
            error=DataError,
            levels=source.evaluation.attributes,
        )
        for name in names
    ]
    if len(files) == 1:
        return Listing(files[0], folder)
    masks = None
    if source.evaluation.masks is not None:
        masks = source.masks_in(*dict.fromkeys((folder / name).parent for name in names))
    return Listing(_joined(source, files, names), folder, masks)


def _further(source: Source) -> list[str]:
    names: list[object] = source.options.get("more_files", [])
    for name in names:
        if not isinstance(name, str):
            source.error(
                f"option more_files = {names!r} must be a list of files, got {name!r}; write paths "
                "relative to the manifest"
            )
    return [str(name) for name in names]


def _joined(source: Source, files: list[Rows], names: list[str]) -> Rows:
    """Return the rows of several files as those of one, numbered through all of them."""
    first = files[0]
    for other in files[1:]:
        _check_same_kind(source, first, other)
    frames = [
        _relative_to_first(rows.frame, Path(name).parent, source.evaluation.image)
        for rows, name in zip(files, names, strict=True)
    ]
    return replace(
        first,
        frame=pd.concat(frames, ignore_index=True),
        source=" + ".join(rows.source for rows in files),
        unit="row",
    )


def _check_same_kind(source: Source, first: Rows, other: Rows) -> None:
    """Refuse a file that has other columns than the first, or images of another kind."""
    for name in first.frame.columns.symmetric_difference(other.frame.columns):
        lacks, has = (first, other) if name in other.frame.columns else (other, first)
        columns = list(map(str, lacks.frame.columns))
        source.error(
            f"{lacks.source}: no column {name!r}, which {has.source} has; the files of one "
            f"evaluation have the same columns: add it{suggest(str(name), columns)} (columns: "
            f"{listed(columns)})"
        )
    image = source.evaluation.image
    if image in first.frame and _has_paths(first.frame[image]) != _has_paths(other.frame[image]):
        source.error(
            f"{other.source}: column {image!r} holds "
            f"{'paths' if _has_paths(other.frame[image]) else 'encoded images'}, that of "
            f"{first.source} the other kind; the files of one evaluation hold one of the two"
        )


def _relative_to_first(frame: pd.DataFrame, folder: Path, image: str) -> pd.DataFrame:
    """Return the rows of a file with the folder of the file before each path of an image."""
    if folder == Path() or image not in frame or not _has_paths(frame[image]):
        return frame
    below = [value if pd.isna(value) else (folder / value).as_posix() for value in frame[image]]
    return frame.assign(**{image: pd.Series(below, index=frame.index, dtype=object)})


def _has_paths(images: pd.Series) -> bool:
    return isinstance(next(iter(images.dropna()), ""), str)
