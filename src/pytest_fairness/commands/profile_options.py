"""The options of `pytest-fairness profile`, and how their values are read."""

import argparse
from pathlib import Path
from typing import NamedTuple

from pytest_fairness.statistics.clusters.columns import Cluster

__all__ = [
    "Audit",
    "Reference",
    "add_columns",
    "add_comparisons",
    "add_outputs",
    "parse_audit",
    "parse_by",
    "parse_cluster",
    "parse_levels",
    "parse_names",
    "parse_reference",
    "parse_share",
    "parse_workers",
]


class Reference(NamedTuple):
    """A file with shares, and the column that it is of, or None for the only attribute."""

    column: str | None
    path: Path


class Audit(NamedTuple):
    """A column to audit, its proxy, and whether the proxy rises along the levels."""

    attribute: str
    proxy: str
    rising: bool


def parse_names(text: str) -> tuple[str, ...]:
    """Split `a,b`.

    Example:
        >>> parse_names("sex, race")
        ('sex', 'race')
    """
    names = tuple(part.strip() for part in text.split(","))
    if not all(names) or len(set(names)) != len(names):
        msg = f"got {text!r}, allowed are names with commas between, each once"
        raise argparse.ArgumentTypeError(msg)
    return names


def parse_cluster(text: str) -> Cluster:
    """Read `person`, or `person,camera`.

    Raises:
        argparse.ArgumentTypeError: They are not one column or two different ones.

    Example:
        >>> parse_cluster("person"), parse_cluster("person,camera")
        ('person', ('person', 'camera'))
    """
    names = parse_names(text)
    if len(names) == 1:
        return names[0]
    if len(names) > 2:
        msg = f"got {text!r}; give one column, or two different ones such as person,camera"
        raise argparse.ArgumentTypeError(msg)
    return names[0], names[1]


def parse_levels(text: str) -> tuple[str, tuple[str, ...]]:
    """Split `column=a,b`.

    Example:
        >>> parse_levels("tone=light,dark")
        ('tone', ('light', 'dark'))
    """
    column, found, levels = text.partition("=")
    if not (column and found):
        msg = f"got {text!r}, allowed is COLUMN=LEVEL,LEVEL"
        raise argparse.ArgumentTypeError(msg)
    return column.strip(), parse_names(levels)


def parse_by(text: str) -> tuple[str, ...]:
    """Split `a*b`."""
    return parse_names(text.replace("*", ","))


def parse_reference(text: str) -> Reference:
    """Split `[column=]file`.

    Example:
        >>> parse_reference("country=world.csv").column
        'country'
    """
    column, found, path = text.rpartition("=")
    if not path or (found and not column):
        msg = f"got {text!r}, allowed is FILE or COLUMN=FILE"
        raise argparse.ArgumentTypeError(msg)
    return Reference(column if found else None, Path(path))


def parse_audit(text: str) -> Audit:
    """Split `attribute=proxy[:rising]`.

    Example:
        >>> parse_audit("skin_tone=luminance")
        Audit(attribute='skin_tone', proxy='luminance', rising=False)
    """
    attribute, _, proxy = text.rpartition("=")
    name, _, direction = proxy.partition(":")
    if not (attribute and name) or direction not in {"", "rising", "falling"}:
        msg = f"got {text!r}, allowed is ATTRIBUTE=PROXY, and :rising or :falling after it"
        raise argparse.ArgumentTypeError(msg)
    return Audit(attribute, name, direction == "rising")


def parse_share(text: str) -> float:
    """Return a number from 0 to 1, without 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < 1:
        msg = f"got {text!r}, allowed is a number from 0 to 1"
        raise argparse.ArgumentTypeError(msg)
    return value


def parse_workers(text: str) -> int:
    """Return a number of threads."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"got {text!r}, allowed is a whole number from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def add_columns(parser: argparse.ArgumentParser) -> None:
    """Add the options that name columns."""
    columns = parser.add_argument_group(
        "columns", "A policy says the first six itself; they are for a table without one."
    )
    columns.add_argument("--attributes", type=parse_names, metavar="A,B", help="group attributes")
    columns.add_argument("--image", metavar="COLUMN", help="paths or encoded images (image)")
    columns.add_argument("--id", metavar="COLUMN", help="names of the samples (id)")
    columns.add_argument("--target", metavar="COLUMN", help="classes (target)")
    columns.add_argument(
        "--cluster", type=parse_cluster, metavar="COLUMN[,COLUMN]",
        help="what several images show, a person; two columns for a person and a camera",
    )  # fmt: skip
    columns.add_argument(
        "--where", action="append", type=parse_levels, default=[], metavar="COLUMN=A,B",
        help="keep only the rows with these values. Repeatable.",
    )  # fmt: skip
    columns.add_argument(
        "--levels", action="append", type=parse_levels, default=[], metavar="COLUMN=A,B",
        help="levels of a column in their order; those without rows stay visible. Repeatable.",
    )  # fmt: skip
    columns.add_argument(
        "--by", action="append", type=parse_by, default=[], metavar="A*B*C",
        help="count this intersection too, beside each attribute and each pair. Repeatable.",
    )  # fmt: skip
    columns.add_argument(
        "--numeric", type=parse_names, metavar="A,B", help="columns with numbers; found if absent"
    )


def add_comparisons(parser: argparse.ArgumentParser) -> None:
    """Add the options that compare the data with something."""
    compared = parser.add_argument_group("comparisons")
    compared.add_argument(
        "--against", type=Path, metavar="FILE",
        help="table that must share no image, id or cluster with this one: the training list",
    )  # fmt: skip
    compared.add_argument(
        "--reference", action="append", type=parse_reference, default=[],
        metavar="[COLUMN=]FILE",
        help="shares of a population: columns level and share (or count). Repeatable.",
    )  # fmt: skip
    compared.add_argument(
        "--tolerance", type=parse_share, default=0.05, metavar="SHARE",
        help="difference from a reference that is no problem (default 0.05, 5 points)",
    )  # fmt: skip
    compared.add_argument(
        "--audit", action="append", type=parse_audit, default=[],
        metavar="ATTRIBUTE=PROXY[:rising]",
        help="compare the order of the levels with luminance or ita in matched images; both fall "
        "along the levels unless :rising is written. Repeatable.",
    )  # fmt: skip
    compared.add_argument("--audit-by", metavar="COLUMN", help="audit each of its values alone")
    compared.add_argument(
        "--match", type=parse_names, default=(), metavar="A,B",
        help="columns that agree in matched images (counterfactual of the policy)",
    )  # fmt: skip


def add_outputs(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is read and written."""
    output = parser.add_argument_group("output")
    output.add_argument("--json", type=Path, metavar="FILE", help="write the profile as JSON")
    output.add_argument("--markdown", type=Path, metavar="FILE", help="write it as Markdown")
    output.add_argument("--plots", type=Path, metavar="FOLDER", help="draw it (needs matplotlib)")
    output.add_argument(
        "--plot-format", choices=("png", "svg"), default="png", help="kind of plot (default png)"
    )
    output.add_argument("--strict", action="store_true", help="exit with 1 when there is a problem")
    output.add_argument(
        "--allow", action="append", default=[], metavar="KIND",
        help="a kind of problem that --strict lets pass, such as duplicate. Repeatable.",
    )  # fmt: skip
    output.add_argument("--no-images", action="store_true", help="read no image")
    output.add_argument("--workers", type=parse_workers, metavar="N", help="threads that read")
    output.add_argument(
        "--level", type=parse_share, default=0.95, metavar="P", help="of intervals (default 0.95)"
    )
