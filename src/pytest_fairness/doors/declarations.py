"""Declarations of readers, kinds of models, analyses and reports: pure data, no heavy import.

Metrics are declared by `Rate` and `SampleMean` of `pytest_fairness.statistics.metrics`.
"""

from dataclasses import dataclass
from typing import ClassVar

from pytest_fairness.doors.registry import Door

__all__ = ["Report"]


@dataclass(frozen=True, slots=True)
class Report:
    """A page or file that is rendered from a run record alone.

    Args:
        name: Name on the command line.
        render: `"package.module:function"`, which takes a `RunRecord` and returns a text.
        ending: Ending of the file, such as `.html`.
    """

    door: ClassVar[Door] = "reports"

    name: str
    render: str
    ending: str
