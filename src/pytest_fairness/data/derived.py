"""Columns that are made of other columns, as the policy says."""

from typing import TYPE_CHECKING

from pytest_fairness.data.rows import Rows

if TYPE_CHECKING:
    from pytest_fairness.policy.records import Evaluation

__all__ = ["derive_columns"]


def derive_columns(rows: Rows, evaluation: "Evaluation") -> Rows:
    """Return rows with the columns that `derive` of the evaluation makes."""
    return rows
