"""Flips and lost accuracy of every sample under the changes that a policy names."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pytest_fairness.analyses.perturbation import Perturbation, perturbed_predictions
from pytest_fairness.analyses.perturbation.parity import changes
from pytest_fairness.inference.observed import Observed, observation

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from pytest_fairness.analyses.observe import Run, Wanted
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.inference import Predictions

__all__ = ["observe_perturbations"]


def observe_perturbations(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    predictions: "Predictions",
    wanted: Sequence["Wanted"],
    run: "Run",
) -> Observed:
    """Run the model once for each change that is asked of, and compare with its predictions.

    Args:
        classifier: The model under test.
        evaluation_set: What it was run on.
        predictions: What it answered to the images as they are.
        wanted: Flip rates and accuracy drops of changes, e.g. `brightness=-0.4`.
        run: Device and batch size.

    Raises:
        PolicyError: A change cannot be read.
    """
    columns: dict[str, NDArray[np.float64]] = {}
    texts = list(dict.fromkeys(one.of or "" for one in wanted))
    perturbations = [Perturbation.parse(text) for text in texts]  # a wrong one before any is run
    for done, (text, perturbation) in enumerate(zip(texts, perturbations, strict=True)):
        if run.progress is not None:
            run.progress("perturbations", done, len(texts))
        after = perturbed_predictions(
            classifier,
            evaluation_set,
            perturbation,
            device=run.device,
            batch_size=run.batch_size,
        )
        _, flipped, drop = changes(predictions, after)
        for one in wanted:
            if one.of == text:
                flips = one.measure == "perturbation_flip_rate"
                columns[observation(one.measure, text)] = flipped if flips else drop
    return Observed(columns, {})
