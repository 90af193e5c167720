"""Scores -> predictions: answers, what contradicts them, and what the record says. Needs no torch."""

import hashlib
import json
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.classifiers.labels.contradictions import contradictions
from pytest_fairness.classifiers.labels.label_groups import class_scores, disagreements
from pytest_fairness.errors import DataError, ModelError, PredictionError
from pytest_fairness.inference.answers.flips import flips
from pytest_fairness.inference.answers.remembered import Scorer
from pytest_fairness.inference.answers.repeated import Asked, ask_again
from pytest_fairness.inference.operating_point import check_threshold, decided, threshold_metadata
from pytest_fairness.inference.predictions import Predictions, prediction_table
from pytest_fairness.inference.tags import check_tagging, exactly_right, only_tags, with_tags
from pytest_fairness.inference.unreadable import check_unreadable, unreadable_metadata
from pytest_fairness.wording import counted, listed

if TYPE_CHECKING:
    from pytest_fairness.classifiers import Classifier
    from pytest_fairness.data import EvaluationSet
    from pytest_fairness.data.images import Images

__all__ = ["Outcome", "all_classes", "answered", "assembled", "described"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The scores that a model gave, and what was seen of it.

    Args:
        samples: (N, columns) the samples whose images could be read.
        scores: (N, K) their scores of all labels.
        broken: Position of each image that cannot be read -> why.
        asked: What was asked and scored, and what gives the answers.
        again: What the record says of images that were asked again, or computed strictly too.
        seconds: Time that it took to get all scores.
    """

    samples: pd.DataFrame
    scores: NDArray[np.floating]
    broken: Mapping[int, DataError]
    asked: Asked
    again: Mapping[str, str]
    seconds: float


def answered(
    scorer: Scorer,
    evaluation_set: "EvaluationSet",
    classes: tuple[str, ...],
    *,
    progress: Callable[[int, int], None] | None,
) -> Outcome:
    """Compute the scores of all images, and of some of them again.

    Args:
        scorer: The model, on its device.
        evaluation_set: What it is run on.
        classes: The classes of the predictions.
        progress: Called with the number of images done and of all images.

    Raises:
        DataError: An image cannot be decoded, or more than the evaluation set bears.
        ModelError: An image got another answer in another batch.
        NotRemembered: There is no model, and the cache lacks scores.
        PredictionError: A score is NaN or infinite.
    """
    started = time.perf_counter()
    broken: dict[int, DataError] = {}
    scores = _run(scorer, evaluation_set, broken, progress=progress)
    seconds = time.perf_counter() - started
    samples = _finite(scores, scorer.classifier, evaluation_set, broken)
    asked = _asked(scorer, evaluation_set, broken, classes, scores)
    again: dict[str, str] = {}
    try:
        again = ask_again(scorer, asked, evaluation=evaluation_set.name)
        again |= flips(scorer, asked)
    finally:
        # Scores that are no function of the image are no scores of the next run.
        if scorer.kept is not None and again.get("asked_again_differ") != "0":
            scorer.kept.forget()
    return Outcome(samples, scores, broken, asked, again, seconds)


def assembled(
    scorer: Scorer,
    evaluation_set: "EvaluationSet",
    outcome: Outcome,
    classes: tuple[str, ...],
    *,
    weights_sha256: str,
    preprocessing: str,
    plan: Mapping[str, str],
    run: Mapping[str, str],
) -> Predictions:
    """Return the predictions that scores are.

    Args:
        scorer: Where the scores came from.
        evaluation_set: What the model was run on.
        outcome: The scores, and what was seen of the model.
        classes: The classes of the predictions.
        weights_sha256: Hash of the weights.
        preprocessing: The preprocessing in words.
        plan: How the preprocessing was run, and what it was compared with.
        run: What the record says of device, precision and cache.

    Raises:
        ModelError: A label of the model cannot stand in a set.
    """
    classifier = scorer.classifier
    samples = with_tags(outcome.samples, outcome.scores, classifier)
    tagged = only_tags(evaluation_set)
    answers = _answers(outcome.asked, classifier, classes, samples, tagged=tagged)
    return Predictions(
        table=prediction_table(samples, answers.prediction, answers.scores),
        model=classifier.name,
        evaluation=evaluation_set.name,
        classes=classes,
        levels=evaluation_set.levels,
        metadata={
            **classifier.notes,
            **_data_metadata(evaluation_set),
            **unreadable_metadata(evaluation_set, outcome.broken),
            "weights_sha256": weights_sha256,
            "preprocessing": preprocessing,
            "preprocessing_sha256": hashlib.sha256(preprocessing.encode()).hexdigest(),
            **plan,
            "score": classifier.score,
            **answers.grouping,
            **_reading(outcome.scores, scorer, evaluation_set),
            **outcome.again,
            **run,
            **_time(scorer, len(evaluation_set), outcome.seconds),
        },
    )


def described(preprocess: object) -> str:
    """Return the representation without memory addresses, which differ from run to run."""
    return re.sub(r" at 0x[0-9a-fA-F]+", "", repr(preprocess))


def _time(scorer: Scorer, n: int, seconds: float) -> dict[str, str]:
    """Return the time that scores took; images a second only of those that the model looked at."""
    computed = n - scorer.remembered
    rate = {"images_per_second": f"{computed / seconds:.1f}"} if computed else {}
    return {"seconds": f"{seconds:.3f}", **rate}


def _run(
    scorer: Scorer,
    evaluation_set: "EvaluationSet",
    broken: dict[int, DataError],
    *,
    progress: Callable[[int, int], None] | None,
) -> NDArray[np.floating]:
    """Return the scores (N, K) of all labels; what cannot be read is put into `broken`."""
    found: list[NDArray[np.floating]] = []
    done = 0
    counts = broken if evaluation_set.max_errors else None
    for scores in scorer.scores(evaluation_set.images, broken=counts):
        check_unreadable(evaluation_set, dict(broken), done=False)
        found.append(scores)
        done += len(scores)
        if progress is not None:
            progress(done, len(evaluation_set))
    check_unreadable(evaluation_set, broken, done=True)
    return np.concatenate(found)


def all_classes(classifier: "Classifier", evaluation_set: "EvaluationSet") -> tuple[str, ...]:
    """Return the classes of the evaluation set, then those that only the model knows.

    Raises:
        ModelError: The model gives no sets of labels, lacks a class, or cannot be read at a threshold.
    """
    check_tagging(classifier, evaluation_set)
    if only_tags(evaluation_set):
        check_threshold(classifier, evaluation_set, evaluation_set.classes)
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
    classes = tuple(dict.fromkeys((*evaluation_set.classes, *spoken)))
    check_threshold(classifier, evaluation_set, classes)
    return classes


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
            f"and scores that are NaN or infinite for {count} of "
            f"{counted(len(scores), 'sample')}; scores must be finite numbers: check the weights and the preprocessing"
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
    return images.at([place for place in range(len(images)) if place not in broken])


def _asked(
    scorer: Scorer,
    evaluation_set: "EvaluationSet",
    broken: Mapping[int, DataError],
    classes: tuple[str, ...],
    scores: NDArray[np.floating],
) -> Asked:
    """Return what was asked and scored, and what gives the answers: classes, or sets of labels."""
    classifier = scorer.classifier

    def answer(scores: NDArray[np.floating]) -> list[str]:
        if only_tags(evaluation_set) and classifier.tagging is not None:
            return [str(labels) for labels in classifier.tagging.tags(scores, classifier.labels)]
        single = scorer.single
        found = decided(scores, classifier, evaluation_set, classes, single=single)
        return [str(name) for name in found]

    return Asked(_readable(evaluation_set, broken), scores, answer)


def _reading(
    scores: NDArray[np.floating], scorer: Scorer, evaluation_set: "EvaluationSet"
) -> dict[str, str]:
    """Return how scores were read, and what contradicts that, as JSON."""
    classifier = scorer.classifier
    found = contradictions(scores, classifier)
    return {
        **({"contradictions": json.dumps(found, ensure_ascii=False)} if found else {}),
        **threshold_metadata(classifier, evaluation_set, single=scorer.single),
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
