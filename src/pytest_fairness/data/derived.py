"""Columns that are made of other columns, as the policy says."""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from pytest_fairness.policy.derive import SCALES
from pytest_fairness.wording import listed

if TYPE_CHECKING:
    from pytest_fairness.data.rows import Rows
    from pytest_fairness.policy.derive import Derivation
    from pytest_fairness.policy.records import Evaluation

__all__ = ["ITA_CLASSES", "derive_columns", "fitzpatrick_type", "ita_classes", "ita_degrees"]

ITA_CLASSES = SCALES["ita"]
_ITA_BORDERS = (-30.0, 10.0, 28.0, 41.0, 55.0)
_ROMAN = SCALES["fitzpatrick"]
# No hyphen before the number: -1 often stands for an unknown type.
_FITZPATRICK = re.compile(
    r"(?:(?:fitzpatrick|fst|skin)[\s_]*)*(?:(?:photo)?type[\s_]*)?([1-6]|I{1,3}|IV|VI?)",
    re.IGNORECASE,
)

_Map = Callable[[str], str | None]


def derive_columns(rows: "Rows", evaluation: "Evaluation") -> "Rows":
    """Return rows with the columns that `derive` of the evaluation makes, in its order.

    Raises:
        FairnessError: A source is missing, a value fits no bin or level, or another column of
            the data bears the name already.
    """
    for derivation in evaluation.derive.values():
        there = derivation.column in rows.frame.columns
        has_source = any(name in rows.frame.columns for name in derivation.sources)
        if there and not has_source:  # made already, by whoever wrote the file
            continue
        if there and derivation.column not in derivation.sources:
            msg = (
                f"{rows.source}: column {derivation.column!r} exists already, so "
                f"`derive.{derivation.column}` of evaluation {evaluation.name!r} cannot make it; "
                "rename the derived column"
            )
            raise rows.error(msg)
        values = _Values(rows, derivation, _names(rows, evaluation)).derived()
        frame = rows.frame.assign(**{derivation.column: values})
        rows = replace(rows, frame=frame)
    return rows


def _names(rows: "Rows", evaluation: "Evaluation") -> pd.Series:
    """What to call each row in an error (N,)."""
    numbers = pd.Series([f"row-{n}" for n in rows.frame.index], index=rows.frame.index)
    if evaluation.id not in rows.frame.columns:
        return numbers
    return rows.text(evaluation.id, key="id").fillna(numbers)


@dataclass(frozen=True, slots=True)
class _Values:
    """The values of one derived column in the making."""

    rows: "Rows"
    derivation: "Derivation"
    names: pd.Series

    def derived(self) -> pd.Series:
        """Return the new column (N,), missing where its sources are."""
        made = self.derivation
        if made.bins:
            values = self.binned()
        elif made.scale == "ita":
            values = self.by_angle()
        elif made.scale == "fitzpatrick":
            values = self.mapped(
                self.text(made.sources[0]),
                fitzpatrick_type,
                remedy=f"skin types are {listed(_ROMAN)} or 1 to 6; name other values in `missing`",
            )
        else:
            values = self.text(made.sources[0])
        return self.merged(values) if made.merge else values

    def text(self, column: str) -> pd.Series:
        """Return a source as text, with the values that stand for a missing one as missing."""
        values = self.rows.text(column, key=f"derive.{self.derivation.column}.from")
        return values.mask(values.isin(self.derivation.missing), None)

    def numbers(self, column: str) -> NDArray[np.float64]:
        """Return a source as numbers (N,), NaN where it is missing."""
        text = self.text(column)
        found = pd.to_numeric(text, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        self.reject(
            np.isnan(found) & text.notna().to_numpy(),
            lambda first: f"{column} = {text.iloc[first]!r} is not a number",
            remedy="correct the value, or name it in `missing`",
        )
        return found

    def binned(self) -> pd.Series:
        made = self.derivation
        found = self.numbers(made.sources[0])
        edges, labels = np.array(made.bins), made.labels
        places = np.searchsorted(edges, found, side="right") - 1
        missing = np.isnan(found)
        closed = f"to less than {edges[-1]:g}" if len(edges) > len(labels) else "upwards"
        self.reject(
            ((places < 0) | (places >= len(labels))) & ~missing,
            lambda first: f"{made.sources[0]} = {found[first]:g} fits no bin",
            remedy=f"the bins hold {edges[0]:g} {closed}; add a bin, or name the value in `missing`",
        )
        return self.named(places, labels, missing)

    def by_angle(self) -> pd.Series:
        sources = self.derivation.sources
        found = [self.numbers(column) for column in sources]
        if len(found) == 2:
            light, yellow = found
            self.reject(
                (light < 0) | (light > 100) | (yellow <= 0),
                lambda first: (
                    f"{sources[0]} = {light[first]:g} and {sources[1]} = {yellow[first]:g} are no "
                    "L* (0 to 100) and b* (above 0) of skin"
                ),
                remedy="correct the values, or name them in `missing`",
            )
            angle = ita_degrees(light, yellow)
        else:
            angle = found[0]
            self.reject(
                np.abs(angle) > 90,
                lambda first: f"{sources[0]} = {angle[first]:g} is no angle of -90 to 90 degrees",
                remedy="give the ITA in degrees",
            )
        return pd.Series(ita_classes(angle), index=self.rows.frame.index)

    def named(
        self, places: NDArray[np.intp], labels: tuple[str, ...], missing: NDArray[np.bool_]
    ) -> pd.Series:
        levels = np.array([*labels, None], dtype=object)
        found = levels[np.where(missing, len(labels), places)]
        return pd.Series(found, index=self.rows.frame.index)

    def merged(self, values: pd.Series) -> pd.Series:
        made = self.derivation
        new = {value: level for level, old in made.merge.items() for value in old}
        return self.mapped(
            values,
            lambda value: new.get(value, made.rest),
            remedy=f"`merge` names {listed(new)}; add it to a level, name the level of all others "
            "as `rest`, or name it in `missing`",
        )

    def mapped(self, values: pd.Series, change: _Map, *, remedy: str) -> pd.Series:
        """Change each different value once; None refuses it."""
        codes, different = pd.factorize(values)
        levels = np.array([*map(change, different), None], dtype=object)
        found = levels[codes]
        self.reject(
            pd.isna(found) & (codes >= 0),
            lambda first: f"{values.iloc[first]!r} belongs to no level",
            remedy=remedy,
        )
        return pd.Series(found, index=values.index)

    def reject(self, bad: NDArray[np.bool_], problem: Callable[[int], str], *, remedy: str) -> None:
        column = self.derivation.column
        self.rows.reject(
            bad, self.names, lambda first: f"derive.{column}: {problem(first)}", remedy=remedy
        )


def fitzpatrick_type(value: str) -> str | None:
    """Return the skin type that a text means, or None when it means none.

    Example:
        >>> [fitzpatrick_type(text) for text in ("4", "iv", "Type IV", "FST 4", "7")]
        ['IV', 'IV', 'IV', 'IV', None]
    """
    found = _FITZPATRICK.fullmatch(value.strip())
    if found is None:
        return None
    return _ROMAN[int(found[1]) - 1] if found[1].isdigit() else found[1].upper()


def ita_degrees(
    lightness: NDArray[np.float64], yellowness: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return the individual typology angle (N,) in degrees: arctan((L* - 50) / b*).

    Args:
        lightness: (N,) L* of CIELAB, 0 to 100.
        yellowness: (N,) b* of CIELAB, above 0.

    Source: Chardon, Cretois and Hourseau (1991), Int. J. Cosmet. Sci. 13, 191-208.

    Example:
        >>> ita_degrees(np.array([70.0, 50.0]), np.array([20.0, 15.0])).tolist()
        [45.0, 0.0]
    """
    angle: NDArray[np.float64] = np.degrees(np.arctan2(lightness - 50, yellowness))
    return angle


def ita_classes(angle: NDArray[np.float64]) -> NDArray[np.object_]:
    """Return the skin colour class (N,) of individual typology angles, or None where missing.

    Args:
        angle: (N,) degrees; an angle on a border belongs to the darker class.

    Source: Chardon et al. (1991), five classes; Del Bino and Bernerd (2013), Br. J. Dermatol. 169
        (s3), 33-40, who part `dark` from `brown` at -30 degrees.

    Example:
        >>> ita_classes(np.array([60.0, 55.0, 41.0, 28.0, 10.0, -30.0, np.nan])).tolist()
        ['very light', 'light', 'intermediate', 'tan', 'brown', 'dark', None]
    """
    classes = np.array([*ITA_CLASSES, None], dtype=object)
    places = np.searchsorted(_ITA_BORDERS, angle, side="left")
    found: NDArray[np.object_] = classes[np.where(np.isnan(angle), len(ITA_CLASSES), places)]
    return found
