"""What an analysis observed, in words."""

from typing import TYPE_CHECKING

from pytest_fairness.doors.metrics import metric_named
from pytest_fairness.doors.registry import declared
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.statistics.metrics.names import Metric

if TYPE_CHECKING:
    from pytest_fairness.doors.declarations import Analysis
from pytest_fairness.wording import counted

__all__ = ["facts_text", "observed_of", "observed_text"]


def observed_of(metric: Metric) -> str:
    """Return what `of` names: `part`, `layer`, or nothing."""
    observed = metric.observed
    return "" if observed is None or observed.of is None else observed.of.name


def observed_text(verdict: Verdict, metric: Metric) -> str:
    """Return the means behind the value, or nothing for a metric of counts."""
    observed, definition = verdict.observed, metric.observed
    if observed is None or definition is None:
        return ""
    groups = [(observed.mean, observed.deviation, verdict.n, verdict.successes)]
    if verdict.reference_n is not None:
        reference = observed.reference_mean, observed.reference_deviation
        groups.append((*reference, verdict.reference_n, verdict.reference_successes or 0))
    if definition.binary:
        text = " vs ".join(_rate(successes, n) for _, _, n, successes in groups)
    else:
        text = " vs ".join(_mean(mean, deviation, n) for mean, deviation, n, _ in groups)
    text = f"{text} {definition.counted_among}"
    if observed.without_value:
        text += f"; {counted(observed.without_value, 'sample has', 'samples have')} no value"
    if zero := observed.facts.get("zero_maps"):
        text += f"; {zero:.0f} maps of the whole set are 0 everywhere"
    facts = facts_text(verdict)
    return f"{text}; {facts}" if facts else text


def facts_text(verdict: Verdict) -> str:
    """Return facts beside the value, `uniform attention would score 0.42`, or nothing."""
    metric = metric_named(verdict.metric)
    if verdict.observed is None or metric.analysis is None:
        return ""
    analysis: Analysis = declared("analyses", metric.analysis)
    facts = verdict.observed.facts
    words = analysis.facts.items()
    return ", ".join(f"{text} {facts[name]:.3f}" for name, text in words if name in facts)


def _rate(successes: int, n: int) -> str:
    return f"{successes} of {n}"


def _mean(mean: float | None, deviation: float | None, n: int) -> str:
    if mean is None:
        return f"{n}"
    spread = "" if deviation is None else f", SD {deviation:.2f}"
    return f"{mean:.3f} (n {n}{spread})"
