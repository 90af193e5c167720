"""Counts of predictions straight from Arrow tables, frames and Parquet files, a million rows at a time.

Nothing is kept of a row that was counted, so memory does not grow with the file. Anything out of the
ordinary, such as a value that the policy does not declare, is left to `read_predictions`, which knows how to
read it or names the row in its error.
"""

from collections.abc import Iterator
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pytest_fairness.data.levels import MISSING
from pytest_fairness.files import check_regular
from pytest_fairness.inference.answers_hash import HASH_VERSION, AnswersHash, ColumnHash
from pytest_fairness.inference.predictions import recorded_in
from pytest_fairness.policy.text.level_text import level_text
from pytest_fairness.statistics.clusters.columns import columns_of
from pytest_fairness.statistics.counts import GroupCounts

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["CountedAnswers", "count_answers"]

_ROWS = 2**20
# As many cells of groups, clusters and classes are counted at once, at most.
_MOST_CELLS = 2**24
_MOST_SHORT = 2**16
_RESERVED = ("id", "target", "prediction")


class CountedAnswers(NamedTuple):
    """Predictions that were counted.

    Args:
        counts: Their counts over the attributes, and over the clusters where there are some.
        metadata: What made them, for the run record.
    """

    counts: GroupCounts
    metadata: dict[str, str]


class _OutOfTheOrdinaryError(Exception):
    """The predictions have to be read row by row."""


def count_answers(source: Any, evaluation: "Evaluation") -> CountedAnswers | None:
    """Count predictions without keeping them, or return None where they have to be read row by row.

    Args:
        source: A frame, an Arrow table, or the path of a Parquet file.
        evaluation: The evaluation that they are judged for; its targets are those of the predictions.

    Example:
        >>> from pytest_fairness.policy import Evaluation
        >>> faces = Evaluation("faces", attributes={"sex": ("female", "male")})
        >>> table = pd.DataFrame({"sex": ["male"], "target": [1], "prediction": [1]})
        >>> count_answers(table, faces).counts.n
        1
    """
    try:
        return _Counting(evaluation).of(_batches(source, evaluation), _name_of(source))
    except (
        _OutOfTheOrdinaryError,
        pa.ArrowException,
        OSError,
        ValueError,
        TypeError,
        OverflowError,
    ):
        return None


def _name_of(source: Any) -> str:
    is_file = isinstance(source, str | Path)
    return str(Path(source)) if is_file else f"predictions ({type(source).__name__})"


def _columns(evaluation: "Evaluation", there: list[str]) -> list[str]:
    """The columns to read: id where rows have one, target, groups, cluster, prediction."""
    others = (
        evaluation.derive,
        evaluation.labels,
        evaluation.where,
        evaluation.score,
        evaluation.counterfactual,
        evaluation.numbers,
    )
    plain = not any(others) and evaluation.threshold is None and evaluation.source is None
    cluster = evaluation.cluster
    if not plain or isinstance(cluster, tuple) or len(set(there)) < len(there):
        raise _OutOfTheOrdinaryError
    if {*_RESERVED} & {*evaluation.attributes, cluster}:
        raise _OutOfTheOrdinaryError
    clusters = [] if cluster is None else [cluster]
    named = [evaluation.target, *evaluation.attributes, *clusters, evaluation.prediction]
    if evaluation.id != "id" or "id" in there:
        named = [evaluation.id, *named]
    if not {*named} <= {*there} or len({*named}) < len(named):
        raise _OutOfTheOrdinaryError
    return named


def _batches(source: Any, evaluation: "Evaluation") -> Iterator[pa.RecordBatch]:
    """The columns of a million rows at a time."""
    if isinstance(source, pd.DataFrame):
        frame = source.rename(columns=str)
        names = _columns(evaluation, list(frame.columns))
        arrays = [pa.array(frame[name], from_pandas=True) for name in names]
        yield from pa.table(dict(zip(names, arrays, strict=True))).to_batches(_ROWS)
    elif isinstance(source, pa.Table):
        names = _columns(evaluation, source.column_names)
        if recorded_in(source.schema):
            raise _OutOfTheOrdinaryError
        yield from source.select(names).to_batches(_ROWS)
    elif isinstance(source, str | Path) and Path(source).suffix.lower() == ".parquet":
        yield from _batches_of_file(Path(source), evaluation)
    else:
        raise _OutOfTheOrdinaryError


def _batches_of_file(path: Path, evaluation: "Evaluation") -> Iterator[pa.RecordBatch]:
    check_regular(path)
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        names = _columns(evaluation, schema.names)
        if recorded_in(schema):
            raise _OutOfTheOrdinaryError
        texts = [name for name in names if pa.types.is_string(schema.field(name).type)]
    with pq.ParquetFile(path, read_dictionary=[n for n in texts if n != evaluation.id]) as file:
        yield from file.iter_batches(batch_size=_ROWS, columns=names)


class _Column:
    """A column whose values are numbered in the order of their first appearance.

    Args:
        name: Name of the column.
        allowed: Its levels; None where any value is.
        wide: Whether it may have more than 65,536 values.
    """

    def __init__(self, name: str, allowed: tuple[str, ...] | None, *, wide: bool = False) -> None:
        self.name, self.allowed = name, allowed
        self.number: dict[str, int] = {}
        self.hash = ColumnHash(name, wide=wide)
        self._limit = 2**31 if wide else _MOST_SHORT

    def codes(self, array: pa.Array) -> NDArray[np.int64]:
        """Return which value each row has."""
        if not pa.types.is_dictionary(array.type):
            array = array.dictionary_encode()
        values = _texts(array.dictionary)
        nowhere = len(values)
        places = pc.fill_null(array.indices.cast(pa.int32()), nowhere).to_numpy()
        known = np.array([self.number.get(text or MISSING, -1) for text in (*values, None)])
        if (known < 0).any():
            for place in pd.unique(places[known[places] < 0]).tolist():
                known[place] = self._add(values[place] if place < nowhere else None)
        codes: NDArray[np.int64] = known[places]
        self.hash.add(codes)
        return codes

    def _add(self, text: str | None) -> int:
        """Number a value that appears for the first time."""
        if text is None and self.allowed is None:
            raise _OutOfTheOrdinaryError
        text = MISSING if text is None else text
        if self.allowed is not None and text not in (*self.allowed, MISSING):
            raise _OutOfTheOrdinaryError
        if len(self.number) >= self._limit:
            raise _OutOfTheOrdinaryError
        return self.number.setdefault(text, len(self.number))


def _texts(values: pa.Array) -> list[str | None]:
    """Values as a policy writes them, None for an empty one."""
    kind = values.type
    if not (_is_text(kind) or pa.types.is_boolean(kind) or pa.types.is_integer(kind)):
        raise _OutOfTheOrdinaryError
    return [
        (level_text(value) or None) if isinstance(value, str) else str(value)
        for value in values.to_pylist()
    ]


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind))


class _Counting:
    """Counts over the values of each column in the order of their first appearance."""

    def __init__(self, evaluation: "Evaluation") -> None:
        self._evaluation = evaluation
        self._axes = [
            *(_Column(name, levels) for name, levels in evaluation.attributes.items()),
            *(_Column(name, None, wide=True) for name in columns_of(evaluation.cluster)),
            _Column("target", None),
            _Column("prediction", None),
        ]
        self._cells: NDArray[np.int64] = np.zeros((0,) * len(self._axes), dtype=np.int64)
        self._ids = _Ids()

    def of(self, batches: Iterator[pa.RecordBatch], source: str) -> CountedAnswers:
        """Return the counts of all batches."""
        for batch in batches:
            self._add(batch)
        if not self._cells.size:
            raise _OutOfTheOrdinaryError
        self._ids.check()
        return CountedAnswers(
            self._counts(),
            {
                "source": source,
                "left_out": "0",
                "ground_truth": "predictions",
                "where": "{}",
                "predictions_hash": HASH_VERSION,
                "predictions_sha256": self._sha256(),
            },
        )

    def _add(self, batch: pa.RecordBatch) -> None:
        evaluation = self._evaluation
        theirs = {"target": evaluation.target, "prediction": evaluation.prediction}
        if any(_is_number_with_gaps(column) for column in batch.columns):
            raise _OutOfTheOrdinaryError
        if batch.num_columns > len(self._axes):
            self._ids.add(batch.column(0))
        each = [one.codes(batch.column(theirs.get(one.name, one.name))) for one in self._axes]
        shape = tuple(len(one.number) for one in self._axes)
        if prod(shape) > _MOST_CELLS:
            raise _OutOfTheOrdinaryError
        cells = np.ravel_multi_index(each, shape)
        counted = np.bincount(cells, minlength=prod(shape)).reshape(shape)
        counted[tuple(slice(size) for size in self._cells.shape)] += self._cells
        self._cells = counted

    def _counts(self) -> GroupCounts:
        *groups, target, prediction = self._axes
        declared = tuple(dict.fromkeys(self._evaluation.classes or ()))
        classes = declared or tuple(sorted(target.number))
        positive = self._evaluation.positive
        if positive is not None and positive not in classes:
            raise _OutOfTheOrdinaryError
        if not {*target.number, *prediction.number} <= {*classes}:
            raise _OutOfTheOrdinaryError
        levels = {}
        for one in groups:
            some = tuple(sorted(one.number)) if one.allowed is None else one.allowed
            levels[one.name] = (*some, MISSING) if {*one.number} - {*some} else some
        axes = [*levels.values(), classes, classes]
        cells = np.zeros(tuple(map(len, axes)), dtype=np.int64)
        places = [{text: place for place, text in enumerate(order)} for order in axes]
        own = [
            [place[text] for text in one.number]
            for one, place in zip(self._axes, places, strict=True)
        ]
        cells[np.ix_(*own)] = self._cells
        return GroupCounts(levels, classes, cells)

    def _sha256(self) -> str:
        *groups, target, prediction = self._axes
        columns = [target, *groups, prediction]  # as in the table of predictions
        return self._ids.hash.hexdigest([one.hash.told(list(one.number)) for one in columns])


def _is_number_with_gaps(column: pa.Array) -> bool:
    """Whether a column of whole numbers lacks some: it may have been one of other numbers."""
    return bool(column.null_count and pa.types.is_integer(column.type))


class _Ids:
    """Ids of rows, which must be unique: rising ones are known to be, others are kept."""

    def __init__(self) -> None:
        self.hash = AnswersHash()
        self._kept: list[pa.Array] = []
        self._last: Any = None
        self._rises = True

    def add(self, ids: pa.Array) -> None:
        """Take the ids of some rows."""
        if pa.types.is_dictionary(ids.type):
            ids = ids.dictionary_decode()
        if ids.null_count or not (_is_text(ids.type) or pa.types.is_integer(ids.type)):
            raise _OutOfTheOrdinaryError
        texts = ids if _is_text(ids.type) else ids.cast(pa.string())
        # An id such as 7.0 is that of 7, and an empty one is missing.
        if pc.any(pc.match_substring_regex(texts, r"^$|^-?[0-9]+\.0$")).as_py():
            raise _OutOfTheOrdinaryError
        self.hash.add_ids(texts)
        self._kept.append(ids)
        rises = self._last is None or self._last < ids[0].as_py()
        rises = rises and pc.all(pc.less(ids[:-1], ids[1:])).as_py() is not False
        if self._rises and not rises and self._last is not None:
            raise _OutOfTheOrdinaryError  # those before were not kept
        self._rises, self._last = self._rises and rises, ids[-1].as_py()
        if self._rises:
            self._kept.clear()

    def check(self) -> None:
        """Raise where an id may appear twice."""
        if not self._rises:
            ids = pa.chunked_array(self._kept)
            if pc.count_distinct(ids).as_py() < len(ids):
                raise _OutOfTheOrdinaryError
