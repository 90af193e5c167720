"""Samples without a prediction: named in every summary."""

import json

from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord
from pytest_fairness.wording import counted

__all__ = ["unreadable_lines"]

_SHOWN = 5


def unreadable_lines(record: RunRecord) -> list[str]:
    """Return a line for each run in which images could not be read or samples were not predicted."""
    return [
        text
        for run in record.runs
        for number, line in (("unreadable", _line), ("unpredicted", _unpredicted))
        if int(run.metadata.get(number, 0))
        for text in [line(run)]
    ]


def _unpredicted(run: JudgedRun) -> str:
    names = list(json.loads(run.metadata["unpredicted_samples"]))
    without = len(json.loads(run.metadata["without_prediction"]))
    more = f" and {len(names) - _SHOWN:,} more, all in the record" if len(names) > _SHOWN else ""
    return (
        f"{len(names):,} of {counted(run.n + without, 'sample')} of {run.evaluation} have no prediction of "
        f"{run.model} (max_unpredicted {float(run.metadata['max_unpredicted']):.1%}): "
        f"{', '.join(map(repr, names[:_SHOWN]))}{more}"
    )


def _line(run: JudgedRun) -> str:
    count = int(run.metadata["unreadable"])
    names = list(json.loads(run.metadata["unreadable_images"]))
    more = f" and {count - _SHOWN} more, all in the record" if count > _SHOWN else ""
    allowed = float(run.metadata["max_errors"])
    return (
        f"{count} of {counted(run.n + count, 'image')} of {run.evaluation} could not be read and have no "
        f"prediction of {run.model} (max_errors {allowed:.1%}): "
        f"{', '.join(map(repr, names[:_SHOWN]))}{more}"
    )
