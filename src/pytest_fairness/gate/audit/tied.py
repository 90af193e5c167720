"""Is a record about what ships: this policy, this model, and not an old run?"""

import datetime as dt
import re
from pathlib import Path

from pytest_fairness.errors import FairnessError
from pytest_fairness.gate.audit.changed_fields import Difference
from pytest_fairness.gate.record.run_record import RunRecord
from pytest_fairness.hashing import sha256_of
from pytest_fairness.policy import load_policy
from pytest_fairness.wording import allowed_names

__all__ = ["age_problem", "model_differences", "parse_age", "policy_differences"]

# Names of a hash by which a model in a record can be known.
_HASHES = ("weights_sha256", "model_sha256")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def policy_differences(record: RunRecord, policy: Path) -> list[Difference]:
    """Return how the policy of a record differs from a file, and from the files that it extends.

    Args:
        record: The record.
        policy: The policy that ships.

    Raises:
        PolicyError: The file is no valid policy.
    """
    kept = record.policy
    recorded = [file.sha256 for file in kept.files] or [kept.sha256]
    shipped = load_policy(policy)
    texts = [text.sha256 for text in shipped.texts]
    if recorded == texts:
        return []
    return [Difference("policy.sha256", kept.sha256, f"{policy}: {shipped.sha256}")]


def model_differences(record: RunRecord, asked: str) -> list[Difference]:
    """Return the runs of a record that judged another model than the one that ships.

    Args:
        record: The record.
        asked: `[NAME=]FILE`, or `[NAME=]` and the sha256 of the file or of the weights. Without a
            name, every model of the record must be this one.

    Raises:
        FairnessError: There is no such file, or no such model in the record.
    """
    name, equals, what = asked.partition("=")
    if not equals:
        name, what = "", asked
    models = sorted({run.model for run in record.runs})
    if name and name not in models:
        msg = f"--model: the record has no model {name!r}{allowed_names(name, models)}"
        raise FairnessError(msg)
    digest = _digest(what)
    differing = []
    for run in record.runs:
        known = {key: run.metadata[key] for key in _HASHES if run.metadata.get(key)}
        if name in ("", run.model) and digest not in known.values():
            place = f"runs[{run.model} on {run.evaluation}].metadata"
            hashes = ", ".join(f"{key} {value}" for key, value in known.items())
            differing.append(
                Difference(place, hashes or "no hash of the model", f"{what}: {digest}")
            )
    return differing


def _digest(what: str) -> str:
    """The sha256 of a file or folder, or the one that is given."""
    if re.fullmatch(r"[0-9a-f]{64}", what):
        return what
    if not Path(what).exists():
        msg = f"--model: {what!r} is no file, no folder and no sha256 (64 hexadecimal digits)"
        raise FairnessError(msg)
    try:
        return sha256_of(Path(what))
    except OSError as error:
        msg = f"--model: {what!r} cannot be read: {error.strerror}"
        raise FairnessError(msg) from error


def parse_age(text: str) -> dt.timedelta:
    """Return a span of time: a number with `m`, `h` or `d`.

    Raises:
        ValueError: It is none.

    Example:
        >>> parse_age("36h")
        datetime.timedelta(days=1, seconds=43200)
    """
    if not (match := re.fullmatch(r"(\d{1,6})([mhd])", text)):
        msg = f"got {text!r}; write a number with m (minutes), h (hours) or d (days), such as 7d"
        raise ValueError(msg)
    return dt.timedelta(**{_UNITS[match[2]]: int(match[1])})


def age_problem(record: RunRecord, most: dt.timedelta, *, now: dt.datetime) -> str:
    """Return why a record is too old, or nothing.

    Args:
        record: The record.
        most: Age that it may have.
        now: The present, with its time zone.
    """
    created = dt.datetime.fromisoformat(record.created)
    created = created if created.tzinfo else created.replace(tzinfo=dt.UTC)
    age = now - created
    if dt.timedelta(minutes=-5) <= age <= most:  # clocks of two machines differ a little
        return ""
    when = f"made at {record.created}"
    return (
        f"{when}, in the future"
        if age < dt.timedelta()
        else f"{when}, which is longer ago than {most}"
    )
