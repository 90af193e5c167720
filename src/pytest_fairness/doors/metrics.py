"""Metrics by name: those of counts, of analyses, and of other packages."""

from collections.abc import Callable, Mapping
from functools import cache, lru_cache
from typing import Any, TypeAlias

from pytest_fairness.doors.registry import (
    OWN,
    Door,
    at_hand,
    broken,
    built_in,
    declarations,
    names,
    source_of,
    state,
    unknown_name,
)
from pytest_fairness.errors import DeclarationError, UnknownNameError
from pytest_fairness.statistics.metrics.definitions import Metric
from pytest_fairness.statistics.metrics.names import METRICS, metrics_of

__all__ = ["built_in_metric_names", "metric_named", "metric_names"]

_Find: TypeAlias = Callable[[Door], tuple[Any, ...]]


def metric_named(name: str) -> Metric:
    """Return the metric of a name that a policy or a record asks for.

    Other packages are imported only where the name is not one of this package.

    Raises:
        UnknownNameError: Nobody declares it; the message lists the metrics.
        DeclarationError: Two packages declare the same metric.

    Example:
        >>> metric_named("attention_mask_score_difference").title
        'attention mask score difference'
    """
    own = name in built_in_metric_names()
    metrics = _catalogue(state(), at_hand if own else declarations)
    if name in metrics:
        return metrics[name]
    error = unknown_name("metrics", name, metrics)
    problems = (*broken("metrics"), *broken("analyses"))
    raise UnknownNameError("; ".join((str(error), *problems)))


def metric_names() -> tuple[str, ...]:
    """Return the names of all metrics. Packages that declare some are imported."""
    return tuple(_catalogue(state(), declarations))


@cache
def built_in_metric_names() -> tuple[str, ...]:
    """Return the names of the metrics of this package."""
    observed = [measure for analysis in built_in("analyses") for measure in analysis.measures]
    own = [metric.name for measure in observed for metric in metrics_of(measure)]
    return tuple(sorted((*METRICS, *own)))


@lru_cache(maxsize=2)
def _catalogue(_: int, find: _Find) -> Mapping[str, Metric]:
    """Return the metrics of the declarations by name, sorted."""
    metrics = dict(METRICS)
    sources = dict.fromkeys(built_in_metric_names(), OWN)
    for name in names("metrics"):
        _check_source(name, source_of("metrics", name), sources.get(name))
    for source, metric in _declared(find):
        _check_source(metric.name, source, sources.setdefault(metric.name, source))
        if metrics.setdefault(metric.name, metric) != metric:
            msg = f"{source} declares the metric {metric.name!r} twice; rename one of the two"
            raise DeclarationError(msg)
    return dict(sorted(metrics.items()))


def _check_source(name: str, source: str, owner: str | None) -> None:
    if owner not in (None, source):
        both = " and ".join(sorted((source, owner)))
        msg = f"{both} both declare the metric {name!r}; rename one of the two"
        raise DeclarationError(msg)


def _declared(find: _Find) -> list[tuple[str, Metric]]:
    """Return the metrics of the declarations, each with the package that declares it."""
    measures = [(source_of("metrics", measure.name), measure) for measure in find("metrics")]
    measures += [
        (source_of("analyses", analysis.name), measure)
        for analysis in find("analyses")
        for measure in analysis.measures
    ]
    return [(source, metric) for source, measure in measures for metric in metrics_of(measure)]
