"""Tables that cap: what may be waived, and how exactly a model must compute."""

from typing import Annotated, Literal

from pydantic import Field

from pytest_fairness.policy.tables.values import Name, Table

__all__ = ["PrecisionTable", "WaiversTable"]


class WaiversTable(Table):
    """`[waivers]`: what a waiver of this policy, and of all that extend it, may be."""

    longest_days: int | None = Field(
        default=None,
        ge=0,
        strict=True,
        description="A waiver may end at most so many days from today (UTC).",
    )
    allowed_rules: list[Name] | None = Field(
        default=None, description="Ids of the rules that may be waived; [] for none, all if absent."
    )
    approvers: Annotated[list[Name], Field(min_length=1)] | None = Field(
        default=None, description="Who may approve a waiver; anybody if absent."
    )


NumberFormat = Literal["strict", "tf32", "bf16", "fp16", "half"]


class PrecisionTable(Table):
    """`[precision]`: how exactly the models that this policy judges must compute."""

    allowed: Annotated[list[NumberFormat], Field(min_length=1)] | None = Field(
        default=None,
        description="Precisions that may be judged, e.g. strict and tf32; any if absent.",
    )
    max_flips: float | None = Field(
        default=None,
        ge=0,
        le=1,
        strict=True,
        description="Share of answers that another precision than strict may change; the upper end "
        "of its 95 % interval must not exceed it.",
    )
