"""One module a data set: its own files -> the list of its samples.

Each module has `OPTIONS`, the options that it takes with their kinds, and `read`; one with `MASKS`
reads masks of its own.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_fairness.data.derived import derive_columns
from pytest_fairness.data.listing import Listing, ReadMasks, Source
from pytest_fairness.data.masks import read_masks
from pytest_fairness.errors import DataError
from pytest_fairness.wording import listed, suggest

if TYPE_CHECKING:
    from pathlib import Path

    from pytest_fairness.policy.records import Evaluation

__all__ = ["list_samples"]


def list_samples(evaluation: "Evaluation") -> Listing:
    """Return the samples of an evaluation, with derived columns; no image is opened.

    Raises:
        DataError: Files are missing or malformed, counts disagree, or an option is not known.
    """
    root = evaluation.source
    if root is None:
        msg = (
            f"evaluation {evaluation.name!r} has no images to run a model on; give its `manifest`, "
            "or a `reader` with its `root`, or judge predictions"
        )
        raise DataError(msg)
    reader: Any = import_module(f"{__name__}.{evaluation.reader}")
    _check_options(evaluation, reader.OPTIONS)
    if evaluation.reader != "manifest" and not root.exists():
        msg = (
            f"{root}: no such folder (root of evaluation {evaluation.name!r}); correct the path, "
            "which a policy gives relative to its own folder"
        )
        raise DataError(msg)
    found: Listing = reader.read(Source(evaluation, root, evaluation.options))
    masks = found.masks
    if evaluation.masks is not None and masks is None:
        masks = _masks_of_file(evaluation, root if root.is_dir() else root.parent)
    return Listing(derive_columns(found.rows, evaluation), found.folder, masks)


def _masks_of_file(evaluation: "Evaluation", folder: "Path") -> "ReadMasks":
    """What reads the masks of a Parquet file, which any data set may have beside it."""
    path = folder / str(evaluation.masks)
    if path.suffix.lower() != ".parquet":
        msg = (
            f"{path}: reader {evaluation.reader!r} reads masks of a .parquet file only (evaluation "
            f"{evaluation.name!r})"
        )
        raise DataError(msg)
    return lambda _, ids: read_masks(path, ids)


def _check_options(evaluation: "Evaluation", allowed: dict[str, Any]) -> None:
    for name, value in evaluation.options.items():
        if name not in allowed:
            known = f"the options are {listed(allowed)}" if allowed else "it takes none"
            msg = (
                f"evaluation {evaluation.name!r}: reader {evaluation.reader!r} has no option "
                f"{name!r}{suggest(name, allowed)}; {known}"
            )
            raise DataError(msg)
        if not isinstance(value, allowed[name]):
            msg = (
                f"evaluation {evaluation.name!r}: option {name} = {value!r} of reader "
                f"{evaluation.reader!r} must be of kind {allowed[name].__name__}"
            )
            raise DataError(msg)
