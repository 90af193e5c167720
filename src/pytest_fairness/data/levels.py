"""Values of a column as the words that a policy uses for them."""

from typing import Any

import numpy as np
import pandas as pd

from pytest_fairness.policy.text.level_text import level_text

__all__ = ["MISSING", "as_level", "as_levels"]

MISSING = "(missing)"


def as_level(value: Any) -> str | None:
    """Return a value as text, or None when it is missing (None, NaN, or an empty string).

    Example:
        >>> [as_level(value) for value in (1.0, "1.0", 0.5, True, "dark", float("nan"), "")]
        ['1', '1', '0.5', 'True', 'dark', None, None]
    """
    if isinstance(value, str):
        return level_text(str(value)) or None
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, np.floating) and value.is_integer():
        return str(int(value))
    return level_text(value) if isinstance(value, float) else str(value)


def as_levels(column: pd.Series) -> pd.Series:
    """Return a column (N,) of any type as text, by `as_level`. Missing values stay missing."""
    if column.dtype == object:  # may mix types, and True == 1 would make them one value
        return pd.Series([as_level(value) for value in column], index=column.index)
    codes, values = pd.factorize(column)
    levels = np.array([*(as_level(value) for value in values), None], dtype=object)
    return pd.Series(levels[codes], index=column.index)
