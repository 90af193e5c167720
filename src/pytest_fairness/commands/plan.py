"""`pytest-fairness plan`: what an evaluation set can settle, before any model runs."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.commands.saying import say

if TYPE_CHECKING:
    from pytest_fairness.planning.at_hand import Given

__all__ = ["add_parser", "run"]


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "plan",
        help="say what an evaluation set can settle, before any model runs",
        description="For each question of a policy: the samples at hand, the values that they can "
        "tell from the limit, and the samples needed to decide.",
    )
    parser.add_argument("--policy", type=Path, required=True, metavar="FILE", help="policy (TOML)")
    parser.add_argument(
        "--evaluation", metavar="NAME", help="evaluation; may be left out when there is one"
    )
    data = parser.add_mutually_exclusive_group()
    data.add_argument(
        "--data",
        type=Path,
        metavar="FILE",
        help="samples (CSV, Parquet); the manifest of the policy when absent. No image is read.",
    )
    data.add_argument(
        "--predictions",
        type=Path,
        metavar="FILE",
        help="answers of a model: its rates and design effects are used, and its verdicts shown",
    )
    _add_assumptions(parser)
    parser.add_argument("--json", action="store_true", help="print the plan as JSON")
    parser.set_defaults(run=run)
    return parser


def _add_assumptions(parser: argparse.ArgumentParser) -> None:
    """Add what is assumed in place of what samples and predictions show."""
    parser.add_argument(
        "--n",
        action="append",
        default=[],
        type=parse_given,
        metavar="[GROUP=]N",
        help="plan as if a group (or every group) had N samples of what the rate is counted "
        "among; GROUP is its levels, dark or dark*woman, with skin_tone: or skin_tone*gender: "
        "before it where that is needed. Repeatable.",
    )
    parser.add_argument(
        "--rate",
        action="append",
        default=[],
        type=parse_rate,
        metavar="NAME=RATE",
        help="rate of the reference that differences and ratios are planned from, "
        "false_positive_rate=0.1; 0.5 when absent, or what the predictions show. Repeatable.",
    )
    parser.add_argument(
        "--power",
        type=parse_chance,
        default=0.8,
        metavar="P",
        help="chance of being settled, 0 to 1 (default 0.8)",
    )


def run(args: argparse.Namespace) -> int:
    """Print the plan and return the exit code.

    Raises:
        FairnessError: The policy or the samples cannot be used, or a group is unknown.
    """
    from pytest_fairness.planning.at_hand import read_at_hand
    from pytest_fairness.planning.plan import plan
    from pytest_fairness.policy import load_policy
    from pytest_fairness.report.plan import plan_lines

    policy = load_policy(args.policy)
    at_hand = read_at_hand(
        policy.evaluation_named(args.evaluation),
        manifest=args.data,
        predictions=args.predictions,
        given=args.n,
    )
    found = plan(policy, at_hand, rates=dict(args.rate), power=args.power)
    text = found.model_dump_json(indent=2) if args.json else "\n".join(plan_lines(found))
    say(text, whole=args.json)
    return 0


def parse_given(text: str) -> "Given":
    """Split `[[ATTRIBUTES:]LEVELS=]N`.

    Example:
        >>> parse_given("skin_tone*gender:dark*woman=50")
        Given(levels=('dark', 'woman'), n=50, by=('skin_tone', 'gender'))
    """
    from pytest_fairness.planning.at_hand import Given

    group, _, number = text.rpartition("=")
    if not number.isdecimal():
        msg = f"got {text!r}, allowed is [GROUP=]N with a whole number N, such as dark*woman=50"
        raise argparse.ArgumentTypeError(msg)
    by, _, levels = group.rpartition(":")
    return Given(
        tuple(levels.split("*")) if levels else (),
        int(number),
        tuple(by.split("*")) if by else None,
    )


def parse_rate(text: str) -> tuple[str, float]:
    """Split `NAME=RATE`. The name is that of a rate, and the rate lies between 0 and 1."""
    from pytest_fairness.doors.metrics import metric_named, metric_names
    from pytest_fairness.statistics.metrics.definitions import Rate

    name, _, value = text.partition("=")
    plain = [metric for metric in map(metric_named, metric_names()) if metric.comparison == "none"]
    rates = [metric.name for metric in plain if isinstance(metric.measure, Rate)]
    if name not in rates:
        msg = f"got {text!r}, allowed is NAME=RATE with one of {', '.join(rates)}"
        raise argparse.ArgumentTypeError(msg)
    return name, parse_chance(value)


def parse_chance(text: str) -> float:
    """Return a number strictly between 0 and 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value < 1:
        msg = f"got {text!r}, allowed is a number between 0 and 1"
        raise argparse.ArgumentTypeError(msg)
    return value
