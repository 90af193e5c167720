"""`pytest-fairness accept RECORD`: make the record of a run the baseline of the next ones."""

import argparse
from pathlib import Path
from typing import Any

from pytest_fairness.commands.saying import say
from pytest_fairness.wording import counted, printable

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "accept",
        help="make the record of a run the baseline",
        description="Copy a run record and the predictions beside it into the folder of the "
        "baseline, as record.json. Later runs are compared with it: --fairness-baseline.",
    )
    parser.add_argument("record", type=Path, help="record that --fairness-record wrote")
    parser.add_argument(
        "--to",
        type=Path,
        default=Path("baseline"),
        metavar="FOLDER",
        help="folder of the baseline (default: baseline)",
    )
    parser.add_argument(
        "--even-if-failed",
        metavar="REASON",
        help="accept a record that did not pass, and keep the reason in it",
    )
    parser.add_argument(
        "--first",
        action="store_true",
        help="accept a record whose only unanswered questions have no baseline yet: the first day "
        "of a rule against the baseline, or of an evaluation or group",
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Accept a record and return the exit code.

    Raises:
        FairnessError: The record cannot become the baseline.
    """
    from pytest_fairness.gate.audit.accept import BASELINE_NAME, accept

    written = accept(args.record, args.to, even_if_failed=args.even_if_failed, first=args.first)
    target = args.to / BASELINE_NAME
    say(f"{target}: the baseline is now {args.record} of {written.created}")
    begun = [] if written.accepted is None else written.accepted.first
    if begun:
        say(f"  {counted(len(begun), 'question')} compared from now on, e.g. {printable(begun[0])}")
    for one in written.runs:
        what = f"  {one.model} on {one.evaluation}: {counted(one.n, 'sample')}"
        if one.predictions is None:
            say(f"{what}, counts only: later runs cannot be compared image by image")
        else:
            say(f"{what}, {one.predictions.file}")
    return 0
