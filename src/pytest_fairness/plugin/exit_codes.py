"""Exit codes that tell a failure from what cannot be told and from what was not judged."""

from collections.abc import Collection

import pytest

from pytest_fairness.plugin.ending import Ending

__all__ = ["CANNOT_TELL", "NOT_JUDGED", "telling_code"]

# pytest itself uses 0 to 5.
CANNOT_TELL = 10
NOT_JUDGED = 11


def telling_code(ending: Ending | None, *, failed: Collection[str], asking: Collection[str]) -> int:
    """Return the exit code of a red run under `--fairness-exit-codes`.

    Args:
        ending: How the run ended; None when nothing was judged or written.
        failed: Ids of the tests that failed.
        asking: Ids of the tests that ask questions.

    Returns:
        1 when an answer or another test failed, 11 when answers are missing, 10 when all answers are
        there and those that stop the release are inconclusive.
    """
    if set(failed) - set(asking):
        return int(pytest.ExitCode.TESTS_FAILED)
    if ending is None:
        return NOT_JUDGED
    outcomes = {verdict.question: verdict.outcome for verdict in ending.record.verdicts}
    kinds = {
        "cannot tell" if outcomes.get(stop.name) == "inconclusive" else stop.kind
        for stop in ending.stops
    }
    from pytest_fairness.gate.record.stop import OF_AN_INCOMPLETE_RUN

    if not kinds or kinds - OF_AN_INCOMPLETE_RUN - {"cannot tell"}:
        return int(pytest.ExitCode.TESTS_FAILED)
    return NOT_JUDGED if kinds & OF_AN_INCOMPLETE_RUN else CANNOT_TELL
