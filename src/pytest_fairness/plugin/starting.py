"""The start of a run: everything that can be checked before a model runs is checked."""

from pathlib import Path
from typing import NoReturn

import pytest

from pytest_fairness.errors import FairnessError, ModelError
from pytest_fairness.files import cannot_write, file_name
from pytest_fairness.plugin.session import GateSession

__all__ = ["begin_run", "check_run", "judge_for_workers", "shared_folder"]


def check_run(gate: GateSession) -> None:
    """Check the policy, the models, the baseline and the key before anything runs.

    Raises:
        FairnessError: The policy is not valid or lacks an evaluation, the run would write
            over its baseline, the key cannot sign, or the size of the cache is none.
    """
    settings = gate.settings
    if settings.cache_size:
        from pytest_fairness.caching.folder import size_limit

        size_limit(settings.cache_size)
    for name in settings.candidates:
        gate.under_test.spec(name)
    for evaluation in settings.predictions:
        gate.policy.evaluation_named(evaluation)
    for evaluation, file in settings.baseline.items():
        if evaluation is not None or file.suffix.lower() != ".json":
            gate.policy.evaluation_named(evaluation)
    if settings.baseline or settings.record or settings.reports:
        from pytest_fairness.gate.audit.guard import check_baseline_stays

        check_baseline_stays(settings.baseline.values(), _written(gate))
    if settings.sign is not None:
        from pytest_fairness.gate.audit.attestation import private_key

        private_key(settings.sign)


def begin_run(gate: GateSession) -> None:
    """Write that the run began where its record will be, after a check of all files to be written.

    Raises:
        FairnessError: One of them cannot be written.
    """
    for path in _written(gate):
        if problem := cannot_write(path):
            raise FairnessError(problem)
    record = gate.settings.record
    if record is None:
        return
    from pytest_fairness.gate.record.begun import begin_record
    from pytest_fairness.gate.run import record_of

    unfinished = record_of(gate.policy, [], [], complete=False, models=gate.models, finished=False)
    try:
        begin_record(unfinished, record)
    except OSError as error:
        msg = f"{record}: cannot be written: {error.strerror}; give another file"
        raise FairnessError(msg) from error


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
            gate._judge_shared(question, _no_model, folder)  # noqa: SLF001
        except (FairnessError, OSError):
            continue


def _no_model(name: str) -> NoReturn:
    msg = f"model {name!r}: predictions from a file, and no model to run"
    raise ModelError(msg)


def shared_folder(config: pytest.Config) -> Path:
    """Return a folder that all processes of this run share."""
    factory: pytest.TempPathFactory = config._tmp_path_factory  # type: ignore[attr-defined]  # noqa: SLF001
    folder = factory.getbasetemp()
    return (folder.parent if hasattr(config, "workerinput") else folder) / "fairness"


def _written(gate: GateSession) -> list[Path]:
    """Files that the run will write."""
    record, folder = gate.settings.record, gate.settings.save_predictions
    files = [path for _, path in gate.settings.reports]
    files += [] if record is None else [record]
    if folder is not None:
        files += [
            folder / file_name(model, evaluation, ending=".parquet")
            for model in gate.settings.models or gate.policy.models
            for evaluation in gate.policy.evaluations
        ]
    if gate.settings.explain:
        files.append(gate.settings.explain_folder / "explanation.png")
    return files
