"""Metrics by name: those of counts, of analyses, and of other packages."""

from collections.abc import Mapping
from functools import lru_cache

from pytest_fairness.doors.registry import (
    OWN,
    broken,
    built_in,
    declarations,
    source_of,
    state,
    unknown_name,
)
from pytest_fairness.errors import DeclarationError, UnknownNameError
from pytest_fairness.statistics.metrics.definitions import Metric
from pytest_fairness.statistics.metrics.names import METRICS, metrics_of

__all__ = ["built_in_metric_names", "metric_named", "metric_names"]


def metric_named(name: str) -> Metric:
    """Return the metric of a name that a policy or a record asks for.

    Raises:
        UnknownNameError: Nobody declares it; the message lists the metrics.
        DeclarationError: Two packages declare the same metric.

    Example:
        >>> metric_named("attention_mask_score_difference").title
        'attention mask score difference'
    """
    metrics = _catalogue(state())
    if name in metrics:
        return metrics[name]
    error = unknown_name("metrics", name, metrics)
    problems = (*broken("metrics"), *broken("analyses"))
    raise UnknownNameError("; ".join((str(error), *problems)))


def metric_names() -> tuple[str, ...]:
    """Return the names of all metrics. Packages that declare some are imported."""
    return tuple(_catalogue(state()))


def built_in_metric_names() -> tuple[str, ...]:
    """Return the names of the metrics of this package."""
    observed = [measure for analysis in built_in("analyses") for measure in analysis.measures]
    own = [metric.name for measure in observed for metric in metrics_of(measure)]
    return tuple(sorted((*METRICS, *own)))


@lru_cache(maxsize=1)
def _catalogue(_: int) -> Mapping[str, Metric]:
    """Return all metrics by name, sorted."""
    metrics = dict(METRICS)
    sources = dict.fromkeys(METRICS, OWN)
    for source, metric in _declared():
        owner = sources.setdefault(metric.name, source)
        if owner != source or metrics.setdefault(metric.name, metric) != metric:
            both = " and ".join(sorted((source, owner)))
            msg = f"{both} both declare the metric {metric.name!r}; rename one of the two"
            raise DeclarationError(msg)
    return dict(sorted(metrics.items()))


def _declared() -> list[tuple[str, Metric]]:
    """Return the metrics of all declarations, each with the package that declares it."""
    measures = [
        (source_of("metrics", measure.name), measure) for measure in declarations("metrics")
    ]
    measures += [
        (source_of("analyses", analysis.name), measure)
        for analysis in declarations("analyses")
        for measure in analysis.measures
    ]
    return [(source, metric) for source, measure in measures for metric in metrics_of(measure)]
