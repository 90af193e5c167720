"""The metric names of the field, and what each one counts; pure data, so a policy reads it fast."""

from collections.abc import Mapping

from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG
from pytest_fairness.statistics.metrics.definitions import (
    Comparison,
    CompositeDefinition,
    FlipRate,
    Measure,
    Metric,
    Rate,
)
from pytest_fairness.statistics.metrics.observed import ObservedDefinition, OfKind, SampleMean

__all__ = [
    "CLASS_MEASURES",
    "DECLARATIONS",
    "METRICS",
    "Comparison",
    "CompositeDefinition",
    "FlipRate",
    "Measure",
    "Metric",
    "ObservedDefinition",
    "Rate",
    "SampleMean",
    "metric_named",
    "metrics_of",
]

_RATES = {
    rate.name: rate
    for rate in (
        Rate("accuracy", "accuracy", RIGHT, RIGHT | WRONG),
        Rate("error_rate", "error rate", WRONG, RIGHT | WRONG),
        Rate("selection_rate", "selection rate", TP | FP, TP | FP | FN | TN, higher_is_better=True),
        Rate("true_positive_rate", "TPR", TP, TP | FN),
        Rate("false_positive_rate", "FPR", FP, FP | TN),
        Rate("true_negative_rate", "TNR", TN, FP | TN),
        Rate("false_negative_rate", "FNR", FN, TP | FN),
        Rate("precision", "precision", TP, TP | FP),
        Rate("negative_predictive_value", "NPV", TN, FN | TN),
        Rate("false_discovery_rate", "FDR", FP, TP | FP),
        Rate("false_omission_rate", "FOR", FN, FN | TN),
    )
}

_MATCHED = (
    Metric(
        "counterfactual_flip_rate", FlipRate("counterfactual_flip_rate", "flip rate"), matched=True
    ),
    Metric("counterfactual_accuracy_difference", _RATES["accuracy"], "difference", matched=True),
)

_ODDS = (_RATES["true_positive_rate"], _RATES["false_positive_rate"])
_RECALL = Rate("recall", "recall", TP, TP | FN)
# The F1 score is 2 p / (1 + p) of this rate p: true positives among what is positive or called so.
_OVERLAP = Rate("overlap", "overlap", TP, TP | FP | FN)
# FN / FP are the odds of this rate. Berk et al. (2021), Sociological Methods & Research 50, 3-44.
_MISSED = Rate("missed_share_of_errors", "share of FN", FN, FP | FN)

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
    CompositeDefinition("treatment_equality", "FN/FP", "odds", (_MISSED,), higher_is_better=None),
)
CLASS_MEASURES = (
    CompositeDefinition(
        "worst_class_accuracy", "worst class accuracy", "smallest", (_RECALL,), each_class=True
    ),
    CompositeDefinition(
        "class_accuracy_gap",
        "class accuracy gap",
        "spread",
        (_RECALL,),
        each_class=True,
        higher_is_better=False,
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


# The rule names the column and its bounds.
_MEAN = ObservedDefinition("mean", "mean", of=OfKind("column", '"iou"'), column="")

DECLARATIONS: tuple[Measure, ...] = (*_RATES.values(), *_COMPOSITES, _MEAN)
"""What this package declares through the door of metrics, as other packages do."""


def metrics_of(measure: Measure | SampleMean) -> list[Metric]:
    """Return the metrics that a measure makes: by group, and compared between groups.

    Example:
        >>> [metric.name for metric in metrics_of(CLASS_MEASURES[0])]
        ['worst_class_accuracy', 'worst_class_accuracy_difference']
    """
    compared: tuple[Comparison, ...] = ("difference", "ratio")
    if isinstance(measure, SampleMean):
        measure = measure.observed
    if isinstance(measure, ObservedDefinition):
        compared = ("difference",) if measure.shape == "by group" else ()
    elif isinstance(measure, CompositeDefinition) and measure.formula in ("smallest", "spread"):
        compared = ("difference",)
    return [
        Metric(measure.name, measure),
        *(Metric(f"{measure.name}_{how}", measure, how) for how in compared),
    ]


def _catalogue() -> dict[str, Metric]:
    metrics = [metric for measure in DECLARATIONS for metric in metrics_of(measure)]
    metrics += [
        *metrics_of(_EQUALIZED_ODDS)[1:],
        Metric("average_odds_difference", _AVERAGE_ODDS, "difference"),
    ]
    metrics += [
        Metric(alias, _RATES[name], how, alias=True) for alias, (name, how) in _ALIASES.items()
    ]
    return {metric.name: metric for metric in (*metrics, *_MATCHED)}


METRICS: Mapping[str, Metric] = _catalogue()
"""The metrics of counts; those of analyses and of other packages are in `doors.metrics`."""


def metric_named(name: str) -> Metric:
    """Return the metric of counts of this name.

    Raises:
        KeyError: There is no such metric; `METRICS` lists them.

    Example:
        >>> metric_named("disparate_impact").rate.name
        'selection_rate'
    """
    return METRICS[name]
