"""What one process of a run judged is taken over by the others: reading and judging happen once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pydantic import BaseModel

from pytest_fairness.files import file_name, write_whole
from pytest_fairness.gate.record.run_record import JudgedRun, Verdict

if TYPE_CHECKING:
    from pytest_fairness.gate.run import Judged

__all__ = ["Shared", "judged_once"]


class Shared(NamedTuple):
    """A model on an evaluation set that a process judged, and the answers to all questions."""

    run: JudgedRun
    verdicts: list[Verdict]


class _Stored(BaseModel):
    run: JudgedRun
    verdicts: list[Verdict]
    kept: Path | None
    """Predictions that are kept for the record."""


def judged_once(
    key: tuple[str, str],
    folder: Path,
    judge: "Callable[[], Judged]",
    kept: dict[tuple[str, str], Path],
) -> Shared:
    """Judge all questions of a model on an evaluation set, or wait for the process that does.

    A process that fails or dies leaves nothing, and the next one tries itself.

    Args:
        key: Model and evaluation.
        folder: A folder that all processes of this run share.
        judge: Judges, and leaves in `kept` where the predictions are that the record needs.
        kept: Files of predictions that this process knows; the one of another is added.

    Raises:
        FairnessError: The model, the data or the predictions cannot be used.
        OSError: The folder cannot be written.
    """
    from filelock import FileLock

    folder.mkdir(parents=True, exist_ok=True)
    file = folder / file_name(*key, ending=".judged.json")
    with FileLock(folder / f"{file.name}.lock"):
        if file.exists():
            stored = _Stored.model_validate_json(file.read_bytes())
            if stored.kept is not None:
                kept[key] = stored.kept
            return Shared(stored.run, stored.verdicts)
        run, verdicts = judge()
        stored = _Stored(run=run, verdicts=verdicts, kept=kept.get(key))
        write_whole(file, stored.model_dump_json())
    return Shared(run, verdicts)
