"""The metric names of the field, and what each one counts; pure data, so a policy reads it fast."""

from pytest_fairness.statistics.metrics.definitions import (
    Comparison,
    CompositeDefinition,
    Measure,
    Metric,
    ObservedDefinition,
    RateDefinition,
)

__all__ = [
    "METRIC_NAMES",
    "Comparison",
    "CompositeDefinition",
    "Measure",
    "Metric",
    "ObservedDefinition",
    "RateDefinition",
    "metric_named",
]

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
_CLASSES = (
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

_OBSERVED = (
    ObservedDefinition("attention_mask_score", "attention mask score", "attention", of="part"),
    ObservedDefinition(
        "attention_mask_excess", "attention mask excess", "attention", of="part", floor=-1.0
    ),
    ObservedDefinition(
        "attention_heatmap_score", "attention heatmap score", "attention", of="label"
    ),
    ObservedDefinition("mean_f2", "mean F2", "multilabel", higher_is_better=True),
    ObservedDefinition(
        "class_prediction_bias",
        "prediction bias",
        "class_disparity",
        higher_is_better=False,
        needs_positive=True,
    ),
    ObservedDefinition(
        "perturbation_flip_rate",
        "flip rate",
        "perturbation",
        of="perturbation",
        higher_is_better=False,
        binary=True,
    ),
    ObservedDefinition(
        "perturbation_accuracy_drop",
        "accuracy drop",
        "perturbation",
        of="perturbation",
        floor=-1.0,
        higher_is_better=False,
    ),
)
_WHOLE = (
    ObservedDefinition(
        "probe_accuracy",
        "probe accuracy above its null",
        "representation",
        shape="whole",
        of="layer",
        floor=-1.0,
        higher_is_better=False,
        counted_among="held-out samples",
        binary=True,
    ),
)
_PAIRS = (
    ObservedDefinition(
        "topographic_similarity",
        "topographic similarity",
        "representation",
        shape="pairs",
        of="layer",
        floor=-1.0,
        higher_is_better=True,
    ),
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
    metrics += [Metric(observed.name, observed) for observed in (*_OBSERVED, *_WHOLE, *_PAIRS)]
    metrics += [
        Metric(f"{observed.name}_difference", observed, "difference") for observed in _OBSERVED
    ]
    metrics += [Metric(measure.name, measure) for measure in _CLASSES]
    metrics += [Metric(f"{measure.name}_difference", measure, "difference") for measure in _CLASSES]
    metrics += [
        Metric(alias, _RATES[name], how, alias=True) for alias, (name, how) in _ALIASES.items()
    ]
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
