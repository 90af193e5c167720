"""A manifest -> an evaluation set, checked to the end before anything runs."""

import hashlib
from typing import TYPE_CHECKING

import pandas as pd

from pytest_fairness.data.evaluation_set import EvaluationSet, hash_rows
from pytest_fairness.data.images import Images
from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.data.samples import read_ids, read_samples
from pytest_fairness.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_fairness.policy.records import Evaluation

__all__ = ["load_evaluation_set"]


def load_evaluation_set(evaluation: "Evaluation") -> EvaluationSet:
    """Read the manifest (CSV or Parquet) of an evaluation and check every row of it.

    The image column holds paths relative to the manifest, or (Parquet) the encoded files. When
    there is no column `id`, samples are called by their image path, or `row-<n>` without paths.

    Raises:
        DataError: The manifest or a column is missing; no sample is left; an id is used twice; a
            target is missing or not a class; a level is not declared; an image file is missing.
    """
    if evaluation.manifest is None:
        msg = (
            f"evaluation {evaluation.name!r} has no images to run a model on; give its `manifest`, "
            "or judge predictions"
        )
        raise DataError(msg)
    found = read_rows(evaluation.manifest, evaluation=evaluation.name, error=DataError)
    rows = found.keep(evaluation.where)
    column = rows.column(evaluation.image, key="image")
    paths = None if _holds_bytes(rows, column) else rows.text(evaluation.image, key="image")
    ids = read_ids(rows, evaluation, otherwise=paths)
    samples = read_samples(rows, evaluation, ids=ids)
    images = _find_images(rows, evaluation, ids=ids, folder=evaluation.manifest.parent)
    return EvaluationSet(
        name=evaluation.name,
        source=str(evaluation.manifest),
        samples=samples.frame,
        levels=samples.levels,
        classes=samples.classes,
        images=images,
        left_out=len(found.frame) - len(rows.frame),
        where=dict(evaluation.where),
        sha256=_hash(samples.frame, images),
    )


def _holds_bytes(rows: Rows, column: pd.Series) -> bool:
    filled = column.dropna()
    value = "" if filled.empty else filled.iloc[0]
    if not isinstance(value, bytes | str):
        msg = (
            f"{rows.source}: column {column.name!r} must hold paths or encoded images (bytes), got "
            f"{type(value).__name__}; write one of the two, or name another column as `image`"
        )
        raise DataError(msg)
    return isinstance(value, bytes)


def _find_images(rows: Rows, evaluation: "Evaluation", *, ids: pd.Series, folder: "Path") -> Images:
    """Return the images; raise when one is not there, so that no run stops half-way."""
    name = evaluation.image
    column = rows.column(name, key="image")
    if _holds_bytes(rows, column):
        rows.reject(
            column.isna().to_numpy(),
            ids,
            lambda _: f"`image` is missing in column {name!r}",
            remedy="fill it in, or remove the row",
        )
        return Images(column.array, ids.tolist(), rows)
    files = [folder / path for path in rows.required(name, key="image", ids=ids)]
    rows.reject(
        ~pd.Series([file.is_file() for file in files]).to_numpy(),
        ids,
        lambda first: f"image file {files[first]} is missing",
        remedy=f"paths are relative to {folder}; correct the path, or remove the row",
    )
    return Images(files, ids.tolist(), rows)


def _hash(frame: pd.DataFrame, images: Images) -> str:
    digests = [hashlib.sha256(images.content(i)).hexdigest() for i in range(len(images))]
    return hash_rows(frame.assign(**{"(image)": digests}))
