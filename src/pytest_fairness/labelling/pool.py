"""The pool: images that a model answered, with its scores, before anybody labelled them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
from numpy.typing import NDArray
from scipy import special

from pytest_fairness.data.derived import derive_columns
from pytest_fairness.data.evaluation_set import hash_rows
from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.data.samples import read_ids, read_samples
from pytest_fairness.errors import PolicyError, PredictionError
from pytest_fairness.gate.run import count_predictions
from pytest_fairness.inference import Predictions
from pytest_fairness.inference.predictions import SCORE_PREFIX, prediction_table, recorded_in
from pytest_fairness.inference.reading.read import read_answers
from pytest_fairness.policy import Evaluation
from pytest_fairness.statistics.arrays import Floats, Integers
from pytest_fairness.statistics.counts import GroupCounts
from pytest_fairness.statistics.groups import groups_of
from pytest_fairness.statistics.labelled.outcomes import Outcomes, outcomes_of
from pytest_fairness.statistics.metrics.definitions import Rate
from pytest_fairness.wording import listed

__all__ = ["CONFIDENCE", "Pool", "read_pool"]

CONFIDENCE = "confidence"
_MEANINGS = ("logit", "log_probability")


@dataclass(frozen=True, eq=False)
class Pool:
    """N images with the answers and the scores of a model.

    Args:
        ids: Id of each image (N,).
        classes: The K classes.
        called: Position of the class that the model answered (N,).
        chances: How likely the model holds each class (N, K), 0 to 1.
        counts: Counts that name the groups; their true classes are not known.
        clusters: Number of the cluster of each image (N,); None where images are independent.
        groups: Attribute -> its value of each image (N,).
        source: The file.
        sha256: Hash of ids, answers, attributes and chances.
        model: Name of the model.
    """

    ids: tuple[str, ...]
    classes: tuple[str, ...]
    called: Integers
    chances: Floats
    counts: GroupCounts
    clusters: Integers | None
    groups: Mapping[str, NDArray[Any]]
    source: str
    sha256: str
    model: str
    _codes: dict[tuple[str, ...], Integers] = field(default_factory=dict, init=False, repr=False)

    def codes(self, by: tuple[str, ...]) -> Integers:
        """Return the position of the group of each image (N,) among the groups of `by`."""
        if by not in self._codes:
            groups = groups_of(self.counts.levels, by)
            place = {tuple(group.values()): i for i, group in enumerate(groups)}
            values = (
                zip(*(self.groups[name] for name in by), strict=True)
                if by
                else [()] * len(self.ids)
            )
            self._codes[by] = np.array([place[tuple(one)] for one in values], dtype=np.int64)
        return self._codes[by]

    def outcomes(self, rate: Rate, positive: str | None) -> Outcomes:
        """Return what the labels may turn out to be for a rate.

        Args:
            rate: The rate.
            positive: The positive class; None where the rate needs none.
        """
        asked = self.called if positive is None else self._class(positive)
        return outcomes_of(
            rate,
            called_positive=self.called == asked,
            chance=self.chances[np.arange(len(self.ids)), asked],
        )

    def first(self, labels: Integers, positive: str | None) -> NDArray[np.bool_]:
        """Return whether each label (N,) is the first outcome: positive, or what the model answered."""
        asked = self.called if positive is None else self._class(positive)
        return np.asarray(labels == asked)

    def _class(self, name: str) -> Integers:
        return np.full(len(self.ids), self.classes.index(name))


def read_pool(path: Path, evaluation: Evaluation) -> Pool:
    """Read answers and scores of a model for images without labels.

    A column of targets is not read. Scores are columns `score:<class>`, `score` (or the column that
    the evaluation names) of the positive class, or `confidence` of the predicted class.

    Raises:
        PolicyError: The evaluation names no classes, or judges sets of labels.
        PredictionError: A column is missing, or a score is no probability.
    """
    rows = read_rows(path, evaluation=evaluation.name, error=PredictionError)
    record = {} if rows.unit == "line" else recorded_in(pq.read_schema(path))
    evaluation = _as_labelled(evaluation, record)
    classes = evaluation.classes or ()
    if not record:
        rows = derive_columns(rows, evaluation)
    columns = rows.frame.columns
    where = {name: one for name, one in evaluation.where.items() if not record or name in columns}
    rows = rows.keep(where)
    ids = read_ids(rows, evaluation, otherwise=None)
    answers, of_positive = read_answers(rows, evaluation, classes, ids=ids)
    called = pd.Categorical(answers, categories=list(classes)).codes.astype(np.int64)
    unlabelled = replace(rows, frame=rows.frame.assign(**{evaluation.target: answers.to_numpy()}))
    samples = read_samples(unlabelled, evaluation, ids=ids)
    meaning = record.get("metadata", {}).get("score", "probability")
    chances = _chances(rows, ids, classes, called, of_positive, meaning=meaning)
    predictions = Predictions(
        table=prediction_table(samples.frame, answers, {}),
        model=record.get("model", "model"),
        evaluation=evaluation.name,
        classes=classes,
        levels=samples.levels,
        metadata={"source": rows.source},
    )
    hashed = samples.frame.assign(prediction=answers.tolist(), chances=list(map(str, chances)))
    cluster = evaluation.cluster
    return Pool(
        ids=tuple(ids),
        classes=classes,
        called=called,
        chances=chances,
        counts=count_predictions(predictions, evaluation),
        clusters=None
        if cluster is None
        else pd.factorize(samples.frame[cluster])[0].astype(np.int64),
        groups={name: samples.frame[name].to_numpy() for name in evaluation.attributes},
        source=rows.source,
        sha256=hash_rows(hashed),
        model=predictions.model,
    )


def _as_labelled(evaluation: Evaluation, record: Mapping[str, Any]) -> Evaluation:
    """The evaluation with its classes, and with the columns of a file of ours."""
    if evaluation.labels is not None:
        msg = (
            f"{evaluation.table}: sets of labels cannot be labelled in rounds; ask about one class"
        )
        raise PolicyError(msg)
    classes = tuple(evaluation.classes or record.get("classes", ()))
    if not classes:
        msg = (
            f"{evaluation.table}: `classes` is missing; nobody has labelled the images yet, so name "
            'every class that a label may be: classes = ["no", "yes"]'
        )
        raise PolicyError(msg)
    if not record:
        return replace(evaluation, classes=classes)
    return replace(
        evaluation,
        classes=classes,
        id="id",
        target="target",
        prediction="prediction",
        score=None,
    )


def _chances(
    rows: Rows,
    ids: pd.Series,
    classes: Sequence[str],
    called: Integers,
    of_positive: Mapping[str, NDArray[np.floating]],
    *,
    meaning: str,
) -> Floats:
    """How likely the model holds each class (N, K)."""
    n, k = len(ids), len(classes)
    columns = [f"{SCORE_PREFIX}{name}" for name in classes]
    there = [name for name in columns if name in rows.frame.columns]
    if len(there) == k:
        scores: Floats = np.stack([_numbers(rows, name, ids) for name in columns], axis=1)
        if meaning in _MEANINGS:
            scores = special.softmax(scores, axis=1).astype(np.float64)
        for name, values in zip(columns, scores.T, strict=True):
            _check_range(rows, name, values, ids)
        return scores
    for name, of_class in of_positive.items():
        _check_range(rows, "score", of_class, ids)
        return _spread(of_class.astype(np.float64), np.full(n, classes.index(name)), k)
    if there and k == 2:
        scores = _numbers(rows, there[0], ids)
        _check_range(rows, there[0], scores, ids)
        return _spread(scores, np.full(n, columns.index(there[0])), k)
    if CONFIDENCE in rows.frame.columns:
        scores = _numbers(rows, CONFIDENCE, ids)
        _check_range(rows, CONFIDENCE, scores, ids)
        return _spread(scores, called, k)
    msg = (
        f"{rows.source}: no scores; the columns are {listed(rows.frame.columns)}. Give a column "
        f"{CONFIDENCE!r} (probability of the predicted class, 0 to 1), `score` of the positive "
        f"class, or {listed(columns)}"
    )
    raise PredictionError(msg)


def _spread(scores: Floats, at: Integers, k: int) -> Floats:
    """The chance of one class as it is; the others share the rest."""
    found = np.repeat(((1 - scores) / max(k - 1, 1))[:, None], k, axis=1)
    found[np.arange(len(scores)), at] = scores
    return found


def _numbers(rows: Rows, name: str, ids: pd.Series) -> Floats:
    column = rows.column(name, key="score")
    values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    rows.reject(
        ~np.isfinite(values),
        ids,
        lambda first: f"column {name!r} is {str(column.iloc[first])!r}, not a number",
        remedy="give every image a score",
    )
    return values


def _check_range(rows: Rows, name: str, values: NDArray[np.floating], ids: pd.Series) -> None:
    rows.reject(
        np.asarray(~((values >= 0) & (values <= 1 + 1e-6))),
        ids,
        lambda first: f"column {name!r} is {values[first]:g}, outside 0 to 1",
        remedy="give probabilities; scores of another scale need a softmax or a sigmoid first",
    )
