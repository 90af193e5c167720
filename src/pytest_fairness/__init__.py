"""A pytest-native release gate for the fairness of image-recognition models.

The way data flows: `policy` says what is asked; `classifiers` and `data` give `inference` what it
turns into predictions; `statistics` counts them and puts intervals around rates and gaps; `gate`
gives verdicts and keeps them in a record; `report` shows the record. `judge` is the flow without
a model and without pytest.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier, Preprocessing, load_model, load_weights
    from pytest_fairness.data import EvaluationSet, load_evaluation_set
    from pytest_fairness.doors.declarations import Analysis, ModelKind, Reader, Report
    from pytest_fairness.doors.registry import register
    from pytest_fairness.errors import (
        DataError,
        DeclarationError,
        FairnessError,
        ModelError,
        PolicyError,
        PredictionError,
    )
    from pytest_fairness.gate.record.run_record import RunRecord, Verdict
    from pytest_fairness.gate.run import judge, judge_model
    from pytest_fairness.inference import Predictions, predict, read_predictions
    from pytest_fairness.policy import Policy, load_policy
    from pytest_fairness.report import describe
    from pytest_fairness.statistics.metrics.cells import FN, FP, RIGHT, TN, TP, WRONG
    from pytest_fairness.statistics.metrics.definitions import Rate
    from pytest_fairness.statistics.metrics.observed import ObservedDefinition, OfKind, SampleMean

__all__ = [
    "FN",
    "FP",
    "RIGHT",
    "TN",
    "TP",
    "WRONG",
    "Analysis",
    "Classifier",
    "DataError",
    "DeclarationError",
    "EvaluationSet",
    "FairnessError",
    "ModelError",
    "ModelKind",
    "ObservedDefinition",
    "OfKind",
    "Policy",
    "PolicyError",
    "PredictionError",
    "Predictions",
    "Preprocessing",
    "Rate",
    "Reader",
    "Report",
    "RunRecord",
    "SampleMean",
    "Verdict",
    "describe",
    "judge",
    "judge_model",
    "load_evaluation_set",
    "load_model",
    "load_policy",
    "load_weights",
    "predict",
    "read_predictions",
    "register",
]

_HOMES = {
    "data": ("EvaluationSet", "load_evaluation_set"),
    "doors.declarations": ("Analysis", "ModelKind", "Reader", "Report"),
    "doors.registry": ("register",),
    "errors": (
        *("DataError", "DeclarationError", "FairnessError", "ModelError", "PolicyError"),
        "PredictionError",
    ),
    "statistics.metrics.cells": ("FN", "FP", "RIGHT", "TN", "TP", "WRONG"),
    "statistics.metrics.definitions": ("Rate",),
    "statistics.metrics.observed": ("ObservedDefinition", "OfKind", "SampleMean"),
    "gate.record.run_record": ("RunRecord", "Verdict"),
    "gate.run": ("judge", "judge_model"),
    "inference": ("Predictions", "predict", "read_predictions"),
    "classifiers": ("Classifier", "Preprocessing", "load_model", "load_weights"),
    "policy": ("Policy", "load_policy"),
    "report": ("describe",),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that the plugin loads nothing heavy."""
    if name not in _HOME_OF:
        msg = f"module 'pytest_fairness' has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"pytest_fairness.{_HOME_OF[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
