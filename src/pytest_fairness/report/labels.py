"""Where labelling stands, in lines for the terminal."""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from pytest_fairness.labelling.rounds import Labelling, LabelVerdict
from pytest_fairness.report.changes import title_text
from pytest_fairness.report.messages import (
    fails_by_text,
    groups_text,
    interval_text,
    limit_text,
    value_text,
)
from pytest_fairness.wording import counted

__all__ = ["labelling_lines"]


def labelling_lines(found: Labelling, labels: Path, *, confidence: float) -> list[str]:
    """Return the lines that tell the verdicts and what to do next.

    Args:
        found: Where the labelling stands.
        labels: The labels file.
        confidence: Confidence level of the intervals.
    """
    lines = []
    if found.rounds:
        lines.append(
            f"{found.labels:,} of {counted(found.pool, 'image')} are labelled, in {found.rounds} "
            f"round{'s' * (found.rounds > 1)}; intervals {confidence * 100:g} % at any number of looks"
        )
    lines += [line for one in found.verdicts for line in _verdict(one, shown=found.rounds > 0)]
    return [*lines, "", *_next(found, labels)]


def _verdict(one: LabelVerdict, *, shown: bool) -> Iterator[str]:
    verdict = one.verdict
    asked = f"{title_text(verdict)}, {groups_text(verdict)}"
    if one.state == "refused":
        yield f"{asked}: not judged here: {verdict.reason}"
    elif shown:
        n = verdict.n + (verdict.reference_n or 0)
        answer = f"{value_text(verdict)} (interval {interval_text(verdict)}, {counted(n, 'label')})"
        if verdict.value is None:
            answer = verdict.reason
        end = {
            "settled": "; ".join(
                filter(None, (f"{verdict.outcome} (round {one.round})", fails_by_text(verdict)))
            ),
            "open": "open",
            "exhausted": "inconclusive: all its images are labelled",
        }[one.state]
        yield f"{asked}: {answer}, limit {limit_text(verdict)} -> {end}"


def _next(found: Labelling, labels: Path) -> Iterator[str]:
    states = Counter(one.state for one in found.verdicts)
    asked = len(found.verdicts) - states["refused"]
    verb = "is" if states["open"] == 1 else "are"
    yield f"{states['settled']} of {counted(asked, 'question')} are settled, {states['open']} {verb} open."
    if states["exhausted"]:
        yield (
            f"{states['exhausted']} cannot be decided by these images: all are labelled. More images "
            "of these groups are needed."
        )
    if found.chosen:
        yield (
            f"{counted(found.chosen, 'image was', 'images were')} chosen: fill in the column target of {labels}, and run the "
            "command again."
        )
    elif found.finished:
        yield "No more labels are needed."
