"""One verdict in one sentence: what was asked, the answer, how sure it is, and what was counted."""

import math
from typing import Protocol

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.report.changes import against_text, detail_text, is_signed, title_text
from pytest_fairness.report.needed import chance_text, needed_text, unanswerable_text
from pytest_fairness.report.observed import observed_of, observed_text
from pytest_fairness.report.parts import independent_text, largest_text, parts_text, rate_text
from pytest_fairness.statistics.clusters.columns import cluster_text
from pytest_fairness.statistics.looks import Looks
from pytest_fairness.statistics.metrics.names import Metric
from pytest_fairness.wording import counted, printable

__all__ = [
    "Limited",
    "describe",
    "fails_by_text",
    "groups_text",
    "interval_level_text",
    "interval_text",
    "limit_text",
    "looks_text",
    "number_of_looks",
    "robust_text",
    "value_text",
    "waiver_text",
]


def describe(verdict: Verdict) -> str:
    """Return the message of a verdict, as a failing test shows it."""
    metric = metric_named(verdict.metric)
    parts = [
        _answer(verdict),
        _counted(verdict, metric),
        _why(verdict),
        robust_text(verdict),
        waiver_text(verdict),
        f"rule {verdict.rule}, {verdict.where}",
    ]
    return printable("; ".join(part for part in parts if part))


def _answer(verdict: Verdict) -> str:
    asked = f"{title_text(verdict)}, {groups_text(verdict)}"
    answer = f"{value_text(verdict)}{_interval(verdict)}"
    return f"{asked}: {answer}, limit {limit_text(verdict)} -> {verdict.state}"


def groups_text(verdict: Verdict) -> str:
    """Return the groups of a verdict, `skin_tone dark vs light`, and the class that a rule names."""
    asked = "" if verdict.positive is None else f", class {verdict.positive}"
    of = "" if verdict.observed is None or verdict.observed.of is None else verdict.observed.of
    measured = f", {observed_of(metric_named(verdict.metric))} {of}" if of else ""
    return printable(f"{_compared(verdict)}{asked}{measured}")


def _compared(verdict: Verdict) -> str:
    names = "*".join(verdict.by) or "all samples"
    group = _levels(verdict.group)
    match verdict.comparison:
        case "all":
            pair = f" ({group} vs {_levels(verdict.reference or {})})"
            return f"{names} largest gap{pair}"
        case "best":
            return f"{names} {group} vs best ({_levels(verdict.reference or {})})"
        case None:
            against = f" vs {_levels(verdict.reference)}" if verdict.reference else ""
            return f"{names} {group}".rstrip() + f"{against}{against_text(verdict)}"


def value_text(verdict: Verdict) -> str:
    """Return the value with three decimals and, for a difference, its sign."""
    if verdict.value is None:
        return "undefined"
    return _number(verdict.value, verdict, digits=3)


def interval_text(verdict: Verdict) -> str:
    """Return the interval, `+0.09 … +0.27`, or nothing where the value is undefined."""
    if verdict.low is None or verdict.high is None:
        return ""
    return f"{_number(verdict.low, verdict)} … {_number(verdict.high, verdict)}"


class Limited(Protocol):
    """A verdict, or a planned question: both have a limit."""

    @property
    def limit(self) -> float | tuple[float, float]:
        """The limit as the policy wrote it."""

    @property
    def bound(self) -> str:
        """The key of the limit: `min`, `max`, `between`, `max_drop` or `max_widening`."""


def limit_text(verdict: Limited) -> str:
    """Return the limit as the policy means it: `0.10`, `at least 0.70`, `0.80 … 1.25`."""
    if isinstance(verdict.limit, tuple):
        low, high = verdict.limit
        return f"{_plain(low)} … {_plain(high)}"
    at_least = "at least " if verdict.bound == "min" else ""
    return f"{at_least}{_plain(verdict.limit)}"


def waiver_text(verdict: Verdict) -> str:
    """Return the waiver, `waived until 2027-01-31 by model-risk: vendor fix due in 2.4`, or nothing."""
    if (waiver := verdict.waiver) is None:
        return ""
    ticket = f" ({waiver.ticket})" if waiver.ticket else ""
    return f"waived until {waiver.until} by {waiver.approved_by}: {waiver.reason}{ticket}"


def fails_by_text(verdict: Verdict) -> str:
    """Return which inherited policy alone a question fails by, or nothing."""
    return "" if verdict.fails_by is None else f"fails by {verdict.fails_by} alone"


def robust_text(verdict: Verdict) -> str:
    """Return how many labels may be wrong, or nothing where that is not known."""
    match verdict.robust_to:
        case None:
            return ""
        case 0:
            return "the verdict may change if 1 label is wrong"
        case 1:
            return "the verdict does not change if 1 label is wrong"
        case most:
            return f"the verdict does not change if up to {counted(most, 'label')} are wrong"


def _interval(verdict: Verdict) -> str:
    text = interval_text(verdict)
    if not text:
        return ""
    shown = f"{verdict.level * 100:g} % interval {text}"
    if verdict.looks != 1:
        shown = f"interval {text}, {interval_level_text(verdict)}"
    to_pass = ""
    if (decided := verdict.pass_interval) is not None:
        ends = f"{_number(decided.low, verdict)} … {_number(decided.high, verdict)}"
        to_pass = f", {decided.level * 100:g} % to pass {ends}"
    return f" ({shown}{to_pass})"


def looks_text(level: float, looks: Looks) -> str:
    """Return a level with the number of looks that it holds for.

    Example:
        >>> looks_text(0.95, 1), looks_text(0.95, 5), looks_text(0.95, "any")
        ('95 %', '95 % at up to 5 looks', '95 % at any number of looks')
    """
    return f"{level * 100:g} %" if looks == 1 else f"{level * 100:g} % at {number_of_looks(looks)}"


def interval_level_text(verdict: Verdict) -> str:
    """Return the level of the interval of a verdict, with the level of this look where it is another.

    It reads `95 % at any number of looks (99.8 % at this one)`.
    """
    level = looks_text(verdict.level, verdict.looks)
    deeper = verdict.look_level
    if deeper is None:
        return level
    return f"{level} ({_percent(deeper)} % at this one)"


def number_of_looks(looks: Looks) -> str:
    """Return how often a set may be looked at, in words."""
    return "any number of looks" if looks == "any" else f"up to {counted(looks, 'look')}"


def _percent(level: float) -> str:
    """A level with enough digits that it does not read as 100."""
    if level == 1:
        return "100"
    digits = max(math.ceil(round(-math.log10(100 * (1 - level)), 6)), 1)
    return f"{level * 100:.{digits}f}".removesuffix(".0")


def _counted(verdict: Verdict, metric: Metric) -> str:
    if detail := detail_text(verdict):
        return detail
    if observed := observed_text(verdict, metric):
        return f"{observed}{_worth(verdict)}"
    if parts := parts_text(verdict):
        return f"{parts}{_worth(verdict)}"
    own = rate_text(verdict.successes, verdict.n)
    if verdict.reference_n is None or verdict.reference_successes is None:
        among = metric.measure.counted_among
        return f"{verdict.successes} of {verdict.n} {among}{_worth(verdict)}"
    other = rate_text(verdict.reference_successes, verdict.reference_n)
    largest = largest_text(verdict)
    return f"{metric.measure.short} {own} vs {other}{largest and f' ({largest})'}"


def _worth(verdict: Verdict) -> str:
    if verdict.cluster is None or verdict.effective_n is None:
        return ""
    largest = largest_text(verdict)
    independent = independent_text(verdict.effective_n)
    return f" (clustered by {cluster_text(verdict.cluster)}: {independent}{largest and f'; {largest}'})"


def _why(verdict: Verdict) -> str:
    if verdict.outcome != "inconclusive":
        return fails_by_text(verdict)
    if verdict.unanswerable is not None:
        return f"no model can pass with this evaluation set: {unanswerable_text(verdict)}"
    enough = needed_text(verdict)
    if verdict.needed is None or not enough:
        return verdict.reason
    if verdict.needed.more is None:
        return f"{verdict.reason}; {enough}"
    again = "; looking again needs looks in [decision]" if verdict.looks == 1 else ""
    return f"{verdict.reason}; {enough} {chance_text(verdict.needed)}{again}"


def _levels(group: dict[str, str]) -> str:
    return ", ".join(group.values())


def _number(value: float, verdict: Verdict, *, digits: int = 2) -> str:
    """Enough digits that a number beside the limit does not read as the limit."""
    limits = verdict.limit if isinstance(verdict.limit, tuple) else (verdict.limit,)
    edges = {edge for limit in limits for edge in (limit, -limit)}
    while digits < 6 and any(
        math.isclose(round(value, digits), edge, abs_tol=1e-9) and abs(value - edge) > 1e-9
        for edge in edges
    ):
        digits += 1
    return f"{value:+.{digits}f}" if is_signed(verdict) else f"{value:.{digits}f}"


def _plain(limit: float) -> str:
    text = f"{limit:.4f}".rstrip("0")
    whole, _, decimals = text.partition(".")
    return f"{whole}.{decimals:0<2}"
