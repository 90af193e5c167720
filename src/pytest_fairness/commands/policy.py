"""`pytest-fairness policy explain | diff`: read a policy as the gate does."""

import argparse
from pathlib import Path
from typing import Any

from pytest_fairness.commands.saying import say

__all__ = ["add_parser"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "policy", help="explain a policy, or compare two", description="Read a policy."
    )
    verbs = parser.add_subparsers(required=True, metavar="VERB")
    explain = verbs.add_parser(
        "explain",
        help="print the effective policy with the origin of each line",
        description="Print what a policy asks after inheritance and presets, with the file and "
        "line that each line came from. The output is a policy file itself.",
    )
    explain.add_argument("file", type=Path, help="policy (TOML)")
    explain.set_defaults(run=_explain)
    diff = verbs.add_parser(
        "diff",
        help="print what one policy changes in another",
        description="Print what B tightens, loosens, changes, adds or removes in A.",
    )
    diff.add_argument("before", type=Path, metavar="A", help="policy (TOML)")
    diff.add_argument("after", type=Path, metavar="B", help="policy (TOML)")
    diff.set_defaults(run=_diff)
    return parser


def _explain(args: argparse.Namespace) -> int:
    from pytest_fairness.gate.vacuous import attributes_not_asked, rules_that_cannot_fail
    from pytest_fairness.policy import effective_lines, load_policy

    document = _document(args.file)
    say("\n".join(effective_lines(document)), whole=True)
    if "evaluation" in document.raw:
        policy = load_policy(args.file)
        for text in (*rules_that_cannot_fail(policy), *attributes_not_asked(policy)):
            say(f"# WARNING {text}", whole=True)
    return 0


def _diff(args: argparse.Namespace) -> int:
    from pytest_fairness.policy import compare

    changes = compare(_document(args.before), _document(args.after))
    say("\n".join(change.text for change in changes) or "no difference")
    return 0


def _document(path: Path) -> Any:
    """The effective text of a policy; one with evaluations is complete and checked as a whole."""
    from pytest_fairness.policy import load_policy, read_document

    document = read_document(path)
    if "evaluation" in document.raw:
        return load_policy(path).document
    return document
