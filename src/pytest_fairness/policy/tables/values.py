"""The values that keys of a policy take, and the base of its tables."""

import datetime as dt
from typing import Annotated, Literal, TypeAlias

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints

from pytest_fairness.policy.text.level_text import level_text

__all__ = [
    "Columns",
    "CorrectionMethod",
    "Day",
    "Group",
    "Level",
    "Limit",
    "Name",
    "Names",
    "Table",
]


def _as_level(value: object) -> object:
    """Write a TOML value as the text that data values are compared by."""
    return level_text(value) if isinstance(value, str | bool | int | float) else value


def _as_day(value: object) -> object:
    """Take a TOML date or its text; a number would be read as seconds since 1970."""
    if isinstance(value, str):
        return dt.date.fromisoformat(value)
    if isinstance(value, dt.datetime) or not isinstance(value, dt.date):
        msg = "write a day, such as 2027-01-31"
        raise ValueError(msg)  # noqa: TRY004  (pydantic reports no TypeError)
    return value


def _as_columns(value: object) -> object:
    """One column may be written without brackets."""
    return [value] if isinstance(value, str) else value


Name: TypeAlias = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
Level: TypeAlias = Annotated[
    Name,
    BeforeValidator(_as_level, json_schema_input_type=str | int | float | bool),
]
Limit: TypeAlias = Annotated[float, Field(allow_inf_nan=False, strict=True)]
Columns: TypeAlias = Annotated[
    tuple[Name, ...],
    BeforeValidator(_as_columns, json_schema_input_type=str | list[str]),
]
Names: TypeAlias = Columns
CorrectionMethod: TypeAlias = Literal["holm", "max-t", "gatekeeping", "none"]
Group: TypeAlias = Annotated[dict[Name, Level], Field(min_length=1)]
Day: TypeAlias = Annotated[dt.date, BeforeValidator(_as_day)]


class Table(BaseModel):
    """Unknown keys are errors: a misspelt limit must not become no limit."""

    model_config = ConfigDict(extra="forbid", frozen=True)
