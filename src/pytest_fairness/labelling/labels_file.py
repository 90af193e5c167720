"""The labels file that people fill in, and the record beside it that nobody edits."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from pytest_fairness.data.rows import Rows, read_rows
from pytest_fairness.errors import DataError
from pytest_fairness.gate.record.run_record import Verdict
from pytest_fairness.wording import listed, suggest

__all__ = [
    "LabelRecord",
    "Round",
    "Settled",
    "read_record",
    "record_beside",
    "with_labels",
    "write",
]

_COLUMNS = ("id", "round", "probability", "target")
# A spreadsheet may round what it shows.
_ROUNDING = 1e-3


class _Frozen(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Round(_Frozen):
    """Images that were chosen together.

    Args:
        aims: What they were chosen for: rates of groups that open questions need.
        ids: The images, in the order drawn.
        probabilities: Of each when it was drawn, among the images that were left.
        targets: The labels; empty until they are filled in.
    """

    aims: tuple[str, ...]
    ids: tuple[str, ...]
    probabilities: tuple[float, ...]
    targets: tuple[str, ...] = ()


class Settled(_Frozen):
    """A question that is decided. It stays so.

    Args:
        round: Number of the last round that it was judged on, from 1.
        verdict: The verdict.
    """

    round: int
    verdict: Verdict


class LabelRecord(_Frozen):
    """The images that were chosen and the verdicts that rest on them. Nothing in it can be drawn again.

    Args:
        evaluation: Name of the evaluation.
        policy_sha256: Hash of the policy.
        pool_sha256: Hash of the images, answers and scores.
        seed: Seed of the draws.
        rounds: The rounds.
        settled: Question -> its verdict.
    """

    evaluation: str
    policy_sha256: str
    pool_sha256: str
    seed: int
    rounds: tuple[Round, ...] = ()
    settled: dict[str, Settled] = {}


def record_beside(labels: Path) -> Path:
    """Return the path of the record: `labels.csv` has `labels.record.json`."""
    return labels.with_suffix(".record.json")


def read_record(labels: Path) -> LabelRecord | None:
    """Return the record of a labels file, or None before the first round.

    Raises:
        DataError: One of the two files is missing, or the record cannot be read.
    """
    path = record_beside(labels)
    if not path.is_file():
        if labels.is_file():
            msg = (
                f"{labels}: its record {path} is missing. The record says what was chosen and with "
                "which probability: restore it, or name a labels file that does not exist yet"
            )
            raise DataError(msg)
        return None
    try:
        record = LabelRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (ValidationError, UnicodeDecodeError) as problem:
        msg = f"{path}: not a record of labels: {problem}; restore the file as it was written"
        raise DataError(msg) from problem
    if not labels.is_file():
        msg = f"{labels}: no such file, but its record {path} is there; restore the labels file"
        raise DataError(msg)
    return record


def with_labels(record: LabelRecord, labels: Path, classes: Sequence[str]) -> LabelRecord:
    """Return the record with the labels that were filled in since.

    Raises:
        DataError: A line does not belong to the record, was changed after it was used, has no
            label, or one that is no class.
    """
    rows = read_rows(labels, evaluation=record.evaluation, error=DataError)
    lines = _checked(rows, record)
    rounds = []
    for number, one in enumerate(record.rounds, start=1):
        targets = [lines.get(name, (0, ""))[1] for name in one.ids]
        for name, target, before in zip(one.ids, targets, one.targets or targets, strict=True):
            place = _place(rows, lines, name)
            if not target:
                msg = (
                    f"{place}: the target of round {number} is missing{_more(targets)}; fill it in"
                )
                raise DataError(msg)
            if target not in classes:
                msg = (
                    f"{place}: target {target!r} is not a class{suggest(target, classes)}; the "
                    f"classes of evaluation {record.evaluation!r} are {listed(classes)}"
                )
                raise DataError(msg)
            if target != before:
                msg = (
                    f"{place}: the target was {before!r} and is {target!r} now. Verdicts rest on it "
                    f"since round {number}: write {before!r} again. If labels were wrong, start "
                    "again with a labels file that does not exist yet"
                )
                raise DataError(msg)
        rounds.append(one.model_copy(update={"targets": tuple(targets)}))
    return record.model_copy(update={"rounds": tuple(rounds)})


def _more(targets: Sequence[str]) -> str:
    missing = sum(not target for target in targets)
    return f" ({missing} of {len(targets)} are)" if missing > 1 else ""


def _place(rows: Rows, lines: dict[str, tuple[int, str]], name: str) -> str:
    if name not in lines:
        return f"{rows.source}: sample {name!r} has no line any more"
    return f"{rows.source}, {rows.place(lines[name][0])}, sample {name!r}"


def _checked(rows: Rows, record: LabelRecord) -> dict[str, tuple[int, str]]:
    """The position and the target of each id, once all else is as it was written."""
    id_, round_, probability, target = (
        rows.text(name, key=f"--labels ({name})").fillna("").str.strip() for name in _COLUMNS
    )
    known = {
        name: (number, chance)
        for number, one in enumerate(record.rounds, start=1)
        for name, chance in zip(one.ids, one.probabilities, strict=True)
    }
    lines: dict[str, tuple[int, str]] = {}
    for position, name in enumerate(id_):
        place = f"{rows.source}, {rows.place(position)}"
        if name not in known:
            msg = (
                f"{place}: sample {name!r} was not chosen for labelling{suggest(name, known)}; "
                "remove the line, or write the id as it was"
            )
            raise DataError(msg)
        if name in lines:
            msg = f"{place}: sample {name!r} is already in {rows.place(lines[name][0])}; remove one"
            raise DataError(msg)
        number, chance = known[name]
        _check_same(place, name, "round", round_.iloc[position], number)
        _check_same(place, name, "probability", probability.iloc[position], chance)
        lines[name] = position, str(target.iloc[position])
    return lines


def _check_same(place: str, name: str, column: str, text: str, wanted: float) -> None:
    try:
        value = float(text.replace(",", "."))
    except ValueError:
        value = float("nan")
    if not abs(value - wanted) <= _ROUNDING * abs(wanted):
        msg = (
            f"{place}: {column} of sample {name!r} is {text!r}, but it was chosen with {column} "
            f"{wanted:.6g}; write that again, only the column target is to be filled in"
        )
        raise DataError(msg)


def write(record: LabelRecord, labels: Path) -> None:
    """Write the record and then the labels file, each as a whole or not at all."""
    rows = [
        (name, number, f"{chance:.6g}", target)
        for number, one in enumerate(record.rounds, start=1)
        for name, chance, target in zip(
            one.ids, one.probabilities, one.targets or [""] * len(one.ids), strict=True
        )
    ]
    text = pd.DataFrame(rows, columns=list(_COLUMNS)).to_csv(index=False, lineterminator="\n")
    _replace(record_beside(labels), json.dumps(_plain(record), indent=1) + "\n")
    _replace(labels, text)


def _plain(record: LabelRecord) -> dict[str, Any]:
    return record.model_dump(mode="json")


def _replace(path: Path, text: str) -> None:
    new = path.with_name(f".{path.name}.new")
    new.write_text(text, encoding="utf-8", newline="")
    new.replace(path)
