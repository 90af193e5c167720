"""A model is borrowed, and given back as it was; so are the settings of torch that it runs with."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any, Literal, get_args

import torch
from torch import nn

__all__ = ["PRECISIONS", "Precision", "left_as_found", "strict_precision"]

Precision = Literal["strict", "tf32", "bf16", "fp16"]
PRECISIONS: tuple[Precision, ...] = get_args(Precision)


@contextmanager
def strict_precision(*, tf32: bool = False) -> Iterator[None]:
    """Compute 32-bit numbers as such: no TF32 on cards, no bfloat16 on CPUs. Undone afterwards.

    Args:
        tf32: Whether convolutions and products of matrices may use TF32 on cards all the same.

    Source: PyTorch, CUDA semantics, TensorFloat-32 (convolutions use it by default).

    Example:
        >>> with strict_precision():
        ...     torch.backends.cudnn.allow_tf32, torch.backends.cuda.matmul.allow_tf32
        (False, False)
        >>> torch.backends.cudnn.allow_tf32
        True
    """
    with ExitStack() as undo:
        undo.callback(_restore_all, _legacy_settings())
        for operators in _operators():
            undo.callback(setattr, operators, "fp32_precision", operators.fp32_precision)
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.backends.cudnn.allow_tf32 = False
        for operators in _operators():
            operators.fp32_precision = "ieee"
        torch.set_float32_matmul_precision("high" if tf32 else "highest")
        torch.backends.cudnn.allow_tf32 = tf32
        yield


def _operators() -> list[Any]:
    """The kinds of operators that have a precision of their own; none before torch 2.9."""
    backends: Any = torch.backends
    if not hasattr(backends.cudnn, "conv"):
        return []
    kinds = (backends.cudnn.conv, backends.cudnn.rnn, backends.cuda.matmul)
    return [*kinds, *(getattr(backends.mkldnn, name) for name in ("matmul", "conv", "rnn"))]


def _legacy_settings() -> tuple[str, bool] | None:
    """The settings by their former names; None where a user has set what those cannot tell."""
    try:
        return torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    except RuntimeError:
        return None


def _restore_all(settings: tuple[str, bool] | None) -> None:
    """Set the former names too: torch refuses to read them where the two disagree."""
    if settings is not None:
        torch.set_float32_matmul_precision(settings[0])
        torch.backends.cudnn.allow_tf32 = settings[1]


@contextmanager
def left_as_found(
    module: Callable[[torch.Tensor], torch.Tensor], device: torch.device
) -> Iterator[None]:
    """Put a module on a device in evaluation mode without gradients, and undo it all afterwards.

    Meanwhile 32-bit numbers are computed strictly, see `strict_precision`.

    Each submodule gets its own training flag back, also after an error. A callable that is no
    `nn.Module` is only run without gradients.

    Example:
        >>> module = nn.Dropout()
        >>> with left_as_found(module, torch.device("cpu")):
        ...     module.training, torch.is_grad_enabled()
        (False, False)
        >>> module.training, torch.is_grad_enabled()
        (True, True)
    """
    if not isinstance(module, nn.Module):
        with strict_precision(), torch.inference_mode():
            yield
        return
    training = [(part, part.training) for part in module.modules()]
    tensors = (*module.parameters(), *module.buffers())
    home = tensors[0].device if tensors else device
    try:
        module.eval()
        # Outside inference mode: weights moved inside could never be trained again.
        module.to(device)
        with strict_precision(), torch.inference_mode():
            yield
    finally:
        module.to(home)
        for part, flag in training:
            part.training = flag
