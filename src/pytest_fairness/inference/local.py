"""A classifier and an evaluation set -> predictions, on this machine."""

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import torch
from torch import nn

from pytest_fairness.caching.batches import KeptBatches
from pytest_fairness.caching.cache import Cache
from pytest_fairness.caching.sources import Unidentified
from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.inference.answers.assembled import all_classes, answered, assembled, described
from pytest_fairness.inference.answers.remembered import Scorer
from pytest_fairness.inference.as_found import Precision, left_as_found
from pytest_fairness.inference.device import choose_device
from pytest_fairness.inference.forward import Forward
from pytest_fairness.inference.plans.checks import PlanDiffersError
from pytest_fairness.inference.plans.plan import Plan
from pytest_fairness.inference.plans.recognise import plan_of
from pytest_fairness.inference.precision import check_precision
from pytest_fairness.inference.predictions import Predictions

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet

__all__ = ["predict"]


def predict(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    *,
    device: str = "auto",
    batch_size: int = 64,
    precision: Precision = "strict",
    cache: Cache | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Run a model over an evaluation set. Threads decode images while the model computes.

    Args:
        classifier: The model under test; it is left as it was found.
        evaluation_set: What it is run on.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. A module that is no `nn.Module` gets its
            images on the CPU unless a device is named.
        batch_size: Images in a batch, at least 1; halved when the device's memory runs out.
        precision: `strict` 32-bit numbers; `tf32` on cards; `bf16` or `fp16` where torch thinks it
            safe. All but `strict` compare the answers to up to 500 images with the strict ones.
        cache: Where scores are looked up and kept; nowhere when None.
        progress: Called with the number of images done and of all images.

    Raises:
        DataError: An image cannot be decoded, or more than the evaluation set bears.
        ModelError: The model lacks a class, or gives outputs of another shape than declared.
        PredictionError: A score is NaN or infinite.
    """
    classes = all_classes(classifier, evaluation_set)
    module = classifier.module
    own = hash_weights(module) if isinstance(module, nn.Module) else ""
    preprocessing = described(classifier.preprocess)
    chosen = choose_device("cpu" if device == "auto" and not own else device)
    check_precision(precision, module, chosen, model=classifier.name)
    plan = plan_of(classifier.preprocess)

    def start(size: int, *, planned: bool, strict: bool) -> Forward:
        how, exact = plan if planned else None, "strict" if strict else precision
        return Forward(classifier, device=chosen, batch_size=size, precision=exact, plan=how)

    settings = {"device": device_name(chosen), "precision": precision}
    kept, why_not = _kept(cache, classifier, {**settings, "batch_size": str(batch_size)})
    scorer = Scorer(classifier, chosen.type, batch_size, start, kept, precision)
    no_plan = "it is none that is recognised"
    with left_as_found(module, chosen):
        try:
            outcome = answered(scorer, evaluation_set, classes, progress=progress)
        except PlanDiffersError as difference:
            no_plan = f"its plan gives other numbers ({difference})"
            plan, why_not = None, why_not or "the plan of its preprocessing gives other numbers"
            scorer = scorer.without_cache(batch_size)
            outcome = answered(scorer, evaluation_set, classes, progress=progress)
    n = len(evaluation_set)
    told = {} if cache is None else cache.told(scorer.remembered, n, why_not)
    return assembled(
        scorer,
        evaluation_set,
        outcome,
        classes,
        weights_sha256=classifier.weights_sha256 or own,
        preprocessing=preprocessing,
        plan=_plan_metadata(plan, scorer.compared, no_plan),
        run=_run_metadata(scorer, settings, told),
    )


def _kept(
    cache: Cache | None, classifier: "Classifier", settings: Mapping[str, str]
) -> tuple[KeptBatches | None, str]:
    """Return what is remembered of a model, or why nothing can be."""
    if cache is None or cache.refused:
        return None, ""
    try:
        return cache.batches(classifier, settings), ""
    except Unidentified as problem:
        return None, str(problem)


def _run_metadata(
    scorer: Scorer, settings: Mapping[str, str], told: Mapping[str, str]
) -> dict[str, str]:
    """Return where and how the scores were computed, and which of them came from the cache."""
    return {
        **settings,
        "torch": torch.__version__,
        **({"precision": "half"} if scorer.half and scorer.precision == "strict" else {}),
        "batch_size": str(scorer.batch_size),
        **told,
    }


def _plan_metadata(plan: Plan | None, compared: int, no_plan: str) -> dict[str, str]:
    """Return how the preprocessing was run, and what it was compared with."""
    if plan is None:
        return {"preprocessing_plan": f"as it is: {no_plan}"}
    return {"preprocessing_plan": plan.text, "preprocessing_compared": str(compared)}


def device_name(device: torch.device) -> str:
    """Return a device with the name of its card."""
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"
