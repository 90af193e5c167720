"""The files of a gate: which ones a repository needs, and writing them without overwriting any."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pytest_fairness.commands.scaffold.found_model import FoundModel
from pytest_fairness.commands.scaffold.policy_text import template
from pytest_fairness.commands.scaffold.problem import InitError
from pytest_fairness.commands.scaffold.pytest_settings import PytestSettings, find_settings

__all__ = ["FOLDER", "POLICY", "Gate", "GateFile", "choose_ci", "gate_files", "write_files"]

FOLDER = "fairness_tests"
POLICY = f"{FOLDER}/policy.toml"


@dataclass(frozen=True, slots=True)
class GateFile:
    """A file to write: its path within the repository, and its text."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Gate:
    """A gate before it is written.

    Args:
        files: What to write.
        command: What runs it from the root of the repository.
        notes: What the team has to do by hand.
    """

    files: tuple[GateFile, ...]
    command: str
    notes: tuple[str, ...]


def gate_files(policy: str, model: FoundModel, *, root: Path, ci: str) -> Gate:
    """Return the files of a gate, for what a repository has already.

    Args:
        policy: Text of the policy.
        model: The model under test.
        root: Root of the repository.
        ci: `github`, `gitlab` or `none`.

    Raises:
        InitError: The repository's pytest settings cannot be read.
    """
    files = [
        GateFile(POLICY, policy),
        GateFile(f"{FOLDER}/test_fairness.py", template("test_fairness")),
    ]
    files += _conftest(model, root)
    settings = find_settings(root)
    notes: tuple[str, ...] = ()
    command = f"pytest {FOLDER}"
    if settings is None:
        files.append(GateFile("pytest.ini", template("pytest_ini", policy=POLICY)))
    elif settings.policy != POLICY:
        command = f"{command} --fairness-policy={POLICY}"
        notes = (_settings_note(settings),)
    if ci != "none":
        files.append(_ci_file(ci, model, root=root, command=command))
    if files[-1].path == ".gitlab/fairness.yml":
        notes += (f"add to .gitlab-ci.yml:\n  include:\n    - local: {files[-1].path}",)
    return Gate(tuple(files), command, notes)


def choose_ci(asked: str | None, root: Path) -> str:
    """Return what was asked for, else what the repository uses, else `none`."""
    if asked is not None:
        return asked
    if (root / ".github").is_dir():
        return "github"
    return "gitlab" if (root / ".gitlab-ci.yml").is_file() else "none"


def write_files(files: Sequence[GateFile], *, root: Path, force: bool) -> None:
    """Write files below a folder: all of them, or none where one is there already.

    Raises:
        InitError: A file is there, and `force` is false; or a file cannot be written.
    """
    there = [file.path for file in files if (root / file.path).exists()]
    if there and not force:
        msg = (
            f"{', '.join(there)}: exists already; nothing was written. Remove it, give another folder "
            "with --into, or overwrite it with --force"
        )
        raise InitError(msg)
    for file in files:
        path = root / file.path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(file.text, encoding="utf-8")
        except OSError as error:
            msg = f"{path}: cannot be written: {error}"
            raise InitError(msg) from error


def _conftest(model: FoundModel, root: Path) -> list[GateFile]:
    """Only a factory of the repository's own needs one: pytest does not import from the root."""
    if model.imported_from is None:
        return []
    folder = os.path.relpath(model.imported_from.resolve(), (root / FOLDER).resolve())
    text = template("conftest", folder=Path(folder).as_posix())
    return [GateFile(f"{FOLDER}/conftest.py", text)]


def _settings_note(settings: PytestSettings) -> str:
    said = f", instead of {settings.policy!r}" if settings.policy else ""
    return (
        f"{settings.file.name} is yours and was not changed; for plain `pytest` to know the policy, add "
        f"under {settings.table}{said}:\n  {settings.line(POLICY)}"
    )


def _ci_file(ci: str, model: FoundModel, *, root: Path, command: str) -> GateFile:
    text = template(ci, packages=_packages(model, root), command=command, policy=POLICY)
    if ci == "github":
        return GateFile(".github/workflows/fairness.yml", text)
    has_one = (root / ".gitlab-ci.yml").is_file()
    return GateFile(".gitlab/fairness.yml" if has_one else ".gitlab-ci.yml", text)


def _packages(model: FoundModel, root: Path) -> str:
    """What CI installs: this package, and what the team's own code needs."""
    found = [f'"pytest-fairness[{model.extra}]"' if model.extra else "pytest-fairness"]
    if model.own_code and (root / "requirements.txt").is_file():
        found.append("-r requirements.txt")
    elif model.own_code and (root / "pyproject.toml").is_file():
        found.append(".")
    return " ".join(found)
