"""Models under test: a file or a module -> `Classifier` (labels, preprocessing, score meaning)."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_fairness.classifiers.classifier import Classifier, Preprocessing, ScoreMeaning
from pytest_fairness.classifiers.files.weights import load_weights
from pytest_fairness.classifiers.found import Found, Loading
from pytest_fairness.classifiers.load import describe_model, load_model
from pytest_fairness.classifiers.preprocessing.pixels import Crops, Pixels
from pytest_fairness.classifiers.tagging import LabelRule

if TYPE_CHECKING:
    from pytest_fairness.classifiers.preprocessing.views import flip_averaged, ten_crop_averaged

__all__ = [
    "Classifier",
    "Crops",
    "Found",
    "LabelRule",
    "Loading",
    "Pixels",
    "Preprocessing",
    "ScoreMeaning",
    "describe_model",
    "flip_averaged",
    "load_model",
    "load_weights",
    "ten_crop_averaged",
]

_NEED_TORCH = {
    "flip_averaged": "preprocessing.views",
    "ten_crop_averaged": "preprocessing.views",
}


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found = getattr(import_module(f"{__name__}.{_NEED_TORCH[name]}"), name)
    globals()[name] = found
    return found
