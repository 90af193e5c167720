"""`[model.NAME]` tables and what a command line says about models -> `ModelSpec` records."""

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from pytest_fairness.doors.declarations import ModelKind
from pytest_fairness.doors.kinds import kind_names, kind_of_ending
from pytest_fairness.doors.registry import declared
from pytest_fairness.errors import DeclarationError, PolicyError
from pytest_fairness.files import read_text
from pytest_fairness.policy.tables.model_tables import LabelsTable, ModelTable, PreprocessingTable
from pytest_fairness.policy.tables.problems import explain_model
from pytest_fairness.policy.text.document import KeyPath
from pytest_fairness.policy.text.toml_text import toml_header
from pytest_fairness.wording import allowed_names

__all__ = [
    "LabelFile",
    "ModelSpec",
    "PixelSpec",
    "candidate",
    "is_path",
    "kind_of",
    "model_spec",
    "parse_model",
]

LabelFormat = Literal["lines", "json", "imagenet-index", "open-images"]

# Keys of every kind of model.
_READING = (
    *("labels", "label_groups", "reduce", "score", "activation", "tagging", "views", "kind"),
    *("preprocessing", "nondeterministic"),
)
_HINTS = {
    "labels": '; write labels = ["woman", "man"], the names of the score columns in order, or the '
    "name of a file with them",
    "score": '; add one of: score = "logit", "probability", "log_probability"',
    "preprocessing": "; write preprocessing = { size = 224, mean = [...], std = [...] }",
    "prompts": '; write prompts = { man = "a photo of a man", woman = "a photo of a woman" }',
}


@dataclass(frozen=True, slots=True)
class LabelFile:
    """A file with the names of the score columns. `order` lists their ids in order."""

    file: Path
    format: LabelFormat | None = None
    order: Path | None = None


@dataclass(frozen=True, slots=True)
class PixelSpec:
    """From an image to what a model takes, as the policy wrote it."""

    size: int | None = None
    resize: int | None = None
    crop: int | None = None
    mean: tuple[float, float, float] = (0.0, 0.0, 0.0)
    std: tuple[float, float, float] = (1.0, 1.0, 1.0)
    interpolation: Literal["nearest", "bilinear", "bicubic"] = "bilinear"
    channels: Literal["rgb", "bgr", "grey"] = "rgb"
    white: Literal[1, 255] = 1


@dataclass(frozen=True, slots=True)
class ModelSpec:
    """A model under test: where it is, and how its scores are read. Keys as in docs/models.md."""

    name: str
    kind: str
    factory: str | None = None
    architecture: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    path: Path | None = None
    weights: Path | None = None
    weights_key: str | None = None
    sha256: str | None = None
    labels: tuple[str, ...] | LabelFile | None = None
    label_groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    reduce: Literal["max", "sum", "logsumexp"] = "max"
    score: Literal["logit", "probability", "log_probability"] | None = None
    activation: Literal["softmax", "sigmoid"] | None = None
    tagging: Mapping[str, Any] = field(default_factory=dict)
    preprocessing: PixelSpec | str | None = None
    views: Literal["one", "flip", "ten-crop"] = "one"
    nondeterministic: Literal["refuse", "tell"] = "refuse"
    layout: Literal["nchw", "nhwc", "flat"] | None = None
    output: str | int | None = None
    providers: tuple[str, ...] = ()
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    where: str = ""
    """File and line, or option, that it came from; empty where it came from Python."""

    @property
    def title(self) -> str:
        """The name of the model in an error."""
        return f"model {self.name!r}" + (f" ({self.where})" if self.where else "")


class _Problem(NamedTuple):
    key: str
    message: str


def model_spec(name: str, table: ModelTable, *, place: Callable[[KeyPath], str]) -> ModelSpec:
    """Return the record of a `[model.NAME]` table.

    Args:
        name: Name of the model.
        table: The table, its shape already checked.
        place: Path of a key -> `file:line`.

    Raises:
        PolicyError: Keys are missing, contradict each other, or are of another kind of model.
    """
    found = _kind(table)
    problem = found if isinstance(found, _Problem) else _problem(found, table)
    if problem is not None or isinstance(found, _Problem):
        key, message = problem or _Problem("", "")
        where = place(("model", name, key))
        msg = f"{where}: model {name!r}: {message}" if where else f"model {name!r}: {message}"
        raise PolicyError(msg)
    return ModelSpec(
        name=name,
        kind=found,
        path=_path(table.path),
        weights=_path(table.weights),
        labels=_labels(table.labels),
        label_groups={group: tuple(labels) for group, labels in table.label_groups.items()},
        tagging={} if table.tagging is None else table.tagging.model_dump(),
        preprocessing=_pixels(table.preprocessing),
        providers=tuple(table.providers or ()),
        prompts={
            name: (text,) if isinstance(text, str) else tuple(text)
            for name, text in table.prompts.items()
        },
        sha256=table.sha256 and table.sha256.lower(),
        where=place(("model", name)),
        **{key: getattr(table, key) for key in _PLAIN},
    )


_PLAIN = (
    *("factory", "architecture", "arguments", "weights_key", "reduce", "score", "activation"),
    *("views", "layout", "output", "nondeterministic"),
)


def parse_model(
    spec: str | Path | Mapping[str, Any], *, name: str, folder: Path, where: str = ""
) -> ModelSpec:
    """Return the record of a model that is given outside of a policy.

    Args:
        spec: A file or folder of a model, `package.module:function`, a TOML file with the keys of
            `[model.NAME]`, such a table written inline (`{ kind = ... }`), or a mapping.
        name: Name of the model.
        folder: Folder that relative paths start from; those in a TOML file start from its own.
        where: What to call it in an error.

    Raises:
        PolicyError: It is malformed, or keys are missing or not allowed.
    """
    table, folder = _table_of(spec, folder=folder, where=where)
    table = {key: value for key, value in table.items() if key != "name"}
    for key in ("path", "weights", "labels", "factory"):
        if isinstance(value := table.get(key), str) and is_path(("model", name, key), value):
            table[key] = str(folder / value)
    if isinstance(labels := table.get("labels"), dict):
        files = {key: str(folder / labels[key]) for key in ("file", "order") if key in labels}
        table["labels"] = labels | files
    try:
        checked = ModelTable.model_validate(table)
    except ValidationError as error:
        raise explain_model(error, table, name=name, where=where or "a model") from error
    return model_spec(name, checked, place=lambda _: where)


def candidate(base: ModelSpec | None, spec: str, *, name: str) -> ModelSpec:
    """Return the model of `--fairness-model NAME=SPEC`.

    Where the policy has a `[model.NAME]`, a plain path takes the place of its file, and all else
    stays: the candidate is another state of the same model. A pinned hash is that of the old file,
    so it does not hold for the candidate.

    Raises:
        PolicyError: The specification is malformed, or there is no such file.
    """
    where = f"--fairness-model {name}={spec}"
    path = Path(spec)
    table = spec.lstrip().startswith("{") or path.suffix == ".toml"
    plain = not table and (path.exists() or ":" not in spec)
    if plain and not path.exists():
        msg = f"{where}: no such file or folder: {path}; give a path, or package.module:function"
        raise PolicyError(msg)
    if base is None or not plain:
        made = parse_model(spec, name=name, folder=Path(), where=where)
        if made.nondeterministic == "tell" and (base is None or base.nondeterministic == "refuse"):
            msg = (
                f'{where}: nondeterministic = "tell" is for the policy to say; write it in '
                f"{toml_header('model', name)} of the policy"
            )
            raise PolicyError(msg)
        return made
    if base.weights is not None or "weights" in kind_of(base).keys:
        return replace(base, weights=path, sha256=None, where=where)
    if base.kind == "fixture":
        msg = (
            f"{where}: {toml_header('model', name)} is of kind 'fixture', which has no file; "
            "give another name"
        )
        raise PolicyError(msg)
    torch = {"torch file", "torchscript", "pickle"}  # the content of the file tells them apart
    kinds = {base.kind, base.kind if path.is_dir() else _kind_of_path(path)}
    if len(kinds) > 1 and not kinds <= torch:
        msg = (
            f"{where}: {toml_header('model', name)} is of kind {base.kind!r}, {path} is not; "
            "give a file of the same kind, or a TOML file with all keys of the candidate"
        )
        raise PolicyError(msg)
    return replace(base, path=path, sha256=None, where=where)


def is_path(path: KeyPath, value: str) -> bool:
    """Return whether a key of a policy holds a path that is relative to the policy's file."""
    if path[0] != "model":
        return False
    if path[2:] == ("factory",):
        return ".py:" in value
    files = (("path",), ("weights",), ("labels",), ("labels", "file"), ("labels", "order"))
    return path[2:] in files


def _table_of(
    spec: str | Path | Mapping[str, Any], *, folder: Path, where: str
) -> tuple[dict[str, Any], Path]:
    if isinstance(spec, Mapping):
        return dict(spec), folder
    text = str(spec)
    try:
        if text.lstrip().startswith("{"):
            return tomllib.loads(f"model = {text}")["model"], folder
        if text.endswith(".toml"):
            file = folder / text
            return tomllib.loads(read_text(file)), file.parent
    except (ValueError, RecursionError, OSError) as error:
        msg = f"{where or text}: cannot be read as the TOML table of a model: {error}"
        raise PolicyError(msg) from error
    if ":" in text and not (folder / text).exists():
        return {"factory": text}, folder
    return {"path": text}, folder


def _kind(table: ModelTable) -> "str | _Problem":
    if table.kind is not None:
        return table.kind
    if table.factory is not None:
        return "factory"
    if table.architecture is not None:
        return _Problem("architecture", 'architecture needs kind = "torchvision" or "timm"')
    if table.path is None:
        what = f"needs kind, factory or path; allowed kinds: {', '.join(kind_names())}"
        return _Problem("kind", what)
    return _kind_of_file(table.path, prompted=bool(table.prompts))


def _kind_of_file(path: str, *, prompted: bool) -> "str | _Problem":
    if Path(path).suffix.lower() == ".safetensors":
        what = (
            f"path = {path!r} holds weights without their network; name it: factory, or kind "
            "and architecture, with this file as weights"
        )
        return _Problem("path", what)
    try:
        kind = _kind_of_path(Path(path))
    except DeclarationError as error:
        return _Problem("path", f"path = {path!r}: {error}")
    return "zero_shot" if kind == "huggingface" and prompted else kind


def _kind_of_path(path: Path) -> str:
    """The kind by the ending; what has no known one can only be a Hugging Face folder."""
    kind = kind_of_ending(path.suffix)
    return "huggingface" if kind is None else kind.name


def kind_of(spec: ModelSpec) -> ModelKind:
    """Return the declaration of the kind of a model."""
    kind: ModelKind = declared("models", spec.kind)
    return kind


def _problem(kind: str, table: ModelTable) -> "_Problem | None":
    written = {key for key in ModelTable.model_fields if getattr(table, key) not in (None, {}, [])}
    written &= table.model_fields_set
    if kind == "zero_shot" and "labels" in written:
        return _Problem("labels", "the labels of kind 'zero_shot' are those of its prompts")
    declaration: ModelKind = declared("models", kind)
    allowed = {*declaration.keys, *_READING}
    for key in sorted(written - allowed):
        return _Problem(key, f"{key} is not for kind {kind!r}{allowed_names(key, sorted(allowed))}")
    for key in declaration.needed:
        if key not in written and not (key == "labels" and isinstance(table.preprocessing, str)):
            return _Problem("kind", f"kind {kind!r} needs the key {key!r}{_HINTS.get(key, '')}")
    return _reading_problem(kind, table) or _key_without_effect(table)


def _key_without_effect(table: ModelTable) -> "_Problem | None":
    """A key that changes nothing beside what the table says."""
    if table.reduce != "max" and not table.label_groups:
        what = f'reduce = "{table.reduce}" joins the labels of a group; add label_groups, or remove reduce'
        return _Problem("reduce", what)
    if table.weights_key is not None and table.weights is None and table.path is None:
        return _Problem("weights_key", "weights_key is of a checkpoint; add weights, or remove it")
    if table.sha256 is not None and table.weights is None and table.path is None:
        return _Problem("sha256", "sha256 is of a file; add path or weights, or remove sha256")
    return None


def _reading_problem(kind: str, table: ModelTable) -> "_Problem | None":
    """What contradicts itself in how scores and pixels are read."""
    owners: dict[str, str] = {}
    for group, labels in table.label_groups.items():
        for label in labels:
            if owners.setdefault(label, group) != group:
                what = f"label {label!r} is in two groups, {owners[label]!r} and {group!r}: remove it from one"
                return _Problem("label_groups", what)
    if table.reduce == "sum" and table.score == "logit" and table.activation is None:
        what = (
            'reduce = "sum" adds probabilities, and the scores are logits; write activation = '
            '"softmax" (one label an image) or "sigmoid" (several)'
        )
        return _Problem("reduce", what)
    if table.tagging is not None and table.score not in (None, "logit"):
        what = f"tagging reads logits, and the scores are of kind {table.score!r}"
        return _Problem("tagging", what)
    pixels = table.preprocessing
    if isinstance(pixels, str) and kind != "torchvision":
        what = f"preprocessing = {pixels!r} names torchvision weights; write a table for {kind!r}"
        return _Problem("preprocessing", what)
    if isinstance(pixels, PreprocessingTable):
        return _pixel_problem(pixels, views=table.views)
    return None


def _pixel_problem(table: PreprocessingTable, *, views: str) -> "_Problem | None":
    square = table.size is not None
    cropped = (table.resize is not None, table.crop is not None)
    if square == any(cropped) or any(cropped) != all(cropped):
        return _Problem("preprocessing", "preprocessing takes size, or resize and crop")
    if table.resize is not None and table.crop is not None and table.crop > table.resize:
        what = f"preprocessing: crop = {table.crop} is larger than resize = {table.resize}"
        return _Problem("preprocessing", what)
    if 0.0 in table.std:
        return _Problem("preprocessing", f"preprocessing: std = {list(table.std)} divides by 0")
    if views == "ten-crop" and square:
        what = 'views = "ten-crop" needs preprocessing with resize and crop instead of size'
        return _Problem("views", what)
    return None


def _path(text: str | None) -> Path | None:
    return None if text is None else Path(text)


def _labels(
    written: "list[str] | str | LabelsTable | None",
) -> "tuple[str, ...] | LabelFile | None":
    if written is None:
        return None
    if isinstance(written, list):
        return tuple(written)
    if isinstance(written, str):
        return LabelFile(Path(written))
    return LabelFile(Path(written.file), written.format, _path(written.order))


def _pixels(written: "PreprocessingTable | str | None") -> "PixelSpec | str | None":
    if isinstance(written, PreprocessingTable):
        return PixelSpec(**written.model_dump())
    return written
