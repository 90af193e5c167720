"""Why a release may not go, and what a record says in one word."""

from typing import Literal, NamedTuple, TypeAlias

__all__ = ["OF_AN_INCOMPLETE_RUN", "RecordState", "Stop", "StopKind"]

StopKind: TypeAlias = Literal[
    "unfinished",
    "no verdict",
    "not judged",
    "not checked",
    "verdict",
    "required",
    "vanished",
    "problem",
]
RecordState: TypeAlias = Literal["PASSED", "WARNED", "FAILED", "INCOMPLETE"]
OF_AN_INCOMPLETE_RUN: frozenset[StopKind] = frozenset(
    {"unfinished", "no verdict", "not judged", "not checked"}
)
"""Stops which show that a run did not do all of its work; the others are answers."""


class Stop(NamedTuple):
    """A reason why a release may not go.

    Args:
        kind: `unfinished`: the run has not ended, or died; `no verdict`: it judged nothing;
            `not judged`: the policy asks more than was judged; `not checked`: what only a full
            run can tell was not looked at; `verdict`: a question failed, or is inconclusive and
            must not be; `required`: what the policy requires was not judged; `vanished`: the
            baseline had it and this run does not; `problem`: a waiver that ended or covers nothing.
        name: What a statement about the record calls it, such as the key of a question.
        reason: Why it stops the release, in words.
    """

    kind: StopKind
    name: str
    reason: str
