"""What commands print: lines whose names are printable, in a terminal no wider than it."""

import shutil
import sys

from pytest_fairness.wording import printable_lines, wrapped

__all__ = ["say"]


def say(text: object, *, error: bool = False, whole: bool = False) -> None:
    """Print a text, on standard error where it is an error.

    Args:
        text: What is printed.
        error: Whether it is an error.
        whole: Whether a terminal gets its lines as they are: a policy is a file of its own.
    """
    stream = sys.stderr if error else sys.stdout
    lines = printable_lines(str(text)).split("\n")
    if stream.isatty() and not whole:
        width = shutil.get_terminal_size().columns
        lines = [part for line in lines for part in wrapped(line, width)]
    print("\n".join(lines), file=stream)
