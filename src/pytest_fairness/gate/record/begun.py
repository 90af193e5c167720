"""The file of a record while its run goes on: a run that dies leaves no verdicts of a former one."""

import shutil
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.files import replacing
from pytest_fairness.gate.record.run_record import RunRecord

__all__ = ["begin_record", "end_record", "former_file", "statement_file"]


def statement_file(record: Path) -> Path:
    """Return the file of the statement about a record: `record.json` -> `record.intoto.json`.

    Example:
        >>> statement_file(Path("record.json")).name
        'record.intoto.json'
    """
    return record.with_suffix(".intoto.json")


def former_file(record: Path) -> Path:
    """Return where the former record is kept until the run ends: `record.former.json`.

    Example:
        >>> former_file(Path("record.json")).name
        'record.former.json'
    """
    return record.with_suffix(".former.json")


def begin_record(unfinished: RunRecord, path: Path) -> None:
    """Write that a run began, in place of the former record and its statement.

    The former record is kept as `record.former.json` until the run has written its own: nothing is
    lost when it dies, and the looks at its evaluation sets stay known.

    Args:
        unfinished: The record of a run that has not ended.
        path: File of the record.

    Raises:
        OSError: The file cannot be written.
    """
    if path.is_file() and not _is_unfinished(path):
        with replacing(former_file(path)) as part:  # a copy: a record is there at every moment
            shutil.copyfile(path, part)
    unfinished.to_json(path)
    statement_file(path).unlink(missing_ok=True)


def end_record(path: Path) -> None:
    """Drop what was kept of the former record, now that the run has written its own."""
    former_file(path).unlink(missing_ok=True)


def _is_unfinished(path: Path) -> bool:
    try:
        return not RunRecord.from_json(path).finished
    except FairnessError:
        return False
