"""What former records show: that a set was judged before, and how many models were judged on it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.record.begun import former_file
from pytest_fairness.gate.record.details import LookRecord
from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord
from pytest_fairness.hashing import sha256_of, sha256_of_text

if TYPE_CHECKING:
    from pytest_fairness.gate.baseline.read import BaselineSource

__all__ = ["Former", "FormerRecord", "former_records", "with_former"]

# A record begins with its version, which tells it from other JSON files without reading them.
_START = 64


@dataclass(frozen=True, slots=True, eq=False)
class FormerRecord:
    """A record that was written before.

    Args:
        record: The record.
        source: Its file, or `a record` for an object in memory.
        sha256: Hash of the file, or of the file that the object would make.
    """

    record: RunRecord
    source: str
    sha256: str


class Former(NamedTuple):
    """The records at hand of former runs, and the files that hide one.

    Args:
        records: Records, each once.
        unread: Files that begin like a record and cannot be read: they are broken, or of a later version.
    """

    records: tuple[FormerRecord, ...] = ()
    unread: tuple[str, ...] = ()


def former_records(
    baselines: "Iterable[BaselineSource]" = (), *, written: Path | None = None
) -> Former:
    """Return the records at hand: baselines, and those in the folder of a record.

    Args:
        baselines: Baselines of the run; predictions are no records.
        written: File where the record of the run will be written. One that is already there counts.
    """
    files = [] if written is None else sorted({*written.parent.glob("*.json"), written})
    set_aside = None if written is None else former_file(written)
    found: dict[str, FormerRecord] = {}
    unread = []
    for source in baselines:
        if isinstance(source, RunRecord):
            text = source.model_dump_json(indent=2) + "\n"
            former = FormerRecord(source, "a record", sha256_of_text(text))
            found.setdefault(former.sha256, former)
        elif isinstance(source, str | Path) and Path(source).suffix.lower() == ".json":
            files.append(Path(source))
    for file in files:
        if _is_record(file):
            digest = sha256_of(file)
            try:
                record = RunRecord.from_json(file)
            except FairnessError:
                unread.append(str(file))
                continue
            if record.finished:  # otherwise a run that died, or the one that goes on
                source = written if file == set_aside else file
                found.setdefault(digest, FormerRecord(record, str(source), digest))
    return Former(tuple(found.values()), tuple(dict.fromkeys(unread)))


def _is_record(file: Path) -> bool:
    try:
        with file.open("rb") as opened:
            return b'"schema_version"' in opened.read(_START)
    except OSError:
        return False


def with_former(
    runs: Sequence[JudgedRun], policy_sha256: str, former: Sequence[FormerRecord]
) -> list[JudgedRun]:
    """Return the runs with the look before each, and the number of models judged on their data.

    Args:
        runs: Runs that were judged now.
        policy_sha256: Hash of their policy.
        former: The records at hand.
    """
    return [
        run.model_copy(
            update={
                "look": _look(run, policy_sha256, former),
                "models_judged": _models_judged(run, runs, former),
            }
        )
        for run in runs
    ]


def _look(run: JudgedRun, policy_sha256: str, former: Sequence[FormerRecord]) -> LookRecord | None:
    """The latest look at a smaller set; where the same set was judged before, the look that it had."""
    looks = [
        (one.record.created, before.n, one, before)
        for one in former
        for before in one.record.runs
        if _is_same_question(before, run) and before.n <= run.n
    ]
    if not looks:
        return None
    _, _, last, before = max(looks, key=lambda look: look[:2])
    if before.n == run.n:
        return before.look
    return LookRecord(
        number=1 + (before.look.number if before.look is not None else 1),
        source=last.source,
        sha256=last.sha256,
        created=last.record.created,
        n_before=before.n,
        n=run.n,
        same_model=_same("weights_sha256", before, run),
        same_policy=last.record.policy.sha256 == policy_sha256,
    )


def _is_same_question(before: JudgedRun, run: JudgedRun) -> bool:
    """Whether both are of one model, as far as it is known, on one evaluation set."""
    same = (before.model, before.evaluation) == (run.model, run.evaluation)
    return same and _same("weights_sha256", before, run) is not False


def _same(key: str, one: JudgedRun, other: JudgedRun) -> bool | None:
    """Whether a hash of both is the same; None where one of them does not know it."""
    first, second = one.metadata.get(key), other.metadata.get(key)
    return None if first is None or second is None else first == second


def _models_judged(
    run: JudgedRun, runs: Sequence[JudgedRun], former: Sequence[FormerRecord]
) -> int | None:
    if "data_sha256" not in run.metadata:
        return None
    every = [*runs, *(before for one in former for before in one.record.runs)]
    return len({_model(one) for one in every if _same("data_sha256", one, run)})


def _model(run: JudgedRun) -> str:
    """What tells a model from others: its weights, or its name where these are not known."""
    return run.metadata.get("weights_sha256") or run.model
