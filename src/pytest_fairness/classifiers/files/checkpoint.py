"""Tensors from a checkpoint, whatever its format, without running code in it."""

import pickle
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pytest_fairness.classifiers.files.pickles import refuse_pickle
from pytest_fairness.classifiers.files.zips import check_zip, is_torchscript
from pytest_fairness.errors import ModelError
from pytest_fairness.hashing import sha256_of

if TYPE_CHECKING:
    import torch

__all__ = ["check_sha256", "read_checkpoint", "tensor_keys", "weights_keys"]

_CONVERT = """\
  python -c "import torch; from safetensors.torch import save_file; \\
    found = torch.load('{path}', weights_only=False, map_location='cpu'); \\
    save_file(found.state_dict() if hasattr(found, 'state_dict') else found{key}, '{to}')\""""
_SHOWN = 6


def read_checkpoint(
    path: Path, *, key: str | None = None, allow_pickle: bool = False
) -> "tuple[dict[str, torch.Tensor], bool]":
    """Return the tensors of a checkpoint by name, and whether code could run in reading them.

    Args:
        path: `.safetensors`, or a file that `torch.save` wrote.
        key: Where in the checkpoint the weights are, with dots between levels.
        allow_pickle: Whether to read a file that could run code.

    Raises:
        ModelError: The file is missing, unreadable, holds no tensors by name, or needs unpickling.
    """
    if not path.is_file():
        msg = f"{path}: no such file of weights; correct the path, or train the model first"
        raise ModelError(msg)
    if path.suffix == ".safetensors":
        found, unpickled = _read_safetensors(path), False
    else:
        found, unpickled = _read_torch(path, key=key, allow_pickle=allow_pickle)
    return _at(found, key, path=path), unpickled


def check_sha256(path: Path, expected: str | None) -> str:
    """Return the hash of a file or folder that is there and, where one is expected, has it.

    Raises:
        ModelError: There is no such file, or its hash is another.
    """
    if not path.exists():
        msg = f"{path}: no such file or folder of a model; correct the path, or build it first"
        raise ModelError(msg)
    try:
        found = sha256_of(path)
    except OSError as error:
        msg = f"{path}: cannot be read: {error.strerror}"
        raise ModelError(msg) from error
    if expected is not None and found != expected:
        msg = (
            f"{path}: its sha256 is {found}, the policy pins {expected}; put the reviewed file "
            "back, or review the new one and pin its hash"
        )
        raise ModelError(msg)
    return found


def _read_safetensors(path: Path) -> "dict[str, torch.Tensor]":
    from safetensors import SafetensorError  # noqa: PLC0415  (needs torch)
    from safetensors.torch import load_file  # noqa: PLC0415

    try:
        weights: dict[str, torch.Tensor] = load_file(path)
    except (SafetensorError, OSError) as error:
        msg = (
            f"{path}: not a whole safetensors file ({error}); save the weights with "
            "safetensors.torch.save_file"
        )
        raise ModelError(msg) from error
    return weights


def _read_torch(path: Path, *, key: str | None, allow_pickle: bool) -> tuple[Any, bool]:
    """Return what `torch.save` wrote: tensors, numbers and texts, unless more is allowed."""
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    if is_torchscript(path):
        msg = (
            f"{path}: a TorchScript archive, which holds a whole model and not only weights; give "
            'it as path with kind = "torchscript"'
        )
        raise ModelError(msg)
    try:
        check_zip(path)
        return torch.load(path, map_location="cpu", weights_only=True), False
    except pickle.UnpicklingError as error:
        if not allow_pickle:
            inner = "".join(f"['{part}']" for part in key.split(".")) if key else ""
            to = path.with_suffix(".safetensors")
            raise refuse_pickle(
                path,
                what="a checkpoint that holds more than tensors",
                convert=_CONVERT.format(path=path, key=inner, to=to),
            ) from error
    except (RuntimeError, EOFError, OSError, ValueError) as error:
        msg = f"{path}: not a whole checkpoint ({error}); save it anew, best as safetensors"
        raise ModelError(msg) from error
    return _unpickled(path), True


def _unpickled(path: Path) -> Any:
    import torch  # noqa: PLC0415

    try:
        found = torch.load(path, map_location="cpu", weights_only=False)
    except Exception as error:  # a pickle can raise anything
        msg = f"{path}: unpickling it was allowed, and failed: {type(error).__name__}: {error}"
        raise ModelError(msg) from error
    return found.state_dict() if hasattr(found, "state_dict") else found


def _at(found: Any, key: str | None, *, path: Path) -> "dict[str, torch.Tensor]":
    """Return the mapping of names to tensors at a place within a checkpoint."""
    import torch  # noqa: PLC0415

    for part in key.split(".") if key else ():
        if not isinstance(found, Mapping) or part not in found:
            msg = f"{path}: no key {part!r} of weights_key = {key!r}; it holds {_keys(found)}"
            raise ModelError(msg)
        found = found[part]
    tensors = isinstance(found, Mapping) and all(
        isinstance(value, torch.Tensor) for value in found.values()
    )
    if not tensors or not found:
        msg = (
            f"{path}: expected tensors by name, got {_keys(found)}; say where they are, e.g. "
            f'weights_key = "{next(iter(tensor_keys(found)), "state_dict")}"'
        )
        raise ModelError(msg)
    return dict(found)


def tensor_keys(found: Any, *, depth: int = 3) -> list[str]:
    """Return the keys under which a checkpoint holds tensors by name, the one with most tensors first.

    Args:
        found: What is in the checkpoint.
        depth: How many mappings within mappings are looked at.

    Example:
        >>> import torch
        >>> tensor_keys({"epoch": 3, "ema": {"model": {"weight": torch.zeros(2)}}})
        ['ema.model']
    """
    sizes = dict(_sizes(found, (), depth))
    return sorted(sizes, key=lambda key: -sizes[key])


def weights_keys(path: Path) -> list[str]:
    """Return the keys of a file of weights that hold tensors by name.

    The key is empty where the file itself holds them.

    Raises:
        ModelError: The file cannot be read, or would need unpickling.
    """
    import torch  # noqa: PLC0415

    if path.suffix == ".safetensors":
        return [""]
    found, _ = _read_torch(path, key=None, allow_pickle=False)
    if isinstance(found, Mapping) and all(isinstance(one, torch.Tensor) for one in found.values()):
        return [""]
    return tensor_keys(found)


def _sizes(found: Any, path: tuple[str, ...], depth: int) -> Iterator[tuple[str, int]]:
    import torch  # noqa: PLC0415  (a policy can be read without torch)

    for name, value in found.items() if isinstance(found, Mapping) and depth else ():
        if not isinstance(value, Mapping) or not isinstance(name, str) or "." in name:
            continue
        if value and all(isinstance(inner, torch.Tensor) for inner in value.values()):
            yield ".".join((*path, name)), len(value)
        else:
            yield from _sizes(value, (*path, name), depth - 1)


def _keys(found: Any) -> str:
    if not isinstance(found, Mapping):
        return f"a {type(found).__name__}"
    names = [str(name) for name in found]
    return f"the keys {names[:_SHOWN]}" + (
        f" and {len(names) - _SHOWN} more" * (len(names) > _SHOWN)
    )
