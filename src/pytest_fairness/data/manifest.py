"""The samples of an evaluation -> an evaluation set, checked to the end before anything runs."""

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from pytest_fairness.data.evaluation_set import EvaluationSet, hash_rows
from pytest_fairness.data.images import Cell, Images, Paths, Slice
from pytest_fairness.data.readers import list_samples
from pytest_fairness.data.rows import Rows
from pytest_fairness.data.samples import read_ids, read_samples
from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_fairness.policy.records import Evaluation

__all__ = ["load_evaluation_set"]

_UNREADABLE = "(unreadable)"
_MOST_THREADS = 16
_IMAGES_AT_A_TIME = 64


def load_evaluation_set(evaluation: "Evaluation") -> EvaluationSet:
    """Read the manifest or data set of an evaluation and check every sample of it.

    The image column of a manifest holds paths relative to it, or (Parquet) the encoded files. When
    there is no column `id`, samples are called by their image path, or `row-<n>` without paths.

    Raises:
        DataError: A file or a column is missing; no sample is left; an id is used twice; a target
            is missing or not a class; a level is not declared; an image file is missing, unless
            the evaluation counts unreadable images.
    """
    listing = list_samples(evaluation)
    rows = listing.rows.keep(evaluation.where)
    column = rows.column(evaluation.image, key="image")
    kind = _kind_of(rows, column)
    paths = rows.text(evaluation.image, key="image") if kind is str else None
    ids = read_ids(rows, evaluation, otherwise=paths)
    samples = read_samples(rows, evaluation, ids=ids)
    images = _find_images(rows, evaluation, ids=ids, folder=listing.folder, kind=kind)
    images = _hashed(images, strict=evaluation.on_error == "fail")
    return EvaluationSet(
        name=evaluation.name,
        source=rows.source,
        samples=samples.frame,
        levels=samples.levels,
        classes=samples.classes,
        images=images,
        left_out=len(listing.rows.frame) - len(rows.frame),
        where=dict(evaluation.where),
        sha256=_hash(samples.frame, images),
        manifest=_without_images(rows.frame),
        masks=None if listing.masks is None else listing.masks(rows.frame, ids.tolist()),
        derived={column: made.text for column, made in evaluation.derive.items()},
        max_errors=evaluation.max_errors,
        positive=evaluation.positive,
        threshold=evaluation.threshold,
    )


def _kind_of(rows: Rows, column: pd.Series) -> type:
    """Whether a column holds paths, encoded images, or places within larger files."""
    filled = column.dropna()
    value = "" if filled.empty else filled.iloc[0]
    for kind in (str, bytes, Slice, Cell):
        if isinstance(value, kind):
            return kind
    msg = (
        f"{rows.source}: column {column.name!r} must hold paths or encoded images (bytes), got "
        f"{type(value).__name__}; write one of the two, or name another column as `image`"
    )
    raise DataError(msg)


def _find_images(
    rows: Rows, evaluation: "Evaluation", *, ids: pd.Series, folder: "Path", kind: type
) -> Images:
    """Return the images; raise when one is not there, so that no run stops half-way."""
    name = evaluation.image
    if kind is not str:
        column = rows.column(name, key="image")
        rows.reject(
            column.isna().to_numpy(),
            ids,
            lambda _: f"`image` is missing in column {name!r}",
            remedy="fill it in, or remove the row",
        )
        return Images(column.array, ids.tolist(), rows)
    files = Paths(folder, rows.required(name, key="image", ids=ids).tolist())
    if evaluation.on_error == "fail":
        rows.reject(
            ~_are_files(files),
            ids,
            lambda first: f"image file {files[first]} is missing",
            remedy=f"paths are relative to {folder}; correct the path, or remove the row",
        )
    return Images(files, ids.tolist(), rows)


def _are_files(files: Paths) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Whether each file is there (N,)."""
    folder = str(files.folder)
    found = (os.path.isfile(os.path.join(folder, name)) for name in files.names)  # noqa: PTH113, PTH118  (ten times as fast as paths)
    return np.fromiter(found, np.bool_, len(files))


def _hashed(images: Images, *, strict: bool) -> Images:
    """Return images with their hashes; one that cannot be read has none, or is an error if strict."""

    def digest(position: int) -> tuple[bytes, int]:
        try:
            return images.hashed(position)
        except DataError:
            if strict:
                raise
            return b"", 0

    def some(first: int) -> list[tuple[bytes, int]]:
        return [digest(i) for i in range(first, min(first + _IMAGES_AT_A_TIME, len(images)))]

    with ThreadPoolExecutor(min(_MOST_THREADS, os.cpu_count() or 1)) as pool:
        parts = pool.map(some, range(0, len(images), _IMAGES_AT_A_TIME))
        digests, stamps = zip(*(one for part in parts for one in part), strict=True)
    return replace(images, digests=digests, stamps=stamps)


def _hash(frame: pd.DataFrame, images: Images) -> str:
    digests = [digest.hex() or _UNREADABLE for digest in images.digests]
    return hash_rows(frame.assign(**{"(image)": digests}))


def _without_images(frame: pd.DataFrame) -> pd.DataFrame:
    """Every column of a manifest but encoded images, which the evaluation set reads itself."""
    kept = [name for name in frame if not _holds_files(frame[name])]
    return frame[kept].reset_index(drop=True)


def _holds_files(column: pd.Series) -> bool:
    filled = column.dropna()
    return not filled.empty and isinstance(filled.iloc[0], bytes | Slice | Cell)
