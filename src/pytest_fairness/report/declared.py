"""Reports by name or by the ending of their file, written from a record alone."""

from pathlib import Path

from pytest_fairness.doors.declarations import Report
from pytest_fairness.doors.registry import broken, declarations, declared, load_object
from pytest_fairness.errors import DeclarationError
from pytest_fairness.files import write_whole
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.report.since import since_lines
from pytest_fairness.report.terminal import table_lines
from pytest_fairness.wording import printable

__all__ = ["render_text", "report_for", "write_report"]

# Outcomes of these are lines of the table of verdicts.
_IN_THE_TABLE = ("verdict", "required")


def render_text(record: RunRecord) -> str:
    """Return the table of verdicts, what changed since the baseline, and what else stops it."""
    lines = [line.text for line in (*table_lines(record), *since_lines(record))]
    lines += [
        printable(f"FAILED {stop.reason}")
        for stop in record.stops
        if stop.kind not in _IN_THE_TABLE
    ]
    return "".join(f"{line}\n" for line in lines)


def report_for(path: Path, name: str | None = None) -> Report:
    """Return the report of a name, or the one that owns the ending of a file.

    Raises:
        DeclarationError: There is no such report, or two reports own the ending.

    Example:
        >>> report_for(Path("summary.txt")).name
        'text'
    """
    if name is not None:
        report: Report = declared("reports", name)
        return report
    reports = declarations("reports")
    owners: list[Report] = [one for one in reports if one.ending == path.suffix.lower()]
    if len(owners) == 1:
        return owners[0]
    if owners:
        both = " and ".join(repr(report.name) for report in owners)
        msg = f"{path}: the reports {both} both own the ending {path.suffix!r}; name one of them"
        raise DeclarationError(msg)
    endings = ", ".join(f"{report.ending} ({report.name})" for report in reports)
    msg = (
        f"{path}: no report owns the ending {path.suffix!r}; allowed: {endings}; or name the report"
    )
    raise DeclarationError("; ".join((msg, *broken("reports"))))


def write_report(record: RunRecord, path: Path, name: str | None = None) -> None:
    """Write a report. Its folder is made when it is missing.

    Raises:
        DeclarationError: There is no such report, or its code fails or returns no text.
    """
    report = report_for(path, name)
    where = f"report {report.name!r} ({report.render})"
    try:
        text = load_object(report.render)(record)
    except Exception as error:  # the code of another package
        msg = f"{where} failed: {type(error).__name__}: {error}"
        raise DeclarationError(msg) from error
    if not isinstance(text, str):
        msg = f"{where} returned {type(text).__name__}; it must return a text"
        raise DeclarationError(msg)
    write_whole(path, text)
