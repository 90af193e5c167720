"""`pytest-fairness verify`: what a release engineer runs before a record is believed."""

import json

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pytest_fairness import judge
from pytest_fairness.cli import main
from pytest_fairness.gate.audit.attestation import private_key, sign_record

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
FRAME = pd.DataFrame(
    {"sex": ["female", "male"] * 30, "target": ["a", "b"] * 30, "prediction": ["a", "b"] * 30}
)


@pytest.fixture
def record(tmp_path, monkeypatch):
    """`record.json`, signed with the key whose public half is `key.pub`."""
    monkeypatch.chdir(tmp_path)
    for name in ("key", "other"):
        key = Ed25519PrivateKey.generate()
        secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        public = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        (tmp_path / f"{name}.pem").write_bytes(secret)
        (tmp_path / f"{name}.pub").write_bytes(public)
    path = tmp_path / "record.json"
    found = judge(POLICY, FRAME)
    found.to_json(path)
    sign_record(found, path, private_key(tmp_path / "key.pem"))
    return path


def tamper(path) -> None:
    values = json.loads(path.read_text(encoding="utf-8"))
    values["verdicts"][0]["low"] = 0.99
    path.write_text(json.dumps(values), encoding="utf-8")


def leave(path) -> None:
    assert path.exists()


def test_a_good_record_is_said_to_be_good(record, capsys):
    assert main(["verify", "record.json"]) == 0
    assert capsys.readouterr().out == "record.json: 2 verdicts computed again, no difference\n"


def test_a_signed_record_names_the_key_and_the_result(record, capsys):
    assert main(["verify", "record.json", "--key", "key.pub"]) == 0
    first, last = capsys.readouterr().out.splitlines()
    assert first == "record.intoto.json: signed with key.pub, result PASSED"
    assert last == "record.json: 2 verdicts computed again, no difference"


def test_a_changed_record_fails_and_names_the_field(record, capsys):
    tamper(record)
    assert main(["verify", "record.json"]) == 1
    out = capsys.readouterr().out
    assert "verdicts[accuracy[model-faces-sex-female]].low: recorded 0.99, recomputed 0.8" in out
    assert "record.json: 2 verdicts computed again, 1 differences" in out


def test_what_was_not_checked_is_said(record, capsys):
    policy = POLICY | {
        "rule": [
            {"id": "drop", "metric": "accuracy", "against": "baseline", "max_drop": 0.1},
            {"metric": "accuracy", "min": 0.5},
        ]
    }
    judge(policy, FRAME, baseline=FRAME).to_json(record)
    assert main(["verify", "record.json"]) == 0
    out = capsys.readouterr().out
    assert "not checked: needs the predictions beside the record (they were not kept)" in out
    assert "2 verdicts computed again, no difference, 3 not checked" in out


@pytest.mark.parametrize(
    ("break_it", "key", "problem"),
    [
        pytest.param(tamper, "key.pub", "changed after it was signed", id="tampered record"),
        pytest.param(leave, "other.pub", "was signed with another key", id="wrong key"),
        pytest.param(
            lambda path: path.with_suffix(".intoto.json").unlink(),
            "key.pub",
            "the signed statement cannot be read: No such file",
            id="no statement",
        ),
    ],
)
def test_a_signature_that_does_not_vouch_for_the_record_fails(
    record, capsys, break_it, key, problem
):
    break_it(record)
    assert main(["verify", "record.json", "--key", key]) == 1
    assert problem in capsys.readouterr().err


@pytest.mark.parametrize("key", ["none.pub", "key.pem"], ids=["missing", "private"])
def test_a_bad_key_is_a_wrong_use(record, capsys, key):
    assert main(["verify", "record.json", "--key", key]) == 4
    assert f"{key}: " in capsys.readouterr().err


def test_what_is_no_record_fails(record, capsys):
    assert main(["verify", "key.pub"]) == 1
    assert "key.pub: not a run record" in capsys.readouterr().err
