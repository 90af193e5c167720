"""What one run leaves: a record from which every report is rendered, readable as JSON."""

from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pytest_fairness.errors import FairnessError

__all__ = ["SCHEMA_VERSION", "JudgedRun", "Outcome", "PolicyRecord", "RunRecord", "Verdict"]

SCHEMA_VERSION: Literal[1] = 1
Outcome: TypeAlias = Literal["pass", "fail", "inconclusive"]


class _Record(BaseModel):
    """Frozen; an infinite ratio is written as the text "Infinity", since JSON has no number for it."""

    model_config = ConfigDict(extra="forbid", frozen=True, ser_json_inf_nan="strings")


class Verdict(_Record):
    """The answer to one question; the order of the fields is the file format."""

    rule: str
    """Id of the rule."""
    metric: str
    model: str
    evaluation: str
    by: tuple[str, ...]
    """The attributes that are crossed."""
    group: dict[str, str]
    """Attribute -> level; where all groups are compared, the extreme group."""
    reference: dict[str, str] | None
    """The group compared with; None where nothing is compared."""
    comparison: Literal["best", "all"] | None
    """How the data chose the reference; None when the policy named it."""
    outcome: Outcome
    value: float | None
    """Rate, difference or ratio; None when undefined, and `reason` says why."""
    low: float | None
    high: float | None
    level: float
    """Level of the interval, 0 to 1."""
    n: int
    """Samples of the group that the rate is counted among."""
    successes: int
    reference_n: int | None
    reference_successes: int | None
    limit: float | tuple[float, float]
    bound: Literal["min", "max", "between"]
    """Which side the limit bounds; `max` of a difference bounds its absolute value."""
    decide: Literal["interval", "estimate"]
    within_noise: bool
    """Whether the interval leaves open on which side of the limit the truth lies."""
    reason: str
    n_to_settle: int | None
    """Samples in each group that would settle an inconclusive question at the same rates."""
    where: str
    """File and line of the rule."""
    question: str
    """Unique name: rule id and test id."""


class PolicyRecord(_Record):
    """The policy that a run was judged by."""

    source: str
    sha256: str
    text: str
    inconclusive: Literal["fail", "warn"]
    decide: Literal["interval", "estimate"]
    level: float


class JudgedRun(_Record):
    """One model on one evaluation set: the counts behind its verdicts, and where they came from."""

    model: str
    evaluation: str
    n: int
    counts: dict[str, Any]
    """Levels, classes and the cells that are not zero: [level..., true, predicted, count]."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Device, times, hashes of weights, preprocessing and data."""


class RunRecord(_Record):
    """All verdicts of a run and all that is needed to check them."""

    schema_version: Literal[1] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    versions: dict[str, str]
    policy: PolicyRecord
    runs: list[JudgedRun]
    verdicts: list[Verdict]
    complete: bool = True
    """Whether every question of the policy was judged."""

    @property
    def passed(self) -> bool:
        """Whether the release may go: all judged, none failed, none undecided that must not be."""
        blocking = {"fail", "inconclusive"} if self.policy.inconclusive == "fail" else {"fail"}
        judged = bool(self.verdicts) and self.complete
        return judged and not any(verdict.outcome in blocking for verdict in self.verdicts)

    def to_json(self, path: str | Path) -> None:
        """Write the record as UTF-8 JSON; the folder is made when it is missing."""
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(self.model_dump_json(indent=2) + "\n", encoding="utf-8")

    @classmethod
    def from_json(cls, path: str | Path) -> "RunRecord":
        """Read a record that `to_json` wrote.

        Raises:
            FairnessError: The file is missing, or is not a record of a schema this version reads.
        """
        try:
            return cls.model_validate_json(Path(path).read_bytes())
        except OSError as error:
            msg = f"{path}: the record cannot be read: {error.strerror}"
            raise FairnessError(msg) from error
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"]) or "the file"
            msg = (
                f"{path}: not a run record of schema version {SCHEMA_VERSION}: {place}: "
                f"{first['msg']}; write one with --fairness-record"
            )
            raise FairnessError(msg) from error
