"""A scikit-learn-style `y_pred`: predicted classes alone, in the order of the manifest."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeGuard

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.data.readers import list_samples
from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import PredictionError
from pytest_fairness.files import check_regular

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pytest_fairness.policy.records import Evaluation

    YPred = NDArray[Any] | pd.Series[Any] | Sequence[Any] | str | Path
from pytest_fairness.wording import counted

__all__ = ["is_y_pred", "rows_of_y_pred"]


def is_y_pred(source: object) -> "TypeGuard[YPred]":
    """Return whether predictions are an array of classes, or a `.npy` file with one."""
    if isinstance(source, str | Path):
        return Path(source).suffix.lower() == ".npy"
    if isinstance(source, np.ndarray | pd.Series | pd.Index | list | tuple):
        return True
    return isinstance(source, pd.api.extensions.ExtensionArray) or _is_torch(source)


def _is_torch(source: object) -> bool:
    """Whether it is a tensor, without importing torch."""
    return type(source).__module__ == "torch" and type(source).__name__ in ("Tensor", "Parameter")


def rows_of_y_pred(source: "YPred", evaluation: "Evaluation") -> Rows:
    """Return the samples of an evaluation with predicted classes beside them.

    Args:
        source: (N,) predicted classes of all samples of the manifest, in its order; or of those that
            `where` keeps.
        evaluation: Its manifest gives targets and attributes.

    Raises:
        PredictionError: The array has another shape, or the file cannot be read.
        DataError: The manifest cannot be read.
    """
    values, name = _values(source)
    if values.ndim != 1:
        msg = (
            f"{name}: y_pred must hold one class a sample, shape (N,), got {values.shape}; for scores "
            "of classes take argmax(axis=1) and the names of the classes"
        )
        raise PredictionError(msg)
    listing = list_samples(evaluation).rows
    frame = listing.frame
    if evaluation.prediction in frame.columns:
        frame = frame.drop(columns=evaluation.prediction)
    kept = listing.matches(evaluation.where)
    if len(values) not in (len(frame), int(kept.sum())):
        of_where = f", or {int(kept.sum())}, those that `where` keeps" if not kept.all() else ""
        msg = (
            f"{name}: y_pred has {counted(len(values), 'value')}, but {listing.source} has {counted(len(frame), 'sample')}"
            f"{of_where}; give one class for each, in the same order"
        )
        raise PredictionError(msg)
    column = np.full(len(frame), None, dtype=object)
    column[slice(None) if len(values) == len(frame) else kept] = values
    frame = frame.assign(**{evaluation.prediction: column})
    if evaluation.id == "id" and "id" not in frame.columns:  # as for the images of a model
        paths = frame.get(evaluation.image)
        if paths is not None and all(isinstance(path, str) for path in paths):
            frame = frame.assign(id=paths)
    return replace(listing, frame=frame, source=name, error=PredictionError)


def _values(source: "YPred") -> tuple[NDArray[Any], str]:
    """Return the classes as Python objects, and what to call their source."""
    if isinstance(source, pd.Series):
        _refuse_shuffled(source)
    if not isinstance(source, str | Path):
        return _objects(source), f"predictions ({type(source).__name__})"
    try:
        check_regular(Path(source))
        found = np.load(source, allow_pickle=False)
    except FileNotFoundError as error:
        msg = f"{source}: no such file of predictions; correct the path"
        raise PredictionError(msg) from error
    except (OSError, ValueError, EOFError, MemoryError, SyntaxError) as error:
        msg = (
            f"{source}: cannot be read as a NumPy array ({error}); save it with numpy.save, classes as "
            "text or numbers (arrays of objects need unpickling and are not read)"
        )
        raise PredictionError(msg) from error
    return _objects(found), str(source)


def _refuse_shuffled(series: "pd.Series[Any]") -> None:
    """Refuse row numbers in another order: values are read by their place, which they contradict."""
    rows = np.arange(len(series))
    index = series.index.to_numpy()
    if not np.array_equal(index, rows) and np.array_equal(np.sort(index), rows):
        msg = (
            "predictions (Series): its index holds the row numbers in another order, and y_pred is read "
            "by place; give y_pred.sort_index(), or y_pred.to_numpy() if the order is that of the manifest"
        )
        raise PredictionError(msg)


def _objects(source: Any) -> NDArray[Any]:
    """Return the values by their place; an index of pandas has no say."""
    array = source.detach().cpu().numpy() if _is_torch(source) else np.asarray(source)
    return array if array.ndim != 1 else np.array(array.tolist(), dtype=object)
