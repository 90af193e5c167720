"""Images without a prediction, since they could not be read: named in every summary."""

import json

from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord

__all__ = ["unreadable_lines"]

_SHOWN = 5


def unreadable_lines(record: RunRecord) -> list[str]:
    """Return one line for each run in which images could not be read."""
    return [_line(run) for run in record.runs if int(run.metadata.get("unreadable", 0))]


def _line(run: JudgedRun) -> str:
    count = int(run.metadata["unreadable"])
    names = list(json.loads(run.metadata["unreadable_images"]))
    more = f" and {count - _SHOWN} more, all in the record" if count > _SHOWN else ""
    allowed = float(run.metadata["max_errors"])
    return (
        f"{count} of {run.n + count} images of {run.evaluation} could not be read and have no "
        f"prediction of {run.model} (max_errors {allowed:.1%}): "
        f"{', '.join(map(repr, names[:_SHOWN]))}{more}"
    )
