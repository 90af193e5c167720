"""What commands print: lines whose names are printable."""

import sys

from pytest_fairness.wording import printable_lines

__all__ = ["say"]


def say(text: object, *, error: bool = False) -> None:
    """Print a text, on standard error where it is an error."""
    print(printable_lines(str(text)), file=sys.stderr if error else sys.stdout)
