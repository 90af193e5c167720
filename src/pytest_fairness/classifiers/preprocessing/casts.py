"""Casts that keep every value: pixels that a cast would change are an error."""

from typing import Any

import numpy as np
import torch

from pytest_fairness.errors import ModelError
from pytest_fairness.wording import counted

__all__ = ["as_pixels", "as_tensor", "exact_cast"]

_NUMBERS = "biuf"


def as_tensor(values: Any, *, title: str) -> torch.Tensor:
    """Return an array of numbers as a tensor of the same type.

    Args:
        values: A tensor or a NumPy array.
        title: What gave it, for an error.

    Raises:
        ModelError: It is neither, or holds something else than numbers.

    Example:
        >>> as_tensor(np.float64([0.5]), title="scores").dtype
        torch.float64
    """
    if isinstance(values, torch.Tensor):
        return values
    if isinstance(values, np.ndarray) and values.dtype.kind in _NUMBERS:
        native = np.ascontiguousarray(values, dtype=values.dtype.newbyteorder("="))
        return torch.from_numpy(native)
    kind = (
        f"an array of {values.dtype}" if isinstance(values, np.ndarray) else type(values).__name__
    )
    msg = f"{title} must be a tensor or a NumPy array of numbers, got {kind}"
    raise ModelError(msg)


def as_pixels(prepared: Any, *, model: str, sample: str) -> torch.Tensor:
    """Return what a preprocessing gave as a tensor.

    64-bit floats of NumPy become 32-bit ones, which is what most networks take.

    Args:
        prepared: A tensor or a NumPy array (C, H, W).
        model: Name of the model.
        sample: Id of the sample.

    Raises:
        ModelError: It is neither, or holds something else than numbers.
    """
    title = f"model {model!r}: what preprocessing gives for sample {sample!r}"
    pixels = as_tensor(prepared, title=title)
    if isinstance(prepared, np.ndarray) and pixels.dtype == torch.float64:
        return exact_cast(pixels, torch.float32, title=title)
    return pixels


def exact_cast(values: torch.Tensor, dtype: torch.dtype, *, title: str) -> torch.Tensor:
    """Return values in another type, if each keeps its value.

    Floating point numbers may be rounded to a smaller type of the same kind, but stay finite.

    Args:
        values: Any numbers.
        dtype: The type.
        title: What is cast, for an error.

    Raises:
        ModelError: A fraction would be cut off, or a value is outside of the range of the type.

    Example:
        >>> exact_cast(torch.tensor([0.0, 255.0]), torch.uint8, title="pixels").tolist()
        [0, 255]
    """
    if values.dtype == dtype:
        return values
    cast = values.to(dtype)
    if dtype.is_floating_point:
        lost = torch.isinf(cast) & torch.isfinite(values)
    else:
        lost = cast.double() != values.double()
    if bool(lost.any()):
        example, count = values[lost][0].item(), int(lost.sum())
        msg = (
            f"{title}: a cast from {_name(values.dtype)} to {_name(dtype)} would change {count:,} of "
            f"{counted(values.numel(), 'value')}, e.g. {example:g}; give values that {_name(dtype)} can hold"
        )
        if not dtype.is_floating_point:
            msg += ": for pixels from 0 to 255 write preprocessing = { ..., white = 255 }, mean 0 and std 1"
        raise ModelError(msg)
    return cast


def _name(dtype: torch.dtype) -> str:
    return str(dtype).removeprefix("torch.")
