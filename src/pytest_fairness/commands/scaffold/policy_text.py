"""The policy that `pytest-fairness init` writes, with a comment for each key."""

import os
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from string import Template
from typing import Any

from pytest_fairness.commands.scaffold.found_data import Column, FoundData
from pytest_fairness.commands.scaffold.found_model import FoundModel
from pytest_fairness.commands.scaffold.problem import InitError
from pytest_fairness.policy.model_specs import is_path
from pytest_fairness.policy.text.toml_text import toml_key, toml_value
from pytest_fairness.wording import counted, listed

__all__ = ["policy_text", "template"]

_SAID = {
    "fail": "# An undecided question blocks the release.",
    "warn": "# An undecided question lets the release through, and the run says so.",
    None: "# An undecided question blocks the release. init chose the strict one, since what nobody judged\n"
    '# must not pass unseen; the team may write "warn" to let it through with a line in the report.',
}
_ABOUT_MODEL = {
    "factory": "Function that builds it.",
    "weights": "Its weights.",
    "labels": "Names of the score columns, in order.",
    "label_groups": "Class of the target -> the labels that speak for it.",
    "score": "What a score means; never guessed.",
    "prompts": "Class -> what describes it.",
    "preprocessing": "From an image to what the model takes, as in its training.",
}


def template(name: str, **values: object) -> str:
    """Return one of the texts beside this module, filled in.

    Args:
        name: Its name without the ending.
        **values: What stands for `$key` in it.
    """
    text = files(__package__).joinpath("templates", f"{name}.txt").read_text(encoding="utf-8")
    return Template(text).substitute(values)


def policy_text(
    model: FoundModel, data: FoundData, *, folder: Path, inconclusive: str | None
) -> str:
    """Return the text of the policy.

    Args:
        model: What is judged.
        data: What it is judged on.
        folder: Folder of the policy, which its paths are relative to.
        inconclusive: What an undecided question does; None where the command line is silent.

    Raises:
        InitError: The labels of the model are not the classes of the data.
    """
    said = f"{_SAID[inconclusive]}\ninconclusive = {toml_value(inconclusive or 'fail')}"
    rules = "rules_of_many" if data.positive is None else "rules_of_two"
    return template(
        "policy",
        model=toml_key(model.name),
        evaluation=toml_key(data.name),
        inconclusive=said,
        samples=f"{data.samples:,}",
        model_lines="\n".join(_model_lines(model, folder)),
        data_lines="\n".join(_data_lines(data, _classes(model, data), folder)),
        rules=template(rules, positive=toml_value(data.positive)),
    )


def _classes(model: FoundModel, data: FoundData) -> tuple[str, ...]:
    """All classes: those of the data, and what else the model may answer."""
    lacking = [name for name in data.target.counts if name not in model.labels]
    if model.labels and lacking:
        msg = (
            f"the model gives {listed(model.labels)}, but column {data.target.name!r} has the class "
            f"{lacking[0]!r}; say which labels speak for each class, --group CLASS=LABEL,LABEL for "
            f"{listed(data.target.counts)}, or name another column with --target"
        )
        raise InitError(msg)
    return tuple(dict.fromkeys((*data.target.counts, *model.labels)))


def _model_lines(model: FoundModel, folder: Path) -> Iterator[str]:
    for key, value in model.keys.items():
        if key in _ABOUT_MODEL:
            yield f"# {_ABOUT_MODEL[key]}"
        written = value
        if isinstance(value, str) and is_path(("model", model.name, key), value):
            file, factory, function = value.partition(".py:")
            written = (
                _from(folder, f"{file}.py") + f":{function}" if factory else _from(folder, file)
            )
        yield f"{key} = {toml_value(written)}"
    if model.sha256:
        yield "# Uncomment to judge this file only; a candidate of the command line is not held to it."
        yield f'# sha256 = "{model.sha256}"'


def _data_lines(data: FoundData, classes: tuple[str, ...], folder: Path) -> Iterator[str]:
    source = data.source
    if source.manifest is not None:
        yield "# One row a sample; the paths in it are relative to it."
        yield f"manifest = {toml_value(_from(folder, source.manifest))}"
    else:
        yield from _reader_lines(data, folder)
    if source.image != "image":
        yield f"image = {toml_value(source.image)}"
    yield f"# Column with the true class: {data.target.shown}."
    yield f"target = {toml_value(data.target.name)}"
    yield f"classes = {toml_value(classes)}"
    if data.positive is not None:
        yield "# The class that a false positive is falsely called."
        yield f"positive = {toml_value(data.positive)}"
    yield "# Protected attributes and their levels. A level that is not listed is an error when it turns up."
    for attribute in data.attributes:
        yield from _attribute_lines(attribute)
    for column in data.left:
        yield from _left_lines(column)
    yield "# The level that the others are compared with; without it, any two groups are compared."
    reference = data.reference or {one.name: next(iter(one.counts)) for one in data.attributes}
    yield f"{'' if data.reference else '# '}reference = {toml_value(reference)}"
    yield from _cluster_lines(data)
    if data.others:
        shown = "; ".join(f"{one.name} ({one.words})" for one in data.others)
        yield f"# Not asked about, though their values are few: {shown}."


def _reader_lines(data: FoundData, folder: Path) -> Iterator[str]:
    source = data.source
    yield "# Read as it was published; docs/datasets.md has its licence and caveats."
    yield f"reader = {toml_value(source.reader)}"
    yield f"root = {toml_value(_from(folder, source.root or Path()))}"
    if source.split:
        yield f"split = {toml_value(source.split)}"
    if source.options:
        yield f"options = {toml_value(source.options)}"


def _attribute_lines(attribute: Column) -> Iterator[str]:
    missing = ""
    if attribute.missing:
        missing = (
            f'; {attribute.missing:,} have none: add "(missing)" to have that as a test by name'
        )
    yield f"# {attribute.shown}{missing}."
    yield f"attributes.{toml_key(attribute.name)} = {toml_value(list(attribute.counts))}"


def _left_lines(column: Column) -> Iterator[str]:
    """Why a protected attribute is not asked about, and what would make it so."""
    few = len(column.counts) == 1
    values = f"one value only, {column.words}" if few else f"{counted(len(column.counts), 'value')}"
    yield f"# NOT ASKED ABOUT: column {column.name!r}, which has {values}."
    if few:
        return
    name, of = toml_key(f"{column.name}_group"), toml_value(column.name)
    if all(level.replace(".", "", 1).isdigit() for level in column.counts):
        groups = 'labels = ["0 to 17", "18 to 64", "65 and more"]'
        yield "# Put its values into groups, such as these, and it is:"
        yield f"# derive.{name} = {{ from = {of}, bins = [0, 18, 65], {groups} }}"
        yield f"# attributes.{name} = {groups.removeprefix('labels = ')}"
    else:
        yield "# Merge its values into groups (`derive` with `merge`), and name those as an attribute."


def _cluster_lines(data: FoundData) -> Iterator[str]:
    if data.cluster is not None:
        yield "# What several images show. They are not independent, so intervals count it."
        columns = data.cluster if isinstance(data.cluster, str) else list(data.cluster)
        yield f"cluster = {toml_value(columns)}"
    if (perhaps := data.perhaps_cluster) is not None:
        yield (
            f"# Column {perhaps.name!r} has {counted(len(perhaps.counts), 'value')} in {counted(data.samples, 'sample')}. "
            "If several images show one person,"
        )
        yield "# uncomment this: they are not independent, and without it intervals are too narrow."
        yield f"# cluster = {toml_value(perhaps.name)}"


def _from(folder: Path, path: Any) -> str:
    """A path as a policy in `folder` writes it."""
    return Path(os.path.relpath(Path(path).resolve(), folder.resolve())).as_posix()
