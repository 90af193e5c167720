"""`pytest-fairness verify RECORD`: compute every verdict of a record again, and check who signed it."""

import argparse
from pathlib import Path
from typing import Any

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="compute every verdict of a record again",
        description="Compute every verdict of a record again from the policy and the counts that it "
        "holds; fails on any difference. With a key, also check the signed statement beside it.",
    )
    parser.add_argument("record", type=Path, help="record that --fairness-record wrote")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PUBLIC_KEY",
        help="public Ed25519 key (PEM) that the record must be signed with",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Verify a record and return 0, or 1 when a verdict differs.

    Raises:
        FairnessError: The record or its signed statement cannot be read or trusted.
    """
    from pytest_fairness.gate.audit.attestation import (
        attestation_path,
        check_attestation,
        public_key,
    )
    from pytest_fairness.gate.audit.verify import verify
    from pytest_fairness.gate.record.run_record import RunRecord

    if args.key is not None:
        statement = check_attestation(
            RunRecord.from_json(args.record), args.record, public_key(args.key)
        )
        result = statement["predicate"]["result"]
        print(f"{attestation_path(args.record)}: signed with {args.key}, result {result}")
    found = verify(args.record)
    for difference in found.differences:
        print(difference.text)
    for text in found.unchecked:
        print(text)
    state = f"{len(found.differences)} differences" if found.differences else "no difference"
    left = f", {len(found.unchecked)} not checked" if found.unchecked else ""
    print(f"{args.record}: {found.checked} verdicts computed again, {state}{left}")
    return 1 if found.differences else 0
