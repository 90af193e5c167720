"""What people read, rendered from the run record alone."""

from pytest_fairness.report.messages import describe
from pytest_fairness.report.since import since_lines
from pytest_fairness.report.terminal import table_lines

__all__ = ["describe", "since_lines", "table_lines"]
