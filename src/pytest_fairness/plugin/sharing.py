"""What one process of a run judged is taken over by the others: reading and judging happen once."""

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from pydantic import BaseModel

from pytest_fairness.errors import FairnessError, ModelError
from pytest_fairness.files import file_name, write_whole
from pytest_fairness.gate.record.run_record import JudgedRun, Verdict
from pytest_fairness.plugin.session import GateSession

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.gate.questions import Question

__all__ = ["Shared", "judge_for_workers", "judged_once"]


class Shared(NamedTuple):
    """What a process judged: a model on an evaluation set, and the answers to all questions."""

    run: JudgedRun
    verdicts: list[Verdict]


class _Stored(BaseModel):
    run: JudgedRun
    verdicts: list[Verdict]
    kept: Path | None
    """Predictions that are kept for the record."""


def judged_once(
    gate: GateSession,
    question: "Question",
    find_model: "Callable[[str], Classifier]",
    folder: Path,
) -> Shared:
    """Judge all questions of a model on an evaluation set, or wait for the process that does.

    A process that fails or dies leaves nothing, and the next one tries itself.

    Args:
        gate: The session of this process.
        question: One of the questions.
        find_model: Model under test by its name.
        folder: A folder that all processes of this run share.

    Raises:
        FairnessError: The model, the data or the predictions cannot be used.
        OSError: The folder cannot be written.
    """
    from filelock import FileLock

    key = question.model, question.evaluation
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / file_name(*key, ending=".judged.json")
    with FileLock(folder / f"{file.name}.lock"):
        if file.exists():
            stored = _Stored.model_validate_json(file.read_bytes())
            if stored.kept is not None:
                gate.kept[key] = stored.kept
            return Shared(stored.run, stored.verdicts)
        run, verdicts = gate.judge_all(question, find_model, folder)
        stored = _Stored(run=run, verdicts=verdicts, kept=gate.kept.get(key))
        write_whole(file, stored.model_dump_json())
    return Shared(run, verdicts)


def judge_for_workers(gate: GateSession, selected: set[str], folder: Path) -> None:
    """Judge predictions from files before the workers start: this process has read them already.

    What cannot be judged is left to the tests, which say why.

    Args:
        gate: The session of the process that sees the end of the run.
        selected: Keys of the questions that the workers will ask.
        folder: A folder that all processes of this run share.
    """
    asked = [question for question in gate.asked if question.key in selected]
    for question in {(one.model, one.evaluation): one for one in asked}.values():
        try:
            judged_once(gate, question, _no_model, folder)
        except (FairnessError, OSError):
            continue


def _no_model(name: str) -> NoReturn:
    msg = f"model {name!r}: predictions from a file, and no model to run"
    raise ModelError(msg)
