"""The groups of some attributes, in one order for questions, counts and plans."""

from collections.abc import Mapping
from itertools import product

__all__ = ["groups_of"]


def groups_of(levels: Mapping[str, tuple[str, ...]], by: tuple[str, ...]) -> list[dict[str, str]]:
    """Return every group of some attributes: each combination of their values.

    Args:
        levels: Attribute -> its values.
        by: The attributes that are crossed; without any there is one group, of all samples.

    Example:
        >>> groups_of({"sex": ("f", "m"), "age": ("old", "young")}, ("age", "sex"))[:2]
        [{'age': 'old', 'sex': 'f'}, {'age': 'old', 'sex': 'm'}]
        >>> groups_of({"sex": ("f", "m")}, ())
        [{}]
    """
    crossed = product(*(levels[attribute] for attribute in by))
    return [dict(zip(by, values, strict=True)) for values in crossed]
