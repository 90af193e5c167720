"""Who stands behind a record: a signed in-toto statement about it, written beside it."""

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from pytest_fairness.errors import AttestationError, SigningKeyError
from pytest_fairness.files import write_whole
from pytest_fairness.gate.record.begun import statement_file
from pytest_fairness.gate.record.run_record import JudgedRun, RunRecord
from pytest_fairness.hashing import sha256_of

if TYPE_CHECKING:
    from types import ModuleType

    from cryptography.hazmat.primitives.asymmetric.ed25519 import (
        Ed25519PrivateKey,
        Ed25519PublicKey,
    )

__all__ = [
    "PREDICATE_TYPE",
    "STATEMENT_TYPE",
    "check_attestation",
    "private_key",
    "public_key",
    "sign_record",
    "statement_of",
]

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
PREDICATE_TYPE = "https://in-toto.io/attestation/test-result/v0.1"
_PAYLOAD_TYPE = "application/vnd.in-toto+json"

_Json: TypeAlias = dict[str, Any]


def private_key(path: Path) -> "Ed25519PrivateKey":
    """Read the key that signs, a PEM file.

    Raises:
        SigningKeyError: It cannot be used, or `cryptography` is not installed.
    """
    key: Ed25519PrivateKey = _signing().read_private_key(path)
    return key


def public_key(path: Path) -> "Ed25519PublicKey":
    """Read the key that signatures are checked with, a PEM file.

    Raises:
        SigningKeyError: It cannot be used, or `cryptography` is not installed.
    """
    key: Ed25519PublicKey = _signing().read_public_key(path)
    return key


def sign_record(record: RunRecord, path: Path, key: "Ed25519PrivateKey") -> Path:
    """Write the signed statement about a record beside its file, and return where.

    Args:
        record: The record.
        path: Its file.
        key: As `private_key` gives it.
    """
    signing = _signing()
    body = json.dumps(statement_of(record, path), sort_keys=True).encode()
    written = statement_file(path)
    write_whole(written, signing.seal(signing.Sealed(_PAYLOAD_TYPE, body), key))
    return written


def check_attestation(
    record: RunRecord, path: Path, key: "Ed25519PublicKey", *, sha256: str
) -> _Json:
    """Check the signed statement beside the file of a record, and return it.

    Args:
        record: The record.
        path: Its file.
        sha256: Hash of the bytes that the record was read from.
        key: As `public_key` gives it.

    Raises:
        AttestationError: The statement is missing, was not signed with this key, is no
            statement of a test's result, is about another file, or gives another result.
    """
    place = statement_file(path)
    sealed = _signing().open_envelope(place, key)
    statement: _Json = json.loads(sealed.body) if sealed.kind == _PAYLOAD_TYPE else {}
    types = statement.get("_type"), statement.get("predicateType")
    if types != (STATEMENT_TYPE, PREDICATE_TYPE):
        msg = f"{place}: signed is {sealed.kind} {types}; allowed is ({PREDICATE_TYPE})"
        raise AttestationError(msg)
    if sha256 not in [subject["digest"].get("sha256") for subject in statement["subject"]]:
        msg = (
            f"{place}: none of its subjects is {path.name} with sha256 {sha256}; the record was "
            "changed after it was signed, or the statement is about another record"
        )
        raise AttestationError(msg)
    _check_result(statement, record, place)
    return statement


def _check_result(statement: _Json, record: RunRecord, place: Path) -> None:
    signed, found = statement["predicate"]["result"], _result(record)
    if signed != found:
        msg = f"{place}: signed result is {signed}, that of the record is {found}"
        raise AttestationError(msg)


def statement_of(record: RunRecord, path: Path) -> _Json:
    """Return the in-toto statement about a record.

    Subjects are the file of the record, the weights that were judged, and the predictions. The
    configuration is the policy, file by file, the preprocessing and the data.

    Args:
        record: The record.
        path: Its file.

    Source: in-toto Attestation Framework, Statement v1, and its test-result predicate v0.1.
    """
    subjects = [_resource(path.name, sha256_of(path))]
    return {
        "_type": STATEMENT_TYPE,
        "subject": _once(subjects + [one for run in record.runs for one in _subjects(run)]),
        "predicateType": PREDICATE_TYPE,
        "predicate": {
            "result": _result(record),
            "configuration": _once(_configuration(record)),
            "passedTests": [v.question for v in record.verdicts if v.outcome == "pass"],
            "warnedTests": record.warned,
            "failedTests": [stop.name for stop in record.stops],
        },
    }


def _result(record: RunRecord) -> str:
    """The result in the words of the predicate, which knows no incomplete test."""
    return "FAILED" if record.state == "INCOMPLETE" else record.state


def _subjects(run: JudgedRun) -> list[_Json]:
    answers = f"predictions of {run.model} on {run.evaluation}"
    digests = {
        f"weights of {run.model}": run.metadata.get("weights_sha256"),
        answers: run.metadata.get("predictions_sha256"),
    }
    if run.predictions is not None:
        digests[run.predictions.file] = run.predictions.sha256
    return [_resource(name, digest) for name, digest in digests.items() if digest]


def _configuration(record: RunRecord) -> list[_Json]:
    policy = record.policy
    files = [(file.source, file.sha256) for file in policy.files]
    found = [_resource(*file) for file in files or [(policy.source, policy.sha256)]]
    for run in record.runs:
        digests = {
            f"preprocessing of {run.model}": run.metadata.get("preprocessing_sha256"),
            f"data of {run.evaluation}": run.metadata.get("data_sha256"),
        }
        found += [_resource(name, digest) for name, digest in digests.items() if digest]
    return found


def _resource(name: str, digest: str) -> _Json:
    return {"name": name, "digest": {"sha256": digest}}


def _once(resources: list[_Json]) -> list[_Json]:
    """Leave out repetitions: two evaluations of one model have the same weights."""
    return [one for position, one in enumerate(resources) if one not in resources[:position]]


def _signing() -> "ModuleType":
    try:
        return importlib.import_module("pytest_fairness.gate.audit.signing")
    except ImportError as error:
        msg = (
            f"signatures need the package cryptography ({error}); install it with "
            'pip install "pytest-fairness[sign]"'
        )
        raise SigningKeyError(msg) from error
