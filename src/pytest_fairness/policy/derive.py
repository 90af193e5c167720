"""Columns that a policy makes of other columns: bins of a number, merged levels, skin types."""

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pytest_fairness.policy.text.toml_text import toml_value
from pytest_fairness.wording import counted

__all__ = ["SCALES", "Derivation", "Scale", "problem_with"]

Scale = Literal["fitzpatrick", "ita"]
SCALES: Mapping[Scale, tuple[str, ...]] = {
    "fitzpatrick": ("I", "II", "III", "IV", "V", "VI"),
    "ita": ("dark", "brown", "tan", "intermediate", "light", "very light"),
}
"""Classes of each scale, in the order of its numbers."""


@dataclass(frozen=True, slots=True)
class Derivation:
    """A column that is made of other columns.

    Args:
        column: Name of the new column; may be that of the source, which it then replaces.
        sources: Columns that it is made of: one, or L* and b* (CIELAB) for `ita`.
        bins: Lower edges of the bins, rising; one more edge than labels closes the last bin.
        labels: Level of each bin.
        scale: Classes that values are read as: Fitzpatrick skin types or those of the ITA.
        merge: New level -> the values that it takes in.
        rest: Level of every value that `merge` does not name; None where there must be none.
        missing: Values that stand for a missing one.
    """

    column: str
    sources: tuple[str, ...]
    bins: tuple[float, ...] = ()
    labels: tuple[str, ...] = ()
    scale: Scale | None = None
    merge: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    rest: str | None = None
    missing: tuple[str, ...] = ()

    @classmethod
    def of(cls, column: str, table: Mapping[str, Any]) -> "Derivation":
        """Return the derivation of a table that `problem_with` has nothing against."""
        return cls(
            column=column,
            sources=tuple(table["from_"]),
            bins=tuple(table["bins"]),
            labels=tuple(table["labels"]),
            scale=table["scale"],
            merge={level: tuple(values) for level, values in table["merge"].items()},
            rest=table["rest"],
            missing=tuple(table["missing"]),
        )

    @property
    def levels(self) -> tuple[str, ...]:
        """The levels that the column can have."""
        if self.merge:
            return (*self.merge, *(() if self.rest is None else (self.rest,)))
        return self.labels if self.scale is None else SCALES[self.scale]

    @property
    def text(self) -> str:
        """The derivation as a policy writes it."""
        keys = {
            "from": self.sources,
            "bins": self.bins,
            "labels": self.labels,
            "scale": self.scale,
            "merge": self.merge,
            "rest": self.rest,
            "missing": self.missing,
        }
        return toml_value({key: value for key, value in keys.items() if value})


def problem_with(table: Mapping[str, Any]) -> str:
    """Return the problem of a `derive` table, or nothing when it is right.

    Example:
        >>> table = {"from_": ["age"], "bins": [0, 18], "labels": [], "scale": None,
        ...          "merge": {}, "rest": None, "missing": []}
        >>> problem_with(table)
        'bins has 2 edges and labels has 0; write one label for each edge (the last bin is open) ...'
    """
    checks = (_problem_with_shape(table), _problem_with_bins(table), _problem_with_merge(table))
    return next(filter(None, checks), "")


def _problem_with_shape(table: Mapping[str, Any]) -> str:
    if table["bins"] and table["scale"]:
        return "bins and scale are both given: remove one"
    if not (table["bins"] or table["scale"] or table["merge"]):
        return "it needs one of: bins with labels, scale, merge"
    wanted = (1, 2) if table["scale"] == "ita" else (1,)
    if len(table["from_"]) not in wanted:
        also = ', or ["L", "b"] to compute the angle' if table["scale"] == "ita" else ""
        return f"from names {counted(len(table['from_']), 'column')}; write one{also}"
    if table["rest"] is not None and not table["merge"]:
        return "rest is for the values that merge does not list: add merge"
    return ""


def _problem_with_bins(table: Mapping[str, Any]) -> str:
    bins, labels = table["bins"], table["labels"]
    if bool(bins) != bool(labels) or len(bins) - len(labels) not in (0, 1):
        return (
            f"bins has {len(bins)} edges and labels has {len(labels)}; write one label for each "
            "edge (the last bin is open) or one label less (the last edge closes it)"
        )
    if any(math.isnan(edge) for edge in bins) or not _rise(bins):
        return f"bins must rise, got {list(bins)}"
    return ""


def _rise(edges: Sequence[float]) -> bool:
    return all(low < high for low, high in itertools.pairwise(edges))


def _problem_with_merge(table: Mapping[str, Any]) -> str:
    named = [value for values in table["merge"].values() for value in values]
    twice = next((value for value in named if named.count(value) > 1), None)
    if twice is not None:
        return f"{twice!r} appears twice in merge: remove one"
    both = next((value for value in table["missing"] if value in named), None)
    return "" if both is None else f"{both!r} appears in merge and in missing: remove one"
