"""All that changed since the baseline: one line a group, whatever the rules ask."""

from pytest_fairness.gate.record.details import BaselineRecord, FlipRow
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.report.terminal import Line, printed
from pytest_fairness.wording import counted, printable

__all__ = ["since_lines"]

# With more groups than this, those that lost nothing are one line.
_MOST_ROWS = 60
_MOST_NAMED = 3


def since_lines(record: RunRecord) -> list[Line]:
    """Return the lines on what changed since the baseline, or none for a run without one."""
    lines: list[Line] = []
    for run in record.runs:
        if run.baseline is not None:
            lines += _run_lines(f"{run.model} on {run.evaluation}", run.baseline)
    return printed([Line(""), *lines]) if lines else []


def _run_lines(what: str, baseline: BaselineRecord) -> list[Line]:
    model = f", model {baseline.model}" if baseline.model else ""
    heading = f"{what}: changes since {baseline.source}{model}; {baseline.compared}"
    rows = baseline.flips
    if len(rows) > _MOST_ROWS:
        rows = [row for row in rows if _is_worse(row)]
    names = [printable(_name(row)) for row in rows]
    width = max(map(len, names), default=0)
    lines = [
        Line(f"  {name:<{width}}  {_counted(row)}", "fail" if _is_worse(row) else None)
        for name, row in zip(names, rows, strict=True)
    ]
    left = len(baseline.flips) - len(rows)
    rest = [Line(f"  {counted(left, 'more group')} did not get worse")] if left else []
    return [Line(heading), *lines, *rest]


def _name(row: FlipRow) -> str:
    return f"{'*'.join(row.by)} {', '.join(row.group.values())}" if row.by else "all samples"


def _counted(row: FlipRow) -> str:
    rates = f"accuracy {_share(row.baseline_right, row.baseline_n)} -> {_share(row.right, row.n)}"
    if row.right_to_wrong is None:
        return f"{rates}  n {row.baseline_n} -> {row.n}"
    worst = f": {', '.join(row.worst[:_MOST_NAMED])}" if row.worst else ""
    more = ", ..." if row.right_to_wrong > _MOST_NAMED else ""
    return (
        f"{rates}  n {row.n}  {row.wrong_to_right} wrong -> right, "
        f"{row.right_to_wrong} right -> wrong{worst}{more}"
    )


def _share(right: int, n: int) -> str:
    return f"{right / n:.3f}" if n else "undefined"


def _is_worse(row: FlipRow) -> bool:
    """Whether the group is right on a smaller share of its samples than in the baseline."""
    return row.right * row.baseline_n < row.baseline_right * row.n
