"""The metric names of the field, and what each one counts; pure data, so a policy reads it fast."""

from dataclasses import dataclass
from typing import Literal, TypeAlias

__all__ = [
    "METRIC_NAMES",
    "Comparison",
    "CompositeDefinition",
    "Measure",
    "Metric",
    "RateDefinition",
    "metric_named",
]

Comparison = Literal["none", "difference", "ratio"]
Event = Literal["correct", "wrong", "called positive", "called negative", "flipped"]
Among = Literal[
    "all",
    "positives",
    "negatives",
    "called positive",
    "positives or called positive",
    "matched pairs",
]
Formula = Literal["mean", "mean F1", "largest gap"]
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
        return {
            "all": "samples",
            "called positive": "samples called positive",
            "positives or called positive": "samples positive or called positive",
        }.get(self.among, self.among)

    def counted_among_class(self, name: str) -> str:
        """The same where a class takes the part of the positive one: `samples of class cat`."""
        return {
            "positives": f"samples of class {name}",
            "negatives": f"samples of another class than {name}",
            "called positive": f"samples called {name}",
            "positives or called positive": f"samples of class {name} or called so",
        }.get(self.among, self.counted_among)

    @property
    def worse(self) -> Worse:
        """Which change is for the worse; of a selection rate neither is, so both count."""
        if self.event.startswith("called") and self.among == "all":
            return "either"
        return "lower" if self.higher_is_better else "higher"


@dataclass(frozen=True, slots=True)
class CompositeDefinition:
    """A measure that is made of several rates of a group.

    Args:
        name: Field's name, e.g. `balanced_accuracy`.
        short: Name in messages.
        formula: The mean of the parts; the mean of the F1 scores 2 p / (1 + p) of the parts; or
            the part in which two groups differ most, which a group alone does not have.
        parts: The rates.
        each_class: Whether each class takes the part of the positive one in turn.
        higher_is_better: Which end "best group" means; None where no group can be the best.
    """

    name: str
    short: str
    formula: Formula
    parts: tuple[RateDefinition, ...]
    each_class: bool = False
    higher_is_better: bool | None = True

    @property
    def needs_positive(self) -> bool:
        """Whether the measure is undefined without a named positive class."""
        return not self.each_class

    @property
    def counted_among(self) -> str:
        """What the measure is computed from, in words."""
        return self.parts[0].counted_among if self.formula == "mean F1" else "samples"


Measure: TypeAlias = RateDefinition | CompositeDefinition


@dataclass(frozen=True, slots=True)
class Metric:
    """A measure by group, or its difference or ratio between groups.

    Args:
        name: Name in policies.
        measure: What is counted among what, or what is made of several such rates.
        comparison: How two groups are compared.
        matched: Whether it is asked of matched images, which differ in one attribute only.
    """

    name: str
    measure: Measure
    comparison: Comparison = "none"
    matched: bool = False

    @property
    def rate(self) -> RateDefinition:
        """The rate of a metric that is one.

        Raises:
            TypeError: The metric is made of several rates.
        """
        if isinstance(self.measure, CompositeDefinition):
            msg = f"{self.name} is made of several rates"
            raise TypeError(msg)
        return self.measure

    @property
    def signed(self) -> bool:
        """Whether the value tells by its sign which of two groups is ahead."""
        largest = isinstance(self.measure, CompositeDefinition) and (
            self.measure.formula == "largest gap"
        )
        return self.comparison == "difference" and not largest

    @property
    def title(self) -> str:
        """Name in messages: `FPR difference`, `disparate impact`."""
        if self.name in _ALIASES or self.matched:
            return self.name.replace("_", " ")
        short = self.measure.short
        return f"{short} {self.comparison}" if self.comparison != "none" else short


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

_ODDS = (_RATES["true_positive_rate"], _RATES["false_positive_rate"])
_RECALL = RateDefinition("recall", "recall", "called positive", "positives")
# The F1 score is 2 p / (1 + p) of this rate p: true positives among what is positive or called so.
_OVERLAP = RateDefinition("overlap", "overlap", "correct", "positives or called positive")

_COMPOSITES = (
    CompositeDefinition("f1", "F1", "mean F1", (_OVERLAP,)),
    CompositeDefinition("macro_f1", "macro F1", "mean F1", (_OVERLAP,), each_class=True),
    CompositeDefinition(
        "balanced_accuracy", "balanced accuracy", "mean", (_RECALL,), each_class=True
    ),
    CompositeDefinition("macro_recall", "macro recall", "mean", (_RECALL,), each_class=True),
    CompositeDefinition(
        "macro_precision", "macro precision", "mean", (_RATES["precision"],), each_class=True
    ),
)
_AVERAGE_ODDS = CompositeDefinition(
    "average_odds", "average odds", "mean", _ODDS, higher_is_better=None
)
_EQUALIZED_ODDS = CompositeDefinition(
    "equalized_odds", "equalized odds", "largest gap", _ODDS, higher_is_better=None
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
_COMPARISONS: tuple[Comparison, ...] = ("difference", "ratio")


def _catalogue() -> dict[str, Metric]:
    measures: tuple[Measure, ...] = (*_RATES.values(), *_COMPOSITES)
    metrics = [Metric(measure.name, measure) for measure in measures]
    metrics += [
        Metric(f"{measure.name}_{comparison}", measure, comparison)
        for measure in (*measures, _EQUALIZED_ODDS)
        for comparison in _COMPARISONS
    ]
    metrics.append(Metric("average_odds_difference", _AVERAGE_ODDS, "difference"))
    metrics += [Metric(alias, _RATES[name], how) for alias, (name, how) in _ALIASES.items()]
    return {metric.name: metric for metric in (*metrics, *_MATCHED)}


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
