"""The columns that make clusters: one, such as a person, or two, such as a person and a camera."""

import json
from typing import TypeAlias

__all__ = ["Cluster", "axis_of", "cell_name", "cluster_text", "columns_of", "values_of"]

Cluster: TypeAlias = str | tuple[str, str]
"""One column of clusters, or two."""


def columns_of(cluster: Cluster | None) -> tuple[str, ...]:
    """Return the columns, none for None.

    Example:
        >>> columns_of("person"), columns_of(("person", "camera")), columns_of(None)
        (('person',), ('person', 'camera'), ())
    """
    if cluster is None:
        return ()
    return (cluster,) if isinstance(cluster, str) else cluster


def cluster_text(cluster: Cluster) -> str:
    """Return the columns in words: `person and camera`."""
    return " and ".join(columns_of(cluster))


def axis_of(cluster: Cluster) -> str:
    """Return the name of the axis of counts whose levels are the clusters.

    Of two columns, a level is a pair of values (`cell_name`).

    Example:
        >>> axis_of(("person", "camera"))
        'person, camera'
    """
    return ", ".join(columns_of(cluster))


def cell_name(first: str, second: str) -> str:
    """Return the level of the axis of two columns whose samples have these values.

    Example:
        >>> cell_name("ann", "c2")
        '["ann", "c2"]'
    """
    return json.dumps([first, second], ensure_ascii=False)


def values_of(cell: str) -> tuple[str, str]:
    """Return the values of both columns that `cell_name` wrote."""
    first, second = json.loads(cell)
    return first, second
