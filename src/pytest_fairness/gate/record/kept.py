"""Predictions kept beside a record, by which a later run is compared image by image."""

import shutil
from collections.abc import Mapping
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.files import file_name, replacing
from pytest_fairness.gate.record.details import PredictionsFile
from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord
from pytest_fairness.hashing import sha256_of
from pytest_fairness.inference import Predictions

__all__ = ["find_predictions", "write_record"]


def write_record(
    record: RunRecord,
    path: str | Path,
    *,
    predictions: Mapping[tuple[str, str], Predictions | Path],
) -> RunRecord:
    """Write a record, and the predictions beside it as `<stem>.<model>-<evaluation>.parquet`.

    Args:
        record: The record of a run.
        path: JSON file to write; its folder is made when it is missing.
        predictions: (model, evaluation) -> predictions, or a file of `Predictions.to_parquet`.

    Returns:
        The record as it was written, with the names and hashes of the files.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    runs = [_keep(run, predictions.get((run.model, run.evaluation)), path) for run in record.runs]
    written = record.model_copy(update={"runs": runs})
    written.to_json(path)
    return written


def _keep(run: JudgedRun, predictions: Predictions | Path | None, record: Path) -> JudgedRun:
    if predictions is None:
        return run
    name = _kept_name(run, record)
    file = record.with_name(name)
    if isinstance(predictions, Predictions):
        predictions.to_parquet(file)
    elif not file.exists() or not file.samefile(predictions):
        with replacing(file) as part:
            shutil.copyfile(predictions, part)
    kept = PredictionsFile(file=name, sha256=sha256_of(file))
    return run.model_copy(update={"predictions": kept})


def find_predictions(run: JudgedRun, folder: Path) -> Path | None:
    """Return the predictions of a record in this folder, or None when there are none.

    Raises:
        FairnessError: The file is not the one that the record was written with.
    """
    if run.predictions is None:
        return None
    file = folder / run.predictions.file
    if not file.is_file():
        return None
    if (found := sha256_of(file)) != run.predictions.sha256:
        msg = (
            f"{file}: not the predictions of the record beside it: sha256 is {found}, the record "
            f"says {run.predictions.sha256}; restore the file, or judge the model again"
        )
        raise FairnessError(msg)
    return file


def _kept_name(run: JudgedRun, record: Path) -> str:
    """Return the name of the predictions of a run beside the record of this path."""
    return f"{record.stem}.{file_name(run.model, run.evaluation, ending='.parquet')}"
