"""A Python function that returns the model; or what a fixture of the user's returned."""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from typing_extensions import override

from pytest_fairness.classifiers.classifier import Classifier
from pytest_fairness.classifiers.files.checkpoint import check_sha256, read_checkpoint
from pytest_fairness.classifiers.files.weights import fill
from pytest_fairness.classifiers.found import Found, Loading, pick_output
from pytest_fairness.classifiers.preprocessing.layouts import laid_out
from pytest_fairness.classifiers.sources.predict_proba import (
    Estimator,
    EstimatorModel,
    estimator_labels,
)
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from pytest_fairness.policy.model_specs import ModelSpec

__all__ = ["found_in", "load_factory", "load_weights_of"]


def load_factory(spec: "ModelSpec", loading: Loading) -> "Found | Classifier":
    """Call the function of a `factory = "package.module:function"` table.

    Raises:
        ModelError: There is no such module or function, it fails, or returns no model.
    """
    function = _function(spec)
    try:
        made = function(**spec.arguments)
    except TypeError as error:
        if error.__traceback__ is not None and error.__traceback__.tb_next is not None:
            raise  # within the function: its own mistake
        msg = (
            f"{spec.title}: {spec.factory} does not take arguments = "
            f"{dict(spec.arguments)!r}: {error}; its signature is {inspect.signature(function)}"
        )
        raise ModelError(msg) from error
    notes = {"factory": str(spec.factory)}
    if spec.weights is not None:
        module = made.module if isinstance(made, Classifier) else made
        notes |= load_weights_of(module, spec, loading)
    return found_in(made, spec, notes=notes)


def load_weights_of(module: Any, spec: "ModelSpec", loading: Loading) -> dict[str, str]:
    """Fill a module with the weights of its table, and return what the record says about them.

    Raises:
        ModelError: The file is missing, has another hash, needs unpickling, or does not fit.
    """
    path = spec.weights or Path()
    if not isinstance(module, nn.Module):
        msg = (
            f"{spec.title}: weights = {str(path)!r} can be loaded into an "
            f"nn.Module, but {spec.factory} returns {type(module).__name__}; drop weights, or load "
            "them there"
        )
        raise ModelError(msg)
    sha256 = check_sha256(path, spec.sha256)
    weights, unpickled = read_checkpoint(
        path, key=spec.weights_key, allow_pickle=loading.allow_pickle
    )
    prefix = fill(module, weights, path=path)
    notes = {"model_file": path.name, "model_sha256": sha256}
    notes |= {"weights_prefix": prefix} if prefix else {}
    return notes | (
        {"unpickled": f"{path.name} (allowed by --fairness-allow-pickle)"} if unpickled else {}
    )


def found_in(made: Any, spec: "ModelSpec", *, notes: dict[str, str]) -> "Found | Classifier":
    """Return what a function, fixture or file made: a `Classifier`, or a module to be described.

    Raises:
        ModelError: It is none of: Classifier, nn.Module, callable, something with predict_proba.
    """
    if isinstance(made, Classifier):
        return made
    if isinstance(made, Estimator):
        module = EstimatorModel(made, layout=spec.layout, name=spec.name)
        return Found(module, labels=estimator_labels(made), score="probability", notes=notes)
    if not callable(made) or isinstance(made, type):
        got = f"the class {made.__name__}" if isinstance(made, type) else type(made).__name__
        msg = (
            f"{spec.title} is {got}; return a Classifier, an nn.Module, a "
            "function from images to scores, or something with predict_proba"
        )
        raise ModelError(msg)
    if spec.output is None and spec.layout in (None, "nchw"):
        return Found(made, notes=notes)
    if isinstance(made, nn.Module):
        return Found(_Described(made, spec), notes=notes)
    return Found(_described(made, spec), notes=notes)


def _described(call: Callable[[torch.Tensor], Any], spec: "ModelSpec") -> Callable[..., Any]:
    return lambda images: pick_output(
        call(laid_out(images, spec.layout)), spec.output, name=spec.name
    )


class _Described(nn.Module):
    """A module with its layout and output; its weights keep their names but for a prefix."""

    def __init__(self, module: nn.Module, spec: "ModelSpec") -> None:
        super().__init__()
        self.module = module
        self.call = _described(module, spec)

    @override
    def forward(self, images: torch.Tensor) -> Any:
        return self.call(images)


def _function(spec: "ModelSpec") -> Callable[..., Any]:
    """Import `package.module:function` or `file.py:function`."""
    text = spec.factory or ""
    where, _, name = text.rpartition(":")
    if not where or not name:
        msg = (
            f"{spec.title}: factory = {text!r}; write package.module:function, or file.py:function"
        )
        raise ModelError(msg)
    module = _file_module(Path(where), spec) if where.endswith(".py") else _module(where, spec)
    function = getattr(module, name, None)
    if not callable(function):
        functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
        msg = (
            f"{spec.title}: {where} has no function {name!r}; it has "
            f"{', '.join(functions) or 'none'}"
        )
        raise ModelError(msg)
    return function  # type: ignore[no-any-return]


def _module(name: str, spec: "ModelSpec") -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise  # something that the module itself imports
        msg = (
            f"{spec.title}: no module {error.name!r} to import {spec.factory} "
            'from; install it, or write pythonpath = ["."] under [tool.pytest]'
        )
        raise ModelError(msg) from error


def _file_module(path: Path, spec: "ModelSpec") -> Any:
    if not path.is_file():
        msg = f"{spec.title}: no such file: {path}; write it relative to the policy"
        raise ModelError(msg)
    name = f"fairness_model_{path.stem}"
    known = sys.modules.get(name)
    if known is not None and known.__file__ == str(path.resolve()):
        return known
    found = importlib.util.spec_from_file_location(name, path.resolve())
    if found is None or found.loader is None:
        msg = f"{path}: cannot be imported as Python"
        raise ModelError(msg)
    module = importlib.util.module_from_spec(found)
    sys.modules[name] = module  # dataclasses look their module up
    found.loader.exec_module(module)
    return module
