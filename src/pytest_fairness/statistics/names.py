"""The metric names of the field, and what each one counts; pure data, so a policy reads it fast."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["METRIC_NAMES", "Comparison", "Metric", "RateDefinition", "metric_named"]

Comparison = Literal["none", "difference", "ratio"]
Event = Literal["correct", "wrong", "called positive", "called negative", "flipped"]
Among = Literal["all", "positives", "negatives", "called positive", "matched pairs"]
Worse = Literal["lower", "higher", "either"]


@dataclass(frozen=True, slots=True)
class RateDefinition:
    """A rate is the share of an event among some of a group's samples.

    Args:
        name: Field's name, e.g. `false_positive_rate`.
        short: Name in messages, e.g. `FPR`.
        event: What is counted.
        among: The samples it is counted among (true class, or predicted class for precision).
        higher_is_better: Which end "best group" means.
    """

    name: str
    short: str
    event: Event
    among: Among
    higher_is_better: bool = True

    @property
    def needs_positive(self) -> bool:
        """Whether the rate is undefined without a named positive class."""
        return self.event != "flipped" and (self.among != "all" or self.event.startswith("called"))

    @property
    def counted_among(self) -> str:
        """What the event is counted among, in words: `negatives`, `samples called positive`."""
        return {"all": "samples", "called positive": "samples called positive"}.get(
            self.among, self.among
        )

    @property
    def worse(self) -> Worse:
        """Which change is for the worse; of a selection rate neither is, so both count."""
        if self.event.startswith("called") and self.among == "all":
            return "either"
        return "lower" if self.higher_is_better else "higher"


@dataclass(frozen=True, slots=True)
class Metric:
    """A rate by group, or its difference or ratio between groups.

    Args:
        name: Name in policies.
        rate: What is counted among what.
        comparison: How two groups are compared.
        matched: Whether it is asked of matched images, which differ in one attribute only.
    """

    name: str
    rate: RateDefinition
    comparison: Comparison = "none"
    matched: bool = False

    @property
    def title(self) -> str:
        """Name in messages: `FPR difference`, `disparate impact`."""
        if self.name in _ALIASES or self.matched:
            return self.name.replace("_", " ")
        return (
            f"{self.rate.short} {self.comparison}" if self.comparison != "none" else self.rate.short
        )


_RATES = {
    rate.name: rate
    for rate in (
        RateDefinition("accuracy", "accuracy", "correct", "all"),
        RateDefinition("error_rate", "error rate", "wrong", "all", higher_is_better=False),
        RateDefinition("selection_rate", "selection rate", "called positive", "all"),
        RateDefinition("true_positive_rate", "TPR", "called positive", "positives"),
        RateDefinition(
            "false_positive_rate", "FPR", "called positive", "negatives", higher_is_better=False
        ),
        RateDefinition("true_negative_rate", "TNR", "called negative", "negatives"),
        RateDefinition(
            "false_negative_rate", "FNR", "called negative", "positives", higher_is_better=False
        ),
        RateDefinition("precision", "precision", "correct", "called positive"),
    )
}

_MATCHED = (
    Metric(
        "counterfactual_flip_rate",
        RateDefinition(
            "counterfactual_flip_rate",
            "flip rate",
            "flipped",
            "matched pairs",
            higher_is_better=False,
        ),
        matched=True,
    ),
    Metric("counterfactual_accuracy_difference", _RATES["accuracy"], "difference", matched=True),
)

# Names that fairlearn and AIF360 users know for a comparison of one of the rates above.
_ALIASES: dict[str, tuple[str, Comparison]] = {
    "disparate_impact": ("selection_rate", "ratio"),
    "demographic_parity_ratio": ("selection_rate", "ratio"),
    "demographic_parity_difference": ("selection_rate", "difference"),
    "statistical_parity_difference": ("selection_rate", "difference"),
    "equal_opportunity_difference": ("true_positive_rate", "difference"),
    "equal_opportunity_ratio": ("true_positive_rate", "ratio"),
}


def _catalogue() -> dict[str, Metric]:
    metrics = {name: Metric(name, rate) for name, rate in _RATES.items()}
    comparisons: tuple[Comparison, ...] = ("difference", "ratio")
    for comparison in comparisons:
        for name, rate in _RATES.items():
            metrics[f"{name}_{comparison}"] = Metric(f"{name}_{comparison}", rate, comparison)
    for alias, (name, comparison) in _ALIASES.items():
        metrics[alias] = Metric(alias, _RATES[name], comparison)
    metrics |= {metric.name: metric for metric in _MATCHED}
    return metrics


_METRICS = _catalogue()
METRIC_NAMES: tuple[str, ...] = tuple(sorted(_METRICS))


def metric_named(name: str) -> Metric:
    """Return the metric of this name.

    Raises:
        KeyError: There is no such metric; `METRIC_NAMES` lists them.

    Example:
        >>> metric_named("disparate_impact").rate.name
        'selection_rate'
    """
    return _METRICS[name]
