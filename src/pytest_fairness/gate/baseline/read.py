"""The last accepted release: a record, or the predictions that it made."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pandas as pd

from pytest_fairness.data.levels import MISSING, as_levels
from pytest_fairness.data.rows import arrow_rows, read_rows
from pytest_fairness.errors import PredictionError
from pytest_fairness.gate.record.kept import find_predictions
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.hashing import sha256_of
from pytest_fairness.inference import Predictions, read_predictions
from pytest_fairness.statistics.counts import GroupCounts, count_groups

if TYPE_CHECKING:
    import pyarrow as pa

    from pytest_fairness.policy import Evaluation

__all__ = ["Baseline", "BaselineSource", "read_baseline"]

BaselineSource: TypeAlias = "pd.DataFrame | pa.Table | str | Path | Predictions | RunRecord"


@dataclass(frozen=True, slots=True, eq=False)
class Baseline:
    """Answers of the previous release on one evaluation set.

    Args:
        source: File name, or the type of the object.
        sha256: Hash of the file; None for an object.
        model: Name of the model that answered; empty where none did.
        counts: Counts of its answers; None where it gave none on this evaluation set.
        predictions: Its answers image by image; None when they are not known.
        lacking: Why there are no counts or no answers image by image, in words.
        record: The whole record, where there is one.
    """

    source: str
    sha256: str | None = None
    model: str = ""
    counts: GroupCounts | None = None
    predictions: Predictions | None = None
    lacking: str = ""
    record: RunRecord | None = None


def read_baseline(source: BaselineSource, evaluation: "Evaluation", *, model: str) -> Baseline:
    """Read the baseline of one model on one evaluation set.

    Args:
        source: A run record (object or `.json` file), or predictions as `judge` takes them. A
            record finds the predictions that were kept beside it.
        evaluation: The evaluation that is judged. Levels that it no longer declares are read all
            the same.
        model: Name of the model that is judged; a record of one model only is taken whatever
            the name.

    Raises:
        FairnessError: The file cannot be read, or the predictions beside a record are not its own.
    """
    if isinstance(source, RunRecord):
        return _of_record(source, Baseline("a record", record=source), evaluation, model=model)
    if isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
        record = RunRecord.from_json(source)
        start = Baseline(str(source), sha256_of(Path(source)), record=record)
        return _of_record(record, start, evaluation, model=model)
    found = _read(source, evaluation)
    counts = count_groups(found.table.to_batches(), levels=found.levels, classes=found.classes)
    if isinstance(source, str | Path):
        return Baseline(str(source), sha256_of(Path(source)), found.model, counts, found)
    return Baseline("predictions", None, found.model, counts, found)


def _of_record(
    record: RunRecord, start: Baseline, evaluation: "Evaluation", *, model: str
) -> Baseline:
    runs = {run.model: run for run in record.runs if run.evaluation == evaluation.name}
    if model not in runs and len(runs) != 1:
        others = f", only of {', '.join(runs)}" if runs else ""
        lacking = (
            f"the baseline {start.source} has no answers of {model} on {evaluation.name}{others}"
        )
        return replace(start, lacking=lacking)
    run = runs.get(model) or next(iter(runs.values()))
    known = replace(start, model=run.model, counts=run.counts.counted)
    file = None if start.sha256 is None else find_predictions(run, Path(start.source).parent)
    if file is None:
        kept = "" if run.predictions is None else f", {run.predictions.file} is not beside it"
        return replace(known, lacking=f"the baseline has counts only{kept}")
    return replace(known, predictions=Predictions.from_parquet(file))


def _read(
    source: "pd.DataFrame | pa.Table | str | Path | Predictions", evaluation: "Evaluation"
) -> Predictions:
    if isinstance(source, Predictions):
        return source
    frame = _frame(source, evaluation)
    lenient = replace(
        evaluation,
        attributes=_levels(frame, evaluation),
        cluster=None,
        counterfactual=(),
        numbers={},
        # Sets of labels are no part of the comparison, unless they are all that there is.
        labels=None if {"target", evaluation.target} & {*frame.columns} else evaluation.labels,
    )
    return read_predictions(source, lenient, ground_truth=False)


def _frame(
    source: "pd.DataFrame | pa.Table | str | Path", evaluation: "Evaluation"
) -> pd.DataFrame:
    if isinstance(source, str | Path):
        return read_rows(
            Path(source),
            evaluation=evaluation.name,
            error=PredictionError,
            levels=evaluation.attributes,
        ).frame
    return source if isinstance(source, pd.DataFrame) else arrow_rows(source)


def _levels(frame: pd.DataFrame, evaluation: "Evaluation") -> dict[str, tuple[str, ...]]:
    """Return the declared attributes that the table has, with all levels found in it."""
    found = {}
    for name, declared in evaluation.attributes.items():
        if name in frame.columns:
            values = as_levels(frame[name]).dropna().unique().tolist()
            found[name] = tuple(dict.fromkeys((*declared, *sorted({*values} - {MISSING}))))
    return found
