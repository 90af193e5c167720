"""`pytest-fairness verify RECORD`: compute a record again, and say whether the release may go."""

import argparse
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.commands.saying import say
from pytest_fairness.wording import printable

if TYPE_CHECKING:
    from pytest_fairness.gate.audit.verify import Verification

__all__ = ["add_parser", "run"]

_FAILED, _INCOMPLETE = 1, 11


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "verify",
        help="compute a record again, and say whether the release may go",
        description="Compute every verdict of a record again from the policy and the counts that it "
        "holds, and print PASSED, WARNED (passed with waived or undecided questions), FAILED or "
        "INCOMPLETE. Exit code 0: passed or warned; 1: failed, or the record is not what it should be; "
        "11: questions were not judged, or verdicts cannot be computed again.",
    )
    parser.add_argument("record", type=Path, help="record that --fairness-record wrote")
    parser.add_argument(
        "--key",
        type=Path,
        metavar="PUBLIC_KEY",
        help="public Ed25519 key (PEM) that the record must be signed with",
    )
    parser.add_argument(
        "--policy", type=Path, metavar="FILE", help="policy that the record must be judged by"
    )
    parser.add_argument(
        "--model",
        action="append",
        default=[],
        metavar="[NAME=]FILE",
        help="model that the record must be about: its file or folder, or a sha256. Repeatable",
    )
    parser.add_argument(
        "--max-age",
        type=_age,
        metavar="AGE",
        help="how old the record may be: a number with m, h or d, such as 7d",
    )
    parser.add_argument(
        "--allow-unchecked",
        action="store_true",
        help="accept verdicts that cannot be computed again, since predictions or a baseline are gone",
    )
    parser.set_defaults(run=run)
    return parser


def _age(text: str) -> dt.timedelta:
    from pytest_fairness.gate.audit.tied import parse_age

    try:
        return parse_age(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from error


def run(args: argparse.Namespace) -> int:
    """Verify a record and return 0 when the release may go, 1 or 11 when it may not.

    Raises:
        FairnessError: The record or its signed statement cannot be read or trusted.
    """
    from pytest_fairness.gate.audit.attestation import check_attestation, public_key
    from pytest_fairness.gate.audit.verify import verify
    from pytest_fairness.gate.record.begun import statement_file
    from pytest_fairness.wording import counted

    found = verify(args.record)
    if args.key is not None:
        key = public_key(args.key)
        statement = check_attestation(found.record, args.record, key, sha256=found.sha256)
        result = statement["predicate"]["result"]
        say(f"{statement_file(args.record)}: signed with {args.key}, result {result}")
    untied = _untied(found, args)
    for text in [difference.text for difference in found.differences] + found.unchecked + untied:
        say(printable(text))
    number = len(found.differences)
    state = counted(number, "difference") if number else "no difference"
    left = f", {len(found.unchecked)} not checked" if found.unchecked else ""
    say(f"{args.record}: {counted(found.checked, 'verdict')} computed again, {state}{left}")
    return _result(found, untied, args)


def _untied(found: "Verification", args: argparse.Namespace) -> list[str]:
    """What shows that the record is about something else than what ships."""
    from pytest_fairness.gate.audit.tied import age_problem, model_differences, policy_differences

    differing = [] if args.policy is None else policy_differences(found.record, args.policy)
    for model in args.model:
        differing += model_differences(found.record, model)
    texts = [
        f"{one.place}: the record has {one.recorded}, given is {one.recomputed}"
        for one in differing
    ]
    if args.max_age is not None:
        problem = age_problem(found.record, args.max_age, now=dt.datetime.now(dt.UTC))
        texts += [problem] if problem else []
    return texts


def _result(found: "Verification", untied: list[str], args: argparse.Namespace) -> int:
    """Print the last line, what the record is worth, and return the exit code."""
    from pytest_fairness.gate.audit.accept import why_not

    record, name = found.record, args.record
    if found.differences:
        say(f"{name}: FAILED: the record is not what its policy makes of its counts")
        return _FAILED
    if untied:
        say(f"{name}: FAILED: the record is not about what was given")
        return _FAILED
    if record.stops:
        say(f"{name}: {record.state}: {printable(why_not(record))}")
        return _INCOMPLETE if record.state == "INCOMPLETE" else _FAILED
    if found.unchecked and not args.allow_unchecked:
        say(
            f"{name}: INCOMPLETE: it says {record.state}, but a part cannot be computed again; "
            "restore the files named above, or say --allow-unchecked"
        )
        return _INCOMPLETE
    say(f"{name}: {record.state}")
    return 0
