"""A manifest: a CSV or Parquet file with one row a sample, and paths relative to it."""

from pytest_fairness.data.listing import Listing, Source
from pytest_fairness.data.rows import read_rows
from pytest_fairness.errors import DataError

__all__ = ["read"]


def read(source: Source) -> Listing:
    """Return the rows of a manifest."""
    rows = read_rows(source.root, evaluation=source.evaluation.name, error=DataError)
    return Listing(rows, source.root.parent)
