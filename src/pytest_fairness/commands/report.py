"""`pytest-fairness report RECORD -o PATH`: render a stored record."""

import argparse
from pathlib import Path
from typing import Any

from pytest_fairness.commands.saying import say

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "report",
        help="write a report of a record",
        description="Write a report of a record that --fairness-record wrote. It is the report "
        "that --fairness-report writes at the end of the run.",
    )
    parser.add_argument("record", type=Path, help="record that --fairness-record wrote")
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="FILE",
        help="file to write; its ending chooses the report",
    )
    parser.add_argument(
        "--as", dest="report", metavar="NAME", help="name of the report, whatever the ending"
    )
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the report and return 0.

    Raises:
        FairnessError: The record cannot be read, or there is no such report.
    """
    from pytest_fairness.gate.record.run_record import RunRecord
    from pytest_fairness.report.declared import report_for, write_report

    report = report_for(args.output, args.report)
    write_report(RunRecord.from_json(args.record), args.output, report.name)
    say(f"{args.output}: report {report.name!r} of {args.record}")
    return 0
