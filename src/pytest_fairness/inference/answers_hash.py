"""The hash of predictions: of ids, targets, groups and answers, however they are stored.

Version 2. Each column is hashed as numbers that say which of its values a row has, the values in the order
in which they appear. So a file can be hashed part by part, and its parts do not matter.
"""

import hashlib
import json
from collections.abc import Collection
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

__all__ = ["HASH_VERSION", "AnswersHash", "ColumnHash", "hash_answers"]

HASH_VERSION = "2"
"""How predictions are hashed, for the record: version 1 hashed their text as CSV."""
# A column of more values than this, or one that may have more, is hashed by four bytes a row, not two.
_MOST_SHORT = 2**16


class ColumnHash:
    """The hash of a column of texts, of which each row has one.

    Args:
        name: Name of the column.
        wide: Whether it may have more than 65,536 values.
    """

    def __init__(self, name: str, *, wide: bool = False) -> None:
        self.name = name
        self.dtype = np.dtype("<u4" if wide else "<u2")
        self._digest = hashlib.sha256()

    def add(self, codes: NDArray[Any]) -> None:
        """Add rows.

        Args:
            codes: Which value each row has, counted from 0 in the order of their first appearance.
        """
        self._digest.update(np.ascontiguousarray(codes, dtype=self.dtype).data)

    def told(self, values: list[str]) -> list[Any]:
        """Return what the hash of all columns is made from.

        Args:
            values: The values in the order of their first appearance.
        """
        return [self.name, values, self._digest.hexdigest()]


class AnswersHash:
    """The hash of predictions, row by row."""

    def __init__(self) -> None:
        self._lengths, self._bytes = hashlib.sha256(), hashlib.sha256()
        self._has_ids = False

    def add_ids(self, ids: pa.Array) -> None:
        """Add the ids of some rows, text. Rows that are only numbered have none."""
        self._has_ids = True
        binary = pc.cast(ids, pa.large_binary())
        self._lengths.update(pc.binary_length(binary).to_numpy().astype("<u8").data)
        _, offsets, data = binary.buffers()
        ends = np.frombuffer(offsets, dtype=np.int64)[binary.offset :][[0, len(binary)]]
        if data is not None:
            self._bytes.update(memoryview(data)[ends[0] : ends[1]])

    def hexdigest(self, columns: list[list[Any]]) -> str:
        """Return the hash.

        Args:
            columns: What each `ColumnHash` told, in their order.
        """
        ids = [self._lengths.hexdigest(), self._bytes.hexdigest()] if self._has_ids else None
        told = {"version": HASH_VERSION, "ids": ids, "columns": columns}
        return hashlib.sha256(json.dumps(told).encode("utf-8", "surrogatepass")).hexdigest()


def hash_answers(frame: pd.DataFrame, *, carried: Collection[str] = ()) -> str:
    """Return the hash of predictions in a frame of text columns.

    Args:
        frame: (N, columns) text columns, `id` among them.
        carried: Columns that may have a value for each row.

    Example:
        >>> one = pd.DataFrame({"id": ["row-0", "row-1"], "target": ["a", "b"], "prediction": ["a", "a"]})
        >>> hash_answers(one)[:8] == hash_answers(one.assign(prediction=["a", "b"]))[:8]
        False
    """
    whole, columns = AnswersHash(), []
    ids = frame["id"].tolist()
    if not _are_numbered(ids):
        whole.add_ids(pa.array(ids, pa.large_string()))
    for name in frame.columns.drop("id"):
        codes, values = pd.factorize(frame[name])
        column = ColumnHash(name, wide=name in carried or len(values) > _MOST_SHORT)
        column.add(codes)
        columns.append(column.told(list(values)))
    return whole.hexdigest(columns)


def _are_numbered(ids: list[str]) -> bool:
    """Whether ids are those of rows that have none of their own."""
    if not ids or ids[0] != "row-0" or ids[-1] != f"row-{len(ids) - 1}":
        return False
    return all(one == f"row-{number}" for number, one in enumerate(ids))
