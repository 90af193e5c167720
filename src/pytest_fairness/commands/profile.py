"""`pytest-fairness profile DATA`: what a data set holds, before a model is judged on it."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.commands.profile_options import (
    Audit,
    add_columns,
    add_comparisons,
    add_outputs,
)
from pytest_fairness.commands.saying import say
from pytest_fairness.statistics.clusters.columns import columns_of

if TYPE_CHECKING:
    from pytest_fairness.data.profile import AuditRequest, DataProfile, ProfileRequest

__all__ = ["add_parser", "run"]

_FAILED, _WRONG_USE = 1, 4
_OF_POLICY = ("attributes", "image", "id", "target", "cluster", "where")
_MORE_OF_A_TABLE = ("image", "id", "target", "cluster")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "profile",
        help="say what a data set holds, before a model is judged on it",
        description="Count groups, missing values, duplicates and broken images of an evaluation "
        "set; compare it with a reference population, a training list, and its own labels.",
    )
    parser.add_argument(
        "data", type=Path, metavar="DATA", help="policy (.toml), or samples (.csv, .parquet)"
    )
    parser.add_argument(
        "--evaluation", metavar="NAME", help="evaluation of the policy, where there are several"
    )
    add_columns(parser)
    add_comparisons(parser)
    add_outputs(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Print the profile and return 0, 1 for a problem with --strict, or 4 for a wrong use.

    Raises:
        FairnessError: The policy or the samples cannot be used.
    """
    from pytest_fairness.data.profile import ProfileUsageError, profile_data
    from pytest_fairness.report.profiles.text import problem_kinds, profile_lines

    try:
        _check_allowed(args, problem_kinds())
        _check_once(args)
        found = profile_data(_request(args))
    except ProfileUsageError as error:
        say(error, error=True)
        return _WRONG_USE
    say("\n".join(profile_lines(found)))
    if args.data.suffix.lower() == ".toml":
        from pytest_fairness.commands.answerable import unanswerable_warnings

        for warning in unanswerable_warnings(args.data, args.evaluation):
            say(warning)
    _write(found, args)
    stopping = [one for one in found.problems if one.kind not in args.allow]
    return _FAILED if args.strict and stopping else 0


def _check_allowed(args: argparse.Namespace, kinds: tuple[str, ...]) -> None:
    from pytest_fairness.data.profile import ProfileUsageError

    for kind in args.allow:
        if kind not in kinds:
            msg = f"--allow {kind}: no such kind of problem; allowed are {', '.join(kinds)}"
            raise ProfileUsageError(msg)


def _check_once(args: argparse.Namespace) -> None:
    from pytest_fairness.data.profile import ProfileUsageError

    for option in ("levels", "where"):
        columns = [column for column, _ in getattr(args, option)]
        for column in columns:
            if columns.count(column) > 1:
                msg = f"--{option}: column {column!r} is named more than once; name it once"
                raise ProfileUsageError(msg)


def _write(found: "DataProfile", args: argparse.Namespace) -> None:
    from pytest_fairness.report.profiles.markdown import profile_markdown

    plots: list[Path] = []
    if args.plots is not None:
        from pytest_fairness.report.profiles.plot import NoPlotsError, draw_profile

        try:
            plots = draw_profile(found, args.plots, kind=args.plot_format)
        except NoPlotsError as error:
            say(error, error=True)
    if args.json is not None:
        found.to_json(args.json)
    if args.markdown is not None:
        args.markdown.parent.mkdir(parents=True, exist_ok=True)
        text = profile_markdown(found, plots=plots, folder=args.markdown.parent)
        args.markdown.write_text(text, encoding="utf-8")
    for path in (args.json, args.markdown, *plots):
        if path is not None:
            say(f"wrote {path}")


def _request(args: argparse.Namespace) -> "ProfileRequest":
    from pytest_fairness.data.profile import ProfileRequest

    source = _of_policy(args) if args.data.suffix.lower() == ".toml" else _of_table(args)
    return ProfileRequest(
        **source,
        numeric=args.numeric,
        levels=dict(args.levels),
        match=args.match,
        against=args.against,
        references=_references(args, list(source["evaluation"].attributes)),
        tolerance=args.tolerance,
        audits=tuple(_audit(args, one) for one in args.audit),
        read_images=not args.no_images,
        workers=args.workers,
        confidence=args.level,
    )


def _of_policy(args: argparse.Namespace) -> dict[str, Any]:
    from pytest_fairness.data.profile import ProfileUsageError
    from pytest_fairness.gate.questions import rules_by
    from pytest_fairness.policy import load_policy

    given = [name for name in _OF_POLICY if getattr(args, name)]
    if given:
        msg = f"--{given[0]}: the policy {args.data} says so itself; change it there"
        raise ProfileUsageError(msg)
    policy = load_policy(args.data)
    evaluation = policy.evaluation_named(args.evaluation)
    asked = [
        by
        for _, by in rules_by(policy, evaluation)
        if by and all(name in evaluation.attributes for name in by)
    ]
    return {"evaluation": evaluation, "from_policy": True, "by": (*asked, *args.by)}


def _of_table(args: argparse.Namespace) -> dict[str, Any]:
    from pytest_fairness.data.profile import ProfileUsageError
    from pytest_fairness.policy.records import Evaluation

    if args.evaluation is not None:
        msg = f"--evaluation {args.evaluation}: {args.data} is a table; give the policy as DATA"
        raise ProfileUsageError(msg)
    if not args.data.is_file():
        msg = f"{args.data}: no such file; give a policy (.toml) or samples (.csv, .parquet)"
        raise ProfileUsageError(msg)
    levels = dict(args.levels)
    named = {name: getattr(args, name) for name in _MORE_OF_A_TABLE if getattr(args, name)}
    evaluation = Evaluation(
        name=args.data.stem,
        manifest=args.data,
        attributes={name: levels.get(name, ()) for name in args.attributes or ()},
        where=dict(args.where),
        **named,
    )
    clusters = columns_of(args.cluster)
    columns = (*(name for key, name in named.items() if key != "cluster"), *clusters)
    return {
        "evaluation": evaluation,
        "required": (*columns, *levels),
        "by": tuple(args.by),
    }


def _references(args: argparse.Namespace, attributes: list[str]) -> dict[str, Path]:
    from pytest_fairness.data.profile import ProfileUsageError

    found: dict[str, Path] = {}
    for one in args.reference:
        name = one.column
        if name is None and len(attributes) != 1:
            msg = (
                f"--reference {one.path}: say of which column, --reference COLUMN={one.path}; the "
                f"attributes are {', '.join(attributes) or 'none'}"
            )
            raise ProfileUsageError(msg)
        name = name or attributes[0]
        if name in found:
            msg = f"--reference: {name!r} is compared with {found[name]} and {one.path}; name one"
            raise ProfileUsageError(msg)
        found[name] = one.path
    return found


def _audit(args: argparse.Namespace, one: Audit) -> "AuditRequest":
    from pytest_fairness.data.profile import AuditRequest

    return AuditRequest(one.attribute, one.proxy, rising=one.rising, by=args.audit_by)
