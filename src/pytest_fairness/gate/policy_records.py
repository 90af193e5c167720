"""What a run record keeps of its policy beside the rules: files, waivers, required groups."""

import datetime as dt
from typing import Literal

from pytest_fairness.gate.details import FrozenRecord

__all__ = ["PolicyFile", "RequiredRecord", "WaiverRecord"]


class PolicyFile(FrozenRecord):
    """One file of a policy: the one that was asked for, or one that it extends."""

    source: str
    sha256: str
    text: str


class WaiverRecord(FrozenRecord):
    """Who answers for a failure, why, and until when."""

    reason: str
    approved_by: str
    until: dt.date
    """Last day on which it holds, UTC."""
    ticket: str | None = None
    where: str
    """File and line of the waiver."""


class RequiredRecord(FrozenRecord):
    """Whether something that the policy requires was judged with enough samples."""

    model: str
    evaluation: str | None
    """None where no evaluation declares the group."""
    group: dict[str, str]
    """Attribute -> level; empty where the whole evaluation is required."""
    outcome: Literal["pass", "fail"]
    n: int
    """Samples of the group."""
    min_samples: int
    reason: str
    where: str
    """File and line of the requirement."""
