"""`Classifier` x `EvaluationSet` -> `Predictions`; or predictions that someone else made.

torch loads when a name that needs it is used: judging predictions needs no model.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from pytest_fairness.inference.observed import Observed, observation
from pytest_fairness.inference.predictions import Predictions
from pytest_fairness.inference.reading.read import read_predictions

if TYPE_CHECKING:
    from pytest_fairness.inference.as_found import left_as_found
    from pytest_fairness.inference.device import choose_device
    from pytest_fairness.inference.local import predict

__all__ = [
    "Observed",
    "Predictions",
    "choose_device",
    "left_as_found",
    "observation",
    "predict",
    "read_predictions",
]

_NEED_TORCH = {"choose_device": "device", "left_as_found": "as_found", "predict": "local"}


def __getattr__(name: str) -> Any:
    if name not in _NEED_TORCH:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    found = getattr(import_module(f"{__name__}.{_NEED_TORCH[name]}"), name)
    globals()[name] = found
    return found
