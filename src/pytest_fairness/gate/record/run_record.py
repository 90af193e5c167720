"""What one run leaves: a record from which every report is rendered, readable as JSON."""

import datetime as dt
from pathlib import Path
from typing import Literal, TypeAlias

from pydantic import BaseModel, Field, ValidationError

from pytest_fairness.errors import FairnessError
from pytest_fairness.files import read_regular, write_whole
from pytest_fairness.gate.record.counts_record import CountsRecord
from pytest_fairness.gate.record.details import (
    AcceptedRecord,
    BaselineRecord,
    ChangeRecord,
    FrozenRecord,
    LookRecord,
    MatchedRecord,
    NeededRecord,
    ObservedRecord,
    PartRecord,
    PredictionsFile,
    UnanswerableRecord,
)
from pytest_fairness.gate.record.policy_records import (
    PolicyFile,
    RequiredRecord,
    RuleRecord,
    WaiverRecord,
)
from pytest_fairness.gate.record.stop import OF_AN_INCOMPLETE_RUN, RecordState, Stop
from pytest_fairness.policy.records import LimitKind
from pytest_fairness.policy.tables.tables import CorrectionMethod
from pytest_fairness.statistics.looks import Looks

__all__ = [
    "SCHEMA_VERSION",
    "Correction",
    "JudgedRun",
    "Outcome",
    "PassInterval",
    "PolicyRecord",
    "RunRecord",
    "State",
    "Verdict",
]

# Version 2 added optional fields only: a record of version 1 reads as it is.
SCHEMA_VERSION: Literal[2] = 2
_OLDEST_SCHEMA = 1
Outcome: TypeAlias = Literal["pass", "fail", "inconclusive"]
State: TypeAlias = Literal["pass", "fail", "inconclusive", "unanswerable"]


class Correction(FrozenRecord):
    """The correction of a broken limit for the number of questions asked."""

    method: CorrectionMethod
    questions: int
    """Questions that the policy asks of the model."""
    level: float
    """Two-sided level of the interval that decided, 0 to 1."""
    low: float
    high: float
    sides: Literal[1, 2] = 2
    """On how many sides the limit can be broken; with 1, one end decides, with half of the error."""
    look_level: float | None = None
    """Level at which that interval is computed so that it holds at every look; None for one look."""


class PassInterval(FrozenRecord):
    """The interval that must keep the limit for a pass, under a policy with `pass_level`."""

    level: float
    """Two-sided level, 0 to 1."""
    low: float
    high: float
    look_level: float | None = None
    """Level at which it is computed so that it holds at every look; None for one look."""


class Verdict(FrozenRecord):
    """The answer to one question. The order of the fields is the file format."""

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
    bound: LimitKind
    """Which side the limit bounds; `max` of a difference bounds its absolute value."""
    decide: Literal["interval", "estimate"]
    within_noise: bool
    """Whether the interval leaves open on which side of the limit the truth lies."""
    reason: str
    n_to_settle: int | None
    """Images in each group, those at hand included, with which an inconclusive question is decided
    with a chance of `needed.chance`, if the rates stay as seen."""
    where: str
    """File and line of the rule."""
    question: str
    """Unique name: rule id and test id."""
    correction: Correction | None = None
    """For a broken limit: the interval at the corrected level."""
    pass_interval: PassInterval | None = None
    """For a limit that is not broken, under a policy with `pass_level`: the interval that decides."""
    cluster: str | tuple[str, str] | None = None
    """Column of the clusters whose dependence the interval accounts for, or two columns."""
    effective_n: float | None = None
    """What n is worth after the design effect of the clusters."""
    largest_cluster: float | None = None
    """Share of a group's samples in one cluster, where it decides how wide the interval is."""
    largest_cluster_of: str | None = None
    """Of two columns of clusters, the one that this cluster is a value of; `a or b` of both people of a pair."""
    positive: str | None = None
    """Class that was asked of, where the rule names it."""
    parts: tuple[PartRecord, ...] = ()
    """For a metric that is made of several rates: what was counted of each."""
    change: ChangeRecord | None = None
    """For a rule against the baseline: what was counted now and then, and the worst samples."""
    matched: MatchedRecord | None = None
    """For a counterfactual metric: the matched images and the worst pairs."""
    observed: ObservedRecord | None = None
    """For a metric of an analysis: what it measured, and what the value is to be read beside."""
    waiver: WaiverRecord | None = None
    """Who answers for a verdict that would stop the release; the outcome stays what it is."""
    robust_to: int | None = None
    """Images of one of its groups that may be mislabelled without changing a pass or failure."""
    looks: Looks = 1
    """How often the set may be looked at while `level` holds."""
    look_level: float | None = None
    """Level at which the interval of this look is computed; None for one look."""

    needed: NeededRecord | None = None
    """How many more images or people make `n_to_settle`; None where no number of them would do."""
    unanswerable: UnanswerableRecord | None = None
    """Of an inconclusive question: why no model passes it on this evaluation set; None where one may."""
    fails_by: str | None = None
    """File that the policy extends and by which alone the question fails; None where its own answer
    stands."""

    @property
    def state(self) -> State:
        """The outcome, or `unanswerable` for an inconclusive question that no model can pass."""
        return self.outcome if self.unanswerable is None else "unanswerable"

    def blocks(self, inconclusive: str) -> bool:
        """Return whether this answer alone stops the release.

        Args:
            inconclusive: What the policy does with an undecided question, `fail` or `warn`.
        """
        undecided = self.outcome == "inconclusive" and inconclusive == "fail"
        return self.waiver is None and (self.outcome == "fail" or undecided)


class PolicyRecord(FrozenRecord):
    """The policy that a run was judged by."""

    source: str
    sha256: str
    text: str
    inconclusive: Literal["fail", "warn"]
    decide: Literal["interval", "estimate"]
    level: float
    pass_level: float | None = None
    """Level of the interval that must keep a limit for a pass; None where it is `level`."""
    correction: CorrectionMethod = "holm"
    looks: Looks = 1
    """How often the verdicts of a growing set may be looked at."""
    files: list[PolicyFile] = Field(default_factory=list)
    """The file and all that it extends, the one that extends nothing first."""
    rules: list[RuleRecord] = Field(default_factory=list)
    """The rules after inheritance and presets, with the line of each key."""


class JudgedRun(FrozenRecord):
    """A model on one evaluation set: the counts behind its verdicts, and where they came from."""

    model: str
    evaluation: str
    n: int
    counts: CountsRecord
    """Levels, classes and the cells that are not zero: [level..., true, predicted, count]."""
    metadata: dict[str, str] = Field(default_factory=dict)
    """Device, times, hashes of weights, preprocessing and data."""
    predictions: PredictionsFile | None = None
    """Predictions kept beside the record; None when they were not kept."""
    baseline: BaselineRecord | None = None
    """The baseline that it was compared with, and all that changed since."""
    look: LookRecord | None = None
    """The look before this one; None where no record at hand shows one."""
    models_judged: int | None = None
    """Different models that the records at hand judged on the same data, this one included; None
    where the hash of the data is not known."""


class RunRecord(FrozenRecord):
    """The verdicts of a run, and all data needed to check them."""

    schema_version: Literal[1, 2] = SCHEMA_VERSION
    created: str
    """UTC, ISO 8601."""
    versions: dict[str, str]
    policy: PolicyRecord
    runs: list[JudgedRun]
    verdicts: list[Verdict]
    complete: bool = True
    """Whether every question of the policy was judged."""
    accepted: AcceptedRecord | None = None
    """Set when the record was made the baseline."""
    required: list[RequiredRecord] = Field(default_factory=list)
    """Whether what the policy requires was judged with samples."""
    problems: list[str] = Field(default_factory=list)
    """What stops the release beside the verdicts: waivers that ended or that cover nothing."""
    seeds: dict[str, int] = Field(default_factory=dict)
    """What random draws started from: `max-t` for the levels of that correction."""
    unread: list[str] = Field(default_factory=list)
    """Records at hand that could not be read: `look` and `models_judged` do not count them."""
    models: list[str] = Field(default_factory=list)
    """Models under test, whether or not they were judged."""
    not_checked: list[str] = Field(default_factory=list)
    """Checks of a full run that this one did not make, such as `waivers`."""
    finished: bool = True
    """False from the start of a run until its end; a run that died leaves it."""

    @property
    def state(self) -> RecordState:
        """The state of the release in one word.

        `PASSED`; `WARNED` when it passed with waived or undecided questions; `FAILED` when an answer
        stops the release; `INCOMPLETE` when only missing answers stop it.
        """
        kinds = {stop.kind for stop in self.stops}
        if kinds:
            return "INCOMPLETE" if kinds <= OF_AN_INCOMPLETE_RUN else "FAILED"
        return "WARNED" if self.warned else "PASSED"

    @property
    def warned(self) -> list[str]:
        """The questions that did not pass and do not stop the release: waived, or undecided."""
        return [
            verdict.question
            for verdict in self.verdicts
            if verdict.outcome != "pass" and not verdict.blocks(self.policy.inconclusive)
        ]

    @property
    def passed(self) -> bool:
        """The release may go: `stops` is empty."""
        return not self.stops

    @property
    def stops(self) -> list[Stop]:
        """The reasons that stop the release.

        Nothing else decides it: the exit code of a run, `passed`, `accept` and the signed
        statement ask this list.
        """
        stops = [] if self.verdicts else [Stop("no verdict", "verdicts", "it judged nothing")]
        if not self.finished:
            reason = "its run has not ended, or died before it could write its verdicts"
            stops.insert(0, Stop("unfinished", "finished", reason))
        if not self.complete:
            reason = "questions of its policy were not judged"
            stops.append(Stop("not judged", "complete", reason))
        stops += [
            Stop(
                "not checked",
                f"not_checked[{what}]",
                f"not checked, since tests were left out: {what}",
            )
            for what in self.not_checked
        ]
        stops += [
            Stop("verdict", verdict.question, f"{verdict.outcome}: {verdict.reason}")
            for verdict in self.verdicts
            if verdict.blocks(self.policy.inconclusive)
        ]
        stops += [
            Stop("required", f"required[{one.where}]", one.reason)
            for one in self.required
            if one.outcome == "fail"
        ]
        stops += [
            Stop("vanished", f"vanished[{name}]", f"gone since the baseline: {name}")
            for name in self.vanished
        ]
        stops += [Stop("problem", f"problem[{text}]", text) for text in self.problems]
        return stops

    @property
    def vanished(self) -> list[str]:
        """The levels, groups and rules that the baseline had and this run no longer has."""
        found = (run.baseline.vanished for run in self.runs if run.baseline is not None)
        return list(dict.fromkeys(name for names in found for name in names))

    def to_json(self, path: str | Path) -> None:
        """Write the record as UTF-8 JSON, in one step. The folder is made when it is missing."""
        write_whole(Path(path), self.model_dump_json(indent=2) + "\n")

    @classmethod
    def from_json(cls, path: str | Path) -> "RunRecord":
        """Read a record that `to_json` wrote.

        Raises:
            FairnessError: The file is missing, or is not a record of a schema this version reads.
        """
        try:
            text = read_regular(Path(path))
        except OSError as error:
            msg = f"{path}: the record cannot be read: {error.strerror}"
            raise FairnessError(msg) from error
        return cls.from_bytes(text, path)

    @classmethod
    def from_bytes(cls, text: bytes, path: str | Path) -> "RunRecord":
        """Read a record from the bytes of its file.

        Args:
            text: The bytes.
            path: The file, for messages.

        Raises:
            FairnessError: It is not a record of a schema that this version reads.
        """
        try:
            _check_version(text, path)
            record = cls.model_validate_json(text)
            dt.datetime.fromisoformat(record.created)
        except ValueError as error:
            place, problem = _problem(error)
            msg = (
                f"{path}: not a run record of schema version {SCHEMA_VERSION}: {place}: "
                f"{problem}; write one with --fairness-record"
            )
            raise FairnessError(msg) from error
        return record


def _problem(error: ValueError) -> tuple[str, str]:
    """The place and the words of the first error; one that names no place is that of the time."""
    if not isinstance(error, ValidationError):
        return "created", str(error)
    first = error.errors()[0]
    return ".".join(str(part) for part in first["loc"]) or "the file", first["msg"]


class _Versioned(BaseModel):
    """Any record, whatever else it holds."""

    schema_version: int = SCHEMA_VERSION


def _check_version(text: bytes, path: str | Path) -> None:
    """Refuse a record of a version that is not known, before its fields are looked at."""
    version = _Versioned.model_validate_json(text).schema_version
    if not _OLDEST_SCHEMA <= version <= SCHEMA_VERSION:
        msg = (
            f"{path}: a run record of schema version {version}; this version of pytest-fairness "
            f"reads {_OLDEST_SCHEMA} to {SCHEMA_VERSION}: read it with the one that wrote it"
        )
        raise FairnessError(msg)
