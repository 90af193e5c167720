"""`pytest-fairness init`: write a gate for a model and its data into a repository."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.commands.init_options import add_data, add_gate, add_model
from pytest_fairness.commands.saying import say

if TYPE_CHECKING:
    from pytest_fairness.commands.scaffold.found_data import DataRequest, FoundData
    from pytest_fairness.commands.scaffold.found_model import FoundModel, ModelRequest
    from pytest_fairness.commands.scaffold.gate_files import Gate
from pytest_fairness.wording import counted

__all__ = ["add_parser", "run"]

_WRONG_USE = 4
_PIXELS = ("size", "resize", "crop", "mean", "std", "channels")


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the command to those of `pytest-fairness`."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "init",
        help="write a gate for a model and its data into a repository",
        description="Write a policy, a test file, pytest settings and a CI job for a model and a "
        "manifest (or a published data set). It does not prompt you and does not "
        "overwrite files.",
    )
    add_model(parser)
    add_data(parser)
    add_gate(parser)
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Write the gate, print what to do next, and return 0, or 4 for a wrong use.

    Raises:
        FairnessError: The data or the model cannot be used.
    """
    from pytest_fairness.commands.scaffold.problem import InitError

    try:
        _write(args)
    except InitError as error:
        say(error, error=True)
        return _WRONG_USE
    return 0


def _write(args: argparse.Namespace) -> None:
    from pytest_fairness.commands.scaffold.found_data import find_data
    from pytest_fairness.commands.scaffold.found_model import find_model
    from pytest_fairness.commands.scaffold.gate_files import (
        FOLDER,
        choose_ci,
        gate_files,
        write_files,
    )
    from pytest_fairness.commands.scaffold.policy_text import policy_text
    from pytest_fairness.commands.scaffold.problem import Problems

    root, problems = args.into, Problems()
    data = problems.of(find_data, _data(args))
    model = problems.of(find_model, _model(args), root=root)
    problems.check()
    if data is None or model is None:
        return
    text = policy_text(model, data, folder=root / FOLDER, inconclusive=args.inconclusive)
    _check(text)
    gate = gate_files(text, model, root=root, ci=choose_ci(args.ci, root))
    write_files(gate.files, root=root, force=args.force)
    _say(gate, model, data, args)


def _check(text: str) -> None:
    """Refuse a policy that the gate would refuse, before anything is written."""
    import tomllib

    from pytest_fairness.commands.scaffold.problem import InitError
    from pytest_fairness.errors import PolicyError
    from pytest_fairness.policy import load_policy

    try:
        load_policy(tomllib.loads(text))
    except PolicyError as error:
        msg = f"the options make no policy: {error}"
        raise InitError(msg) from error


def _say(gate: "Gate", model: "FoundModel", data: "FoundData", args: argparse.Namespace) -> None:
    from pytest_fairness.commands.answerable import unanswerable_warnings

    for file in gate.files:
        say(f"wrote {args.into / file.path}")
    attributes = ", ".join(one.name for one in data.attributes)
    say(
        f"\n{model.name} ({model.kind}) is judged on {data.name}: {counted(data.samples, 'sample')},"
    )
    say(f"class {data.target.name}, by {attributes}. The policy says what each line means.")
    if args.inconclusive is None:
        say('inconclusive = "fail": what cannot be decided blocks the release (--inconclusive).')
    for column in data.left:
        say(
            f"not asked about: {column.name} ({counted(len(column.counts), 'value')}); see the policy"
        )
    for note in gate.notes:
        say(f"\n{note}")
    for path in _outside(model, data, args.into):
        say(f"\n{path} lies outside of the repository: CI and others will not find it there")
    for warning in unanswerable_warnings(args.into / gate.files[0].path):
        say(warning)
    there = "" if args.into.resolve() == Path.cwd() else f"cd {args.into} && "
    policy = gate.files[0].path
    say(
        f"\nnext, before a model is judged: set the limits in {policy}, and see what the samples can"
    )
    say(f"settle:  {there}pytest-fairness plan --policy {policy}")
    say(f"then:    {there}{gate.command}")


def _outside(model: "FoundModel", data: "FoundData", root: Path) -> list[Path]:
    """Files of the model and of the data that do not lie in the repository."""
    given = [model.keys.get("path"), model.keys.get("weights"), data.source.source]
    paths = [Path(one) for one in given if one is not None]
    return [one for one in paths if not one.resolve().is_relative_to(root.resolve())]


def _model(args: argparse.Namespace) -> "ModelRequest":
    from pytest_fairness.commands.scaffold.found_model import ModelRequest

    prompts: dict[str, tuple[str, ...]] = {}
    for name, text in args.prompt:
        prompts[name] = (*prompts.get(name, ()), text)
    return ModelRequest(
        spec=args.model,
        name=args.name,
        architecture=args.architecture,
        weights_key=args.weights_key,
        labels=args.labels,
        groups=dict(args.group),
        score=args.score,
        prompts=prompts,
        pixels={key: value for key in _PIXELS if (value := getattr(args, key)) is not None},
        transforms=args.transforms,
    )


def _data(args: argparse.Namespace) -> "DataRequest":
    from pytest_fairness.commands.scaffold.found_data import DataRequest

    return DataRequest(
        manifest=args.manifest,
        reader=args.reader or "manifest",
        root=args.root,
        split=args.split,
        options=dict(args.option),
        name=args.evaluation,
        image=args.image,
        target=args.target,
        positive=args.positive,
        attributes=args.attributes,
        reference=args.reference,
        cluster=args.cluster,
    )
