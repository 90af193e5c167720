"""Weights from safetensors files: nothing is unpickled, nothing is ignored."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from pytest_fairness.errors import ModelError

if TYPE_CHECKING:
    import torch
    from torch import nn

__all__ = ["hash_weights", "load_weights"]

M = TypeVar("M", bound="nn.Module")
_SHOWN = 3


def load_weights(module: M, path: str | Path) -> M:
    """Fill `module` with the weights of a safetensors file and return it in evaluation mode.

    Raises:
        ModelError: The file is missing or unreadable, or its names or shapes do not fit.
    """
    weights = _read(Path(path))
    expected = module.state_dict()
    _check_names(Path(path), set(weights), set(expected))
    for name, tensor in weights.items():
        if tensor.shape != expected[name].shape:
            msg = (
                f"{path}: weight {name!r} has shape {tuple(tensor.shape)}, but "
                f"{type(module).__name__} expects {tuple(expected[name].shape)}; build the module "
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


def _read(path: Path) -> "dict[str, torch.Tensor]":
    from safetensors import SafetensorError  # noqa: PLC0415  (needs torch)
    from safetensors.torch import load_file  # noqa: PLC0415

    if not path.is_file():
        msg = f"{path}: no such file of weights; correct the path, or train the model first"
        raise ModelError(msg)
    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        msg = (
            f"{path}: not a whole safetensors file ({error}); save the weights with "
            "safetensors.torch.save_file (files that need unpickling are not read)"
        )
        raise ModelError(msg) from error
    return weights


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
