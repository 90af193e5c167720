"""A run that writes a baseline does not also pass as a gate: it would be compared with itself."""

from collections.abc import Iterable
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.record.run_record import RunRecord

__all__ = ["check_baseline_stays"]


def check_baseline_stays(baselines: Iterable[Path], written: Iterable[Path]) -> None:
    """Refuse a run that would write over the baseline in use, or over any accepted record.

    Args:
        baselines: Files that the run is compared with.
        written: Files that the run will write.

    Raises:
        FairnessError: One of them is a baseline; or a baseline is missing or no readable record.
    """
    in_use = {file.resolve() for path in baselines for file in _files(path)}
    for path in written:
        if path.resolve() in in_use or _is_accepted(path):
            msg = (
                f"{path}: this file is the baseline, and a run that writes a baseline does not "
                "also pass as a gate; write the record to another file, and make it the baseline "
                "with: pytest-fairness accept RECORD"
            )
            raise FairnessError(msg)


def _files(baseline: Path) -> list[Path]:
    """The baseline and the predictions kept beside it."""
    if not baseline.is_file():
        msg = (
            f"{baseline}: no such baseline (looked for {baseline.absolute()}); make a record the "
            "baseline with `pytest-fairness accept RECORD`, or run without one: "
            "-o fairness_baseline= (the record of such a run begins a baseline: accept --first)"
        )
        raise FairnessError(msg)
    if baseline.suffix.lower() != ".json":
        return [baseline]
    kept = (run.predictions for run in RunRecord.from_json(baseline).runs)
    return [baseline, *(baseline.with_name(one.file) for one in kept if one)]


def _is_accepted(path: Path) -> bool:
    if path.suffix.lower() != ".json" or not path.is_file():
        return False
    try:
        return RunRecord.from_json(path).accepted is not None
    except FairnessError:
        return False
