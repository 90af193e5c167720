"""Which observations the questions of a policy need of a model, and how they are made."""

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from pytest_fairness.analyses.observe import Run, Wanted, observe
from pytest_fairness.gate.questions import Question
from pytest_fairness.inference import Predictions
from pytest_fairness.policy import Evaluation

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["observe_wanted", "wanted_by"]


def observe_wanted(
    questions: Iterable[Question],
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    predictions: Predictions,
    *,
    evaluation: Evaluation,
    device: str = "auto",
    batch_size: int = 64,
    progress: Callable[[str, int, int], None] | None = None,
) -> Predictions:
    """Return the predictions with all that these questions need to be observed beside them.

    Args:
        questions: Questions about this model on this evaluation set.
        classifier: The model under test.
        evaluation_set: What it was run on.
        predictions: What it answered.
        evaluation: The evaluation set as the policy declares it.
        device: As for `predict`.
        batch_size: Images in a batch.
        progress: Called with what is run, the images done, and all images.
    """
    run = Run(device, batch_size, evaluation.cluster, evaluation.positive, progress=progress)
    return observe(classifier, evaluation_set, predictions, wanted_by(questions), run=run)


def wanted_by(questions: Iterable[Question]) -> list[Wanted]:
    """Return each observation once, in the order of the questions.

    Args:
        questions: Questions about one model on one evaluation set.
    """
    found: dict[tuple[object, ...], Wanted] = {}
    for question in questions:
        observed = question.rule.metric.observed
        if observed is None or observed.from_predictions:
            continue
        by = () if observed.shape == "by group" else question.by
        reference = question.reference if observed.shape == "pairs" else None
        levels = dict(reference) if isinstance(reference, Mapping) else {}
        key = (observed.name, question.of, by, tuple(levels.items()))
        found.setdefault(key, Wanted(observed.analysis, observed.name, question.of, by, levels))
    return list(found.values())
