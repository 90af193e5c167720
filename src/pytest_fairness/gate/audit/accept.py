"""Make a record the baseline: copied under a stable name, its predictions beside it."""

import datetime as dt
from collections import Counter
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.audit.first import first_comparisons
from pytest_fairness.gate.record.details import AcceptedRecord
from pytest_fairness.gate.record.kept import find_predictions, write_record
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.gate.record.stop import StopKind
from pytest_fairness.wording import counted

__all__ = ["BASELINE_NAME", "accept", "why_not"]

BASELINE_NAME = "record.json"
# Stops that are counted, since there may be many of a kind.
_COUNTED: dict[StopKind, tuple[str, str]] = {
    "verdict": ("question stops the release", "questions stop the release"),
    "required": (
        "group that its policy requires was not judged",
        "groups that its policy requires were not judged",
    ),
}


def accept(
    source: Path, folder: Path, *, even_if_failed: str | None = None, first: bool = False
) -> RunRecord:
    """Copy a record and its predictions into the folder of the baseline, in place of the former.

    Args:
        source: JSON file of the record.
        folder: Folder of the baseline; made when it is missing.
        even_if_failed: Why a record that did not pass is accepted all the same; kept in it.
        first: Whether questions that have no baseline yet may be without an answer.

    Returns:
        The record as it was written to `record.json` in the folder; a run whose predictions are
        gone has none, and can be compared by its counts only.

    Raises:
        FairnessError: The record cannot be read; is already the baseline; did not pass and no
            reason was given; `first` and each question has a baseline; or its predictions are not
            its own.
    """
    record = RunRecord.from_json(source)
    target = folder / BASELINE_NAME
    if target.exists() and target.samefile(source):
        msg = f"{source}: this record is already the baseline; give the record of another run"
        raise FairnessError(msg)
    beginning = first_comparisons(record, _former(target))
    if first and not beginning:
        msg = f"{source}: --first: no question of this record lacks a baseline; drop the option"
        raise FairnessError(msg)
    if not even_if_failed:
        _refuse_stops(record, beginning, source=source, first=first)
    found = {
        (run.model, run.evaluation): file
        for run in record.runs
        if (file := find_predictions(run, source.parent)) is not None
    }
    former = _kept_beside(target)
    bare = [run.model_copy(update={"predictions": None}) for run in record.runs]
    note = AcceptedRecord(
        at=dt.datetime.now(dt.UTC).isoformat(timespec="seconds"),
        source=source.name,
        even_if_failed=even_if_failed,
        first=beginning if first else [],
    )
    accepted = record.model_copy(update={"runs": bare, "accepted": note})
    written = write_record(accepted, target, predictions=found)
    kept = {run.predictions.file for run in written.runs if run.predictions}
    for file in former:
        if file.name not in kept:
            file.unlink(missing_ok=True)
    return written


def _refuse_stops(record: RunRecord, beginning: list[str], *, source: Path, first: bool) -> None:
    """Refuse a record that did not pass; with `first`, for other reasons than a missing baseline."""
    others = [stop for stop in record.stops if stop.name not in beginning]
    if others or (record.stops and not first):
        msg = (
            f"{source}: {why_not(record)}. A run that failed or is incomplete cannot become the baseline. "
            'Fix it, or give a reason: --even-if-failed "REASON".'
        )
        if not others:
            number = counted(len(record.stops), "question has", "questions have")
            msg = (
                f"{source}: {number} no baseline to be compared with yet, and nothing "
                f"else stops the release, e.g. {record.stops[0].name}. If this record is the first to compare with, "
                "make it the baseline with --first."
            )
        raise FairnessError(msg)


def _former(target: Path) -> RunRecord | None:
    """The baseline so far; None where there is no readable one."""
    if not target.is_file():
        return None
    try:
        return RunRecord.from_json(target)
    except FairnessError:
        return None


def _kept_beside(target: Path) -> list[Path]:
    """Predictions of the former baseline; none where there is no readable one."""
    former = _former(target)
    runs = [] if former is None else former.runs
    return [target.with_name(run.predictions.file) for run in runs if run.predictions]


def why_not(record: RunRecord) -> str:
    """Return why a record did not pass, in words, or nothing when it did."""
    stops = record.stops
    numbers = Counter(stop.kind for stop in stops)
    reasons = (
        counted(numbers[stop.kind], *_COUNTED[stop.kind]) if stop.kind in _COUNTED else stop.reason
        for stop in stops
    )
    return "; ".join(dict.fromkeys(reasons))
