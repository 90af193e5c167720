"""A record as plain text: what a run shows at its end."""

from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.report.since import since_lines
from pytest_fairness.report.terminal import table_lines

__all__ = ["render_text"]

_IN_THE_TABLE = ("verdict", "required")


def render_text(record: RunRecord) -> str:
    """Return the table of verdicts, what changed since the baseline, and what else stops it."""
    lines = [line.text for line in (*table_lines(record), *since_lines(record))]
    lines += [f"FAILED {stop.reason}" for stop in record.stops if stop.kind not in _IN_THE_TABLE]
    return "".join(f"{line}\n" for line in lines)
