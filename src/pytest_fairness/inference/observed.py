"""What analyses observed, kept beside the predictions: a number a sample, and facts of the model."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from pytest_fairness.inference.predictions import OBSERVED_PREFIX, Predictions
from pytest_fairness.statistics.arrays import Floats

__all__ = ["Observed", "facts_of", "observation", "observed_values", "with_observed"]

_FACTS = "observed"


@dataclass(frozen=True, slots=True, eq=False)
class Observed:
    """Observations of a model on an evaluation set, made by one analysis.

    Args:
        columns: Observation -> a number of every sample (N,); nan where it has none.
        facts: Observation -> what holds for the model as a whole, by name.
    """

    columns: Mapping[str, Floats]
    facts: Mapping[str, Mapping[str, float]]


def observation(
    measure: str, of: str | None, *, by: tuple[str, ...] = (), pair: tuple[str, ...] = ()
) -> str:
    """Name of an observation in the table of predictions.

    Args:
        measure: Name of the measure, e.g. `attention_mask_score`.
        of: What was measured, e.g. a part of the image.
        by: The attributes that were asked of, where there is no number a sample.
        pair: The levels of a group and of its reference, where two groups are compared.

    Example:
        >>> observation("attention_mask_score", "hair")
        'observed:attention_mask_score:hair'
    """
    parts = (measure, of or "", *(["*".join(by)] if by else []), *pair)
    return OBSERVED_PREFIX + ":".join(parts)


def with_observed(predictions: Predictions, observed: Observed) -> Predictions:
    """Return predictions with an observation beside them.

    It replaces an observation of the same name.
    """
    table = predictions.table
    for name, values in observed.columns.items():
        column = pa.array(values, pa.float64(), from_pandas=True)
        if name in table.column_names:
            table = table.set_column(table.column_names.index(name), name, column)
        else:
            table = table.append_column(name, column)
    facts = json.loads(predictions.metadata.get(_FACTS, "{}"))
    facts |= {name: dict(some) for name, some in observed.facts.items()}
    metadata = {**predictions.metadata, _FACTS: json.dumps(facts, sort_keys=True)}
    return replace(predictions, table=table, metadata=metadata)


def observed_values(predictions: Predictions, name: str) -> Floats | None:
    """Return the values (N,) of an observation, or None where it was not made."""
    if name not in predictions.table.column_names:
        return None
    column = predictions.table.column(name).to_numpy(zero_copy_only=False)
    return np.asarray(column, dtype=np.float64)


def facts_of(predictions: Predictions, name: str) -> dict[str, float]:
    """Return what was observed of the model as a whole, or nothing where nothing was."""
    facts: dict[str, float] = json.loads(predictions.metadata.get(_FACTS, "{}")).get(name, {})
    return facts
