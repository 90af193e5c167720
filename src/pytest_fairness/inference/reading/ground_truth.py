"""Targets and attributes of predictions come from the manifest, never from the predictions alone."""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from pytest_fairness.data.label_sets import PREDICTED
from pytest_fairness.data.levels import MISSING, as_levels
from pytest_fairness.data.readers import list_samples
from pytest_fairness.data.rows import Rows
from pytest_fairness.data.samples import read_ids
from pytest_fairness.errors import PredictionError
from pytest_fairness.inference.predictions import OBSERVED_PREFIX, SCORE_PREFIX
from pytest_fairness.wording import counted, listed

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["NOTES", "Beside", "beside_the_truth"]

NOTES = ("unpredicted", "unpredicted_samples", "max_unpredicted", "without_prediction")
"""What the metadata of predictions say of the samples that have none."""

_SHOWN = 3


class Beside(NamedTuple):
    """Samples with their predictions, and those that have none.

    Args:
        rows: The samples of the manifest that have a prediction, and those that `where` leaves out.
        notes: What the record says of the others; nothing where none may lack.
    """

    rows: Rows
    notes: dict[str, str]


def beside_the_truth(found: Rows, evaluation: "Evaluation", record: Mapping[str, Any]) -> Beside:
    """Return the samples of an evaluation's manifest, with the predictions of a file beside them.

    Args:
        found: The rows of the file.
        evaluation: Its manifest or reader gives ids, targets and attributes, derived ones included.
        record: What `Predictions.to_parquet` recorded in the file; empty for other files.

    Raises:
        PredictionError: The file has no ids, lacks more of the samples that `where` keeps than
            `max_unpredicted` allows, has one that the manifest lacks, or gives another target or
            attribute than the manifest.
        DataError: The manifest cannot be read.
    """
    listing = list_samples(evaluation).rows
    paths = _paths(listing, evaluation)
    truth_ids = read_ids(listing, evaluation, otherwise=paths)
    ids = _ids(found, evaluation, record)
    places = pd.Index(ids).get_indexer(truth_ids)
    _refuse_unknown(found, ids, truth_ids, source=listing.source)
    lost = (truth_ids.isin(_lost(record, evaluation)) & (places < 0)).to_numpy()
    asked = listing.matches(evaluation.where)
    _refuse_many_lost(found, listing, evaluation, lost=lost, asked=asked)
    absent = (places < 0) & asked & ~lost
    _refuse_missing(found, listing, evaluation, truth_ids, absent=absent, asked=asked)
    there = (places >= 0) & asked & ~lost
    _refuse_different(found, listing, evaluation, record, places=places, there=there, ids=truth_ids)
    answers = _answers(found, evaluation, record, places, there)
    frame = listing.frame.assign(**{name: column.to_numpy() for name, column in answers.items()})
    if evaluation.id == "id":
        frame = frame.assign(id=truth_ids)
    rows = replace(
        listing, frame=frame[~lost & ~absent], source=found.source, error=PredictionError
    )
    return Beside(rows, _notes(listing, evaluation, truth_ids, lost=lost & asked, absent=absent))


def _notes(
    listing: Rows, evaluation: "Evaluation", ids: pd.Series, *, lost: Any, absent: Any
) -> dict[str, str]:
    without = lost | absent
    notes = {}
    if evaluation.max_unpredicted:
        notes["unpredicted"] = str(int(absent.sum()))
        notes["max_unpredicted"] = str(evaluation.max_unpredicted)
        notes["unpredicted_samples"] = json.dumps(
            dict.fromkeys(ids[absent], ""), ensure_ascii=False
        )
    if without.any():
        columns = [name for name in evaluation.attributes if name in listing.frame.columns]
        levels = _levels_of(listing.frame[without], ids[without], columns)
        notes["without_prediction"] = json.dumps(levels, ensure_ascii=False)
    return notes


def _levels_of(
    frame: pd.DataFrame, ids: "pd.Series[str]", columns: Iterable[str]
) -> dict[str, dict[str, str]]:
    """The level of each attribute of some samples, by their ids."""
    texts = {name: as_levels(frame[name]).fillna(MISSING).tolist() for name in columns}
    return {
        str(sample): {name: values[row] for name, values in texts.items()}
        for row, sample in enumerate(ids)
    }


def _paths(listing: Rows, evaluation: "Evaluation") -> pd.Series | None:
    """The paths of the images, which are the ids where there are no others."""
    paths = listing.frame.get(evaluation.image)
    if paths is None or not all(isinstance(path, str) for path in paths.dropna()):
        return None
    return as_levels(paths)


def _ids(found: Rows, evaluation: "Evaluation", record: Mapping[str, Any]) -> pd.Series:
    name = "id" if record else evaluation.id
    columns = found.frame.columns
    if name in columns:
        return read_ids(found, replace(evaluation, id=name), otherwise=None)
    if name == "id" and evaluation.image in columns:  # as for the images of a model
        return read_ids(_called_by(found, evaluation.image), evaluation, otherwise=None)
    msg = (
        f"{found.source}: no column {name!r}, and evaluation {evaluation.name!r} has a manifest, whose "
        f"samples the predictions must name; the columns are {listed(columns)}; add the ids, or give a "
        "y_pred in the order of the manifest (.npy)"
    )
    raise PredictionError(msg)


def _called_by(found: Rows, column: str) -> Rows:
    return replace(found, frame=found.frame.assign(id=found.frame[column]))


def _lost(record: Mapping[str, Any], evaluation: "Evaluation") -> list[str]:
    """Ids of images that could not be read when the predictions were made, where the policy counts them."""
    if evaluation.on_error != "count":
        return []
    return list(json.loads(record.get("metadata", {}).get("unreadable_images", "{}")))


def _refuse_many_lost(
    found: Rows, listing: Rows, evaluation: "Evaluation", *, lost: Any, asked: Any
) -> None:
    """Refuse more unreadable images than the policy bears, of all and of each class and group.

    The file says itself which images could not be read, so the share is checked again here.
    """
    for of, n, without in _shares(listing, evaluation, lost, asked=asked):
        if without > evaluation.max_errors * n:
            msg = (
                f"{found.source}: {counted(without, 'image')} of {n:,}{of} could not be read when the "
                f"predictions were made, and max_errors of evaluation {evaluation.name!r} allows "
                f"{evaluation.max_errors:.1%} of all images and of each group; run the model again"
            )
            raise PredictionError(msg)


def _shares(
    listing: Rows, evaluation: "Evaluation", without: Any, *, asked: Any
) -> Iterator[tuple[str, int, int]]:
    """The samples of each class and group, all of them first: name, number, and those of `without`."""
    columns = {evaluation.target, *evaluation.attributes} & {*listing.frame.columns}
    groups = {"": asked}
    for name in sorted(columns):
        levels = as_levels(listing.frame[name])
        groups |= {
            f" with {name} {level}": asked & (levels == level).to_numpy()
            for level in levels.dropna().unique()
        }
    for of, group in groups.items():
        yield of, int(group.sum()), int((group & without).sum())


def _refuse_unknown(found: Rows, ids: pd.Series, truth: pd.Series, *, source: str) -> None:
    found.reject(
        ~ids.isin(truth).to_numpy(),
        ids,
        lambda _: f"the manifest {source} has no such sample",
        remedy="remove the row, or judge the predictions by the manifest that they were made for",
    )


def _refuse_missing(
    found: Rows, listing: Rows, evaluation: "Evaluation", ids: pd.Series, *, absent: Any, asked: Any
) -> None:
    """Refuse more samples without a prediction than the policy bears, of all and of each group."""
    allowed = evaluation.max_unpredicted
    for of, n, without in _shares(listing, evaluation, absent, asked=asked):
        if without <= allowed * n:
            continue
        names = ids[absent].tolist()
        more, verb = ", …" if len(names) > _SHOWN else "", "has" if without == 1 else "have"
        bears = f" of {n:,}{of} ({without / n:.1%}; max_unpredicted allows {allowed:.1%} of all and of each group)"
        msg = (
            f"{found.source}: {counted(without, 'sample')}{bears if allowed else ''} of the manifest "
            f"{listing.source} {verb} no prediction: {', '.join(map(repr, names[:_SHOWN]))}{more}; a part of "
            "the samples is another evaluation set: predict all of them, or leave them out with `where`"
        )
        raise PredictionError(msg)


def _refuse_different(
    found: Rows,
    listing: Rows,
    evaluation: "Evaluation",
    record: Mapping[str, Any],
    *,
    places: Any,
    there: Any,
    ids: pd.Series,
) -> None:
    """Refuse a target or attribute that is not the one of the manifest; without one, it is taken."""
    named = {evaluation.target: "target" if record else evaluation.target}
    named |= {name: name for name in (*evaluation.attributes, *evaluation.carried)}
    for ours, theirs in named.items():
        if theirs not in found.frame.columns or ours not in listing.frame.columns:
            continue
        truth = as_levels(listing.frame[ours])[there].to_numpy()
        given = as_levels(found.frame[theirs]).to_numpy()[places[there]]
        different = (truth != given) & ~(pd.isna(truth) & pd.isna(given))
        if different.any():
            first, number = int(np.argmax(different)), int(different.sum())
            more = f" ({number} such samples)" if number > 1 else ""
            msg = (
                f"{found.source}, sample {ids[there].iloc[first]!r}: {theirs} is {given[first]!r}, and the "
                f"manifest {listing.source} says {truth[first]!r}{more}; correct one of them, or leave "
                "the column out of the predictions"
            )
            raise PredictionError(msg)


def _answers(
    found: Rows, evaluation: "Evaluation", record: Mapping[str, Any], places: Any, there: Any
) -> dict[str, pd.Series]:
    """The columns of the file that are answers, in the order of the manifest."""
    names = {
        "prediction": evaluation.prediction,
        PREDICTED: evaluation.predicted_labels or PREDICTED,
    }
    if not record:
        names = {name: name for name in names.values()} | {"score": "score"}
        names |= {} if evaluation.score is None else {evaluation.score: evaluation.score}
    prefixes = (SCORE_PREFIX, OBSERVED_PREFIX)
    names |= {name: name for name in found.frame.columns if str(name).startswith(prefixes)}
    answers = {}
    for theirs, ours in names.items():
        if theirs in found.frame.columns:
            column = found.frame[theirs].reset_index(drop=True)
            # A place of -1 would take the last row, so samples without an answer get none.
            answers[ours] = column.reindex(np.where(there, places, -1))
    return answers
