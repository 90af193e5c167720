"""Predictions as JSON Lines: one object a line, one key a column."""

from pathlib import Path
from typing import Any

import pandas as pd

from pytest_fairness.data.rows import Rows
from pytest_fairness.errors import PredictionError
from pytest_fairness.files import parse_json, read_text

__all__ = ["SUFFIXES", "read_json_lines"]

SUFFIXES = (".jsonl", ".ndjson")


def read_json_lines(path: Path, *, evaluation: str) -> Rows:
    """Read the rows of a file.

    Blank lines are skipped, and the lines after them keep their numbers.

    Raises:
        PredictionError: The file is missing, or a line is no object of texts, numbers and booleans.
    """
    try:
        text = read_text(path, encoding="utf-8-sig")
    except FileNotFoundError as error:
        msg = f"{path}: no such file (evaluation {evaluation!r}); correct the path"
        raise PredictionError(msg) from error
    except (OSError, UnicodeDecodeError) as error:
        msg = f"{path}: cannot be read as JSON Lines: {error}; write it as UTF-8"
        raise PredictionError(msg) from error
    lines = text.split("\n")  # splitlines() would split within texts, at U+2028
    rows = {
        number: _row(line, place=f"{path}, line {number + 1}")
        for number, line in enumerate(lines)
        if line.strip()
    }
    columns = dict.fromkeys(key for row in rows.values() for key in row)
    frame = pd.DataFrame(
        {
            name: pd.Series([row.get(name) for row in rows.values()], dtype=object)
            for name in columns
        }
    )
    frame.index = pd.Index(list(rows))
    return Rows(frame, str(path), evaluation, PredictionError, "line", header=0)


def _row(line: str, *, place: str) -> dict[str, Any]:
    try:
        row = parse_json(line, object_pairs_hook=_unique)
    except ValueError as error:
        msg = f"{place}: not JSON: {error}; write one object a line"
        raise PredictionError(msg) from error
    if not isinstance(row, dict):
        msg = f'{place}: expected an object such as {{"id": "a", "prediction": "yes"}}, got {line[:60]!r}'
        raise PredictionError(msg)
    for key, value in row.items():
        texts = isinstance(value, list) and all(isinstance(one, str) for one in value)
        if isinstance(value, dict | list) and not texts:  # a list of texts is a set of labels
            msg = f"{place}: {key!r} is {str(value)[:60]}, expected a text, a number, a boolean or a list of texts"
            raise PredictionError(msg)
    return row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) != len(pairs):
        names = [name for name, _ in pairs]
        repeated = next(name for name in names if names.count(name) > 1)
        msg = f"the key {repeated!r} appears twice"
        raise ValueError(msg)
    return row
