"""Run the analyses that a policy asks for, and keep what they observe beside the predictions."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_fairness.doors.registry import declared, load_object
from pytest_fairness.errors import DeclarationError
from pytest_fairness.inference.observed import Observed, with_observed
from pytest_fairness.statistics.clusters.columns import Cluster

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.doors.declarations import Analysis
    from pytest_fairness.inference import Predictions

__all__ = ["Observer", "Run", "Wanted", "observe"]


@dataclass(frozen=True, slots=True)
class Wanted:
    """An observation that a rule asks for.

    Args:
        analysis: Which analysis makes it.
        measure: Name of the measure, e.g. `attention_mask_score`.
        of: Part, label, layer or perturbation; None where the measure names none.
        by: The attributes that the rule crosses.
        reference: The reference group; empty where there is none.
    """

    analysis: str
    measure: str
    of: str | None
    by: tuple[str, ...] = ()
    reference: Mapping[str, str] = field(default_factory=dict, hash=False)


@dataclass(frozen=True, slots=True)
class Run:
    """The means to run a model once more.

    Args:
        device: As for `predict`.
        batch_size: Images in a batch.
        cluster: Column or columns of the clusters of dependent samples; None without them.
        positive: Class of the target that counts as positive; None where there is none.
        seed: Of whatever is drawn.
        progress: Called with the number of images done and of all images; None for silence.
    """

    device: str = "auto"
    batch_size: int = 64
    cluster: Cluster | None = None
    positive: str | None = None
    seed: int = 20_260_101
    progress: Callable[[str, int, int], None] | None = None


Observer: TypeAlias = Callable[
    ["Classifier", "EvaluationSet", "Predictions", Sequence[Wanted], Run], Observed
]


def observe(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    predictions: "Predictions",
    wanted: Sequence[Wanted],
    *,
    run: Run,
) -> "Predictions":
    """Make observations of a model and return its predictions with them beside.

    Args:
        classifier: The model under test; it is left as it was found.
        evaluation_set: What it was run on.
        predictions: What it answered, in the order of the evaluation set.
        wanted: The observations.
        run: Device, batch size and seed.

    Raises:
        FairnessError: An analysis cannot be made: no masks, no such layer or label, or its
            packages are not installed.
    """
    for name in dict.fromkeys(observation.analysis for observation in wanted):
        analysis: Analysis = declared("analyses", name)
        observer: Observer = load_object(analysis.observe)
        asked = [observation for observation in wanted if observation.analysis == name]
        observed: Any = observer(classifier, evaluation_set, predictions, asked, run)
        if not isinstance(observed, Observed):
            msg = (
                f"{analysis.observe} of the analysis {name!r} returned {type(observed).__name__}; "
                "it must return an Observed"
            )
            raise DeclarationError(msg)
        predictions = with_observed(predictions, observed)
    return predictions
