"""Parquet files whose size in memory is bounded: a small file may stand for any number of bytes."""

from collections.abc import Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pytest_fairness.files import check_regular
from pytest_fairness.wording import counted, listed

__all__ = ["MOST_COLUMNS", "MOST_ROWS", "check_size", "read_parquet"]

MOST_ROWS = 50_000_000
MOST_COLUMNS = 10_000
_MOST_FILE = 2**36
_MOST_UNPACKED = 2**33
"""Bytes in memory of all columns: 8 GiB, or four times the file where that is more."""
_AT_A_TIME = 2**26
_TEXTS = ("BYTE_ARRAY", "FIXED_LEN_BYTE_ARRAY")


def read_parquet(path: Path, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the table of a file, with the metadata of its schema.

    Args:
        path: The file.
        columns: Names of the columns; all when absent.

    Raises:
        OSError: It is no regular file, or is too large.
        ValueError: It has too many rows or columns, or takes too much memory.
        pyarrow.ArrowException: It is no Parquet file, or is damaged.
    """
    check_regular(path, most=_MOST_FILE)
    most = max(_MOST_UNPACKED, 4 * path.stat().st_size)
    with pq.ParquetFile(path) as file:  # a data set's reader would take columns from folder names
        check_size(file.metadata.num_rows, file.metadata.num_columns)
        schema = file.schema_arrow
        lacking = [name for name in columns or () if name not in schema.names]
        if lacking:
            msg = f"no column {lacking[0]!r}; the columns are {listed(schema.names)}"
            raise ValueError(msg)
        stored, longest = _sizes(file.metadata)
        _refuse_more(stored, most)
        if file.metadata.num_rows * longest > most:
            # A long text that a dictionary holds once is copied for each of its rows: count them
            # before they are all in memory.
            taken = 0
            for batch in file.iter_batches(max(1, _AT_A_TIME // longest), columns=columns):
                taken += batch.nbytes
                _refuse_more(taken, most)
        return file.read(columns=columns)


def check_size(rows: int, columns: int) -> None:
    """Refuse what would take all memory: a small file may stand for billions of rows.

    Raises:
        ValueError: There are too many.
    """
    if columns > MOST_COLUMNS or rows > MOST_ROWS:
        msg = (
            f"{counted(rows, 'row')} and {counted(columns, 'column')}; allowed are "
            f"{counted(MOST_ROWS, 'row')} and {counted(MOST_COLUMNS, 'column')}"
        )
        raise ValueError(msg)


def _sizes(metadata: pq.FileMetaData) -> tuple[int, int]:
    """Bytes of all pages without compression, and those of the largest dictionary of texts at most."""
    chunks = [
        metadata.row_group(group).column(column)
        for group in range(metadata.num_row_groups)
        for column in range(metadata.num_columns)
    ]
    longest = [
        chunk.total_uncompressed_size
        for chunk in chunks
        if chunk.physical_type in _TEXTS and any("DICTIONARY" in name for name in chunk.encodings)
    ]
    return sum(chunk.total_uncompressed_size for chunk in chunks), max(longest, default=0)


def _refuse_more(size: int, most: int) -> None:
    if size > most:
        msg = (
            f"it takes {counted(size, 'byte')} or more in memory; allowed are {most:,}: 8 GiB, or four "
            "times the file"
        )
        raise ValueError(msg)
