"""The table at the end of a run: one line a question, failures first in each rule."""

from collections import Counter
from typing import NamedTuple

from pytest_fairness.gate.record.run_record import RunRecord, Verdict
from pytest_fairness.report.changes import flips_text, title_text
from pytest_fairness.report.messages import (
    fails_by_text,
    groups_text,
    interval_text,
    limit_text,
    looks_text,
    value_text,
    waiver_text,
)
from pytest_fairness.report.models import look_lines, model_lines
from pytest_fairness.report.needed import needed_text, unanswerable_text
from pytest_fairness.report.observed import facts_text
from pytest_fairness.report.unreadable import unreadable_lines
from pytest_fairness.statistics.clusters.columns import cluster_text
from pytest_fairness.wording import counted, printable

__all__ = ["Line", "printed", "table_lines"]

_ORDER = ("fail", "inconclusive", "unanswerable", "pass")
# A policy with more questions than this lists its passes as one line a rule.
_MOST_PASSES = 60


class Line(NamedTuple):
    """A line of the summary and the state that colours it."""

    text: str
    outcome: str | None = None


def table_lines(record: RunRecord) -> list[Line]:
    """Return the lines of the summary table, headings included."""
    lines: list[Line] = []
    passes = Counter(verdict.outcome for verdict in record.verdicts)["pass"]
    sections: dict[tuple[str, str, str], list[Verdict]] = {}
    for verdict in record.verdicts:
        key = verdict.model, verdict.evaluation, verdict.rule
        sections.setdefault(key, []).append(verdict)
    for (model, evaluation, rule), found in sections.items():
        verdicts = sorted(found, key=lambda verdict: _ORDER.index(verdict.state))
        lines += [Line(_heading(model, evaluation, rule, verdicts[0]))]
        shown = verdicts
        if passes > _MOST_PASSES:
            shown = [verdict for verdict in verdicts if verdict.outcome != "pass"]
            lines += [
                Line(f"  pass          {counted(len(verdicts) - len(shown), 'question')}", "pass")
            ]
        lines += _rows(shown)
    unreadable = [Line(text, "inconclusive") for text in unreadable_lines(record)]
    models = [Line(text, "inconclusive") for text in model_lines(record)]
    looks = [Line(text, "inconclusive") for text in look_lines(record)]
    notes = [*unreadable, *models, *looks]
    return printed([*lines, *_required(record), *notes, Line(""), Line(_total(record))])


def printed(lines: list[Line]) -> list[Line]:
    """Return lines whose names are printable."""
    return [line._replace(text=printable(line.text)) for line in lines]


def _required(record: RunRecord) -> list[Line]:
    """What the policy requires to be judged, failures first."""
    if not record.required:
        return []
    lines = [
        Line(
            f"  {one.outcome:<12}  {', '.join(one.group.values()) or 'all samples'}: {one.reason} "
            f"({one.model} on {one.evaluation or 'no evaluation'}, {one.where})",
            one.outcome,
        )
        for one in sorted(record.required, key=lambda one: _ORDER.index(one.outcome))
    ]
    return [Line("required by the policy"), *lines]


def _heading(model: str, evaluation: str, rule: str, first: Verdict) -> str:
    how = ", decided on the measured value" if first.decide == "estimate" else ""
    if first.cluster is not None:
        how += f", clustered by {cluster_text(first.cluster)}"
    return f"{model} on {evaluation}: {title_text(first)}, limit {limit_text(first)}{how} (rule {rule})"


def _rows(verdicts: list[Verdict]) -> list[Line]:
    cells = [
        (v.state, groups_text(v), value_text(v), interval_text(v), _n(v), _notes(v))
        for v in verdicts
    ]
    widths = [max((len(row[i]) for row in cells), default=0) for i in range(5)]
    return [
        Line(
            f"  {state:<12}  {group:<{widths[1]}}  {value:>{widths[2]}}  "
            f"{interval:<{widths[3]}}  n {n:>{widths[4]}}  {note}".rstrip(),
            "inconclusive" if verdict.waiver else state,  # what it needs is attention
        )
        for verdict, (state, group, value, interval, n, note) in zip(verdicts, cells, strict=True)
    ]


def _n(verdict: Verdict) -> str:
    own = str(verdict.n)
    return own if verdict.reference_n is None else f"{own} vs {verdict.reference_n}"


def _notes(verdict: Verdict) -> str:
    return "; ".join(filter(None, (flips_text(verdict), facts_text(verdict), _note(verdict))))


def _note(verdict: Verdict) -> str:
    if verdict.waiver is not None:
        return waiver_text(verdict)
    if verdict.outcome == "inconclusive":
        return unanswerable_text(verdict) or needed_text(verdict) or verdict.reason
    noise = "inconclusive by its interval" if verdict.within_noise else ""
    return ", ".join(
        filter(None, (fails_by_text(verdict), noise, _wrong_labels(verdict.robust_to)))
    )


def _wrong_labels(robust_to: int | None) -> str:
    match robust_to:
        case None:
            return ""
        case 0:
            return "1 wrong label may change it"
        case 1:
            return "1 wrong label does not change it"
        case most:
            return f"{most:,} wrong labels do not change it"


def _total(record: RunRecord) -> str:
    outcomes: Counter[str] = Counter(verdict.state for verdict in record.verdicts)
    counts = ", ".join(f"{outcomes[name]} {name}" for name in _ORDER if outcomes[name])
    noise = sum(v.within_noise for v in record.verdicts if v.outcome != "inconclusive")
    text = f"{counted(len(record.verdicts), 'question')}: {counts or 'none judged'}"
    if waived := sum(verdict.waiver is not None for verdict in record.verdicts):
        text += f", {waived} of them waived"
    if noise:
        text += f" ({noise} of the passes and failures are inconclusive by their intervals)"
    if outcomes["inconclusive"] or outcomes["unanswerable"]:
        does = "blocks the release" if record.policy.inconclusive == "fail" else "warns"
        either = "inconclusive or unanswerable" if outcomes["unanswerable"] else "inconclusive"
        text += f"; an {either} question {does} by this policy"
    levels = f"intervals of {looks_text(record.policy.level, record.policy.looks)}"
    if record.policy.pass_level is not None:
        levels += f", {record.policy.pass_level * 100:g} % to pass"
    return f"{text}; {levels}, policy {record.policy.source}"
