"""`pytest-fairness verify`: what a release engineer runs before a record is believed."""

import hashlib
import json
from pathlib import Path

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
from pytest_fairness.gate.audit.verify import verify

POLICY = {
    "schema": 1,
    "decision": {"inconclusive": "warn"},
    "evaluation": {"faces": {"attributes": {"sex": ["female", "male"]}}},
    "rule": [{"metric": "accuracy", "min": 0.5}],
}
V1 = Path(__file__).parents[3] / "data" / "record_v1.json"
FRAME = pd.DataFrame(
    {"sex": ["female", "male"] * 30, "target": ["a", "b"] * 30, "prediction": ["a", "b"] * 30}
)
HALF = FRAME.assign(prediction="a")
POLICY_TEXT = """\
schema = 1

[decision]
inconclusive = "warn"

[evaluation.faces]
attributes = { sex = ["female", "male"] }

[[rule]]
metric = "accuracy"
min = 0.5
"""


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
    assert capsys.readouterr().out == (
        "record.json: 2 verdicts computed again, no difference\nrecord.json: PASSED\n"
    )


def test_a_signed_record_names_the_key_and_the_result(record, capsys):
    assert main(["verify", "record.json", "--key", "key.pub"]) == 0
    first, computed, last = capsys.readouterr().out.splitlines()
    assert first == "record.intoto.json: signed with key.pub, result PASSED"
    assert computed == "record.json: 2 verdicts computed again, no difference"
    assert last == "record.json: PASSED"


def test_a_changed_record_fails_and_names_the_field(record, capsys):
    tamper(record)
    assert main(["verify", "record.json"]) == 1
    out = capsys.readouterr().out
    assert "verdicts[accuracy[model-faces-sex-female]].low: recorded 0.99, recomputed 0.8" in out
    assert "record.json: 2 verdicts computed again, 1 difference\n" in out
    assert out.endswith("FAILED: the record is not what its policy makes of its counts\n")


def test_what_was_not_checked_is_said(record, capsys):
    policy = POLICY | {
        "rule": [
            {"id": "drop", "metric": "accuracy", "against": "baseline", "max_drop": 0.1},
            {"metric": "accuracy", "min": 0.5},
        ]
    }
    judge(policy, FRAME, baseline=FRAME).to_json(record)
    assert main(["verify", "record.json"]) == 11
    assert "INCOMPLETE: it says WARNED, but a part cannot be" in capsys.readouterr().out
    assert main(["verify", "record.json", "--allow-unchecked"]) == 0
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


def changed(path, **fields) -> None:
    values = json.loads(path.read_text(encoding="utf-8")) | fields
    path.write_text(json.dumps(values), encoding="utf-8")


def test_a_record_that_does_not_pass_is_never_zero(record, capsys):
    judge(
        POLICY | {"rule": [{"metric": "accuracy", "min": 1.0, "decide": "estimate"}]}, HALF
    ).to_json(record)
    assert main(["verify", "record.json"]) == 1
    last = capsys.readouterr().out.splitlines()[-1]
    assert last == "record.json: FAILED: 1 question stops the release"


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        pytest.param(
            {"complete": False}, "questions of its policy were not judged", id="incomplete"
        ),
        pytest.param(
            {"verdicts": [], "runs": [], "complete": False}, "it judged nothing", id="empty"
        ),
        pytest.param({"finished": False}, "its run has not ended, or died", id="unfinished"),
        pytest.param(
            {"not_checked": ["[[waiver]]"]},
            "not checked, since tests were left out",
            id="unchecked",
        ),
    ],
)
def test_a_record_that_lacks_answers_is_incomplete(record, capsys, fields, reason):
    changed(record, **fields)
    assert main(["verify", "record.json"]) == 11
    assert f"record.json: INCOMPLETE: {reason}" in capsys.readouterr().out.splitlines()[-1]


def test_a_passed_record_with_undecided_questions_is_warned(record, capsys):
    judge(POLICY | {"rule": [{"metric": "accuracy", "min": 0.99}]}, FRAME).to_json(record)
    assert main(["verify", "record.json"]) == 0
    assert capsys.readouterr().out.endswith("record.json: WARNED\n")


def test_half_a_record_fails(record, capsys):
    record.write_bytes(record.read_bytes()[: record.stat().st_size // 2])
    assert main(["verify", "record.json"]) == 1
    assert "record.json: not a run record" in capsys.readouterr().err


@pytest.fixture
def shipped(record, tmp_path):
    """A record of the policy in `policy.toml`, of a model whose file is `model.pt`."""
    (tmp_path / "policy.toml").write_text(POLICY_TEXT, encoding="utf-8")
    (tmp_path / "model.pt").write_bytes(b"weights")
    (tmp_path / "other.pt").write_bytes(b"others")
    sha256 = hashlib.sha256(b"weights").hexdigest()
    made = judge(tmp_path / "policy.toml", FRAME)
    runs = [run.model_copy(update={"metadata": {"model_sha256": sha256}}) for run in made.runs]
    made.model_copy(update={"runs": runs}).to_json(record)
    return sha256


def test_a_record_is_tied_to_what_ships(shipped):
    tied = ["verify", "record.json", "--policy", "policy.toml", "--max-age", "1h"]
    assert main([*tied, "--model", "model.pt"]) == 0
    assert main([*tied, "--model", "model=model.pt"]) == 0
    assert main([*tied, "--model", f"model={shipped}"]) == 0


def test_a_record_of_another_policy_fails(shipped, tmp_path, capsys):
    text = POLICY_TEXT.replace("min = 0.5", "min = 0.6")
    (tmp_path / "policy.toml").write_text(text, encoding="utf-8")
    assert main(["verify", "record.json", "--policy", "policy.toml"]) == 1
    out = capsys.readouterr().out
    assert "policy.sha256: the record has " in out
    assert out.endswith("FAILED: the record is not about what was given\n")


def test_a_record_of_another_model_fails(shipped, capsys):
    assert main(["verify", "record.json", "--model", "other.pt"]) == 1
    assert f"metadata: the record has model_sha256 {shipped}, given" in capsys.readouterr().out
    assert main(["verify", "record.json", "--model", "modle=model.pt"]) == 1
    assert "no model 'modle'; did you mean 'model'" in capsys.readouterr().err
    assert main(["verify", "record.json", "--model", "gone.pt"]) == 1
    assert "'gone.pt' is no file, no folder and no sha256" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("created", "what"),
    [("2020-01-01T00:00:00+00:00", "longer ago than"), ("2999-01-01T00:00:00", "in the future")],
)
def test_an_old_record_or_one_of_the_future_fails(shipped, record, capsys, created, what):
    changed(record, created=created)
    assert main(["verify", "record.json", "--max-age", "7d"]) == 1
    assert what in capsys.readouterr().out


def test_an_age_without_a_unit_is_a_wrong_use(record, capsys):
    with pytest.raises(SystemExit) as ended:
        main(["verify", "record.json", "--max-age", "7"])
    assert ended.value.code == 4
    assert "write a number with m (minutes), h (hours) or d (days)" in capsys.readouterr().err


def test_the_file_is_read_once(record, monkeypatch):
    read = Path.read_bytes
    reads: list[Path] = []

    def counting(path: Path) -> bytes:
        reads.append(path)
        return read(path)

    monkeypatch.setattr(Path, "read_bytes", counting)
    assert main(["verify", "record.json", "--key", "key.pub"]) == 0
    assert [path.name for path in reads].count("record.json") == 1


def test_a_record_of_the_first_schema_is_judged_by_the_fields_that_it_has(tmp_path):
    found = verify(V1)
    assert found.checked == 5
    places = {one.place.rsplit(".", 1)[1] for one in found.differences}
    # Intervals of that version were those of Wilson, without a correction for many questions.
    assert places <= {
        "low",
        "high",
        "n_to_settle",
        "correction",
        "outcome",
        "within_noise",
        "reason",
    }
    assert "robust_to" not in places
