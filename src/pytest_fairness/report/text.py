"""A record as plain text: what a run shows at its end."""

from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.report.since import since_lines
from pytest_fairness.report.terminal import table_lines

__all__ = ["render_text"]


def render_text(record: RunRecord) -> str:
    """Return the table of verdicts of a record, and what changed since its baseline."""
    lines = [*table_lines(record), *since_lines(record)]
    return "".join(f"{line.text}\n" for line in lines)
