"""How sure an interval is, when the set behind it may be looked at more than once."""

import math

from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord, Verdict
from pytest_fairness.statistics.looks import Looks

__all__ = ["interval_level_text", "look_lines", "looks_text"]


def looks_text(level: float, looks: Looks) -> str:
    """Return a level with the number of looks that it holds for.

    Example:
        >>> looks_text(0.95, 1), looks_text(0.95, 5), looks_text(0.95, "any")
        ('95 %', '95 % at up to 5 looks', '95 % at any number of looks')
    """
    return f"{level * 100:g} %" if looks == 1 else f"{level * 100:g} % at {_number(looks)}"


def interval_level_text(verdict: Verdict) -> str:
    """Return the level of the interval of a verdict, with the level of this look where it is another.

    It reads `95 % at any number of looks (99.8 % at this one)`.
    """
    level = looks_text(verdict.level, verdict.looks)
    deeper = verdict.look_level
    if deeper is None:
        return level
    return f"{level} ({_percent(deeper)} % at this one)"


def look_lines(record: RunRecord) -> list[str]:
    """Return one line for each set that was judged before, when it was smaller."""
    return [
        text for run in record.runs if (text := _look_line(run, record.policy.looks)) is not None
    ]


def _look_line(run: JudgedRun, looks: Looks) -> str | None:
    look = run.look
    if look is None:
        return None
    policy = "" if look.same_policy else ", by another policy"
    seen = (
        f"{run.model} on {run.evaluation}: look {look.number}, {look.n:,} images; the look before had "
        f"{look.n_before:,} ({look.source}{policy})"
    )
    if looks == "any" or look.number <= looks:
        return f"{seen}; the intervals hold at {_number(looks)}"
    return (
        f"{seen}; the policy allows {looks} look{'s' * (looks != 1)}, so a verdict is wrong more often "
        "than its level says: raise looks in [decision]"
    )


def _number(looks: Looks) -> str:
    return "any number of looks" if looks == "any" else f"up to {looks} looks"


def _percent(level: float) -> str:
    """A level with enough digits that it does not read as 100."""
    if level == 1:
        return "100"
    digits = max(math.ceil(round(-math.log10(100 * (1 - level)), 6)), 1)
    return f"{level * 100:.{digits}f}".removesuffix(".0")
