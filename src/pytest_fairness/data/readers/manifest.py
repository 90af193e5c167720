"""A manifest: a CSV or Parquet file with one row a sample, and paths relative to it."""

from collections.abc import Mapping

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.masks import read_masks
from pytest_fairness.data.rows import read_rows
from pytest_fairness.errors import DataError

__all__ = ["OPTIONS", "read"]

OPTIONS: Mapping[str, type] = {}


def read(source: Source) -> Listing:
    """Return the rows of a manifest; masks are read from a Parquet file beside it."""
    evaluation = source.evaluation
    rows = read_rows(source.root, evaluation=evaluation.name, error=DataError)
    folder = source.root.parent
    if evaluation.masks is None:
        return Listing(rows, folder)
    path = folder / evaluation.masks
    return Listing(rows, folder, lambda _, ids: read_masks(path, ids))
