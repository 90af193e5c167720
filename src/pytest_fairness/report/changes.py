"""What a verdict says of the last release, and of matched images, in words."""

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.gate.record.details import ChangeCounts, ChangeRecord, MatchedRecord
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.report.parts import independent_text, largest_text
from pytest_fairness.statistics.clusters.columns import cluster_text
from pytest_fairness.wording import counted

__all__ = ["against_text", "detail_text", "flips_text", "is_signed", "title_text"]

_MOST_NAMED = 3
_MOVES = {"lower": "drop", "higher": "rise", "either": "change"}


def title_text(verdict: Verdict) -> str:
    """Name of what is judged: `accuracy`, `accuracy drop`, `widening of the FPR difference`."""
    metric = metric_named(verdict.metric)
    match verdict.bound:
        case "max_drop":
            return f"{metric.title} {_MOVES[metric.rate.worse]}"
        case "max_widening":
            return f"widening of the {metric.title}"
        case _:
            return metric.title


def against_text(verdict: Verdict) -> str:
    """Return ` vs baseline` for a rule against the baseline, else nothing."""
    return " vs baseline" if verdict.bound in ("max_drop", "max_widening") else ""


def is_signed(verdict: Verdict) -> bool:
    """Return whether the value is a difference, which shows its sign."""
    return bool(against_text(verdict)) or metric_named(verdict.metric).signed


def detail_text(verdict: Verdict) -> str:
    """Return the counts of both releases or of matched images, or nothing for other verdicts."""
    short = metric_named(verdict.metric).measure.short
    if verdict.change is not None:
        return "; ".join(_change(verdict.change, short, _worth(verdict)))
    if verdict.matched is not None:
        return "; ".join(_matched(verdict.matched, verdict, short))
    return ""


def flips_text(verdict: Verdict) -> str:
    """Return the flips of a verdict in a few words, for a table."""
    if verdict.change is not None:
        counts = verdict.change.group
        return "unpaired" if counts.right_to_wrong is None else _flips(counts)
    if verdict.matched is not None:
        matched = verdict.matched
        if metric_named(verdict.metric).comparison == "none":
            return f"{matched.flipped} of {counted(matched.pairs, 'pair')} flip"
        return f"{matched.right_to_wrong} right -> wrong, {matched.wrong_to_right} wrong -> right"
    return ""


def _change(change: ChangeRecord, short: str, worth: list[str]) -> list[str]:
    flips = [] if change.group.right_to_wrong is None else [_flips(change.group)]
    rates = f"{short} {_now(change)}, in the baseline {_then(change)}"
    tested = _p_value(change.p_value)
    return [rates, change.compared, *worth, *flips, *tested, *_worst(list(change.worst))]


def _worth(verdict: Verdict) -> list[str]:
    if verdict.cluster is None or verdict.effective_n is None:
        return []
    noun = "images" if verdict.matched is None else "pairs"
    worth = f"clustered by {cluster_text(verdict.cluster)}: {independent_text(verdict.effective_n, noun)}"
    largest = largest_text(verdict, noun)
    return [worth, largest] if largest else [worth]


def _p_value(p_value: float | None) -> list[str]:
    return [] if p_value is None else [f"McNemar p {p_value:.2g}"]


def _now(change: ChangeRecord) -> str:
    groups = [change.group] if change.reference is None else [change.group, change.reference]
    return " vs ".join(_share(counts.successes, counts.n) for counts in groups)


def _then(change: ChangeRecord) -> str:
    groups = [change.group] if change.reference is None else [change.group, change.reference]
    return " vs ".join(_share(counts.baseline_successes, counts.baseline_n) for counts in groups)


def _matched(matched: MatchedRecord, verdict: Verdict, short: str) -> list[str]:
    first = f"{verdict.successes} of {counted(verdict.n, 'matched pair')}"
    if verdict.reference_successes is not None:
        own, other = (
            _share(count, matched.pairs)
            for count in (verdict.successes, verdict.reference_successes)
        )
        first = f"{short} {own} vs {other} in matched pairs"
    alone = matched.unmatched + matched.reference_unmatched
    lost = f"{matched.right_to_wrong} right only in the reference's image"
    gained = f"{matched.wrong_to_right} only in the group's"
    return [
        first,
        *_worth(verdict),
        *([f"{counted(alone, 'image')} without a partner"] if alone else []),
        f"{lost}, {gained}",
        *_p_value(matched.p_value),
        *_worst([" / ".join(pair) for pair in matched.worst]),
    ]


def _flips(counts: ChangeCounts) -> str:
    return f"{counts.right_to_wrong} right -> wrong, {counts.wrong_to_right} wrong -> right"


def _worst(names: list[str]) -> list[str]:
    return [f"worst: {', '.join(names[:_MOST_NAMED])}"] if names else []


def _share(successes: int, n: int) -> str:
    return f"{successes / n:.2f} ({successes} of {n})" if n else "undefined (0 of 0)"
