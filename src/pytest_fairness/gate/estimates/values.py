"""Numbers of every sample that a policy asks the mean of: a column, or a declared function."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from pytest_fairness.data.samples import as_numbers
from pytest_fairness.doors.registry import load_object
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats
from pytest_fairness.statistics.metrics.observed import ObservedDefinition
from pytest_fairness.wording import counted

__all__ = ["values_of_samples"]


def values_of_samples(
    definition: ObservedDefinition, predictions: Predictions, evaluation: Evaluation
) -> Floats:
    """Return the number (N,) of each sample that a mean is made of, nan where it has none.

    Raises:
        PredictionError: The predictions lack the column, the function does not return a number of
            every sample, or a number is outside its bounds.
    """
    if definition.column is not None:
        what = f"column {definition.column!r} of evaluation {evaluation.name!r}"
        values = _of_column(definition.column, predictions, what)
    else:
        what = f"metric {definition.name!r} ({definition.value})"
        values = _of_function(definition.value, predictions, evaluation, what)
    low, high = definition.floor, definition.ceiling
    outside = (values < low) | (values > high)
    if outside.any():
        first = int(outside.argmax())
        msg = (
            f"{what}: sample {predictions.table.column('id')[first].as_py()!r} has the value "
            f"{values[first]:.15g}, outside {low:g} to {high:g}; correct the value, or the bounds"
        )
        raise PredictionError(msg)
    return values


def _of_column(column: str, predictions: Predictions, what: str) -> Floats:
    if column not in predictions.table.column_names:
        msg = (
            f"{what}: the predictions have no such column; read them again with this policy, from "
            "a file or a manifest that has it"
        )
        raise PredictionError(msg)
    return as_numbers(pd.Series(predictions.table.column(column).to_pylist(), dtype=object))


def _of_function(
    reference: str, predictions: Predictions, evaluation: Evaluation, what: str
) -> Floats:
    n = predictions.table.num_rows
    try:
        returned: npt.NDArray[np.generic] = np.asarray(
            load_object(reference)(predictions, evaluation)
        )
    except Exception as error:  # the code of a package
        msg = f"{what} failed: {type(error).__name__}: {error}"
        raise PredictionError(msg) from error
    numeric = returned.dtype.kind in "biuf"
    if returned.shape != (n,) or not numeric:
        msg = (
            f"{what} must return one number for each of {counted(n, 'sample')}, shape ({n},), got "
            f"{returned.dtype} of shape {returned.shape}"
        )
        raise PredictionError(msg)
    return returned.astype(np.float64)
