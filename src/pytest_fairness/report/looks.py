"""How sure an interval is, when the set behind it may be looked at more than once."""

import math

from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.statistics.looks import Looks

__all__ = ["interval_level_text", "looks_text"]


def looks_text(level: float, looks: Looks) -> str:
    """Return a level with the number of looks that it holds for.

    Example:
        >>> looks_text(0.95, 1), looks_text(0.95, 5), looks_text(0.95, "any")
        ('95 %', '95 % at up to 5 looks', '95 % at any number of looks')
    """
    number = {1: "", "any": " at any number of looks"}
    return f"{level * 100:g} %{number.get(looks, f' at up to {looks} looks')}"


def interval_level_text(verdict: Verdict) -> str:
    """Return the level of the interval of a verdict, with the level of this look where it is another.

    It reads `95 % at any number of looks (99.8 % at this one)`.
    """
    level = looks_text(verdict.level, verdict.looks)
    deeper = verdict.look_level
    if deeper is None or deeper <= verdict.level:
        return level
    return f"{level} ({_percent(deeper)} % at this one)"


def _percent(level: float) -> str:
    """A level with enough digits that it does not read as 100."""
    if level == 1:
        return "100"
    digits = max(math.ceil(round(-math.log10(100 * (1 - level)), 6)), 1)
    return f"{level * 100:.{digits}f}".removesuffix(".0")
