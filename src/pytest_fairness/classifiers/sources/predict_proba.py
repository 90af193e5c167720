"""scikit-learn-like models: anything with `predict_proba` on arrays."""

from typing import Any, Protocol, runtime_checkable

import numpy as np
import torch
from numpy.typing import NDArray

from pytest_fairness.classifiers.labels.labels import Labels
from pytest_fairness.classifiers.preprocessing.casts import as_tensor
from pytest_fairness.classifiers.preprocessing.layouts import Layout, laid_out
from pytest_fairness.errors import ModelError

__all__ = ["Estimator", "EstimatorModel", "estimator_labels"]


@runtime_checkable
class Estimator(Protocol):
    """A classifier as scikit-learn defines it."""

    def predict_proba(self, X: NDArray[Any]) -> Any:  # noqa: N803  (scikit-learn's name)
        """Return probabilities (N, K) of arrays (N, ...)."""


def estimator_labels(estimator: Estimator) -> Labels | None:
    """Return the labels of a fitted estimator, which knows their order itself."""
    classes = getattr(estimator, "classes_", None)
    if classes is None or isinstance(classes, list):
        return None
    return Labels(tuple(str(label) for label in np.asarray(classes).tolist()))


class EstimatorModel:
    """An estimator called like a module: (N, C, H, W) float32 -> probabilities (N, K).

    Args:
        estimator: Has `predict_proba`.
        layout: What its arrays look like; flat rows, as scikit-learn takes them, when absent.
        name: Name of the model.
    """

    def __init__(self, estimator: Estimator, *, layout: Layout | None, name: str) -> None:
        self._estimator = estimator
        self._layout: Layout = layout or "flat"
        self._name = name

    def __call__(self, images: torch.Tensor) -> torch.Tensor:
        """Return the probabilities (N, K).

        Raises:
            ModelError: The estimator does not take such arrays, or gives none of this shape.
        """
        arrays = laid_out(images.cpu(), self._layout).numpy()
        try:
            found = self._estimator.predict_proba(arrays)
        except ValueError as error:
            msg = (
                f"model {self._name!r} does not take arrays of shape {arrays.shape} (layout "
                f"{self._layout!r}): {error}; correct preprocessing or layout"
            )
            raise ModelError(msg) from error
        if isinstance(found, list):
            msg = (
                f"model {self._name!r}: predict_proba gives {len(found)} arrays, one an output; wrap "
                "it in a function that returns one array (N, K)"
            )
            raise ModelError(msg)
        return as_tensor(np.asarray(found), title=f"model {self._name!r}: what predict_proba gives")
