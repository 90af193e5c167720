"""Weights from a file into a module: no code runs in it, nothing is ignored."""

import hashlib
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

    Args:
        module: A network, built as it was trained.
        path: `.safetensors`, or what `torch.save` wrote of tensors only.
        key: Where in a checkpoint the weights are, e.g. `state_dict`.

    Raises:
        ModelError: The file is missing or unreadable, holds more than tensors, or its names or
            shapes do not fit.
    """
    weights, _ = read_checkpoint(Path(path), key=key)
    return fill(module, weights, path=Path(path))


def fill(module: M, weights: "Mapping[str, torch.Tensor]", *, path: Path) -> M:
    """Fill `module` with weights by name and return it in evaluation mode.

    Raises:
        ModelError: Names or shapes do not fit; the module then stays as it was.
    """
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    expected = module.state_dict()
    _check_names(path, set(weights), set(expected))
    for name, wanted in expected.items():  # in the module's order, which is the same every time
        if isinstance(wanted, torch.Tensor) and weights[name].shape != wanted.shape:
            msg = (
                f"{path}: weight {name!r} has shape {tuple(weights[name].shape)}, but "
                f"{type(module).__name__} expects {tuple(wanted.shape)}; build the module "
                "as it was trained, e.g. with the same number of labels"
            )
            raise ModelError(msg)
    module.load_state_dict(weights, strict=True)
    return module.eval()


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


def _check_names(path: Path, found: set[str], expected: set[str]) -> None:
    missing, unexpected = sorted(expected - found), sorted(found - expected)
    if missing or unexpected:
        msg = (
            f"{path}: the weights do not fit the module: {len(missing)} missing "
            f"{_some(missing)}, {len(unexpected)} unexpected {_some(unexpected)}; build the "
            "module as it was trained"
        )
        raise ModelError(msg)


def _some(names: list[str]) -> str:
    return "[" + ", ".join(names[:_SHOWN]) + (", …]" if len(names) > _SHOWN else "]")
