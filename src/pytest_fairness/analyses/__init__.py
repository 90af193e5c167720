"""The papers' analyses as measurements: attention, probes, maps, classes, explanations, parity.

Each name below is a function on tensors or arrays that stands alone. All are batched, leave the
model as found, take their randomness as an argument, and say what they could not compute.
"""

from importlib import import_module
from typing import Any

# Not in `__all__` until its module is there: a public name is one that can be imported.
_HOMES = {
    "Perturbation": "perturbation",
    "Run": "observe",
    "Wanted": "observe",
    "attention_iou": "attention",
    "attention_maps": "attention",
    "attribute": "attribution",
    "class_disparity": "classes",
    "compare_heads": "classes",
    "generalised_softmax_loss": "multilabel",
    "heatmap_score": "attention",
    "lime_explain": "lime",
    "linear_probes": "probes",
    "mask_score": "attention",
    "mean_fbeta": "multilabel",
    "observe_attention": "attention",
    "over_models": "attention",
    "perturbation_parity": "perturbation",
    "perturbed_predictions": "perturbation",
    "prediction_bias": "classes",
    "thirds_of": "classes",
    "topographic_maps": "topography",
    "uniform_score": "attention",
}

__all__ = [
    "Perturbation",
    "Run",
    "Wanted",
    "attention_iou",
    "attention_maps",
    "attribute",
    "class_disparity",
    "compare_heads",
    "generalised_softmax_loss",
    "heatmap_score",
    "lime_explain",
    "linear_probes",
    "mask_score",
    "mean_fbeta",
    "observe_attention",
    "over_models",
    "perturbation_parity",
    "perturbed_predictions",
    "prediction_bias",
    "thirds_of",
    "topographic_maps",
    "uniform_score",
]


def __getattr__(name: str) -> Any:
    """Import an analysis when it is first used, so that none costs the others anything."""
    if name not in _HOMES:
        msg = f"module {__name__!r} has no attribute {name!r}"
        raise AttributeError(msg)
    value = getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(_HOMES)
