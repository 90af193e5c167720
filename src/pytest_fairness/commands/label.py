"""`pytest-fairness label`: choose which images to label next, and judge the labels so far."""

import argparse
from pathlib import Path
from typing import Any

from pytest_fairness.commands.saying import say

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "label",
        help="choose which images to label next, and judge the labels so far",
        description="You have images without labels, and the answers and scores of a model. Each "
        "call reads the labels that you filled in, judges the questions of the policy, and adds the "
        "next images to the labels file, until every question is settled.",
        epilog="Exit code: 0 while labels are missing and when all is settled and passes; 1 when a "
        "question fails, or none of its images is left and it is still open; 4 for a bad policy.",
    )
    _add_files(parser)
    _add_choice(parser)
    parser.set_defaults(run=run)
    return parser


def _add_files(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("policy", type=Path, metavar="POLICY", help="policy (TOML)")
    parser.add_argument(
        "--predictions",
        type=Path,
        required=True,
        metavar="FILE",
        help="answers of a model (CSV, Parquet) with its scores: columns score:<class>, score, or "
        "confidence. No target is needed.",
    )
    parser.add_argument(
        "--labels",
        type=Path,
        required=True,
        metavar="FILE.csv",
        help="labels file; the first call writes it. Fill in its column target.",
    )


def _add_choice(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--evaluation", metavar="NAME", help="evaluation; may be left out when there is one"
    )
    parser.add_argument(
        "--next",
        type=parse_count,
        default=50,
        metavar="N",
        help="images to choose (default 50); 0 only judges",
    )
    parser.add_argument(
        "--seed",
        type=parse_count,
        metavar="N",
        help="seed of the choice, fixed at the first call (default 0)",
    )


def run(args: argparse.Namespace) -> int:
    """Judge, choose, print, and return the exit code.

    Raises:
        FairnessError: The policy, the predictions or the labels cannot be used.
    """
    from pytest_fairness.labelling.rounds import label
    from pytest_fairness.policy import load_policy
    from pytest_fairness.report.labels import labelling_lines

    policy = load_policy(args.policy)
    found = label(
        policy,
        args.predictions,
        args.labels,
        evaluation=args.evaluation,
        count=args.next,
        seed=args.seed,
    )
    confidence = policy.decision.confidence
    say("\n".join(labelling_lines(found, args.labels, confidence=confidence)))
    failed = any(one.state == "settled" and one.verdict.outcome == "fail" for one in found.verdicts)
    undecided = any(one.state == "exhausted" for one in found.verdicts)
    stops = undecided and policy.decision.inconclusive == "fail"
    return int(failed or (found.finished and stops))


def parse_count(text: str) -> int:
    """Return a whole number of 0 or more."""
    if not text.isdecimal():
        msg = f"got {text!r}, allowed is a whole number, such as 50"
        raise argparse.ArgumentTypeError(msg)
    return int(text)
