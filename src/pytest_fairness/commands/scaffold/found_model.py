"""What a file or function of a model needs in `[model.NAME]`, by what the command line says."""

import json
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from pytest_fairness.classifiers.files.checkpoint import check_sha256, weights_keys
from pytest_fairness.classifiers.files.zips import is_torchscript
from pytest_fairness.classifiers.labels.labels import Labels, named_labels, read_labels
from pytest_fairness.commands.scaffold.found_data import name_of
from pytest_fairness.commands.scaffold.problem import InitError
from pytest_fairness.doors.declarations import ModelKind
from pytest_fairness.doors.kinds import kind_named, kind_of_ending
from pytest_fairness.errors import ModelError
from pytest_fairness.policy.model_specs import LabelFile

__all__ = ["FoundModel", "ModelRequest", "find_model"]

_SCORE = "--score logit, probability or log_probability"
_PIXELS = (
    "--size N (or --resize N --crop N) with --mean R,G,B and --std R,G,B, those of its training; "
    "0,0,0 and 1,1,1 for pixels from 0 to 1 as they are"
)
_LABELS = "--labels A,B or a file, the names of its score columns in order"


@dataclass(frozen=True, slots=True)
class ModelRequest:
    """Options of the command line about the model, None or empty where an option is not given."""

    spec: str
    name: str | None = None
    architecture: str | None = None
    weights_key: str | None = None
    labels: str | None = None
    groups: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    score: str | None = None
    prompts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    pixels: Mapping[str, Any] = field(default_factory=dict)
    """Keys of `preprocessing`: size, resize, crop, mean, std, channels."""
    transforms: str | None = None


@dataclass(frozen=True, slots=True)
class FoundModel:
    """Facts about the model that go into the policy.

    Args:
        name: Its name.
        kind: Its kind, as docs/models.md calls it.
        keys: Keys of its table; paths as they were given.
        labels: Names of its score columns; empty where only the model knows them.
        sha256: Hash of its file; empty where it is a function or a folder.
        extra: Extra of pytest-fairness that it needs; empty where it needs none.
        imported_from: Folder that its module is imported from; None where it is installed.
    """

    name: str
    kind: str
    keys: Mapping[str, Any]
    labels: tuple[str, ...] = ()
    sha256: str = ""
    extra: str = ""
    imported_from: Path | None = None

    @property
    def own_code(self) -> bool:
        """Whether code of the team's makes it, which needs its packages."""
        return "factory" in self.keys


def find_model(request: ModelRequest, *, root: Path) -> FoundModel:
    """Return the table of a model. A function is called only if nothing else is given.

    Args:
        request: What the command line says.
        root: Root of the repository, where modules are looked for.

    Raises:
        InitError: There is no such file, or something is missing that nobody can guess.
        ModelError: The function does not return a model.
    """
    weights = Path(request.spec)
    if ":" in request.spec and not weights.exists():
        return _of_function(request, request.spec, root=root)
    if not weights.exists():
        msg = (
            f"--model {request.spec}: no such file or folder; give a path, package.module:function, "
            "or file.py:function"
        )
        raise InitError(msg)
    suffix = weights.suffix.lower()
    if request.architecture is not None:
        return _of_weights(request, weights, root=root)
    if suffix == ".safetensors":
        msg = (
            f"--model {request.spec}: holds weights without their network; name it with "
            "--architecture torchvision:NAME, timm:NAME, or package.module:function (your function "
            f"that builds it). Then also {_LABELS}"
        )
        raise InitError(msg)
    kind = kind_of_ending(suffix)
    if kind is not None and kind.name == "torch file" and is_torchscript(weights):
        kind = kind_named("torchscript")
    if kind is not None and kind.name in ("pickle", "torch file"):
        what = (
            "is a pickle" if kind.name == "pickle" else "holds weights alone, or a pickled object"
        )
        msg = (
            f"--model {request.spec}: {what}, which may run code when it is read; give the network of "
            "its weights with --architecture, or export it (.pt2, .onnx, .safetensors; "
            "docs/models.md), or give a function of yours that loads it: --model file.py:function"
        )
        raise InitError(msg)
    if kind is None and weights.is_dir():
        return _of_folder(request, weights)
    return _of_file(request, weights, kind)


def _of_file(request: ModelRequest, path: Path, kind: ModelKind | None) -> FoundModel:
    if kind is None:
        msg = (
            f"--model {path}: not known by its ending {path.suffix!r}; known are .safetensors, .onnx, "
            ".pt2, .pt, a folder of Hugging Face, package.module:function, and file.py:function"
        )
        raise InitError(msg)
    keys = {"path": str(path)} | ({"kind": kind.name} if kind.name == "torchscript" else {})
    needed = kind.needed
    _demand(
        request,
        kind.name,
        labels="labels" in needed,
        score="score" in needed,
        pixels="preprocessing" in needed,
    )
    file = None if path.is_dir() else path
    return _found(request, kind.name, keys, default=path.stem, file=file)


def _of_folder(request: ModelRequest, path: Path) -> FoundModel:
    config = path / "config.json"
    if not config.is_file():
        msg = f"--model {path}: a folder without config.json is none of Hugging Face; give a file"
        raise InitError(msg)
    kind = "zero_shot" if request.prompts else "huggingface"
    if kind == "zero_shot" and request.labels is not None:
        msg = "--labels: the labels of a zero-shot model are the classes of its --prompt options"
        raise InitError(msg)
    found = _found(request, kind, {"path": str(path)}, default=path.resolve().name)
    if found.labels or request.prompts:
        return found
    names = json.loads(config.read_text(encoding="utf-8")).get("id2label") or {}
    labels = [str(names[key]) for key in sorted(names, key=int)]
    return _replaced(found, labels)


def _of_weights(request: ModelRequest, path: Path, *, root: Path) -> FoundModel:
    source, _, name = str(request.architecture).partition(":")
    if not name:
        msg = (
            f"--architecture {request.architecture}: say whose it is, torchvision:"
            f"{request.architecture} or timm:{request.architecture}, or package.module:function"
        )
        raise InitError(msg)
    if source not in ("torchvision", "timm"):
        return _of_function(request, str(request.architecture), root=root, weights=path)
    torchvision = source == "torchvision"
    _demand(
        request,
        source,
        labels=not request.transforms,
        score=False,
        pixels=torchvision and not request.transforms,
    )
    keys = {"kind": source, "architecture": name, "weights": str(path)}
    keys |= _weights_key(request, path)
    return _found(request, source, keys, default=path.stem, file=path)


def _weights_key(request: ModelRequest, path: Path) -> dict[str, str]:
    """Return where in a checkpoint the weights are, where they are not all that it holds.

    Raises:
        InitError: Several keys hold tensors, or none, and none is named.
        ModelError: The file cannot be read, or would need unpickling.
    """
    there = weights_keys(path)
    named = there if request.weights_key is None else [request.weights_key]
    if len(named) == 1 and named[0] in there:
        return {"weights_key": named[0]} if named[0] else {}
    msg = (
        f"--model {path}: tensors by name are under: {', '.join(there) or 'no key'}; say which are the weights: "
        "--weights-key KEY"
    )
    raise InitError(msg)


def _of_function(
    request: ModelRequest, factory: str, *, root: Path, weights: Path | None = None
) -> FoundModel:
    module, _, function = factory.rpartition(":")
    imported_from = None if module.endswith(".py") else _imported_from(module, root, factory)
    keys: dict[str, Any] = {"factory": factory}
    keys |= {} if weights is None else {"weights": str(weights), **_weights_key(request, weights)}
    default = function if weights is None else weights.stem
    if any((request.labels, request.score, request.pixels, request.groups)):
        _demand(request, "factory", labels=True, score=True, pixels=True)
        found = _found(request, "factory", keys, default=default, file=weights)
        return _replaced(found, imported_from=imported_from)
    found = _found(request, "factory", keys, default=default, file=weights)
    labels = _said_by_the_function(found, imported_from)
    return _replaced(found, labels, imported_from=imported_from)


def _said_by_the_function(found: FoundModel, folder: Path | None) -> Iterable[str]:
    """Call the function: it returns a `Classifier`, or labels, score and preprocessing are asked for."""
    from pytest_fairness.classifiers import load_model

    added = [] if folder is None else [str(folder.resolve())]
    sys.path[:0] = added
    try:
        made = load_model(found.keys, name=found.name)
    except ModelError as error:
        msg = (
            f"{error}. On the command line: {_LABELS}; {_SCORE}; {_PIXELS}. Or let the function return "
            "a pytest_fairness.Classifier, which says all that itself"
        )
        raise InitError(msg) from error
    finally:
        del sys.path[: len(added)]
    return made.classes or made.labels


def _imported_from(module: str, root: Path, factory: str) -> Path | None:
    """The folder of the repository that holds a module; None where it is installed."""
    parts = module.split(".")
    for folder in (root, root / "src"):
        path = folder.joinpath(*parts)
        if path.with_suffix(".py").is_file() or (path / "__init__.py").is_file():
            return folder
    try:
        installed = find_spec(module)
    except (ImportError, ValueError):
        installed = None
    if installed is None:
        msg = (
            f"{factory}: no module {module!r} in {root.resolve()} (or its src), and none is "
            "installed; name it as it is imported from the root of the repository, or file.py:function"
        )
        raise InitError(msg)
    return None


def _demand(request: ModelRequest, kind: str, *, labels: bool, score: bool, pixels: bool) -> None:
    """Raise when the command line is silent about what this kind of model does not bring.

    Raises:
        InitError: Something is missing; all of it is named.
    """
    missing = [_LABELS] if labels and request.labels is None else []
    missing += [_SCORE] if score and request.score is None else []
    given = request.pixels
    sized = "size" in given or {"resize", "crop"} <= set(given)
    if pixels and not (sized and {"mean", "std"} <= set(given)):
        missing.append(_PIXELS)
    if missing:
        msg = (
            f"--model {request.spec}: a model of kind {kind!r} does not say its labels, what its "
            f"scores mean or how images are prepared, and none of it is guessed; give "
            f"{'; '.join(missing)}"
        )
        raise InitError(msg)


def _found(
    request: ModelRequest,
    kind: str,
    keys: dict[str, Any],
    *,
    default: str,
    file: Path | None = None,
) -> FoundModel:
    written, labels = _labels(request.labels)
    _check_groups(request, labels)
    keys = keys | ({} if written is None else {"labels": written})
    keys |= {"label_groups": dict(request.groups)} if request.groups else {}
    keys |= {} if request.score is None else {"score": request.score}
    keys |= {"prompts": dict(request.prompts)} if request.prompts else {}
    pixels: Any = request.transforms or dict(request.pixels)
    keys |= {"preprocessing": pixels} if pixels else {}
    return FoundModel(
        name=name_of(request.name or default) or "candidate",
        kind=kind,
        keys=keys,
        labels=tuple(request.groups or request.prompts or labels.names),
        sha256="" if file is None else check_sha256(file, None),
        extra=kind_named(kind).extra,
    )


def _replaced(
    found: FoundModel, labels: Iterable[str] = (), *, imported_from: Path | None = None
) -> FoundModel:
    return replace(found, labels=found.labels or tuple(labels), imported_from=imported_from)


def _labels(text: str | None) -> tuple[Any, Labels]:
    """What the policy writes, and the names: a list where there is no such file."""
    if text is None:
        return None, Labels(())
    if Path(text).is_file():
        return text, read_labels(LabelFile(Path(text)))
    names = [part.strip() for part in text.split(",")]
    if len(names) < 2 or not all(names):
        msg = f"--labels {text}: no such file, and no list of names such as woman,man"
        raise InitError(msg)
    if len(set(names)) != len(names):
        msg = f"--labels {text}: names repeat; each column needs a name of its own"
        raise InitError(msg)
    return names, named_labels(names)


def _check_groups(request: ModelRequest, labels: Labels) -> None:
    """Refuse a group of labels that the model does not have, where its labels are known."""
    if not labels.names:
        return
    try:
        labels.grouped(request.groups, where="--group")
    except ModelError as error:
        raise InitError(str(error)) from error
