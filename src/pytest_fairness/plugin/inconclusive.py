"""How an inconclusive question that stops no release travels to pytest and its reports."""

import warnings
from typing import TYPE_CHECKING

import pytest

from pytest_fairness.wording import allowed_names

if TYPE_CHECKING:
    from pytest_fairness.gate.record.run_record import Verdict

__all__ = ["WAYS", "InconclusiveWarning", "read_way", "travel"]

WAYS = ("warned", "skipped", "passed")
"""What pytest and other plugins see of such a question; the first is the default."""


class InconclusiveWarning(pytest.PytestWarning):
    """The data cannot tell whether a limit is met, and the policy lets such a question through."""


def read_way(text: str, source: str) -> str:
    """Return one of `WAYS`.

    Args:
        text: What was given.
        source: The option or the key of the ini file that gave it.

    Raises:
        pytest.UsageError: It is none of them.
    """
    if text in WAYS:
        return text
    msg = f"{source}: got {text!r}{allowed_names(text, WAYS)}"
    raise pytest.UsageError(msg)


def travel(item: pytest.Item, verdict: "Verdict", way: str, *, line: str) -> None:
    """Send an inconclusive question, whose test does not fail, to pytest.

    The record and the exit code do not depend on it: they come from the verdict itself.

    Args:
        item: The test that asks.
        verdict: An inconclusive verdict that does not stop the release.
        way: One of `WAYS`.
        line: File and line of the policy that let it through, `policy.toml:4`.

    Raises:
        pytest.skip.Exception: With `skipped`; its text is the message of the verdict.
    """
    if way == "skipped":
        from pytest_fairness.report import describe

        raise pytest.skip.Exception(describe(verdict), pytrace=False, _use_item_location=True)
    if way == "warned":
        _warn(item, verdict.state, line)


def _warn(item: pytest.Item, state: str, line: str) -> None:
    """Add a line to pytest's summary of warnings.

    One text and place for all questions, so that pytest lists their tests below it. Not raised
    through the filters of warnings: `-W error` would turn it into a failure that the record does
    not have.
    """
    why = "the data cannot tell whether the limit is met"
    if state == "unanswerable":
        why = "no model can pass with this evaluation set"
    text = f"{state}: {why}; the table of the fairness gate shows the numbers"
    file, _, number = line.rpartition(":")
    message = warnings.WarningMessage(
        InconclusiveWarning(text),
        InconclusiveWarning,
        filename=file or line,
        lineno=int(number) if number.isdecimal() else 1,
        line="",
    )
    item.ihook.pytest_warning_recorded.call_historic(
        kwargs={
            "warning_message": message,
            "when": "runtest",
            "nodeid": item.nodeid,
            "location": None,
        }
    )
