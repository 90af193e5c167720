"""What packages and conftest files declare, as pytest needs it: the hook, markers and reports."""

from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import pytest

from pytest_fairness.errors import DeclarationError

if TYPE_CHECKING:
    from pytest_fairness.gate.record.run_record import RunRecord

__all__ = ["add_markers", "check_reports", "let_declare", "markers_for_help", "write_reports"]

Asked: TypeAlias = tuple[str | None, Path]
"""Name of a report, or None where the ending of the file tells it, and the file."""


def let_declare(config: pytest.Config) -> None:
    """Call `pytest_fairness_declare`, and forget the declarations when pytest unconfigures.

    Raises:
        DeclarationError: A name is taken, or what is declared is no declaration.
    """
    hook = config.hook.pytest_fairness_declare
    if not hook.get_hookimpls():
        return
    from pytest_fairness.doors.registry import kept_apart, register

    stack = ExitStack()
    stack.enter_context(kept_apart())
    config.add_cleanup(stack.close)
    hook(register=register)


def add_markers(config: pytest.Config) -> None:
    """Register a marker for each analysis, without importing installed packages.

    Raises:
        DeclarationError: Two packages declare the same analysis.
    """
    from pytest_fairness.doors.registry import built_in, names

    about = {analysis.name: analysis.about for analysis in built_in("analyses")}
    for name in names("analyses"):
        what = about.get(name, "what an installed package measures")
        config.addinivalue_line("markers", f"{name}: questions about {what}.")


def markers_for_help(config: pytest.Config) -> None:
    """Register the markers for `pytest --markers`, which starts no session."""
    if getattr(config.option, "markers", False):
        try:
            add_markers(config)
        except DeclarationError as error:
            raise pytest.UsageError(str(error)) from error


def check_reports(asked: Iterable[Asked]) -> None:
    """Check, before anything runs, that there is a report for each file.

    Raises:
        DeclarationError: There is none of this name or ending.
    """
    if not asked:
        return
    from pytest_fairness.report.declared import report_for

    for name, path in asked:
        report_for(path, name)


def write_reports(record: "RunRecord", asked: Iterable[Asked]) -> str:
    """Write the reports of a run, and return why one could not be written, or nothing."""
    if not asked:
        return ""
    from pytest_fairness.report.declared import write_report

    try:
        for name, path in asked:
            write_report(record, path, name)
    except DeclarationError as error:
        return str(error)
    return ""
