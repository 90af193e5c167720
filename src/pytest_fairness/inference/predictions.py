"""Predictions: one row a sample, with all that counting and the record need."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray
from pydantic import BaseModel, model_validator

from pytest_fairness.data.parquet import read_parquet
from pytest_fairness.errors import PredictionError
from pytest_fairness.files import parse_json, replacing

__all__ = ["OBSERVED_PREFIX", "SCORE_PREFIX", "Predictions", "prediction_table", "recorded_in"]

SCORE_PREFIX = "score:"
OBSERVED_PREFIX = "observed:"
_KEY = b"pytest_fairness"

# Values of the metadata that are JSON objects themselves.
_OBJECTS = (
    "where",
    "derive",
    "unreadable_images",
    "unpredicted_samples",
    "without_prediction",
    "observed",
)


class _Recorded(BaseModel):
    """What `to_parquet` writes beside a table."""

    model: str
    evaluation: str
    classes: list[str]
    levels: dict[str, list[str]]
    metadata: dict[str, str]

    @model_validator(mode="after")
    def _objects(self) -> "_Recorded":
        for key in _OBJECTS:
            if not isinstance(parse_json(self.metadata.get(key, "{}")), dict):
                msg = f"{key} is no JSON object"
                raise ValueError(msg)  # noqa: TRY004  (pydantic takes this one)
        return self


@dataclass(frozen=True, slots=True)
class Predictions:
    """Predictions of a model for an evaluation set.

    Args:
        table: (N, columns) text columns `id`, `target`, `prediction` and every attribute, and
            float32 columns `score:<class>`.
        model: Name of the model under test.
        evaluation: Name of the evaluation in the policy.
        classes: All classes, in the order of the counts.
        levels: Attribute -> its levels, those without samples included.
        metadata: What made them: device, time, versions and hashes, for the run record.
    """

    table: pa.Table
    model: str
    evaluation: str
    classes: tuple[str, ...]
    levels: Mapping[str, tuple[str, ...]]
    metadata: Mapping[str, str]

    def to_parquet(self, path: str | Path) -> None:
        """Write the table in one step, with everything else in the metadata of its schema."""
        with replacing(Path(path)) as part:
            pq.write_table(self.to_table(), part)

    def to_table(self) -> pa.Table:
        """Return the table with everything else in the metadata of its schema."""
        record = {
            "model": self.model,
            "evaluation": self.evaluation,
            "classes": self.classes,
            "levels": dict(self.levels),
            "metadata": dict(self.metadata),
        }
        return self.table.replace_schema_metadata({_KEY: json.dumps(record)})

    @classmethod
    def from_parquet(cls, path: str | Path) -> "Predictions":
        """Read what `to_parquet` wrote.

        Raises:
            PredictionError: The file is missing, or was not written by `to_parquet`.
        """
        try:
            table = read_parquet(Path(path))
        except (pa.ArrowException, OSError, ValueError) as problem:
            msg = f"{path}: predictions cannot be read: {problem}; run the model again"
            raise PredictionError(msg) from problem
        record = recorded_in(table.schema)
        if not record:
            msg = (
                f"{path}: not written by pytest-fairness; read a table of your own with "
                "read_predictions and an evaluation that names its columns"
            )
            raise PredictionError(msg)
        return cls(
            table=table.replace_schema_metadata(None),
            model=record["model"],
            evaluation=record["evaluation"],
            classes=tuple(record["classes"]),
            levels={name: tuple(levels) for name, levels in record["levels"].items()},
            metadata=record["metadata"],
        )


def prediction_table(
    samples: pd.DataFrame, prediction: pd.Series, scores: Mapping[str, NDArray[np.floating]]
) -> pa.Table:
    """Put samples (N, ...), predicted classes (N,) and scores of classes (N,) into one table."""
    frame = samples.copy(deep=False)
    frame.insert(2, "prediction", prediction.to_numpy())
    columns = {name: pa.array(frame[name].tolist(), pa.string()) for name in frame.columns}
    for name, values in scores.items():
        columns[f"{SCORE_PREFIX}{name}"] = pa.array(values, pa.float32())
    return pa.table(columns)


def recorded_in(schema: pa.Schema) -> dict[str, Any]:
    """Return what `to_parquet` wrote beside a table, or nothing for a table of another origin."""
    try:
        record = parse_json((schema.metadata or {}).get(_KEY, b"{}"))
        return _Recorded.model_validate(record).model_dump() if record else {}
    except ValueError as problem:
        msg = f"predictions: what is recorded beside the table is damaged: {problem}; run the model again"
        raise PredictionError(msg) from problem
