"""A record can be signed, and nothing about it can be changed unseen afterwards."""

import base64
import json
import sys
from hashlib import sha256
from unittest.mock import Mock

import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from pytest_fairness import RunRecord, judge
from pytest_fairness.errors import AttestationError, SigningKeyError
from pytest_fairness.gate.audit import attestation
from pytest_fairness.gate.audit.attestation import (
    check_attestation,
    private_key,
    public_key,
    sign_record,
    statement_of,
)

POLICY_OPTION = "--fairness-policy=policy.toml"
POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"classes": ["no", "yes"], "attributes": {"tone": ["light", "dark"]}}},
    "rule": [{"metric": "accuracy", "min": 0.7}],
}


def private_pem(key, encryption=None):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public_pem(key):
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def write_keys(folder, name="key") -> None:
    key = Ed25519PrivateKey.generate()
    (folder / f"{name}.pem").write_bytes(private_pem(key))
    (folder / f"{name}.pub").write_bytes(public_pem(key))


@pytest.fixture(scope="module")
def judged():
    """A record that fails."""
    frame = pd.DataFrame({"tone": ["light", "dark"] * 60, "target": ["no"] * 120})
    frame["prediction"] = ["no", "yes"] * 60
    return judge(POLICY, frame, model="predictions")


@pytest.fixture
def signed(judged, tmp_path):
    """A folder with `record.json`, signed with `key.pem`."""
    write_keys(tmp_path)
    path = tmp_path / "record.json"
    judged.to_json(path)
    sign_record(judged, path, private_key(tmp_path / "key.pem"))
    return tmp_path


def check(folder, key="key.pub"):
    path = folder / "record.json"
    return check_attestation(
        RunRecord.from_json(path),
        path,
        public_key(folder / key),
        sha256=sha256(path.read_bytes()).hexdigest(),
    )


def reseal(folder, change) -> None:
    """Write the envelope again with a changed statement and the old signature."""
    place = folder / "record.intoto.json"
    envelope = json.loads(place.read_text(encoding="utf-8"))
    statement = json.loads(base64.b64decode(envelope["payload"]))
    change(statement)
    envelope["payload"] = base64.b64encode(json.dumps(statement).encode()).decode()
    place.write_text(json.dumps(envelope), encoding="utf-8")


def test_a_signed_run_leaves_a_statement_about_its_record(gate):
    write_keys(gate.path)
    result = gate.runpytest(
        POLICY_OPTION,
        "--fairness-predictions=bad.csv",
        "--fairness-record=record.json",
        "--fairness-sign=key.pem",
    )
    result.stdout.fnmatch_lines(["record: record.json, signed"])
    statement, record = check(gate.path), RunRecord.from_json(gate.path / "record.json")
    assert statement["_type"] == "https://in-toto.io/Statement/v1"
    assert statement["predicateType"] == "https://in-toto.io/attestation/test-result/v0.1"
    (kept,) = [run.predictions for run in record.runs if run.predictions]
    digests = {one["name"]: one["digest"]["sha256"] for one in statement["subject"]}
    assert digests["record.json"] == sha256((gate.path / "record.json").read_bytes()).hexdigest()
    assert digests[kept.file] == kept.sha256
    predicate = statement["predicate"]
    assert predicate["result"] == "FAILED"
    assert [(one["name"], one["digest"]) for one in predicate["configuration"]] == [
        ("policy.toml", {"sha256": record.policy.sha256})
    ]
    assert predicate["failedTests"] == [v.question for v in record.verdicts if v.outcome == "fail"]
    everything = [*predicate["passedTests"], *predicate["warnedTests"], *predicate["failedTests"]]
    assert sorted(everything) == sorted(v.question for v in record.verdicts)


def test_an_undecided_question_that_does_not_block_is_a_warning(signed, judged):
    record = judged
    verdicts = [v.model_copy(update={"outcome": "pass"}) for v in record.verdicts]
    undecided = verdicts[0].model_copy(update={"outcome": "inconclusive"})
    for outcome, first, warned in (
        ("PASSED", verdicts[0], []),
        ("WARNED", undecided, [undecided.question]),
    ):
        changed = record.model_copy(update={"verdicts": [first, *verdicts[1:]]})
        predicate = statement_of(changed, signed / "record.json")["predicate"]
        assert (predicate["result"], predicate["warnedTests"]) == (outcome, warned)
        assert predicate["failedTests"] == []


def test_the_weights_are_a_subject_once_and_the_data_part_of_the_configuration(signed, judged):
    hashes = {"weights_sha256": "aa", "data_sha256": "dd", "preprocessing_sha256": "ee"}
    first = judged.runs[0].model_copy(update={"metadata": hashes})
    second = first.model_copy(update={"evaluation": "other"})
    changed = judged.model_copy(update={"runs": [first, second]})
    statement = statement_of(changed, signed / "record.json")
    names = [one["name"] for one in statement["subject"]]
    assert names.count("weights of predictions") == 1
    configuration = {
        one["name"]: one["digest"]["sha256"] for one in statement["predicate"]["configuration"]
    }
    assert configuration["preprocessing of predictions"] == "ee"
    assert configuration["data of faces"] == configuration["data of other"] == "dd"


def test_a_record_changed_after_signing_is_refused(signed):
    path = signed / "record.json"
    path.write_text(path.read_text(encoding="utf-8") + "\n", encoding="utf-8")
    with pytest.raises(AttestationError, match=r"none of its subjects is record\.json .*changed"):
        check(signed)


@pytest.mark.parametrize(
    "change",
    [
        lambda statement: statement["predicate"].update(result="PASSED"),
        lambda statement: statement["subject"][0]["digest"].update(sha256="0" * 64),
    ],
    ids=["result", "subject"],
)
def test_a_statement_changed_after_signing_is_refused(signed, change):
    reseal(signed, change)
    with pytest.raises(AttestationError, match=r"record\.intoto\.json: no signature by the key"):
        check(signed)


def test_another_signature_is_refused(signed):
    place = signed / "record.intoto.json"
    envelope = json.loads(place.read_text(encoding="utf-8"))
    signature = bytearray(base64.b64decode(envelope["signatures"][0]["sig"]))
    signature[0] ^= 1
    envelope["signatures"][0]["sig"] = base64.b64encode(signature).decode()
    place.write_text(json.dumps(envelope), encoding="utf-8")
    with pytest.raises(AttestationError, match="no signature by the key"):
        check(signed)


def test_another_key_is_refused(signed):
    write_keys(signed, "other")
    with pytest.raises(AttestationError, match="was signed with another key"):
        check(signed, "other.pub")


def test_an_url_safe_envelope_is_read_too(signed):
    place = signed / "record.intoto.json"
    envelope = json.loads(place.read_text(encoding="utf-8"))
    for holder, name in ((envelope, "payload"), (envelope["signatures"][0], "sig")):
        holder[name] = holder[name].replace("+", "-").replace("/", "_")
    place.write_text(json.dumps(envelope), encoding="utf-8")
    assert check(signed)["predicate"]["result"] == "FAILED"


def test_a_signed_result_that_is_not_the_records_is_refused(signed, monkeypatch):
    path = signed / "record.json"
    record = RunRecord.from_json(path)
    monkeypatch.setattr(attestation, "_result", Mock(return_value="PASSED"))
    sign_record(record, path, private_key(signed / "key.pem"))
    monkeypatch.undo()
    with pytest.raises(
        AttestationError, match="signed result is PASSED, that of the record is FAIL"
    ):
        check(signed)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "cannot be read: No such file"),
        ("[1", "not a signed envelope"),
        ('{"payload": "!"}', "not a signed envelope"),
        ('{"payload": "aa==", "payloadType": "x", "signatures": [{"sig": 3}]}', "not a signed env"),
    ],
    ids=["missing", "no JSON", "no signatures", "no text"],
)
def test_what_is_no_envelope_is_named(signed, text, problem):
    place = signed / "record.intoto.json"
    place.unlink() if text is None else place.write_text(text, encoding="utf-8")
    with pytest.raises(AttestationError, match=rf"record\.intoto\.json: .*{problem}"):
        check(signed)


def test_another_kind_of_statement_is_refused(signed, monkeypatch):
    path = signed / "record.json"
    monkeypatch.setattr(attestation, "PREDICATE_TYPE", "https://example.com/other")
    sign_record(RunRecord.from_json(path), path, private_key(signed / "key.pem"))
    monkeypatch.undo()
    with pytest.raises(AttestationError, match=r"signed is application/vnd.*example\.com/other"):
        check(signed)


@pytest.fixture
def keys(tmp_path):
    curve, key = generate_private_key(SECP256R1()), Ed25519PrivateKey.generate()
    files = {
        "curve.pem": private_pem(curve),
        "curve.pub": public_pem(curve),
        "locked.pem": private_pem(key, BestAvailableEncryption(b"secret")),
        "public.pem": public_pem(key),
        "private.pub": private_pem(key),
        "text.pem": b"no key",
        "text.pub": b"no key",
    }
    for name, text in files.items():
        (tmp_path / name).write_bytes(text)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("none.pem", "the key cannot be read: No such file"),
        ("curve.pem", "holds a ECPrivateKey"),
        ("locked.pem", "not a private key that can be used.*not encrypted"),
        ("public.pem", "not a private key that can be used"),
        ("text.pem", "not a private key that can be used"),
        ("none.pub", "the key cannot be read: No such file"),
        ("curve.pub", "holds a ECPublicKey"),
        ("private.pub", "not a public key that can be used"),
        ("text.pub", "not a public key that can be used"),
    ],
    ids=[
        "missing",
        "curve",
        "encrypted",
        "public",
        "text",
        "missing public",
        "public curve",
        "private",
        "public text",
    ],
)
def test_a_key_that_cannot_be_used_is_named(keys, name, problem):
    read = private_key if name.endswith(".pem") else public_key
    with pytest.raises(SigningKeyError, match=rf"{name}: {problem}"):
        read(keys / name)


def test_a_bad_key_is_a_usage_error_before_any_test_runs(gate):
    (gate.path / "key.pem").write_text("no key", encoding="utf-8")
    result = gate.runpytest(
        POLICY_OPTION,
        "--fairness-predictions=good.csv",
        "--fairness-record=record.json",
        "--fairness-sign=key.pem",
    )
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*key.pem: not a private key that can be used*"])
    assert not (gate.path / "record.json").exists()


def test_signing_without_a_record_is_a_usage_error(gate):
    result = gate.runpytest(POLICY_OPTION, "--fairness-sign=key.pem")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["*--fairness-sign: there is nothing to sign*--fairness-record*"])


def test_without_cryptography_the_extra_is_named(keys, monkeypatch):
    monkeypatch.setitem(sys.modules, "cryptography.exceptions", None)
    monkeypatch.delitem(sys.modules, "pytest_fairness.gate.audit.signing", raising=False)
    with pytest.raises(SigningKeyError, match=r'pip install "pytest-fairness\[sign\]"'):
        public_key(keys / "public.pem")
