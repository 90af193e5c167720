"""Where the model looks on every sample, for the rules of a policy."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from pytest_fairness.analyses.attention import observe_attention
from pytest_fairness.analyses.observers.alignment import aligned
from pytest_fairness.inference.observed import Observed, observation

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from pytest_fairness.analyses.observe import Run, Wanted
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions

__all__ = ["observe_attention_rules"]

_HEATMAP = "attention_heatmap_score"


def observe_attention_rules(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    predictions: "Predictions",
    wanted: Sequence["Wanted"],
    run: "Run",
) -> Observed:
    """Run the model once for all parts and labels, and explain the class that it predicts.

    Args:
        classifier: The model under test.
        evaluation_set: What it was run on; its masks are needed for mask scores.
        predictions: What it answered.
        wanted: Mask scores of parts, and heatmap scores against labels.
        run: Device and batch size.

    Raises:
        DataError: The evaluation set has no masks, or no such part.
        ModelError: The model has no such label, or no layer to look at.
    """

    def named(*, heatmap: bool) -> list[str]:
        return list(
            dict.fromkeys(one.of or "" for one in wanted if (one.measure == _HEATMAP) == heatmap)
        )

    progress = run.progress
    found = observe_attention(
        classifier,
        evaluation_set,
        parts=named(heatmap=False),
        against=named(heatmap=True),
        device=run.device,
        batch_size=run.batch_size,
        progress=None if progress is None else lambda n, total: progress("attention", n, total),
    )
    columns: dict[str, NDArray[np.float64]] = {}
    facts: dict[str, Mapping[str, float]] = {}
    for one in wanted:
        name, of = observation(one.measure, one.of), one.of or ""
        if one.measure == _HEATMAP:
            values, about = found.heatmap_scores[of], {}
        else:
            values, uniform = found.mask_scores[of], found.uniform[of]
            excess = one.measure == "attention_mask_excess"
            about = (
                {} if excess or np.isnan(uniform).all() else {"uniform": float(np.nanmean(uniform))}
            )
            values = values - uniform if excess else values
        columns[name] = aligned(values, evaluation_set, predictions)
        facts[name] = {**about, "zero_maps": float(found.zero_map.sum())}
    return Observed(columns, facts)
