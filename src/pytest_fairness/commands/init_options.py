"""The options of `pytest-fairness init`, and how their values are read."""

import argparse
from pathlib import Path

from pytest_fairness.commands.profile_options import parse_cluster, parse_levels, parse_names
from pytest_fairness.doors.registry import built_in_names, names
from pytest_fairness.wording import allowed_names

__all__ = [
    "add_data",
    "add_gate",
    "add_model",
    "parse_channels",
    "parse_pair",
    "parse_reader",
    "parse_reference",
    "parse_side",
]


def parse_pair(text: str) -> tuple[str, str]:
    """Split `key=value`.

    Example:
        >>> parse_pair("man=a photo of a man")
        ('man', 'a photo of a man')
    """
    key, _, value = text.partition("=")
    if not (key.strip() and value.strip()):
        msg = f"got {text!r}, allowed is KEY=VALUE"
        raise argparse.ArgumentTypeError(msg)
    return key.strip(), value.strip()


def parse_reference(text: str) -> dict[str, str]:
    """Split `attribute=level,attribute=level`.

    Example:
        >>> parse_reference("skin_tone=light, age=adult")
        {'skin_tone': 'light', 'age': 'adult'}
    """
    return dict(parse_pair(part) for part in text.split(","))


def parse_channels(text: str) -> tuple[float, float, float]:
    """Split three numbers, one a channel.

    Example:
        >>> parse_channels("0.5,0.5,0.5")
        (0.5, 0.5, 0.5)
    """
    try:
        red, green, blue = map(float, text.split(","))
    except ValueError:
        msg = f"got {text!r}, allowed are three numbers, such as 0.485,0.456,0.406"
        raise argparse.ArgumentTypeError(msg) from None
    return red, green, blue


def parse_side(text: str) -> int:
    """Return a number of pixels."""
    if not text.isdecimal() or int(text) < 1:
        msg = f"got {text!r}, allowed is a whole number of pixels from 1"
        raise argparse.ArgumentTypeError(msg)
    return int(text)


def parse_reader(text: str) -> str:
    """Return the name of a declared reader, which is not that of manifests."""
    readers = [name for name in names("readers") if name != "manifest"]
    if text not in readers:
        msg = f"unknown reader {text!r}{allowed_names(text, readers)}"
        raise argparse.ArgumentTypeError(msg)
    return text


def add_model(parser: argparse.ArgumentParser) -> None:
    """Add the options that say which model is judged, and how its scores are read."""
    model = parser.add_argument_group("the model")
    model.add_argument(
        "--model", required=True, metavar="SPEC",
        help="file (.safetensors, .onnx, .pt2, .pt), Hugging Face folder, package.module:function, "
        "or file.py:function",
    )  # fmt: skip
    model.add_argument("--name", metavar="NAME", help="its name in reports; of the file if absent")
    model.add_argument(
        "--architecture", metavar="NETWORK",
        help="network of a file of weights: torchvision:NAME, timm:NAME or package.module:function",
    )  # fmt: skip
    model.add_argument(
        "--weights-key", metavar="KEY",
        help="where in a file of weights they are, e.g. state_dict; needed where several keys hold some",
    )  # fmt: skip
    model.add_argument(
        "--labels", metavar="A,B|FILE", help="names of its score columns, in order, or their file"
    )
    model.add_argument(
        "--group", action="append", type=parse_levels, default=[], metavar="CLASS=A,B",
        help="labels that speak for a class of the target. Repeatable.",
    )  # fmt: skip
    model.add_argument(
        "--score", choices=("logit", "probability", "log_probability"), help="what a score means"
    )
    model.add_argument(
        "--prompt", action="append", type=parse_pair, default=[], metavar="CLASS=TEXT",
        help="sentence that describes a class, for a zero-shot model. Repeatable.",
    )  # fmt: skip
    pixels = parser.add_argument_group("its preprocessing")
    pixels.add_argument("--size", type=parse_side, metavar="N", help="resize to a square")
    pixels.add_argument("--resize", type=parse_side, metavar="N", help="resize the shorter side")
    pixels.add_argument("--crop", type=parse_side, metavar="N", help="then cut a square out")
    pixels.add_argument("--mean", type=parse_channels, metavar="R,G,B", help="of each channel")
    pixels.add_argument("--std", type=parse_channels, metavar="R,G,B", help="of each channel")
    pixels.add_argument("--channels", choices=("rgb", "bgr", "grey"), help="rgb if absent")
    pixels.add_argument(
        "--transforms", metavar="WEIGHTS",
        help="those of published torchvision weights instead, such as IMAGENET1K_V1",
    )  # fmt: skip


def add_data(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what it is judged on."""
    data = parser.add_argument_group("the data", "One of --manifest and --reader is needed.")
    source = data.add_mutually_exclusive_group(required=True)
    source.add_argument("--manifest", type=Path, metavar="FILE", help="samples (.csv, .parquet)")
    source.add_argument(
        "--reader", type=parse_reader, metavar="NAME",
        help=f"one of {', '.join(built_in_names('readers')[1:])}, or one of an installed package",
    )  # fmt: skip
    data.add_argument("--root", type=Path, metavar="DIR", help="folder that the reader reads")
    data.add_argument("--split", type=parse_names, default=(), metavar="A,B", help="parts to read")
    data.add_argument(
        "--option", action="append", type=parse_pair, default=[], metavar="KEY=VALUE",
        help="what else the reader needs to know. Repeatable.",
    )  # fmt: skip
    data.add_argument("--evaluation", metavar="NAME", help="its name; of the file if absent")
    data.add_argument("--image", metavar="COLUMN", help="paths of the images; found if absent")
    data.add_argument("--target", metavar="COLUMN", help="the true class; found if absent")
    data.add_argument(
        "--positive", metavar="CLASS", help="class that counts as positive; needed of two"
    )
    data.add_argument(
        "--attributes", type=parse_names, metavar="A,B", help="protected attributes"
    )  # fmt: skip
    data.add_argument(
        "--reference", type=parse_reference, default={}, metavar="A=LEVEL,B=LEVEL",
        help="level that the others are compared with; all pairs if absent",
    )  # fmt: skip
    data.add_argument(
        "--cluster", type=parse_cluster, metavar="COLUMN[,COLUMN]",
        help="what several images show, a person; two columns for a person and a camera",
    )  # fmt: skip


def add_gate(parser: argparse.ArgumentParser) -> None:
    """Add the options that say what is written, and where."""
    gate = parser.add_argument_group("the gate")
    gate.add_argument(
        "--inconclusive", choices=("fail", "warn"),
        help="what an undecided question does to the release (fail if absent)",
    )  # fmt: skip
    gate.add_argument(
        "--into", type=Path, default=Path(), metavar="DIR",
        help="root of the repository (this folder)",
    )  # fmt: skip
    gate.add_argument(
        "--ci", choices=("github", "gitlab", "none"),
        help="write a CI job; by the folder .github or the file .gitlab-ci.yml if absent",
    )  # fmt: skip
    gate.add_argument("--force", action="store_true", help="overwrite files that are there")
