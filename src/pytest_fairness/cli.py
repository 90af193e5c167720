"""The console script `pytest-fairness`: what a team does around the gate, without pytest."""

import argparse
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import NoReturn

from pytest_fairness.commands import (
    accept,
    cache,
    init,
    label,
    plan,
    policy,
    profile,
    report,
    verify,
)
from pytest_fairness.commands.saying import say
from pytest_fairness.errors import (
    CacheError,
    DeclarationError,
    FairnessError,
    PolicyError,
    SigningKeyError,
)
from pytest_fairness.wording import printable_lines

__all__ = ["main"]

_COMMANDS = (init, profile, policy, plan, label, accept, report, verify, cache)
# As pytest's: 1 is a gate that does not pass, 4 a wrong use.
_FAILED, _WRONG_USE = 1, 4
_WRONG = (CacheError, DeclarationError, PolicyError, SigningKeyError)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return the exit code.

    0 is a success, 1 a failure, 4 a bad policy or option.

    Args:
        argv: Arguments without the program's name; those of the process when absent.
    """
    parser = _Parser(
        prog="pytest-fairness", description="Work with the policies and records of a gate."
    )
    parser.add_argument(
        "--version", action="version", version=f"%(prog)s {version('pytest-fairness')}"
    )
    subparsers = parser.add_subparsers(required=True, metavar="COMMAND")
    for command in _COMMANDS:
        command.add_parser(subparsers)
    try:
        args = parser.parse_args(argv)
        code: int = args.run(args)
    except FairnessError as error:
        say(error, error=True)
        return _WRONG_USE if isinstance(error, _WRONG) else _FAILED
    return code


class _Parser(argparse.ArgumentParser):
    """Wrong options exit with 4, as they do in pytest; argparse alone would say 2."""

    def error(self, message: str) -> NoReturn:  # type: ignore[explicit-override]
        self.print_usage(sys.stderr)
        self.exit(_WRONG_USE, f"{self.prog}: error: {printable_lines(message)}\n")


if __name__ == "__main__":
    sys.exit(main())
