"""Weights from a file into a module: no code runs in it, nothing is ignored."""

import hashlib
from itertools import takewhile
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_fairness.classifiers.files.checkpoint import read_checkpoint
from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch
    from torch import nn

__all__ = ["fill", "hash_weights", "load_weights"]

M = TypeVar("M", bound="nn.Module")
_SHOWN = 3


def load_weights(module: M, path: str | Path, *, key: str | None = None) -> M:
    """Fill `module` with the weights of a file and return it in evaluation mode.

    A prefix that all names have and the network does not, such as `module.` of `nn.DataParallel`, is
    taken off.

    Args:
        module: A network, built as it was trained.
        path: `.safetensors`, or what `torch.save` wrote of tensors only.
        key: Where in a checkpoint the weights are, e.g. `state_dict`.

    Raises:
        ModelError: The file is missing or unreadable, holds more than tensors, or its names or
            shapes do not fit.
    """
    weights, _ = read_checkpoint(Path(path), key=key)
    fill(module, weights, path=Path(path))
    return module


def fill(module: "nn.Module", weights: "Mapping[str, torch.Tensor]", *, path: Path) -> str:
    """Fill `module` with weights by name, put it into evaluation mode, and return the prefix taken off.

    Args:
        module: A network, built as it was trained.
        weights: Its weights by name; where a prefix before all names keeps them from fitting, it is
            taken off.
        path: Where they came from.

    Raises:
        ModelError: Names or shapes do not fit; the module then stays as it was.
    """
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    expected = module.state_dict()
    prefix = _prefix(set(weights), set(expected))
    weights = {name.removeprefix(prefix): tensor for name, tensor in weights.items()}
    _check_names(path, set(weights), set(expected), prefix=prefix)
    for name, wanted in expected.items():  # in the module's order, which is the same every time
        if isinstance(wanted, torch.Tensor) and weights[name].shape != wanted.shape:
            msg = (
                f"{path}: weight {name!r} has shape {tuple(weights[name].shape)}, but "
                f"{type(module).__name__} expects {tuple(wanted.shape)}; build the module "
                "as it was trained, e.g. with the same number of labels"
            )
            raise ModelError(msg)
    module.load_state_dict(weights, strict=True)
    module.eval()
    return prefix


def _prefix(names: set[str], expected: set[str]) -> str:
    """Return what all names of a file have before those that a network expects, or nothing.

    Where no prefix makes all names fit, one that the network does not have is taken off all the same,
    so that the error tells what else is wrong.
    """
    if names == expected:
        return ""
    parts = [name.split(".") for name in names]
    columns = zip(*(part[:-1] for part in parts), strict=False)
    common = [column[0] for column in takewhile(lambda column: len(set(column)) == 1, columns)]
    prefixes = [".".join((*common[:depth], "")) for depth in range(1, len(common) + 1)]
    for prefix in prefixes:
        if {name.removeprefix(prefix) for name in names} == expected:
            return prefix
    # Each part that the network itself begins with ends what may be taken off.
    heads = {name.split(".")[0] for name in expected}
    own = next((depth for depth, part in enumerate(common) if part in heads), len(common))
    return prefixes[own - 1] if own else ""


def hash_weights(module: "nn.Module") -> str:
    """Return the sha256 of the names, types, shapes and values of a module's weights.

    Example:
        >>> from torch import nn
        >>> layer = nn.Linear(2, 1)
        >>> hash_weights(layer) == hash_weights(nn.Sequential(layer)[0])
        True
    """
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    digest = hashlib.sha256()
    for name, tensor in sorted(module.state_dict().items()):
        if not isinstance(tensor, torch.Tensor):  # a module's own extra state
            digest.update(f"{name} {tensor!r}\n".encode())
            continue
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        values = tensor.detach().cpu().contiguous().reshape(-1)
        digest.update(values.view(torch.uint8).numpy().data)  # NumPy has no bfloat16
    return digest.hexdigest()


def _check_names(path: Path, found: set[str], expected: set[str], *, prefix: str) -> None:
    missing, unexpected = sorted(expected - found), sorted(found - expected)
    without = f", without {prefix!r} before each name" if prefix else ""
    if missing or unexpected:
        msg = (
            f"{path}: the weights do not fit the module{without}: {len(missing)} missing "
            f"{_some(missing)}, {len(unexpected)} unexpected {_some(unexpected)}; build the "
            "module as it was trained"
        )
        raise ModelError(msg)


def _some(names: list[str]) -> str:
    return "[" + ", ".join(names[:_SHOWN]) + (", …]" if len(names) > _SHOWN else "]")
