"""Values of a column as the words that a policy uses for them."""

from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["MISSING", "as_level", "as_levels", "listed", "suggest"]

MISSING = "(missing)"
_SHOWN = 12


def as_level(value: Any) -> str | None:
    """Return a value as text; None when it is missing (None, NaN, or an empty string).

    Example:
        >>> [as_level(value) for value in (1.0, 0.5, True, "dark", float("nan"), "")]
        ['1', '0.5', 'True', 'dark', None, None]
    """
    if isinstance(value, str):
        return str(value) or None
    if pd.api.types.is_scalar(value) and pd.isna(value):
        return None
    if isinstance(value, float | np.floating) and value.is_integer():
        return str(int(value))
    return str(value)


def as_levels(column: pd.Series) -> pd.Series:
    """Return a column (N,) of any type as text, by `as_level`; missing values stay missing."""
    if column.dtype == object:  # may mix types, and True == 1 would make them one value
        return pd.Series([as_level(value) for value in column], index=column.index)
    codes, values = pd.factorize(column)
    levels = np.array([*(as_level(value) for value in values), None], dtype=object)
    return pd.Series(levels[codes], index=column.index)


def suggest(value: str, allowed: "Iterable[str]") -> str:
    """Return a question to add to an error message, or nothing when no allowed word is close.

    Example:
        >>> suggest("ligth", ["light", "dark"])
        "; did you mean 'light'?"
    """
    close = get_close_matches(value, list(allowed), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def listed(words: "Iterable[str]") -> str:
    """Return words for an error message, the first twelve when there are more."""
    names = [repr(word) for word in words]
    more = f", … ({len(names)} in all)" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more
