"""The values that keep a limit, and what is to be shown of them."""

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["MOST_SAMPLES", "Margins", "Settled"]

Settled: TypeAlias = Literal["kept", "broken"]

MOST_SAMPLES = 1_000_000
"""No number of samples is looked for above this."""


class Margins(NamedTuple):
    """The values that a rate, difference or ratio may take: `low <= value <= high`."""

    low: float
    high: float
