"""From the order of an evaluation set to the order of its predictions."""

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

if TYPE_CHECKING:
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions

__all__ = ["aligned"]


def aligned(
    values: NDArray[np.float64], evaluation_set: "EvaluationSet", predictions: "Predictions"
) -> NDArray[np.float64]:
    """Return values of samples in the order of the predictions, which may lack some samples.

    Args:
        values: (N,), one for each sample of the evaluation set.
        evaluation_set: The samples.
        predictions: M predictions of some of them.

    Returns:
        (M,); nan where a prediction is of no sample of the set.
    """
    by_id = pd.Series(values, index=evaluation_set.samples["id"].to_numpy())
    ids = predictions.table.column("id").to_pylist()
    return np.asarray(by_id.reindex(ids).to_numpy(), dtype=np.float64)
