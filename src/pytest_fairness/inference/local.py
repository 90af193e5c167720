"""A classifier and an evaluation set -> predictions, on this machine."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
import torch
from numpy.typing import NDArray
from torch import nn

from pytest_fairness.classifiers.files.weights import hash_weights
from pytest_fairness.classifiers.labels.contradictions import contradictions
from pytest_fairness.classifiers.labels.label_groups import class_scores, disagreements
from pytest_fairness.errors import DataError, ModelError, PredictionError
from pytest_fairness.inference.as_found import left_as_found
from pytest_fairness.inference.device import choose_device
from pytest_fairness.inference.forward import Forward
from pytest_fairness.inference.operating_point import check_threshold, decided, threshold_metadata
from pytest_fairness.inference.plans.checks import PlanDiffersError
from pytest_fairness.inference.plans.recognise import plan_of
from pytest_fairness.inference.predictions import Predictions, prediction_table
from pytest_fairness.inference.repeated import Asked, ask_again
from pytest_fairness.inference.tags import check_tagging, exactly_right, only_tags, with_tags
from pytest_fairness.inference.unreadable import check_unreadable, unreadable_metadata
from pytest_fairness.wording import listed

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.data.images import Images

__all__ = ["predict"]


def predict(
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    *,
    device: str = "auto",
    batch_size: int = 64,
    autocast: bool = False,
    progress: Callable[[int, int], None] | None = None,
) -> Predictions:
    """Run a model over an evaluation set. Threads decode images while the model computes.

    Args:
        classifier: The model under test; it is left as it was found.
        evaluation_set: What it is run on.
        device: `auto`, `cpu`, `cuda`, `cuda:1`, `mps`. A module that is no `nn.Module` gets its
            images on the CPU unless a device is named.
        batch_size: Images in a batch, at least 1; halved when the device's memory runs out.
        autocast: Whether to compute in half precision where torch thinks it safe.
        progress: Called with the number of images done and of all images.

    Raises:
        DataError: An image cannot be decoded, or more than the evaluation set bears.
        ModelError: The model lacks a class, or gives outputs of another shape than declared.
        PredictionError: A score is NaN or infinite.
    """
    classes = _all_classes(classifier, evaluation_set)
    module = classifier.module
    own = hash_weights(module) if isinstance(module, nn.Module) else ""
    preprocessing = _described(classifier.preprocess)
    chosen = choose_device("cpu" if device == "auto" and not own else device)
    plan = plan_of(classifier.preprocess)
    forward = Forward(
        classifier, device=chosen, batch_size=batch_size, autocast=autocast, plan=plan
    )
    started = time.perf_counter()
    broken: dict[int, DataError] = {}
    with left_as_found(module, chosen):
        scores = _run(forward, evaluation_set, broken, progress=progress)
        seconds = time.perf_counter() - started
        samples = _finite(scores, classifier, evaluation_set, broken)
        asked = _asked(forward, evaluation_set, broken, classes, scores)
        again = ask_again(forward, asked, evaluation=evaluation_set.name)
    samples = with_tags(samples, scores, classifier)
    answers = _answers(asked, classifier, classes, samples, tagged=only_tags(evaluation_set))
    return Predictions(
        table=prediction_table(samples, answers.prediction, answers.scores),
        model=classifier.name,
        evaluation=evaluation_set.name,
        classes=classes,
        levels=evaluation_set.levels,
        metadata={
            **classifier.notes,
            **_data_metadata(evaluation_set),
            **unreadable_metadata(evaluation_set, broken),
            "weights_sha256": classifier.weights_sha256 or own,
            **preprocessing,
            **_plan_metadata(forward),
            "score": classifier.score,
            **answers.grouping,
            **_reading(scores, forward, evaluation_set),
            **again,
            **_run_metadata(forward),
            **_speed(len(evaluation_set), seconds),
        },
    )


def _speed(images: int, seconds: float) -> dict[str, str]:
    return {"seconds": f"{seconds:.3f}", "images_per_second": f"{images / seconds:.1f}"}


def _all_classes(classifier: "Classifier", evaluation_set: "EvaluationSet") -> tuple[str, ...]:
    """Return the classes of the evaluation set, then those that only the model knows."""
    check_tagging(classifier, evaluation_set)
    classes = _spoken_for(classifier, evaluation_set)
    check_threshold(classifier, evaluation_set, classes)
    return classes


def _spoken_for(classifier: "Classifier", evaluation_set: "EvaluationSet") -> tuple[str, ...]:
    if only_tags(evaluation_set):
        return evaluation_set.classes
    spoken = classifier.class_labels
    lacking = [name for name in evaluation_set.classes if name not in spoken]
    if lacking:
        msg = (
            f"model {classifier.name!r} cannot predict class {lacking[0]!r} of evaluation "
            f"{evaluation_set.name!r}: the model's classes are {listed(spoken)}, the evaluation's "
            f"are {listed(evaluation_set.classes)}; say which labels speak for each class in "
            "label_groups of its table, or in `Classifier.classes`"
        )
        raise ModelError(msg)
    return tuple(dict.fromkeys((*evaluation_set.classes, *spoken)))


def _data_metadata(evaluation_set: "EvaluationSet") -> dict[str, str]:
    """Return which samples were asked: their source, and what was left out of it or derived."""
    derived = dict(evaluation_set.derived)
    return {
        "source": evaluation_set.source,
        "ground_truth": "manifest",
        "data_sha256": evaluation_set.sha256,
        "left_out": str(evaluation_set.left_out),
        "where": json.dumps({name: list(kept) for name, kept in evaluation_set.where.items()}),
        **({"derive": json.dumps(derived)} if derived else {}),
    }


def _run(
    forward: Forward,
    evaluation_set: "EvaluationSet",
    broken: dict[int, DataError],
    *,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.floating]:
    """Return the scores (N, K) of all labels; what cannot be read is put into `broken`."""
    try:
        return _scores(forward, evaluation_set, broken, progress=progress)
    except PlanDiffersError as difference:
        forward.refuse_plan(str(difference))
        broken.clear()
        return _scores(forward, evaluation_set, broken, progress=progress)


def _scores(
    forward: Forward,
    evaluation_set: "EvaluationSet",
    broken: dict[int, DataError],
    *,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.floating]:
    found: list[NDArray[np.floating]] = []
    done = 0
    counts = broken if evaluation_set.max_errors else None
    for scores in forward.scores(evaluation_set.images, broken=counts):
        check_unreadable(evaluation_set, dict(broken), done=False)
        found.append(scores.numpy())
        done += len(scores)
        if progress is not None:
            progress(done, len(evaluation_set))
    check_unreadable(evaluation_set, broken, done=True)
    return np.concatenate(found)


def _finite(
    scores: NDArray[np.floating],
    classifier: "Classifier",
    evaluation_set: "EvaluationSet",
    broken: Mapping[int, DataError],
) -> pd.DataFrame:
    """Return the samples whose images could be read, once their scores are known to be finite."""
    samples = evaluation_set.samples.drop(index=evaluation_set.samples.index[sorted(broken)])
    _check_finite(scores, classifier, samples, evaluation=evaluation_set.name)
    return samples


def _check_finite(
    scores: NDArray[np.floating],
    classifier: "Classifier",
    samples: pd.DataFrame,
    *,
    evaluation: str,
) -> None:
    allowed = np.isfinite(scores)
    if classifier.score == "log_probability":  # the logarithm of 0
        allowed |= np.isneginf(scores)
    bad = ~allowed.all(axis=1) | np.isneginf(scores).all(axis=1)
    count = int(np.count_nonzero(bad))
    if count:
        first = int(bad.argmax())
        label = int((~allowed[first]).argmax())
        msg = (
            f"model {classifier.name!r} gives {scores[first, label]} as score of "
            f"{classifier.labels[label]!r} for sample "
            f"{samples['id'].iloc[first]!r} of evaluation {evaluation!r}, "
            f"and scores that are NaN or infinite for {count} of {len(scores)} "
            "samples; scores must be finite numbers: check the weights and the preprocessing"
        )
        raise PredictionError(msg)


class _Answers(NamedTuple):
    """The answer to every sample, the scores of the classes, and how labels were put together."""

    prediction: pd.Series
    scores: dict[str, NDArray[np.floating]]
    grouping: dict[str, str]


def _readable(evaluation_set: "EvaluationSet", broken: Mapping[int, DataError]) -> "Images":
    """Return the images that could be read."""
    images = evaluation_set.images
    if not broken:
        return images
    places = [place for place in range(len(images)) if place not in broken]
    entries = [images.entries[place] for place in places]
    return replace(images, entries=entries, ids=[images.ids[place] for place in places])


def _asked(
    forward: Forward,
    evaluation_set: "EvaluationSet",
    broken: Mapping[int, DataError],
    classes: tuple[str, ...],
    scores: NDArray[np.floating],
) -> Asked:
    """Return what was asked and scored, and what gives the answers: classes, or sets of labels."""
    classifier = forward.classifier

    def answer(scores: NDArray[np.floating]) -> list[str]:
        if only_tags(evaluation_set) and classifier.tagging is not None:
            return [str(labels) for labels in classifier.tagging.tags(scores, classifier.labels)]
        single = forward.single
        found = decided(scores, classifier, evaluation_set, classes, single=single)
        return [str(name) for name in found]

    return Asked(_readable(evaluation_set, broken), scores, answer)


def _reading(
    scores: NDArray[np.floating], forward: Forward, evaluation_set: "EvaluationSet"
) -> dict[str, str]:
    """Return how scores were read, and what contradicts that, as JSON."""
    classifier = forward.classifier
    found = contradictions(scores, classifier)
    return {
        **({"contradictions": json.dumps(found, ensure_ascii=False)} if found else {}),
        **threshold_metadata(classifier, evaluation_set, single=forward.single),
        **({} if classifier.tagging is None else {"tagging": repr(classifier.tagging)}),
    }


def _answers(
    asked: Asked,
    classifier: "Classifier",
    classes: tuple[str, ...],
    samples: pd.DataFrame,
    *,
    tagged: bool,
) -> _Answers:
    """Return the answers with the scores of the classes; sets of labels have none."""
    if tagged:
        return _Answers(exactly_right(samples), {}, {})
    scores = asked.scores
    by_class = class_scores(scores, classifier, classes)
    return _Answers(
        prediction=pd.Series(asked.answer(scores)),
        scores=dict(zip(classes, by_class.T, strict=True)),
        grouping=_how_grouped(scores, classifier, classes),
    )


def _how_grouped(
    scores: NDArray[np.floating], classifier: "Classifier", classes: tuple[str, ...]
) -> dict[str, str]:
    """Return how labels were put together, and on how many samples the choice matters."""
    found = disagreements(scores, classifier, classes)
    if found is None:
        return {}
    ways, count = found
    activation = {} if classifier.activation is None else {"activation": classifier.activation}
    return activation | {
        "label_groups": json.dumps(classifier.class_labels),
        "reduce": classifier.reduce,
        "reduce_compared": ", ".join(ways),
        "reduce_disagreements": str(count),
    }


def _described(preprocess: object) -> dict[str, str]:
    """Return the representation without memory addresses, which differ from run to run."""
    text = re.sub(r" at 0x[0-9a-fA-F]+", "", repr(preprocess))
    return {
        "preprocessing": text,
        "preprocessing_sha256": hashlib.sha256(text.encode()).hexdigest(),
    }


def _plan_metadata(forward: Forward) -> dict[str, str]:
    """Return how the preprocessing was run, and what it was compared with."""
    if forward.plan is None:
        return {"preprocessing_plan": f"as it is: {forward.no_plan}"}
    return {
        "preprocessing_plan": forward.plan.text,
        "preprocessing_compared": str(forward.checks.compared),
    }


def _run_metadata(forward: Forward) -> dict[str, str]:
    """Return where and how the scores were computed."""
    return {
        "device": _device_name(forward.device),
        "torch": torch.__version__,
        "autocast": str(forward.autocast),
        "precision": "half" if forward.half else "strict",
        "batch_size": str(forward.batch_size),
    }


def _device_name(device: torch.device) -> str:
    if device.type != "cuda":
        return str(device)
    return f"{device} ({torch.cuda.get_device_name(device)})"
