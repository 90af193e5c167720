"""Predictions that were made elsewhere, checked as strictly as our own."""

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pytest_fairness.data.derived import derive_columns
from pytest_fairness.data.label_sets import LABELS, PREDICTED, only_label_sets, read_label_sets
from pytest_fairness.data.rows import Rows, arrow_rows, read_rows
from pytest_fairness.data.samples import Samples, check_classes, read_ids, read_samples
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference.answers_hash import HASH_VERSION, hash_answers
from pytest_fairness.inference.predictions import (
    OBSERVED_PREFIX,
    SCORE_PREFIX,
    Predictions,
    prediction_table,
    recorded_in,
)
from pytest_fairness.inference.reading.ground_truth import NOTES, Beside, beside_the_truth
from pytest_fairness.inference.reading.json_lines import SUFFIXES, read_json_lines
from pytest_fairness.inference.reading.y_pred import is_y_pred, rows_of_y_pred
from pytest_fairness.inference.tags import exactly_right
from pytest_fairness.wording import listed

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["read_answers", "read_predictions"]

_Scores = Mapping[str, NDArray[np.floating]]


def read_predictions(
    source: "pd.DataFrame | pa.Table | NDArray[Any] | str | Path",
    evaluation: "Evaluation",
    *,
    model: str = "model",
    ground_truth: bool = True,
) -> Predictions:
    """Check predictions and put them into the form that is counted.

    Args:
        source: Table, or path of a Parquet, CSV or JSON Lines file, with the columns that the
            evaluation names: target, prediction or score, every attribute, and `id` where there is
            one. A file of `Predictions.to_parquet` is known by its metadata and keeps its own
            names. Or an array `y_pred` (N,) of classes alone, also as a `.npy` file, in the order
            of the evaluation's manifest, which then gives the rest.
        evaluation: The evaluation that they are judged for.
        model: Name of the model; a file of `to_parquet` brings its own unless one is given.
        ground_truth: Whether targets and attributes come from the manifest or reader of the
            evaluation, where it has one; else from the predictions.

    Raises:
        PredictionError: A column is missing; no sample is left; an id is used twice; a target,
            prediction or score is missing; a class or level is not declared.

    Example:
        >>> from pytest_fairness.policy import Evaluation
        >>> faces = Evaluation("faces", attributes={"sex": ("female", "male")})
        >>> table = pd.DataFrame({"sex": ["male"], "target": [1], "prediction": [1.0]})
        >>> read_predictions(table, faces).table.to_pylist()
        [{'id': 'row-0', 'target': '1', 'prediction': '1', 'sex': 'male'}]
    """
    found, record = _read(source, evaluation)
    model = record["model"] if record and model == "model" else model
    before = record.get("metadata", {})
    derive = {column: made.text for column, made in evaluation.derive.items()}
    if record:
        _check_decided(found.source, before, evaluation)
    from_manifest = is_y_pred(source) or (ground_truth and evaluation.source is not None)
    done = {} if from_manifest else json.loads(before.get("where", "{}"))
    done_before = 0 if from_manifest else int(before.get("left_out", 0))
    notes: dict[str, str] = {}
    if not is_y_pred(source):  # the samples of a manifest come with them
        beside, evaluation = _of_evaluation(found, evaluation, record, from_manifest=from_manifest)
        found, notes = beside
    rows = found.keep(_left_to_do(evaluation.where, done, columns=found.frame.columns))
    ids = read_ids(rows, evaluation, otherwise=None)
    samples = read_samples(rows, evaluation, ids=ids, known=tuple(record.get("classes", ())))
    samples = _with_predicted_labels(samples, rows, evaluation, ids=ids)
    prediction, scores = _answers(rows, evaluation, samples, ids=ids)
    if record:
        scores = _kept_scores(rows.frame)
    return Predictions(
        table=_with_observations(prediction_table(samples.frame, prediction, scores), rows, record),
        model=model,
        evaluation=evaluation.name,
        classes=samples.classes,
        levels=samples.levels,
        metadata={
            **{key: text for key, text in before.items() if not (from_manifest and key in NOTES)},
            **notes,
            "source": found.source,
            "left_out": str(len(found.frame) - len(rows.frame) + done_before),
            "ground_truth": "manifest" if from_manifest else "predictions",
            "where": json.dumps(done | {name: list(v) for name, v in evaluation.where.items()}),
            **({"derive": json.dumps(derive)} if derive else {}),
            "predictions_hash": HASH_VERSION,
            "predictions_sha256": hash_answers(
                samples.frame.assign(prediction=prediction.tolist()), carried=evaluation.carried
            ),
        },
    )


def _read(source: Any, evaluation: "Evaluation") -> tuple[Rows, dict[str, Any]]:
    """Return the rows, and what `to_parquet` recorded beside them, nothing for other tables."""
    if is_y_pred(source):
        return rows_of_y_pred(source, evaluation), {}
    if isinstance(source, str | Path):
        if Path(source).suffix.lower() in SUFFIXES:
            return read_json_lines(Path(source), evaluation=evaluation.name), {}
        rows = read_rows(
            Path(source),
            evaluation=evaluation.name,
            error=PredictionError,
            levels=evaluation.attributes,
        )
        return rows, {} if rows.unit == "line" else recorded_in(pq.read_schema(source))
    kind = f"predictions ({type(source).__name__})"
    if isinstance(source, pd.DataFrame):
        frame = source.reset_index(drop=True).rename(columns=str)
        return Rows(frame, kind, evaluation.name, PredictionError), {}
    rows = Rows(arrow_rows(source), kind, evaluation.name, PredictionError)
    return rows, recorded_in(source.schema)


def _of_evaluation(
    found: Rows, evaluation: "Evaluation", record: Mapping[str, Any], *, from_manifest: bool
) -> tuple[Beside, "Evaluation"]:
    """Return rows with targets, attributes and answers, and the names of their columns."""
    if from_manifest:
        beside = beside_the_truth(found, evaluation, record)
        # The classes of a file of ours were decided when it was written.
        decided = replace(evaluation, score=None, threshold=None)
        return beside, decided if record else evaluation
    if record:
        return Beside(found, {}), _with_our_names(evaluation)
    return Beside(derive_columns(found, evaluation), {}), evaluation


def _with_our_names(evaluation: "Evaluation") -> "Evaluation":
    """Name the columns as `Predictions.to_parquet` does."""
    named = replace(
        evaluation, id="id", target="target", prediction="prediction", score=None, threshold=None
    )
    if evaluation.labels is None:
        return named
    return replace(named, labels=LABELS, predicted_labels=PREDICTED)


def _check_decided(source: str, before: Mapping[str, str], evaluation: "Evaluation") -> None:
    """Refuse predictions that another threshold, or other ways to derive, made than the policy says now."""
    derived = json.loads(before.get("derive", "{}"))
    for column, made in evaluation.derive.items():
        if column in derived and derived[column] != made.text:
            msg = (
                f"{source}: derive.{column} was {derived[column]} when the predictions were made, "
                f"and the policy now says {made.text}; run the model again"
            )
            raise PredictionError(msg)
    threshold = evaluation.threshold
    now = "no threshold" if threshold is None else f"threshold = {threshold:g}"
    was = f"threshold = {before['threshold']}" if "threshold" in before else "no threshold"
    if "weights_sha256" in before and was != now:
        msg = (
            f"{source}: {was} when the model made these predictions, and evaluation "
            f"{evaluation.name!r} now has {now}; run the model again"
        )
        raise PredictionError(msg)


def _left_to_do(
    where: Mapping[str, tuple[str, ...]], done: Mapping[str, list[str]], *, columns: pd.Index
) -> dict[str, tuple[str, ...]]:
    """Return `where` without what was applied before the predictions were written."""
    return {
        name: levels
        for name, levels in where.items()
        if name in columns or done.get(name) != list(levels)
    }


def _with_predicted_labels(
    samples: Samples, rows: Rows, evaluation: "Evaluation", *, ids: pd.Series
) -> Samples:
    """Read the predicted labels; a model without them is asked of its classes only."""
    column = evaluation.predicted_labels
    there = column in rows.frame.columns or column != PREDICTED
    if evaluation.labels is None or not (there or only_label_sets(rows, evaluation)):
        return samples
    found = read_label_sets(rows, column, key="predicted_labels", ids=ids)
    return samples._replace(frame=samples.frame.assign(**{PREDICTED: found.tolist()}))


def _with_observations(table: pa.Table, rows: Rows, record: Mapping[str, Any]) -> pa.Table:
    """Keep what analyses observed beside predictions of ours."""
    for name in rows.frame.columns if record else ():
        if name.startswith(OBSERVED_PREFIX):
            values = rows.frame[name].to_numpy(dtype=np.float64)
            table = table.append_column(name, pa.array(values, pa.float64(), from_pandas=True))
    return table


def _kept_scores(frame: pd.DataFrame) -> _Scores:
    """Return the columns `score:<class>` that predictions of ours have."""
    names = [name for name in frame.columns if name.startswith(SCORE_PREFIX)]
    return {name.removeprefix(SCORE_PREFIX): frame[name].to_numpy() for name in names}


def _answers(
    rows: Rows, evaluation: "Evaluation", samples: Samples, *, ids: pd.Series
) -> tuple[pd.Series, _Scores]:
    if only_label_sets(rows, evaluation):
        return exactly_right(samples.frame), {}
    return read_answers(rows, evaluation, samples.classes, ids=ids)


def read_answers(
    rows: Rows, evaluation: "Evaluation", classes: tuple[str, ...], *, ids: pd.Series
) -> tuple[pd.Series, _Scores]:
    """Return the predicted class of every sample, and its score where a score decided."""
    name = evaluation.score
    columns = rows.frame.columns
    if name is None and evaluation.prediction not in columns and "score" in columns:
        name = "score"
    if name is None:
        _refuse_idle_threshold(rows, evaluation)
        prediction = rows.required(evaluation.prediction, key="prediction", ids=ids)
        check_classes(rows, prediction, ids=ids, key="prediction", classes=classes)
        return prediction, {}
    if evaluation.positive is None or len(classes) != 2:
        msg = (
            f"{rows.source}: scores in column {name!r} need `positive` and exactly two classes in "
            f"evaluation {evaluation.name!r}; got positive = {evaluation.positive!r} and classes "
            f"{listed(classes)}; declare them, or give a prediction column"
        )
        raise PredictionError(msg)
    scores = _read_scores(rows, name, ids=ids, probability=evaluation.threshold is None)
    threshold = 0.5 if evaluation.threshold is None else evaluation.threshold
    negative = next(label for label in classes if label != evaluation.positive)
    answers = pd.Series(
        np.where(scores >= threshold, evaluation.positive, negative), index=rows.frame.index
    )
    if evaluation.prediction in columns:
        _refuse_conflict(rows, evaluation, name, answers, ids=ids)
    return answers, {evaluation.positive: scores}


def _refuse_idle_threshold(rows: Rows, evaluation: "Evaluation") -> None:
    """Refuse a threshold that decides nothing, since the classes are given."""
    if evaluation.threshold is not None:
        msg = (
            f"{rows.source}: threshold = {evaluation.threshold:g} of evaluation {evaluation.name!r} has "
            f"no effect, since the classes are read from column {evaluation.prediction!r} and no score "
            "is; name the column of the scores as `score`, or remove threshold"
        )
        raise PredictionError(msg)


def _refuse_conflict(
    rows: Rows, evaluation: "Evaluation", name: str, answers: pd.Series, *, ids: pd.Series
) -> None:
    """Refuse predicted classes that are not those of the scores beside them."""
    given = rows.text(evaluation.prediction, key="prediction")
    rows.reject(
        (given.notna() & (given != answers)).to_numpy(),
        ids,
        lambda first: (
            f"`prediction` is {given.iloc[first]!r} in column {evaluation.prediction!r}, but the score in "
            f"column {name!r} makes it {answers.iloc[first]!r}"
        ),
        remedy="remove one of the two columns, or correct `threshold` and `positive`",
    )


def _read_scores(
    rows: Rows, name: str, *, ids: pd.Series, probability: bool
) -> NDArray[np.float64]:
    column = rows.column(name, key="score")
    scores = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    rows.reject(
        np.isnan(scores),
        ids,
        lambda first: f"`score` is {str(column.iloc[first])!r} in column {name!r}, not a number",
        remedy="give every sample a score",
    )
    if probability:
        rows.reject(
            (scores < 0) | (scores > 1),
            ids,
            lambda first: f"`score` is {scores[first]:g} in column {name!r}, outside 0 to 1",
            remedy="give probabilities, or declare `threshold`, the score from which a sample "
            f"counts as positive, in evaluation {rows.evaluation!r}",
        )
    return scores
