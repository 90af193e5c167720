"""One text for each value, whichever file it comes from: CSV, Parquet, JSON Lines or the policy."""

import re

__all__ = ["level_text"]

# As pandas and others write a whole number in a column that also has missing values. Longer forms
# (`1.00`, `1.10`, `01`) may be codes or versions, and stay what they are.
_WHOLE = re.compile(r"(-?(?:0|[1-9][0-9]*))\.0")


def level_text(value: str | float) -> str:
    """Return the text by which a value of a column is compared.

    Args:
        value: A text, a number or a truth value.

    Example:
        >>> [level_text(value) for value in (1, 1.0, "1.0", 0.5, "01", "1.10", True)]
        ['1', '1', '1', '0.5', '01', '1.10', 'True']
    """
    if isinstance(value, str):
        whole = _WHOLE.fullmatch(value)
        return str(int(whole[1])) if whole else value
    if not isinstance(value, int) and value.is_integer():
        return str(int(value))
    return str(value)
